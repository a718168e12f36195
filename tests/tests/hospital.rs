//! The agent beside a hospital's record and alarm manager. Both are fakes; what they were sent is validated by `tests/interop.py`.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests fail by panicking"
)]

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt;

use serde_json::{Value, json};
use wardlight_tests::agent::{Agent, Broker, Site};
use wardlight_tests::device::{Device, HR, NIBP_SYS};
use wardlight_tests::hospital::{FakeAlarmManager, FakeFhir};
use wardlight_tests::mqtt::Client;
use wardlight_tests::wait;

/// A name that must never leave.
const NAME: &str = "Zebulon Planted";

fn site(more: &str) -> Site {
    let site = Site::new(Broker::Embedded, more);
    let secret = site.dir().join("fhir.secret");
    fs::write(&secret, "secret").unwrap();
    fs::set_permissions(&secret, fs::Permissions::from_mode(0o600)).unwrap();
    site
}

fn fhir(server: &FakeFhir, version: &str) -> String {
    let base = format!("http://127.0.0.1:{}", server.port);
    format!(
        "[fhir]\nurl = \"{base}/r4\"\nversion = \"{version}\"\ntoken_url = \"{base}/token\"\nclient_id = \"wardlight\"\n\
         client_secret_file = \"fhir.secret\"\ninterval_s = 1\nbatch = 4\n"
    )
}

fn admit(agent: &Agent<'_>) {
    let admitted = agent.post("/api/v1/beds/B03/admit", &json!({"name": NAME, "age_years": 70}));
    assert_eq!(admitted.status, 200, "{}", admitted.body);
    let attached = agent.post("/api/v1/beds/B03/attach", &json!({"device": "mon-03"}));
    assert_eq!(attached.status, 200, "{}", attached.body);
}

/// Delivers a heart rate measured in each of these seconds.
fn measure(wire: &mut Client, monitor: &mut Device, from_ms: i64, seconds: std::ops::Range<i64>) {
    for second in seconds {
        let fields = json!({"t": from_ms + second * 1000, "m": [{"c": HR, "x": 70 + second}]});
        let message = monitor.message("num", &fields);
        wire.deliver(&message.topic, &message.payload());
    }
}

fn is_heart_rate(resource: &Value) -> bool {
    let code = HR.to_string();
    let codings = resource["code"]["coding"].as_array();
    codings.is_some_and(|codings| codings.iter().any(|coding| coding["code"] == code.as_str()))
}

fn arrived(server: &FakeFhir, count: usize) {
    let seen = wait::within(60, || (server.put(is_heart_rate).len() >= count).then_some(()));
    assert!(
        seen.is_some(),
        "{} of {count} heart rates arrived",
        server.put(is_heart_rate).len()
    );
}

#[test]
fn the_record_has_everything_once_after_an_outage_a_kill_and_a_revoked_token() {
    for version in ["R4", "R5"] {
        let server = FakeFhir::start();
        let site = site(&fhir(&server, version));
        let agent = site.start();
        admit(&agent);
        let mut monitor = Device::new("mon-03");
        let mut wire = Client::connect(site.broker, "mon-03").unwrap();
        let birth = monitor.message(
            "birth",
            &json!({"model": "M", "fw": "1", "channels": [{"c": HR, "unit": "/min"}]}),
        );
        wire.deliver(&birth.topic, &birth.payload());
        let from_ms = wait::now_ms() / 1000 * 1000 - 20_000;
        measure(&mut wire, &mut monitor, from_ms, 0..5);
        arrived(&server, 5);
        server.revoke();
        measure(&mut wire, &mut monitor, from_ms, 5..7);
        arrived(&server, 7);

        server.is_out(true);
        measure(&mut wire, &mut monitor, from_ms, 7..10);
        let tried = wait::within(30, || (server.turned_away() > 0).then_some(()));
        assert!(tried.is_some(), "nothing was tried while the server was out");
        agent.kill();
        let agent = site.start();
        let mut wire = Client::connect(site.broker, "mon-03").unwrap();
        measure(&mut wire, &mut monitor, from_ms, 10..15);
        server.is_out(false);
        arrived(&server, 15);
        agent.terminate();

        let rates = server.put(is_heart_rate);
        let values: BTreeSet<i64> = rates
            .values()
            .map(|versions| versions[0]["valueQuantity"]["value"].as_i64().unwrap())
            .collect();
        assert_eq!(rates.len(), 15, "{version}: a value is there twice");
        assert_eq!(values, (70..85).collect(), "{version}");
        for (url, versions) in &rates {
            assert!(
                versions.iter().all(|again| again == &versions[0]),
                "{url} was changed: {versions:?}"
            );
        }
        let kinds: BTreeSet<String> = server
            .put(|_| true)
            .keys()
            .map(|url| url.split('/').next().unwrap().to_owned())
            .collect();
        for kind in ["Device", "DeviceMetric", "Encounter", "Observation"] {
            assert!(kinds.contains(kind), "{version}: no {kind} in {kinds:?}");
        }
        let leaked = server.put(|resource| resource.to_string().contains(NAME));
        assert_eq!(leaked.len(), 0);
        server.keep(&format!("sent-{}.json", version.to_lowercase()));
    }
}

#[test]
fn an_alarm_reaches_the_alarm_manager_and_the_chart_from_its_beginning_to_its_end() {
    let (server, manager) = (FakeFhir::start(), FakeAlarmManager::start());
    let alarms = format!("[hl7.alarms]\naddress = \"127.0.0.1:{}\"\n", manager.port);
    let site = site(&(fhir(&server, "R4") + &alarms));
    let agent = site.start();
    admit(&agent);
    let mut monitor = Device::new("mon-03");
    let mut wire = Client::connect(site.broker, "mon-03").unwrap();
    let mut systolic = |value: f64| {
        let message = monitor.numerics(&[(NIBP_SYS, value)]);
        wire.deliver(&message.topic, &message.payload());
    };
    systolic(60.0);
    said(&manager, "MDC_ATTR_EVENT_PHASE^MDC|1.1.0.1.3|start|");
    flag(&server, "active");
    systolic(120.0);
    said(&manager, "MDC_ATTR_EVENT_PHASE^MDC|1.1.0.1.3|end|");
    flag(&server, "inactive");
    agent.terminate();

    let ids: Vec<String> = manager
        .messages()
        .iter()
        .map(|text| text.split('|').nth(9).unwrap().to_owned())
        .collect();
    assert_eq!(
        ids.iter().collect::<BTreeSet<_>>().len(),
        ids.len(),
        "a message came twice: {ids:?}"
    );
    assert!(manager.messages().iter().all(|text| !text.contains(NAME)));
    manager.keep("sent.hl7");
    server.keep("sent-alarm-r4.json");
}

/// Waits until a message about the low pressure says so.
fn said(manager: &FakeAlarmManager, text: &str) {
    let fits = |message: &String| message.contains("NIBP systolic low") && message.contains(text);
    let seen = wait::within(30, || manager.messages().iter().any(fits).then_some(()));
    assert!(seen.is_some(), "{text}: not in {:?}", manager.messages());
}

/// Waits until the newest version of the flag is in this state.
fn flag(server: &FakeFhir, status: &str) {
    let is_flag = |resource: &Value| resource["code"]["coding"][0]["code"] == "nibp_sys_low";
    let seen = wait::within(30, || {
        let flags = server.put(is_flag);
        let newest = flags.values().next()?.last()?.clone();
        (flags.len() == 1 && newest["status"] == status).then_some(())
    });
    assert!(seen.is_some(), "no flag that is {status}: {:?}", server.put(is_flag));
}
