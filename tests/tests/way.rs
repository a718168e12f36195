//! The whole way: a device publishes, the alarm is on the page, the topic and the webhook, and the journal has it all.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "tests fail by panicking"
)]

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::os::unix::fs::OpenOptionsExt;
use std::sync::mpsc::{Receiver, sync_channel};
use std::time::Duration;

use serde_json::{Value, json};
use wardlight_tests::agent::{Agent, Broker, Site};
use wardlight_tests::device::{Device, HR, NIBP_SYS, SPO2, TEMP};
use wardlight_tests::mosquitto::Mosquitto;
use wardlight_tests::mqtt::{Client, Heard};
use wardlight_tests::wait::{now_ms, until};

const SECRET: &str = "whole-way-secret";

/// One post that a webhook got.
struct Posted {
    headers: BTreeMap<String, String>,
    body: Vec<u8>,
}

/// A receiver of webhooks on a free port.
fn receiver() -> (u16, Receiver<Posted>) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    let (sender, posts) = sync_channel(1024);
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut reader = BufReader::new(stream.unwrap());
            let Some(posted) = read_post(&mut reader) else { continue };
            let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
            if reader.get_mut().write_all(answer).is_ok() && sender.send(posted).is_err() {
                return;
            }
        }
    });
    (port, posts)
}

fn read_post(reader: &mut impl BufRead) -> Option<Posted> {
    let mut headers = BTreeMap::new();
    let mut line = String::new();
    reader.read_line(&mut line).ok().filter(|n| *n > 0)?;
    loop {
        line.clear();
        reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim_end().split_once(": ") else {
            break;
        };
        headers.insert(name.to_ascii_lowercase(), value.to_owned());
    }
    let mut body = vec![0; headers.get("content-length")?.parse().ok()?];
    reader.read_exact(&mut body).ok()?;
    Some(Posted { headers, body })
}

fn signature(posted: &Posted) -> String {
    let mut signed = posted.headers["x-wardlight-timestamp"].clone().into_bytes();
    signed.push(b'.');
    signed.extend(&posted.body);
    let mut text = "sha256=".to_owned();
    for byte in hmac_sha256::HMAC::mac(&signed, SECRET.as_bytes()) {
        write!(text, "{byte:02x}").unwrap();
    }
    text
}

fn site(mosquitto: &Mosquitto, webhook: u16) -> Site {
    let more = format!(
        "[[webhook]]\nurl = \"http://127.0.0.1:{webhook}/hook\"\nsecret_file = \"webhook.key\"\n\
        [unit.receivers]\nprimary = [\"4101\"]\nsecond = [\"K. Brandt\"]\n"
    );
    let site = Site::new(Broker::Mosquitto(mosquitto.port), &more);
    let mut options = std::fs::File::options();
    let mut file = options
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(site.dir().join("webhook.key"))
        .unwrap();
    file.write_all(SECRET.as_bytes()).unwrap();
    site
}

/// The same numerics in the native CBOR: heart rate and systolic pressure.
fn cbor(device: &mut Device, hr: u8, sys: u8) -> Vec<u8> {
    device.seq += 1;
    let seq = u8::try_from(device.seq).unwrap();
    assert!(seq < 24);
    let mut bytes = vec![0xa5, 0x00, 0x01, 0x01, seq, 0x02, 0x1b];
    bytes.extend(now_ms().to_be_bytes());
    bytes.extend([0x03, 0x82]);
    for (code, value) in [(HR, hr), (NIBP_SYS, sys)] {
        bytes.extend([0x82, 0x1a]);
        bytes.extend(code.to_be_bytes());
        bytes.extend([0x18, value]);
    }
    bytes.extend([0x09, 0x01]);
    bytes
}

