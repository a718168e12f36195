//! What was: the recorded period again bit for bit, what other limits would have done, and the receipts of every alarm, over a
//! kill.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests fail by panicking"
)]

use serde_json::{Value, json};
use wardlight_tests::agent::{Agent, Broker, Site};
use wardlight_tests::device::{Device, HR, SPO2};
use wardlight_tests::live::Live;
use wardlight_tests::mosquitto::Mosquitto;
use wardlight_tests::mqtt::Client;
use wardlight_tests::wait::{now_ms, until};

const ECG_II: u32 = 131_330;

/// One second of an ECG at 250 Hz with one beat in it, or none.
fn ecg(device: &mut Device, sent_at: i64, beats: bool) -> (String, Vec<u8>) {
    let sample = |i: i32| match i {
        100..105 if beats => (i - 99) * 200,
        105..110 if beats => (110 - i) * 200,
        _ => i % 7,
    };
    let samples: Vec<i32> = (0..250).map(sample).collect();
    let fields = json!({"t": sent_at, "c": ECG_II, "fs": 250, "scale": [-3, 1], "s": samples});
    let message = device.message(&format!("wave/{ECG_II}"), &fields);
    (message.topic.clone(), message.payload())
}

fn replay(site: &Site, more: &[&str]) -> (bool, Value, String) {
    let file = site.dir().join("replay.json");
    let config = site.config();
    let mut args = vec!["replay", config.to_str().unwrap(), "--report", file.to_str().unwrap()];
    args.extend(more);
    let output = wardlight_tests::agent::run(&args);
    let said = format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    let report = std::fs::read(&file).map_or(Value::Null, |text| serde_json::from_slice(&text).unwrap());
    (output.status.success(), report, said)
}

/// The alarm, and the page that showed it.
fn low_saturation(agent: &Agent, wire: &mut Client, device: &mut Device) -> (Value, Live) {
    let mut live = agent.live();
    live.find("the snapshot", |frame| frame["type"] == "snapshot");
    for second in 0..8 {
        // A device's stored seconds, which come at once: the delay runs on its own clock.
        let at = now_ms() - 4000 + second * 500;
        let message = device.message("num", &json!({"t": at, "m": [{"c": HR, "x": 80.0}, {"c": SPO2, "x": 85.0}]}));
        wire.deliver(&message.topic, &message.payload());
    }
    let alarm = live.alarm("spo2_low", "active");
    let id = alarm["id"].clone();
    live.send(&json!({"type": "displayed", "alarm": id, "revision": 1, "at": now_ms()}));
    live.send(&json!({"type": "seen", "alarm": id, "at": now_ms()}));
    (alarm, live)
}

#[test]
fn a_recorded_period_gives_the_same_alarms_again_over_a_kill_and_other_ones_with_other_limits() {
    let mosquitto = Mosquitto::start();
    let site = Site::new(Broker::Mosquitto(mosquitto.port), "");
    let agent = site.start();
    agent.occupy("B01", "mon-01");
    let mut device = Device::new("mon-01");
    let mut wire = Client::connect(mosquitto.port, "mon-01").unwrap();
    let (alarm, _page) = low_saturation(&agent, &mut wire, &mut device);
    let id = alarm["id"].as_str().unwrap().to_owned();
    let receipts = |agent: &Agent| {
        let history = agent.get("/api/v1/history?hours=1").json();
        let episodes = history["episodes"].as_array().unwrap().clone();
        let found = episodes.into_iter().find(|episode| episode["id"] == alarm["id"]);
        let mut receipts = found?["receipts"].clone();
        // After a restart it is the time of the decision, a moment earlier.
        receipts.as_object_mut().unwrap().remove("signalled_at");
        Some(receipts)
    };
    until("the receipts of the page", 10, || {
        receipts(&agent).filter(|r| r["displayed_at"].is_i64() && r["seen_at"].is_i64())
    });
    let before = receipts(&agent).unwrap();
    // Confirmed when it is on disk, and with it everything before it.
    assert_eq!(agent.post(&format!("/api/v1/alarms/{id}/escalate"), &json!({})).status, 200);
    let standing = agent.alarms("spo2_low");
    assert_eq!(standing[0]["receiver"], "second");

    agent.kill();
    let agent = site.start();
    assert_eq!(agent.alarms("spo2_low")[0]["receiver"], "second", "the call is where it was");
    until("the receipts are read back", 10, || {
        receipts(&agent).filter(|after| *after == before)
    });
    let answer = agent.post(
        "/api/v1/what-if",
        &json!({"parameter": "spo2", "low": 84, "high": 100, "hours": 1}),
    );
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert_eq!(answer.json()["lost"], 1, "{}", answer.body);
    assert_eq!(
        agent
            .post(&format!("/api/v1/alarms/{id}/acknowledge"), &json!({"by": "N. Klein"}))
            .status,
        200
    );
    assert!(agent.terminate().success());

    let (exact, report, said) = replay(&site, &[]);
    assert!(exact, "{said}");
    assert!(report["recorded_changes"].as_u64().unwrap() >= 4, "{report}");
    let limits = site.dir().join("limits.toml");
    std::fs::write(&limits, "[limits.spo2]\nlow = 84\n").unwrap();
    let (good, report, said) = replay(&site, &["--limits", limits.to_str().unwrap()]);
    assert!(good, "{said}");
    assert_eq!(report["comparison"]["lost"], 1, "{said}");
    assert_eq!(report["comparison"]["after"]["alarms_per_bed_day"], 0.0, "{said}");
    std::fs::write(&limits, "[limits.spo2]\nlow = 20\n").unwrap();
    let (good, _, said) = replay(&site, &["--limits", limits.to_str().unwrap()]);
    assert!(!good && said.contains("expected 80 to 100"), "{said}");
    site.assert_sound();
}

#[test]
fn a_heart_that_stops_in_the_waveform_rings_and_is_replayed_without_the_waveform() {
    let mosquitto = Mosquitto::start();
    let site = Site::new(Broker::Mosquitto(mosquitto.port), "");
    let agent = site.start();
    agent.occupy("B01", "mon-01");
    let mut device = Device::new("mon-01");
    let mut wire = Client::connect(mosquitto.port, "mon-01").unwrap();
    let mut live = agent.live();
    live.find("the snapshot", |frame| frame["type"] == "snapshot");
    let start = now_ms();
    for second in 0..30 {
        let (topic, payload) = ecg(&mut device, start + second * 1000, second < 20);
        wire.deliver(&topic, &payload);
    }
    let alarm = live.alarm("asystole", "active");
    assert_eq!((&alarm["priority"], &alarm["red"]), (&json!("high"), &json!(true)));
    let refused = agent.post("/api/v1/beds/B01/alarms/asystole", &json!({"set": "alarm_off"}));
    assert_eq!(refused.status, 409, "{}", refused.body);
    assert!(agent.terminate().success());
    let (exact, _, said) = replay(&site, &[]);
    assert!(exact, "{said}");
}
