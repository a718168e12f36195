//! A real journal on one side, and on the other a server on loopback that only looks like FHIR: it fails, refuses and asks for tokens.

use std::collections::{BTreeMap, VecDeque};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::net::TcpListener;
use wardlight_core::alarms::{AlarmId, AlarmKind, AlarmState, Audio, Receiver};
use wardlight_core::event::{AlarmChange, Command, Order, Transition};
use wardlight_core::ids::StayToken;
use wardlight_core::message::Priority;
use wardlight_core::patient::PatientProfile;
use wardlight_core::people::Actor;
use wardlight_core::time::Timestamp;
use wardlight_journal::{Entry, Journal, Kind, Options, SiteKey};
use wardlight_wire::fhir::Version;

use super::*;
use crate::config::{LoginConfig, Waveforms};
use crate::record::{RawMessage, Stored};

const STAY: StayToken = StayToken::from_bytes([7; 16]);

/// A journal and its outlet's configuration.
struct Site {
    folder: TempDir,
    at: JournalConfig,
    journal: Journal,
    config: FhirConfig,
    /// Whose messages are recorded.
    stay: StayToken,
    /// The wall clock, in whole minutes: the outlet asks the real one.
    now_ms: i64,
}

impl Site {
    fn new(url: &str) -> Self {
        rustls::crypto::ring::default_provider().install_default().ok();
        let folder = tempfile::tempdir().unwrap();
        let at = JournalConfig {
            dir: folder.path().join("journal"),
            key_file: folder.path().join("site.key"),
            linger: Duration::from_millis(5),
            keep: Duration::from_hours(24),
            max_bytes: 1 << 30,
            waveforms: Waveforms::Strips,
        };
        let key = SiteKey::create(&at.key_file).unwrap();
        let (journal, _) = Journal::open(&at.dir, &key, Options::default()).unwrap();
        let config = FhirConfig {
            url: url.parse().unwrap(),
            version: Version::R4,
            ca_file: None,
            login: None,
            timeout: Duration::from_secs(5),
            interval: Duration::from_mins(1),
            batch: 3,
            keep: Duration::from_hours(1),
            strips: true,
        };
        let now_ms = clock::wall().as_millis() / 60_000 * 60_000;
        Self {
            folder,
            at,
            journal,
            config,
            stay: STAY,
            now_ms,
        }
    }

    fn outlet(&self) -> FhirOutlet {
        let site = SiteId::new("s").unwrap();
        let mut outlet = start(&self.config, &site, &self.at).unwrap();
        outlet.feed.recall(&mut outlet.position).unwrap();
        outlet
    }

    /// Records a message that is `before_s` old.
    fn record(&mut self, kind: &str, before_s: i64, fields: &Value) {
        self.record_as(Kind::Message, kind, before_s, fields);
    }

    fn record_as(&mut self, stored: Kind, kind: &str, before_s: i64, fields: &Value) {
        let at = self.now_ms - before_s * 1000;
        let mut body = json!({"v": 1, "seq": 1, "t": at, "boot": 1});
        let all = body.as_object_mut().unwrap();
        all.extend(fields.as_object().cloned().unwrap());
        let (topic, payload) = (format!("vitals/v1/s/mon-01/{kind}"), body.to_string());
        let raw = RawMessage {
            topic: &topic,
            content_type: None,
            payload: payload.as_bytes(),
        };
        let entry = Stored::Message(raw).entry(stored, Some(self.stay), Timestamp::from_millis(at));
        self.append(&[entry]);
    }

    fn pulse(&mut self, before_s: i64, value: u32) {
        self.record("num", before_s, &json!({"m": [{"c": 147_842, "x": value}]}));
    }

    fn append(&mut self, entries: &[Entry]) {
        self.journal.append(entries).unwrap();
    }
}

/// Everything behind the outlet's position, without a server.
fn read(outlet: &mut FhirOutlet) -> Vec<Resource> {
    let mut all = Vec::new();
    loop {
        let batch = outlet.feed.next(&outlet.position, clock::wall()).unwrap();
        outlet.position = batch.upto;
        if batch.resources.is_empty() {
            return all;
        }
        all.extend(batch.resources);
    }
}

fn values(resources: &[Resource]) -> Vec<i64> {
    let value = |resource: &Resource| resource.body["valueQuantity"]["value"].as_i64();
    resources.iter().filter_map(value).collect()
}

