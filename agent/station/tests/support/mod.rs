//! A station on a loopback port, an agent that answers as told, and small clients.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    dead_code,
    reason = "tests fail by panicking, and each test file uses its own part of this"
)]

pub(crate) mod people;
pub(crate) mod schema;

use std::net::SocketAddr;

use axum::serve::ListenerExt;
use futures_util::{SinkExt, StreamExt};
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};
use wardlight_core::alarms::{AlarmId, AlarmKind, AlarmState, Audio, Receiver, Roster};
use wardlight_core::codes::{AgeGroup, Parameter};
use wardlight_core::event::{AlarmChange, Cause, ModelStatus, Transition, Trigger};
use wardlight_core::ids::{BedId, DeviceId, SiteId, StayToken, UnitId};
use wardlight_core::message::Priority;
use wardlight_core::patient::Spo2Scale;
use wardlight_core::time::Timestamp;
use wardlight_core::view::{BedView, DeviceView, Freshness, NumericView, StayView, WardView};
use wardlight_core::vitals::Milli;
use wardlight_station::{People, Station, StationCommand, StationInfo, UnitInfo};

pub(crate) const NOW: Timestamp = Timestamp::from_millis(1_700_000_000_000);

/// A running station and the commands that come out of it.
pub(crate) struct Fixture {
    pub(crate) station: Station,
    pub(crate) commands: mpsc::Receiver<StationCommand>,
    pub(crate) address: String,
}

/// A station without a login.
pub(crate) async fn station() -> Fixture {
    station_for(People::open(), 4).await
}

/// A station for these people; `room` is for the commands that may wait.
pub(crate) async fn station_for(people: People, room: usize) -> Fixture {
    let (sender, commands) = mpsc::channel(room);
    let info = StationInfo {
        site: SiteId::new("riverside").unwrap(),
        site_name: "Riverside General".into(),
        units: vec![UnitInfo {
            unit: UnitId::new("icu").unwrap(),
            name: "Intensive care".into(),
            beds: ["b1", "b2"].map(bed_id).to_vec(),
            roster: Roster {
                second: vec!["K. Brandt".into(), "4102".into()],
                ..Roster::default()
            },
        }],
        version: "0.0.0".into(),
        started_at: NOW,
        simulated: true,
        role: "Secondary display".into(),
        hosts: vec!["ward.example".into()],
    };
    let station = Station::with_people(info, sender, people);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let listener = listener.tap_io(|socket| socket.set_nodelay(true).unwrap());
    let service = station.router().into_make_service_with_connect_info::<SocketAddr>();
    tokio::spawn(axum::serve(listener, service).into_future());
    Fixture {
        station,
        commands,
        address,
    }
}

pub(crate) fn bed_id(name: &str) -> BedId {
    BedId::new(name).unwrap()
}

/// A bed with a patient and one value.
pub(crate) fn bed(name: &str, spo2: i32) -> BedView {
    BedView {
        sighting: None,
        bed: bed_id(name),
        unit: UnitId::new("icu").unwrap(),
        stay: Some(StayView {
            stay: StayToken::from_bytes([9; 16]),
            name: "Okafor, B.".into(),
            age_group: AgeGroup::Adult,
            age_years: Some(71),
            spo2_scale: Spo2Scale::One,
            consciousness: None,
            oxygen: None,
            admitted_at: NOW,
        }),
        devices: Vec::new(),
        numerics: vec![NumericView {
            parameter: Parameter::Spo2,
            value: Some(Milli::new(spo2 * 1000 - 400)),
            measured_at: NOW,
            freshness: Freshness::Fresh,
            implausible: false,
            limits: (Some(Milli::from_int(90)), None),
        }],
        news2: None,
        risk: None,
        alarms: Vec::new(),
        blind_since: None,
        blind_ms: 0,
        blind_by_cause: Vec::new(),
        blind_recent: Vec::new(),
        audio_pause: None,
        inactivated: Vec::new(),
        limits: Vec::new(),
        handover: None,
        ecg: None,
    }
}

pub(crate) fn ward() -> WardView {
    WardView {
        unacknowledged: [0; 3],
        model: ModelStatus::Live,
        unassigned: vec![DeviceView {
            device: DeviceId::new("patch-1").unwrap(),
            model: "Acme".into(),
            bed: None,
            live: true,
            online: Some(true),
            last_received_at: Some(NOW),
            battery_percent: Some(64),
            demo: false,
            skew_ms: None,
            missed: 0,
        }],
    }
}

