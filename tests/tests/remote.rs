//! What devices are told from afar: simulator and reference client under a real agent and a real broker.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests fail by panicking"
)]

use std::collections::BTreeMap;
use std::fs;
use std::time::Duration;

use serde_json::{Value, json};
use wardlight_core::message::Body;
use wardlight_tests::agent::{Agent, Broker, Site, run};
use wardlight_tests::certificates::Authority;
use wardlight_tests::contract::Ear;
use wardlight_tests::device::Device;
use wardlight_tests::firmware::{self, Bundle};
use wardlight_tests::mosquitto::Mosquitto;
use wardlight_tests::mqtt::{Client, Heard};
use wardlight_tests::wait::until;

/// A site whose registry knows devices; the broker lets them in with certificates of its own.
struct Ward {
    authority: Authority,
    broker: Mosquitto,
    site: Site,
}

impl Ward {
    fn new() -> Self {
        let authority = Authority::new();
        let broker = Mosquitto::with_tls(&authority);
        let site = Site::new(Broker::Mosquitto(broker.port), "[model]\nenabled = false\n");
        Self { authority, broker, site }
    }

    /// `wardlight device ARGS`; returns what it says.
    fn device(&self, args: &[&str]) -> String {
        let output = self.site.command(&[&["device"], args].concat());
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{args:?}: {said}");
        String::from_utf8(output.stdout).unwrap()
    }

    fn enroll(&self, id: &str, profile: &str) {
        let out = self.site.dir().join(format!("bundle-{id}"));
        self.device(&["enroll", "--profile", profile, "--id", id, "--out", out.to_str().unwrap()]);
    }

    /// A profile which allows what the device itself does not: intervals from 100 ms.
    fn generous_profile(&self) -> String {
        let shown = run(&["device", "profile", "show", "simulator"]);
        let text = String::from_utf8(shown.stdout).unwrap();
        let text = text.replace("\"simulator\"", "\"generous\"").replace("[1, 1]", "[0.1, 600]");
        let file = self.site.dir().join("generous.toml");
        fs::write(&file, text).unwrap();
        file.to_str().unwrap().to_owned()
    }

    /// Everything that is said to a device, from now on.
    fn overhear(&self, id: &str) -> Client {
        let mut client = Client::connect(self.broker.port, &format!("spy-{id}")).unwrap();
        client.subscribe(&format!("vitals/v1/site/{id}/cmd"));
        client
    }
}

/// What was said: the revision or the version.
fn said(cmd: &[u8]) -> Value {
    let cmd: Value = serde_json::from_slice(cmd).unwrap();
    match cmd["cmd"].as_str() {
        Some("config") => cmd["rev"].clone(),
        Some("firmware") => cmd["version"].clone(),
        _ => cmd["cmd"].clone(),
    }
}

/// The next thing that is said.
fn next(client: &Client) -> Value {
    loop {
        if let Heard::Message(_, payload) = client.heard.recv_timeout(Duration::from_secs(20)).unwrap() {
            return said(&payload);
        }
    }
}

/// Everything that was said until now.
fn heard(client: &Client) -> Vec<Value> {
    let messages = client.heard.try_iter().filter_map(|heard| match heard {
        Heard::Message(_, payload) => Some(said(&payload)),
        Heard::Puback(_) | Heard::Suback => None,
    });
    messages.collect()
}

/// Waits for a device's state with this revision. Returns what it refused.
fn answered(ear: &mut Ear, wanted: u32) -> BTreeMap<String, String> {
    ear.until("a state with the revision", |message| match &message.body {
        Body::State {
            online: true,
            rev: Some(rev),
            rejected,
        } if *rev == wanted => Some(rejected.clone()),
        _ => None,
    })
}

/// Waits until technicians see the device so.
fn setup(agent: &Agent<'_>, id: &str, state: &str, rev: u32) -> Value {
    until(&format!("{id} is {state} with revision {rev}"), 10, || {
        let system = agent.get("/api/v1/system").json();
        let setups = system["setups"].as_array().unwrap().clone();
        setups
            .into_iter()
            .find(|setup| setup["device"] == id && setup["state"] == state && setup["reported"] == rev)
    })
}

