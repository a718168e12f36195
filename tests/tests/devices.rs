//! Enrolment against a real Mosquitto with certificates on both sides: who gets in, who does not, and what the broker tells him.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests fail by panicking"
)]

use std::fs;
use std::time::Duration;

use serde_json::Value;
use wardlight_tests::device::{Device, HR};
use wardlight_tests::mqtt::{Client, Heard};
use wardlight_tests::secured::{SecuredWard as Ward, broker_watch};
use wardlight_tests::system_clock::SystemClock;
use wardlight_tests::tls::Identity;
use wardlight_tests::wait::until;

const YEAR_S: i64 = 366 * 24 * 3600;

fn topic(device: &str) -> String {
    format!("vitals/v1/site/{device}/num")
}

/// The topics of the next `count` messages.
fn topics(listener: &Client, count: usize) -> Vec<String> {
    let mut heard = Vec::new();
    while heard.len() < count {
        if let Heard::Message(topic, _) = listener.heard.recv_timeout(Duration::from_secs(10)).unwrap() {
            heard.push(topic);
        }
    }
    heard
}

/// What ends a client's connection is heard as the end of its channel.
fn ended(client: &Client) -> bool {
    loop {
        match client.heard.recv_timeout(Duration::from_secs(10)) {
            Ok(_) => {}
            Err(error) => return error == std::sync::mpsc::RecvTimeoutError::Disconnected,
        }
    }
}

#[test]
fn an_enrolled_device_is_heard_under_its_own_name_and_under_no_other() {
    let (ward, _broker) = Ward::with_broker();
    let (first, second) = (ward.enroll("mon-01"), ward.enroll("mon-02"));
    let listener = ward.listener();
    let mut device = ward.connect(&first, "mon-01");
    // Mosquitto confirms what it drops in MQTT 3.1.1: what is behind it shows that it was dropped.
    device.deliver(&topic("mon-02"), b"forged");
    device.deliver(&topic("mon-01"), b"own");
    device.deliver("ward/v1/site/ward/B01/alert", b"forged");
    let mut other = ward.connect(&second, "mon-02");
    other.deliver(&topic("mon-02"), b"own");
    assert_eq!(topics(&listener, 2), [topic("mon-01"), topic("mon-02")]);
    // It hears what is asked of it, and of nobody else.
    device.subscribe("vitals/v1/site/+/cmd");
    let mut listener = listener;
    listener.deliver("vitals/v1/site/mon-02/cmd", b"not for it");
    listener.deliver("vitals/v1/site/mon-01/cmd", b"for it");
    let heard = device.heard.recv_timeout(Duration::from_secs(10)).unwrap();
    assert_eq!(heard, Heard::Message("vitals/v1/site/mon-01/cmd".into(), b"for it".to_vec()));
}

#[test]
fn what_an_enrolled_device_measures_is_on_the_agent_s_record() {
    let (ward, _broker) = Ward::with_broker();
    let identity = ward.enroll("mon-01");
    let agent = ward.site.start();
    agent.occupy("B01", "mon-01");
    let mut device = Device::new("mon-01");
    let message = device.numerics(&[(HR, 88.0)]);
    ward.connect(&identity, "mon-01").deliver(&message.topic, &message.payload());
    let stored = || ward.site.export().into_iter().find(|stored| stored["device"] == "mon-01");
    until("the message is on record", 10, stored);
    assert!(agent.terminate().success());
}

#[test]
fn two_agents_come_in_at_their_door_until_their_authority_is_replaced() {
    let (ward, _broker) = Ward::with_broker();
    let agent = |folder: &str| {
        let read = |name: &str| fs::read_to_string(ward.path(name)).unwrap();
        Identity {
            trusted: read("devices/broker/ca.pem"),
            certificate: read(&format!("{folder}/agent.pem")),
            key: read(&format!("{folder}/agent.key")),
            broker: "localhost".to_owned(),
        }
    };
    let enroll = |folder: &str, more: &[&str]| {
        let out = ward.path(folder);
        ward.device(&[&["enroll-agent", "--out", out.to_str().unwrap()], more].concat());
        agent(folder)
    };
    let (first, second) = (agent("tls"), enroll("second", &[]));
    for identity in [&first, &second] {
        Client::connect_as(identity, ward.agents, "one-of-two").unwrap();
    }
    let third = enroll("third", &["--replace"]);
    let comes_in = || Client::connect_as(&third, ward.agents, "the-only-one").ok();
    until("the broker has read its files", 10, comes_in);
    for identity in [&first, &second] {
        let refused = Client::connect_as(identity, ward.agents, "one-of-two").map(drop).unwrap_err();
        assert!(refused.to_string().contains("UnknownCA"), "{refused}");
    }
}

