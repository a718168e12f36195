//! Clocks that change under a running ward: the system's is set back an hour, and summer time ends.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests fail by panicking"
)]

use serde_json::{Value, json};
use wardlight_tests::agent::{Agent, Broker, Site};
use wardlight_tests::bedside::{page, tile_says};
use wardlight_tests::device::{Device, HR, SPO2};
use wardlight_tests::mqtt::Client;
use wardlight_tests::system_clock::SystemClock;
use wardlight_tests::wait::until;

const HOUR_S: i64 = 3600;
/// 25 October 2026, 01:00 UTC: in Berlin it is 03:00 for an instant, then 02:00 again.
const SUMMER_ENDS_MS: i64 = 1_792_890_000_000;

/// A device on the network.
struct Monitor {
    wire: Client,
    device: Device,
}

impl Monitor {
    fn at(site: &Site, agent: &Agent<'_>, bed: &str, name: &str) -> Self {
        agent.occupy(bed, name);
        Self {
            wire: Client::connect(site.broker, name).unwrap(),
            device: Device::new(name),
        }
    }

    fn says(&mut self, condition: &str) {
        let message = self.device.alarm(condition, true);
        self.wire.deliver(&message.topic, &message.payload());
    }

    fn measures(&mut self, heart_rate: f64) {
        let message = self.device.numerics(&[(HR, heart_rate), (SPO2, 96.0)]);
        self.wire.deliver(&message.topic, &message.payload());
    }
}

fn alarm(agent: &Agent<'_>, kind: &str) -> Value {
    until(kind, 15, || agent.alarms(kind).first().cloned())
}

/// What the agent put on record about the system's clock.
fn clock_records(site: &Site) -> Vec<Value> {
    site.audit_trail()
        .into_iter()
        .filter(|record| record["action"].as_str().unwrap().starts_with("clock_"))
        .collect()
}

#[test]
fn a_clock_set_back_an_hour_stops_no_alarm_loses_none_and_is_on_record() {
    let site = Site::new(Broker::Embedded, "");
    let mut clock = SystemClock::new(0);
    let agent = site.start_under(&clock);
    let mut steady = Monitor::at(&site, &agent, "B03", "mon-03");
    let mut corrected = Monitor::at(&site, &agent, "B04", "mon-04");
    let mut browser = page(&site);
    steady.says("vf");
    let before = alarm(&agent, "device_alarm_vf");
    corrected.measures(80.0);

    clock.set(-HOUR_S);
    corrected.device.ahead_ms = clock.ahead_ms();
    until("the record of the clock", 15, || clock_records(&site).pop());
    assert!(agent.metric("wardlight_clock_ahead_seconds") > 3500.0);

    // One device keeps its time, the other is corrected with the agent's machine: both are heard.
    steady.says("vt");
    corrected.says("asystole");
    for kind in ["device_alarm_vt", "device_alarm_asystole"] {
        let after = alarm(&agent, kind);
        assert!(
            after["raised_at"].as_i64() >= before["raised_at"].as_i64(),
            "{after:#}\n{before:#}"
        );
    }
    tile_says(&mut browser, "Ventricular tachycardia", 10);
    assert_eq!(browser.evaluate("document.getElementById('lost').hidden"), true);
    let done = agent.post(
        &format!("/api/v1/alarms/{}/acknowledge", before["id"].as_str().unwrap()),
        &json!({"by": "Nurse A"}),
    );
    assert_eq!(done.status, 200, "{}", done.body);
    let records = clock_records(&site);
    assert_eq!(records.len(), 1, "once: {records:#?}");
    assert_eq!(records[0]["action"], "clock_set_back");

    agent.kill();
    let agent = site.start_under(&clock);
    assert_eq!(alarm(&agent, "device_alarm_vf")["state"], "acknowledged");
    for kind in ["device_alarm_vt", "device_alarm_asystole"] {
        assert_eq!(alarm(&agent, kind)["state"], "active");
    }
    let mut wire = Client::connect(site.broker, "mon-03").unwrap();
    let message = steady.device.alarm("pump", true);
    wire.deliver(&message.topic, &message.payload());
    let new = alarm(&agent, "device_alarm_pump");
    assert!(
        new["raised_at"].as_i64() > before["raised_at"].as_i64(),
        "time goes on over the restart: {new:#}"
    );
    assert!(agent.terminate().success());
    let verified = site.command(&["audit", "verify"]);
    assert!(verified.status.success(), "{verified:?}");
    site.assert_sound();
}

#[test]
fn the_end_of_summer_time_changes_what_the_page_writes_and_nothing_else() {
    let site = Site::new(Broker::Embedded, "");
    let clock = SystemClock::showing(SUMMER_ENDS_MS - 60_000);
    let agent = site.start_under(&clock);
    let mut monitor = Monitor::at(&site, &agent, "B03", "mon-03");
    monitor.device.ahead_ms = clock.ahead_ms();
    let mut browser = page(&site);
    browser.call("Emulation.setTimezoneOverride", &json!({"timezoneId": "Europe/Berlin"}));
    monitor.measures(80.0);
    monitor.says("vf");
    tile_says(&mut browser, "Ventricular fibrillation", 10);
    let wall = |time: &str| format!("document.getElementById('wall-clock').innerText.match(/^{time}/) !== null");
    browser.until("summer time", 10, &wall("02:59:.. UTC\\+2"));
    let before = alarm(&agent, "device_alarm_vf");

    browser.until("winter time", 90, &wall("02:00:.. UTC\\+1"));
    monitor.measures(80.0);
    assert_eq!(browser.evaluate("document.getElementById('lost').hidden"), true);
    let after = alarm(&agent, "device_alarm_vf");
    for field in ["id", "state", "onset_at", "raised_at"] {
        assert_eq!(after[field], before[field]);
    }
    assert_eq!(clock_records(&site), Vec::<Value>::new(), "no clock was set");

    // The bed in detail. On the axis of its trends two hours are called 02:00, and the second says how it differs.
    until("a minute of trends", 15, || {
        let trends = agent.get("/api/v1/beds/B03/trends").json();
        trends["parameters"].get("hr").map(|_| ())
    });
    browser.evaluate("document.querySelectorAll('.tile')[2].click()");
    browser.click("#panel .section.trends button", "2 h");
    let axis = "[...document.querySelectorAll('#panel .trend-chart .axis.middle')].map((n) => n.textContent)";
    browser.until("the second 02:00 on the axis", 15, &format!("{axis}.includes('02:00 UTC+1')"));
    let marks = browser.evaluate(axis);
    assert!(marks.as_array().unwrap().contains(&json!("02:00")), "{marks}");
    browser.until(
        "the time of the alarm",
        10,
        "document.querySelector('.section.history').innerText.includes('02:59')",
    );
}