#[test]
fn a_configuration_reaches_the_simulator_at_its_next_birth_and_at_once_and_what_it_refuses_is_shown() {
    let ward = Ward::new();
    ward.enroll("mon-01", &ward.generous_profile());
    let overheard = ward.overhear("mon-01");
    let agent = ward.site.start();
    // The device is off.
    ward.device(&["configure", "mon-01", "interval_ms=2000", "waves=131330"]);
    let mut ear = Ear::new(ward.broker.port, "mon-01");
    let mut device = firmware::simulator(&ward.authority, ward.broker.tls_port.unwrap());
    assert_eq!(answered(&mut ear, 1), BTreeMap::new());
    setup(&agent, "mon-01", "in_force", 1);
    // It is on.
    ward.device(&["configure", "mon-01", "interval_ms=1000"]);
    assert_eq!(answered(&mut ear, 2), BTreeMap::new());
    setup(&agent, "mon-01", "in_force", 2);
    assert!(agent.terminate().success());

    // The agent is off, and the device's own range is narrower than its profile says.
    ward.device(&["configure", "mon-01", "interval_ms=200"]);
    let agent = ward.site.start();
    let reason = "200: expected 500 to 600000";
    assert_eq!(
        answered(&mut ear, 3),
        BTreeMap::from([("interval_ms".to_owned(), reason.to_owned())])
    );
    let shown = setup(&agent, "mon-01", "rejected", 3);
    assert_eq!(
        (&shown["desired"], &shown["rejected"]["interval_ms"]),
        (&json!(3), &json!(reason))
    );
    let shown = ward.device(&["show", "mon-01"]);
    assert!(shown.contains("[desired]\nrev = 3\n"), "{shown}");
    assert!(shown.contains("[reported]\nstate = \"rejected\"\nrev = 3\n"), "{shown}");
    assert!(
        shown.contains(&format!("[reported.rejected]\ninterval_ms = \"{reason}\"\n")),
        "{shown}"
    );
    assert_eq!(
        agent.get("/api/v1/alarms").json()["alarms"],
        json!([]),
        "no alarm of a patient"
    );

    // Each was said once, whatever was heard of the device meanwhile.
    assert_eq!(heard(&overheard), [1, 2, 3]);
    let configured = until("what was asked while the agent ran is audited", 10, || {
        let trail = ward.site.audit_trail();
        let ours: Vec<Value> = trail
            .into_iter()
            .filter(|record| record["action"] == "device_configured")
            .collect();
        (ours.len() >= 2).then_some(ours)
    });
    assert_eq!(configured[0]["device"], "mon-01");
    assert_eq!(configured[0]["detail"], "revision 1: interval_ms = 2000, waves = [131330]");
    device.kill().unwrap();
    device.wait().unwrap();
    assert!(agent.terminate().success());
    ward.site.assert_sound();
}

#[test]
fn the_reference_client_is_told_again_after_each_of_its_starts() {
    let ward = Ward::new();
    ward.enroll("mon-02", "esp32-max30102");
    let bundle = Bundle::new(&ward.authority, "mon-02", "localhost", ward.broker.tls_port.unwrap());
    ward.device(&["configure", "mon-02", "interval_ms=2000"]);
    let overheard = ward.overhear("mon-02");
    let mut ear = Ear::new(ward.broker.port, "mon-02");
    let agent = ward.site.start();
    for start in 1..=2 {
        let device = bundle.start(&["--simulate"]);
        assert_eq!(answered(&mut ear, 1), BTreeMap::new(), "start {start}");
        setup(&agent, "mon-02", "in_force", 1);
        device.stop();
        setup(&agent, "mon-02", "in_force", 1);
    }
    assert_eq!(heard(&overheard), [1, 1]);
    let rates: Vec<f32> = ear
        .messages
        .iter()
        .filter_map(|message| match &message.body {
            Body::Birth(birth) => birth.channels.iter().find(|channel| channel.code == 149_530)?.rate_hz,
            _ => None,
        })
        .collect();
    assert!(rates.iter().any(|rate| (rate - 0.5).abs() < f32::EPSILON), "{rates:?}");
    assert!(agent.terminate().success());
}

/// A device of a maker who sends JSON: describes itself, and hears what it is told.
fn speak(ward: &Ward, id: &str, boot: u32, version: &str) -> Client {
    let mut device = Device::new(id);
    device.boot = boot;
    let mut client = Client::connect(ward.broker.port, id).unwrap();
    client.subscribe(&device.topic("cmd"));
    let birth = json!({"model": "M1", "fw": version, "channels": [{"c": 149_530, "unit": "/min"}]});
    for (kind, fields) in [("birth", birth), ("state", json!({"on": true}))] {
        let message = device.message(kind, &fields);
        client.keep(&message.topic, &message.payload()).unwrap();
    }
    client
}

#[test]
fn a_firmware_is_offered_to_devices_of_its_profile_that_run_another_and_to_nobody_else() {
    let ward = Ward::new();
    let devices = [
        ("old-1", "wearable", "2.4"),
        ("new-1", "wearable", "2.5"),
        ("cap-1", "capnograph", "2.4"),
    ];
    for (id, profile, _) in devices {
        ward.enroll(id, profile);
    }
    let key = ward.site.dir().join("maker.key");
    assert!(run(&["model", "sign", "new-key", key.to_str().unwrap()]).status.success());
    let image = ward.site.dir().join("image.bin");
    fs::write(&image, [7; 1000]).unwrap();
    let agent = ward.site.start();
    let [old, new, other] = devices.map(|(id, _, version)| speak(&ward, id, 1, version));
    let offer = |version: &str| {
        let (image, key) = (image.to_str().unwrap(), key.to_str().unwrap());
        let url = format!("https://updates.example/{version}.bin");
        let rest = ["--version", version, "--image", image, "--url", &url, "--key", key];
        ward.device(&[&["firmware", "--profile", "wearable"][..], &rest].concat());
    };
    offer("2.5");
    assert_eq!(next(&old), "2.5");
    // Behind it comes something for all: who had been offered a firmware would have heard of it before.
    for (id, _, _) in devices {
        ward.device(&["configure", id, "interval_ms=1000"]);
    }
    assert_eq!([&old, &new, &other].map(next), [1, 1, 1]);
    // At its next birth it is told again, unless it runs it by then.
    drop((old, new));
    let again = speak(&ward, "old-1", 2, "2.4");
    assert_eq!([next(&again), next(&again)], [json!(1), json!("2.5")]);
    let updated = speak(&ward, "old-1", 3, "2.5");
    assert_eq!(next(&updated), 1);
    ward.device(&["configure", "old-1", "interval_ms=2000"]);
    assert_eq!(next(&updated), 2);
    assert!(agent.terminate().success());
}