#[test]
fn what_is_done_to_a_device_is_audited() {
    let (ward, _broker) = Ward::with_broker();
    ward.enroll("mon-01");
    let agent = ward.site.start();
    let record = |action: &str| {
        let found = || ward.site.audit_trail().into_iter().find(|record| record["action"] == action);
        until(action, 15, found)
    };
    assert_eq!(record("devices")["detail"], "1 enrolled, 0 revoked");
    ward.enroll("mon-02");
    let enrolled = record("device_enrolled");
    assert_eq!((&enrolled["device"], &enrolled["unproved"]), (&"mon-02".into(), &true.into()));
    ward.bundle(&["renew", "mon-01"], "renewed", None);
    assert_eq!(record("device_renewed")["device"], "mon-01");
    ward.device(&["revoke", "mon-02", "--reason", "lost"]);
    let revoked = record("device_revoked");
    assert_eq!((&revoked["device"], &revoked["detail"]), (&"mon-02".into(), &"lost".into()));
    assert!(agent.terminate().success());
}

#[test]
fn whoever_is_turned_away_is_shown_counted_and_audited_with_the_reason() {
    let ward = Ward::without_broker();
    let plugin = format!("broker_plugin = {:?}\n", broker_watch());
    let text = fs::read_to_string(ward.site.config()).unwrap();
    fs::write(ward.site.config(), text + &plugin).unwrap();
    let (ward, _broker) = ward.and_broker();
    let (honest, lost) = (ward.enroll("mon-01"), ward.enroll("mon-02"));
    ward.device(&["revoke", "mon-02", "--reason", "lost"]);
    let agent = ward.site.start();
    until("the broker's log is heard", 10, || {
        ward.site.said().contains("log is heard").then_some(())
    });

    let mut liar = ward.connect(&honest, "mon-01");
    // The broker confirms it and hands it to nobody: MQTT 3.1.1 knows no other answer.
    liar.deliver(&topic("mon-03"), b"not mine");
    ward.refusal(&lost, "mon-02");
    let turned_away = || {
        let refused = agent.get("/api/v1/system").json()["refused"].clone();
        let mut seen: Vec<String> = refused
            .as_array()
            .unwrap()
            .iter()
            .map(|r| format!("{} {} {}", r["door"], r["who"], r["reason"]))
            .collect();
        seen.sort();
        (seen.len() == 2).then_some(seen)
    };
    assert_eq!(
        until("both are shown", 10, turned_away),
        [
            "\"broker\" \"127.0.0.1\" \"certificate_refused\"",
            "\"broker\" \"mon-01\" \"wrote_to_another_devices_topic\""
        ]
    );
    assert!((agent.metric("wardlight_turned_away_total{door=\"broker\",reason=\"certificate_refused\"}") - 1.0).abs() < 0.5);
    let audited = || {
        let trail = ward.site.audit_trail();
        let about = trail.iter().filter(|record| record["action"] == "turned_away").count();
        (about == 2).then_some(())
    };
    until("both are audited", 10, audited);
    // And what was written under the other name never arrived.
    assert!(ward.site.export().iter().all(|stored| stored["device"] != "mon-03"));
    assert!(agent.terminate().success());
}

#[test]
fn no_device_takes_the_session_of_another() {
    let (ward, _broker) = Ward::with_broker();
    let (first, second) = (ward.enroll("mon-01"), ward.enroll("mon-02"));
    let mut victim = ward.connect(&first, "mon-01");
    // It says that it is mon-01; the broker goes by its certificate.
    let mut thief = ward.connect(&second, "mon-01");
    victim.deliver(&topic("mon-01"), b"still here");
    thief.deliver(&topic("mon-02"), b"as itself");
    // And at the agents' door, where one could choose, it does not get in at all.
    let refused = Client::connect_as(&second, ward.agents, "mon-01").map(drop).unwrap_err();
    assert!(refused.to_string().contains("UnknownCA"), "{refused}");
}

#[test]
fn a_revoked_device_is_cut_off_and_its_certificate_opens_nothing_any_more() {
    let (ward, _broker) = Ward::with_broker();
    let identity = ward.enroll("mon-01");
    let staying = ward.enroll("mon-02");
    let listener = ward.listener();
    let mut device = ward.connect(&identity, "mon-01");
    let mut other = ward.connect(&staying, "mon-02");
    device.deliver(&topic("mon-01"), b"before");
    let said = ward.device(&["revoke", "mon-01", "--reason", "lost"]);
    assert!(
        said.contains("The broker reads its files again.\nNo connection of it is open."),
        "{said}"
    );
    assert!(ended(&device));
    assert!(ward.refusal(&identity, "mon-01").contains("CertificateRevoked"));
    other.deliver(&topic("mon-02"), b"nobody else is touched");
    assert_eq!(topics(&listener, 2), [topic("mon-01"), topic("mon-02")]);
    // Taken in again it has another certificate; the old one stays revoked.
    fs::rename(ward.path("bundle-mon-01"), ward.path("old")).unwrap();
    let again = ward.enroll("mon-01");
    ward.connect(&again, "mon-01").deliver(&topic("mon-01"), b"again");
    assert!(ward.refusal(&identity, "mon-01").contains("CertificateRevoked"));
}