/// A desaturation at the bed.
pub(crate) fn alarm(bed: &str, revision: u32, state: AlarmState) -> AlarmChange {
    let bed = bed_id(bed);
    let id = AlarmId::new(&bed, &AlarmKind::Desaturation, NOW);
    AlarmChange {
        id: id.clone(),
        revision,
        bed,
        stay: StayToken::from_bytes([9; 16]),
        kind: AlarmKind::Desaturation,
        priority: Priority::High,
        state,
        transition: Transition::Raised,
        cause: Some(Cause {
            parameter: Parameter::Spo2,
            value: Milli::from_int(78),
            limit: Milli::from_int(80),
        }),
        onset_at: NOW,
        raised_at: Timestamp::from_millis(NOW.as_millis() + 5_000),
        changed_at: Timestamp::from_millis(NOW.as_millis() + 5_000),
        trigger: Some(Trigger {
            sampled_at: Timestamp::from_millis(NOW.as_millis() + 4_700),
            received_at: Timestamp::from_millis(NOW.as_millis() + 4_990),
        }),
        by: None,
        call: id,
        receiver: Receiver::Primary,
        accepted_by: None,
        audio: Audio::On,
        reminders: 0,
    }
}

/// A page.
pub(crate) struct Page(WebSocketStream<MaybeTlsStream<TcpStream>>);

impl Page {
    pub(crate) async fn open(address: &str) -> Self {
        Self::with_origin(address, None).await.expect("the page was refused")
    }

    pub(crate) async fn with_origin(address: &str, origin: Option<&str>) -> Result<Self, u16> {
        let headers: Vec<_> = origin.map(|origin| ("origin", origin)).into_iter().collect();
        Self::with_headers(address, &headers).await
    }

    pub(crate) async fn with_headers(address: &str, headers: &[(&'static str, &str)]) -> Result<Self, u16> {
        let mut request = format!("ws://{address}/ws").into_client_request().unwrap();
        for (name, value) in headers {
            request.headers_mut().insert(*name, value.parse().unwrap());
        }
        match tokio_tungstenite::connect_async(request).await {
            Ok((stream, _)) => Ok(Self(stream)),
            Err(tokio_tungstenite::tungstenite::Error::Http(response)) => Err(response.status().as_u16()),
            Err(other) => panic!("{other}"),
        }
    }

    pub(crate) async fn message(&mut self) -> Message {
        self.0.next().await.expect("the station closed the page").unwrap()
    }

    /// The next text frame.
    pub(crate) async fn frame(&mut self) -> Value {
        loop {
            if let Message::Text(text) = self.message().await {
                return serde_json::from_str(&text).unwrap();
            }
        }
    }

    /// The next text frame of this type; others are passed over.
    pub(crate) async fn frame_of(&mut self, kind: &str) -> Value {
        loop {
            let frame = self.frame().await;
            if frame["type"] == kind {
                return frame;
            }
        }
    }

    pub(crate) async fn say(&mut self, message: Message) {
        self.0.send(message).await.unwrap();
    }

    pub(crate) async fn text(&mut self, text: &str) {
        self.say(Message::text(text)).await;
    }
}

/// An answer over HTTP.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }

    /// A header's value, by its lower-case name.
    pub(crate) fn header(&self, name: &str) -> Option<String> {
        self.head.lines().find_map(|line| {
            let (key, value) = line.split_once(':')?;
            key.eq_ignore_ascii_case(name).then(|| value.trim().to_owned())
        })
    }
}

/// One request by hand, so that every header is the test's own.
pub(crate) async fn http(address: &str, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let length = body.len().to_string();
    let mut all = vec![("connection", "close"), ("content-length", &length)];
    if headers.iter().all(|(name, _)| *name != "host") {
        all.push(("host", address));
    }
    all.extend(headers);
    let head: Vec<String> = all.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    let request = format!("{method} {path} HTTP/1.1\r\n{}\r\n{body}", head.concat());
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    Answer {
        status,
        head: head.to_owned(),
        body: body.to_owned(),
    }
}

pub(crate) async fn get(address: &str, path: &str) -> Answer {
    http(address, "GET", path, &[], "").await
}

pub(crate) async fn post(address: &str, path: &str, body: &str) -> Answer {
    http(address, "POST", path, &[("content-type", "application/json")], body).await
}

/// Compares with a golden file; `UPDATE_GOLDEN=1` rewrites it.
pub(crate) fn golden(name: &str, found: &Value) {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/golden")
        .join(name);
    let found = serde_json::to_string_pretty(found).unwrap() + "\n";
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&path, &found).unwrap();
    }
    let expected = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(
        found, expected,
        "{name}: differs from the golden file; UPDATE_GOLDEN=1 rewrites it"
    );
}