/// What the fake server does with the next requests; then it takes everything.
#[derive(Clone, Default)]
struct Fake {
    answers: Arc<Mutex<VecDeque<StatusCode>>>,
    /// A batch with this value is refused whole, an entry with it alone too.
    poison: Option<i64>,
    token: Arc<Mutex<Option<String>>>,
    grants: Arc<Mutex<u32>>,
    /// How often each resource was taken.
    taken: Arc<Mutex<BTreeMap<String, u32>>>,
}

impl Fake {
    async fn serve(&self) -> String {
        let app = Router::new()
            .route("/r4", post(take))
            .route("/token", post(grant))
            .with_state(self.clone());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, app).await });
        url
    }

    fn taken(&self) -> BTreeMap<String, u32> {
        self.taken.lock().unwrap().clone()
    }
}

async fn take(State(fake): State<Fake>, headers: HeaderMap, body: Bytes) -> (StatusCode, String) {
    assert_eq!(headers["content-type"], "application/fhir+json");
    if let Some(token) = &*fake.token.lock().unwrap()
        && headers.get("authorization").and_then(|value| value.to_str().ok()) != Some(&format!("Bearer {token}"))
    {
        return (StatusCode::UNAUTHORIZED, String::new());
    }
    if let Some(status) = fake.answers.lock().unwrap().pop_front() {
        return (status, String::new());
    }
    let bundle: Value = serde_json::from_slice(&body).unwrap();
    let entries = bundle["entry"].as_array().unwrap();
    let poison = |entry: &Value| fake.poison.is_some() && entry["resource"]["valueQuantity"]["value"].as_i64() == fake.poison;
    if entries.iter().any(poison) {
        return (StatusCode::BAD_REQUEST, String::new());
    }
    let mut taken = fake.taken.lock().unwrap();
    let mut answer = Vec::new();
    for entry in entries {
        assert_eq!(entry["request"]["method"], "PUT");
        *taken.entry(entry["request"]["url"].as_str().unwrap().to_owned()).or_default() += 1;
        answer.push(json!({"response": {"status": "201 Created"}}));
    }
    (StatusCode::OK, json!({"resourceType": "Bundle", "entry": answer}).to_string())
}

async fn grant(State(fake): State<Fake>, headers: HeaderMap, body: Bytes) -> (StatusCode, String) {
    // wardlight:s%2Fecret
    assert_eq!(headers["authorization"], "Basic d2FyZGxpZ2h0OnMlMkZlY3JldA==");
    assert_eq!(&body[..], b"grant_type=client_credentials&scope=system%2F%2A%2Ewrite");
    let mut grants = fake.grants.lock().unwrap();
    *grants += 1;
    let token = format!("token-{grants}");
    *fake.token.lock().unwrap() = Some(token.clone());
    (StatusCode::OK, json!({"access_token": token, "expires_in": 3600}).to_string())
}

#[tokio::test]
async fn an_outlet_that_never_ran_begins_at_the_end_of_the_journal_and_goes_on_from_there() {
    let mut site = Site::new("http://127.0.0.1:1/r4");
    site.pulse(300, 80);
    let mut outlet = site.outlet();
    assert_eq!(read(&mut outlet), []);
    site.pulse(200, 81);
    drop(outlet);
    // It was told before the outlet stopped, and not sent: nothing was saved but where it began.
    assert_eq!(values(&read(&mut site.outlet())), [81]);
    assert_eq!(values(&read(&mut site.outlet())), [81]);
}

#[tokio::test]
async fn an_interval_in_which_the_agent_restarts_has_one_value() {
    let mut site = Site::new("http://127.0.0.1:1/r4");
    let mut outlet = site.outlet();
    for (before_s, value) in [(180, 80), (150, 81)] {
        site.pulse(before_s, value);
    }
    assert_eq!(values(&read(&mut outlet)), [80]);
    outlet.file.save(&outlet.position);
    for (before_s, value) in [(140, 82), (120, 83)] {
        site.pulse(before_s, value);
    }
    assert_eq!(values(&read(&mut site.outlet())), [83]);
}

#[tokio::test]
async fn what_waited_for_too_long_is_passed_over_and_counted() {
    let mut site = Site::new("http://127.0.0.1:1/r4");
    let mut outlet = site.outlet();
    site.pulse(2 * 3600, 80);
    site.pulse(60, 81);
    let batch = outlet.feed.next(&outlet.position, clock::wall()).unwrap();
    assert_eq!((values(&batch.resources), batch.too_old), (vec![81], 1));
}