#[test]
fn certificates_that_do_not_count_are_refused_with_the_reason() {
    let (past, future) = (SystemClock::new(-2 * YEAR_S), SystemClock::new(YEAR_S));
    let ward = Ward::without_broker();
    // The authority is two years old by the time of the test, so that its certificates can have ended.
    fs::remove_dir_all(ward.path("devices")).unwrap();
    ward.device_at(&["init-ca"], Some(&past));
    let expired = ward.enroll_at("old", Some(&past));
    let unborn = ward.enroll_at("new", Some(&future));
    ward.device(&["enroll-agent"]);
    ward.device(&["enroll-broker", "--host", "localhost"]);
    let good = ward.enroll("good");
    let _broker = ward.broker();
    ward.connect(&good, "good").deliver(&topic("good"), b"in");

    assert!(ward.refusal(&expired, "old").contains("CertificateExpired"));
    // TLS has no word for it; OpenSSL says that the certificate is bad.
    assert!(ward.refusal(&unborn, "new").contains("BadCertificate"));
    let other_site = Ward::without_broker();
    let mut foreign = other_site.enroll("good");
    foreign.trusted.clone_from(&good.trusted);
    assert!(ward.refusal(&foreign, "good").contains("UnknownCA"));
}

#[test]
fn a_device_refuses_a_broker_that_is_not_its_own() {
    let ward = Ward::without_broker();
    let past = SystemClock::new(-2 * YEAR_S);
    let identity = ward.enroll("mon-01");
    {
        ward.device(&["enroll-broker", "--host", "other.example.org"]);
        let _broker = ward.broker();
        assert!(ward.refusal(&identity, "mon-01").contains("not valid for name"));
    }
    {
        ward.device(&["enroll-broker", "--host", "localhost"]);
        let _broker = ward.broker();
        let mut stranger = identity.clone();
        stranger.trusted = Ward::without_broker().enroll("mon-01").trusted;
        assert!(ward.refusal(&stranger, "mon-01").contains("UnknownIssuer"));
    }
    ward.device_at(&["enroll-broker", "--host", "localhost"], Some(&past));
    let _broker = ward.broker();
    let said = ward.refusal(&identity, "mon-01");
    assert!(said.contains("expired"), "{said}");
}

#[test]
fn another_authority_takes_over_without_a_restart_and_without_cutting_anybody_off() {
    let (ward, _broker) = Ward::with_broker();
    let before = ward.enroll("mon-01");
    let listener = ward.listener();
    let mut device = ward.connect(&before, "mon-01");
    ward.device(&["rotate-ca"]);
    ward.connect(&before, "mon-01");
    let renewed = ward.bundle(&["renew", "mon-01"], "renewed", None);
    ward.device(&["enroll-broker", "--host", "localhost"]);
    ward.device(&["rotate-ca", "--finish"]);
    let mut after = until("the broker has read its files", 10, || {
        Client::connect_as(&renewed, ward.devices, "mon-01").ok()
    });
    assert!(ended(&device), "a device has one connection");
    after.deliver(&topic("mon-01"), b"under the new authority");
    assert_eq!(topics(&listener, 1), [topic("mon-01")]);
    let refused = ward.refusal(&before, "mon-01");
    assert!(
        refused.contains("UnknownIssuer"),
        "it does not know the broker's new authority: {refused}"
    );
    device = after;
    device.deliver(&topic("mon-01"), b"and on");
}

#[test]
fn the_check_names_certificates_that_end_within_six_weeks() {
    let ward = Ward::without_broker();
    let long_ago = SystemClock::new(-380 * 24 * 3600);
    ward.enroll_at("mon-01", Some(&long_ago));
    ward.enroll("mon-02");
    ward.device_at(
        &["enroll-broker", "--host", "localhost"],
        Some(&SystemClock::new(-2 * YEAR_S)),
    );
    let output = ward.site.command(&["check"]);
    let said = String::from_utf8(output.stdout).unwrap();
    let lines: Vec<&str> = said.lines().filter(|line| line.contains("certificate of")).collect();
    assert_eq!(lines.len(), 2, "{said}");
    assert!(lines[0].starts_with("FAIL  certificate of broker ended on "), "{said}");
    assert!(lines[1].starts_with("warn  certificate of device mon-01 ends on "), "{said}");
    assert!(!output.status.success());
    // A running agent says it too.
    ward.device(&["enroll-broker", "--host", "localhost"]);
    let _broker = ward.broker();
    let agent = ward.site.start();
    let counted = || agent.metric("wardlight_certificates_ending");
    until("the device's is counted", 10, || (counted() > 0.0).then_some(()));
    assert!((counted() - 1.0).abs() < f64::EPSILON);
    let said = ward.site.said();
    assert_eq!(said.matches("A certificate ends soon.").count(), 1, "{said}");
    let listed: Value = serde_json::from_str(&ward.device(&["list", "--json"])).unwrap();
    assert_eq!(listed.as_array().unwrap().len(), 2);
}