#[test]
fn from_the_device_to_page_topic_webhook_and_journal_and_over_a_restart() {
    let mosquitto = Mosquitto::start();
    let (port, posts) = receiver();
    let site = site(&mosquitto, port);
    let agent = site.start();
    agent.bed(&["admit", "B01", "--age", "70", "--name", "Test Person"]);
    agent.bed(&["attach", "B01", "mon-01"]);
    let mut live = agent.live();
    live.find("the snapshot", |frame| frame["type"] == "snapshot");
    let mut pager = Client::connect(mosquitto.port, "pager").unwrap();
    pager.subscribe("ward/v1/site/ward/+/alert");
    let mut wire = Client::connect(mosquitto.port, "mon-01").unwrap();
    let mut monitor = Device::new("mon-01");

    // JSON within the limits raises nothing; CBOR with a systolic pressure of 70 does.
    let calm = monitor.numerics(&[(HR, 80.0), (SPO2, 97.0), (TEMP, 37.1)]);
    wire.deliver(&calm.topic, &calm.payload());
    let low = cbor(&mut monitor, 82, 70);
    wire.deliver(&monitor.topic("num"), &low);
    let alarm = live.alarm("nibp_sys_low", "active");
    assert_eq!(
        (&alarm["bed"], &alarm["priority"], &alarm["value"]),
        (&json!("B01"), &json!("medium"), &json!(70.0))
    );
    let id = alarm["id"].as_str().unwrap().to_owned();

    let alert = next_alert(&pager, "nibp_sys_low");
    assert_eq!(
        (&alert["id"], &alert["state"], &alert["limit"]),
        (&json!(id), &json!("active"), &json!(90.0))
    );
    assert_eq!((&alert["receiver"], &alert["calling"]), (&json!("primary"), &json!(["4101"])));
    let posted = posts.recv_timeout(Duration::from_secs(10)).expect("a post within 10 s");
    assert_eq!(posted.headers["x-wardlight-signature"], signature(&posted));
    let body: Value = serde_json::from_slice(&posted.body).unwrap();
    assert_eq!((&body["id"], &body["calling"]), (&json!(id), &json!(["4101"])));
    assert!(!String::from_utf8_lossy(&posted.body).contains("Test Person"));

    let done = agent.post(&format!("/api/v1/alarms/{id}/acknowledge"), &json!({"by": "nurse A"}));
    assert_eq!(done.status, 200, "{}", done.body);
    assert_eq!(live.alarm("nibp_sys_low", "acknowledged")["acknowledged_by"], "nurse A");

    assert!(agent.terminate().success());
    let agent = site.start();
    assert_acknowledged(&agent, &id);
    assert!(agent.terminate().success());

    let stored: Vec<(Value, Value)> = site
        .export()
        .into_iter()
        .map(|m| (m["device"].clone(), m["seq"].clone()))
        .collect();
    assert_eq!(stored, [(json!("mon-01"), json!(1)), (json!("mon-01"), json!(2))]);
    site.assert_sound();
}

fn next_alert(pager: &Client, kind: &str) -> Value {
    loop {
        let heard = pager
            .heard
            .recv_timeout(Duration::from_secs(10))
            .expect("an alert within 10 s");
        if let Heard::Message(topic, payload) = heard {
            let alert: Value = serde_json::from_slice(&payload).unwrap();
            assert_eq!(topic, format!("ward/v1/site/ward/{}/alert", alert["bed"].as_str().unwrap()));
            if alert["kind"] == kind {
                return alert;
            }
        }
    }
}

fn assert_acknowledged(agent: &Agent<'_>, id: &str) {
    let standing = agent.alarms("nibp_sys_low");
    assert_eq!(standing.len(), 1, "{standing:?}");
    assert_eq!(
        (&standing[0]["id"], &standing[0]["state"]),
        (&json!(id), &json!("acknowledged"))
    );
}

#[test]
fn a_device_at_no_bed_is_listed_journaled_and_raises_nothing() {
    let mosquitto = Mosquitto::start();
    let site = Site::new(Broker::Mosquitto(mosquitto.port), "");
    let agent = site.start();
    agent.occupy("B01", "mon-01");
    let mut wire = Client::connect(mosquitto.port, "two").unwrap();
    let mut stranger = Device::new("stranger");
    let low = stranger.numerics(&[(NIBP_SYS, 60.0)]);
    wire.deliver(&low.topic, &low.payload());
    // The same from a device at a bed proves that the stranger's message was through.
    let mut monitor = Device::new("mon-01");
    let low = monitor.numerics(&[(NIBP_SYS, 60.0)]);
    wire.deliver(&low.topic, &low.payload());
    let alarms = until("the attached device's alarm", 10, || {
        Some(agent.alarms("nibp_sys_low")).filter(|alarms| !alarms.is_empty())
    });
    assert_eq!(alarms.len(), 1, "{alarms:?}");
    assert_eq!(alarms[0]["bed"], "B01");
    // The list is what the page shows, and that is renewed once a second.
    let line = "Unassigned devices (journaled, raise nothing): stranger";
    until("the stranger in the list", 5, || {
        agent.bed(&["list"]).contains(line).then_some(())
    });
    assert!(agent.terminate().success());
    assert!(site.export().iter().any(|m| m["device"] == "stranger"));
}

#[test]
fn the_agents_own_broker_confirms_what_the_journal_has() {
    let site = Site::new(Broker::Embedded, "");
    let agent = site.start();
    agent.occupy("B02", "mon-02");
    let mut live = agent.live();
    let mut wire = Client::connect(site.broker, "mon-02").unwrap();
    let mut monitor = Device::new("mon-02");
    for _ in 0..20 {
        let message = monitor.numerics(&[(HR, 80.0)]);
        wire.deliver(&message.topic, &message.payload());
    }
    let alarm = monitor.alarm("vf", true);
    wire.deliver(&alarm.topic, &alarm.payload());
    assert_eq!(live.alarm("device_alarm_vf", "active")["priority"], "high");
    agent.kill();
    assert_eq!(site.export().len(), 21);
    site.assert_sound();
}