#[tokio::test]
async fn a_device_in_demo_mode_says_nothing_about_a_patient_even_after_a_restart() {
    let mut site = Site::new("http://127.0.0.1:1/r4");
    site.record("event", 300, &json!({"e": "demo", "on": true}));
    let mut outlet = site.outlet();
    site.pulse(200, 80);
    assert_eq!(read(&mut outlet), []);
    outlet.file.save(&outlet.position);
    site.pulse(140, 80);
    let mut outlet = site.outlet();
    assert_eq!(read(&mut outlet), []);
    site.record("event", 100, &json!({"e": "demo", "on": false}));
    site.pulse(60, 81);
    assert_eq!(values(&read(&mut outlet)), [81]);
}

#[tokio::test]
async fn a_birth_a_strip_and_a_score_become_what_they_are() {
    let mut site = Site::new("http://127.0.0.1:1/r4");
    let mut outlet = site.outlet();
    let channels = json!([{"c": 147_842, "unit": "/min"}]);
    site.record("birth", 60, &json!({"model": "M", "fw": "1", "channels": channels}));
    let wave = json!({"c": 131_330, "fs": 250, "scale": [-3, 1], "offset": 0, "s": [1, 2, 3]});
    site.record_as(Kind::Strip, "wave/131330", 30, &wave);
    let score = wardlight_core::scores::News2::of(&wardlight_core::scores::News2Input::default());
    let bed = wardlight_core::ids::BedId::new("B01").unwrap();
    let at = Timestamp::from_millis(site.now_ms);
    let entry = || Stored::News2(bed.clone(), score).entry(Kind::Trend, Some(STAY), at);
    site.append(&[entry(), entry()]);
    let kinds: Vec<_> = read(&mut outlet).iter().map(|resource| resource.kind).collect();
    assert_eq!(kinds, ["Device", "DeviceMetric", "Observation", "Observation"]);
}

#[tokio::test]
async fn two_changes_of_an_alarm_in_one_batch_are_the_flag_as_it_is_at_the_end() {
    let mut site = Site::new("http://127.0.0.1:1/r4");
    let mut outlet = site.outlet();
    let at = Timestamp::from_millis(site.now_ms);
    let change = |state| {
        let (bed, kind) = (wardlight_core::ids::BedId::new("B01").unwrap(), AlarmKind::Apnoea);
        let id = AlarmId::new(&bed, &kind, at);
        let change = AlarmChange {
            id: id.clone(),
            revision: 1,
            bed,
            stay: STAY,
            kind,
            priority: Priority::High,
            state,
            transition: Transition::Raised,
            cause: None,
            onset_at: at,
            raised_at: at,
            changed_at: at,
            trigger: None,
            by: None,
            call: id,
            receiver: Receiver::Primary,
            accepted_by: None,
            audio: Audio::On,
            reminders: 0,
        };
        Stored::Alarm(change).entry(Kind::Alarm, Some(STAY), at)
    };
    site.append(&[change(AlarmState::Active), change(AlarmState::Cleared)]);
    let flags: Vec<_> = read(&mut outlet).iter().map(|flag| flag.body["status"].clone()).collect();
    assert_eq!(flags, ["inactive"]);
}

#[tokio::test]
async fn strips_stay_where_they_are_when_they_are_not_wanted() {
    let mut site = Site::new("http://127.0.0.1:1/r4");
    site.config.strips = false;
    let mut outlet = site.outlet();
    site.record_as(
        Kind::Strip,
        "wave/131330",
        30,
        &json!({"c": 131_330, "fs": 250, "s": [1, 2, 3]}),
    );
    assert_eq!(read(&mut outlet), []);
}

#[tokio::test]
async fn a_stay_is_one_encounter_that_follows_the_patient_even_over_a_restart() {
    let mut site = Site::new("http://127.0.0.1:1/r4");
    let mut outlet = site.outlet();
    let bed = |name: &str| wardlight_core::ids::BedId::new(name).unwrap();
    let order = |command, minutes: i64| {
        let order = Order {
            by: Actor::agent(),
            command,
        };
        let at = Timestamp::from_millis(clock::wall().as_millis() - 60_000 * minutes);
        Stored::Order(order).entry(Kind::Command, Some(STAY), at)
    };
    let admit = Command::Admit {
        bed: bed("B01"),
        stay: STAY,
        profile: PatientProfile {
            name: "Zebulon Planted".into(),
            ..PatientProfile::default()
        },
    };
    let transfer = Command::Transfer {
        from: bed("B01"),
        to: bed("B02"),
        with_devices: true,
    };
    let told = |resource: &Resource| {
        assert!(!resource.body.to_string().contains("Planted"));
        let bed = &resource.body["location"][0]["location"]["identifier"]["value"];
        (resource.id.clone(), resource.body["status"].clone(), bed.clone())
    };
    site.append(&[order(admit, 3)]);
    let begun = read(&mut outlet).iter().map(told).collect::<Vec<_>>();
    outlet.file.save(&outlet.position);
    let mut outlet = site.outlet();
    site.append(&[order(transfer, 2)]);
    let moved = read(&mut outlet).iter().map(told).collect::<Vec<_>>();
    site.append(&[order(Command::Discharge { bed: bed("B02") }, 1)]);
    let ended = read(&mut outlet).iter().map(told).collect::<Vec<_>>();
    let id = begun[0].0.clone();
    let expected = [("in-progress", "B01"), ("in-progress", "B02"), ("finished", "B02")];
    let expected = expected.map(|(status, bed)| (id.clone(), json!(status), json!(bed)));
    assert_eq!([begun, moved, ended].concat(), expected);
}

#[tokio::test]
async fn a_server_that_fails_gets_everything_in_the_end_and_each_once() {
    let fake = Fake::default();
    let url = fake.serve().await;
    *fake.answers.lock().unwrap() = [StatusCode::SERVICE_UNAVAILABLE, StatusCode::NOT_FOUND].into();
    let mut site = Site::new(&format!("{url}/r4"));
    let mut outlet = site.outlet();
    for minute in 0..8 {
        site.pulse(600 - minute * 60, 80);
    }
    let all = read(&mut outlet);
    deliver(&mut outlet.server, all).await;
    let taken = fake.taken();
    assert_eq!(taken.len(), 8);
    assert!(taken.values().all(|times| *times == 1), "{taken:?}");
}

#[tokio::test]
async fn a_resource_that_is_refused_does_not_hold_up_the_others() {
    let fake = Fake {
        poison: Some(85),
        ..Fake::default()
    };
    let url = fake.serve().await;
    let mut site = Site::new(&format!("{url}/r4"));
    let mut outlet = site.outlet();
    for minute in 0..8_u32 {
        site.pulse(600 - i64::from(minute) * 60, 80 + minute);
    }
    let all = read(&mut outlet);
    deliver(&mut outlet.server, all).await;
    assert_eq!(fake.taken().len(), 7);
}

#[tokio::test]
async fn a_token_is_kept_while_it_holds_and_asked_for_anew_when_it_is_refused() {
    let fake = Fake::default();
    *fake.token.lock().unwrap() = Some("none yet".to_owned());
    let url = fake.serve().await;
    let mut site = Site::new(&format!("{url}/r4"));
    let secret = site.folder.path().join("client.secret");
    fs::write(&secret, "s/ecret\n").unwrap();
    fs::set_permissions(&secret, fs::Permissions::from_mode(0o600)).unwrap();
    site.config.login = Some(LoginConfig {
        token_url: format!("{url}/token").parse().unwrap(),
        client_id: "wardlight".to_owned(),
        client_secret_file: secret,
        scope: Some("system/*.write".to_owned()),
    });
    let mut outlet = site.outlet();
    for minute in 0..3 {
        site.pulse(600 - minute * 60, 80);
    }
    for one in read(&mut outlet) {
        deliver(&mut outlet.server, vec![one]).await;
    }
    assert_eq!((*fake.grants.lock().unwrap(), fake.taken().len()), (1, 3));
    *fake.token.lock().unwrap() = Some("revoked".to_owned());
    site.pulse(120, 80);
    let all = read(&mut outlet);
    deliver(&mut outlet.server, all).await;
    assert_eq!((*fake.grants.lock().unwrap(), fake.taken().len()), (2, 4));
}

#[tokio::test]
async fn the_outlet_ends_with_the_agent_even_while_nobody_answers() {
    let site = Site::new("http://127.0.0.1:1/r4");
    let (phase, phases) = watch::channel(Phase::Run);
    let running = tokio::spawn(site.outlet().run(phases));
    tokio::task::yield_now().await;
    phase.send_replace(Phase::Drain);
    running.await.unwrap().unwrap();
}

#[tokio::test]
async fn a_site_key_that_was_rotated_hides_nothing() {
    let mut site = Site::new("http://127.0.0.1:1/r4");
    let mut outlet = site.outlet();
    site.pulse(300, 70);
    assert!(!read(&mut outlet).is_empty());

    fs::remove_file(&site.at.key_file).unwrap();
    let new = SiteKey::create(&site.at.key_file).unwrap();
    site.journal.rotate_site_key(&new, &[]).unwrap();
    // Of a patient who came since: its key is wrapped by the new one alone.
    site.stay = StayToken::from_bytes([8; 16]);
    site.pulse(120, 80);
    assert!(!read(&mut outlet).is_empty());
}
