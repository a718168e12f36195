//! HL7 v2 over MLLP against the agent as a process.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests fail by panicking"
)]

use std::collections::BTreeSet;
use std::os::unix::fs::PermissionsExt;

use wardlight_tests::agent::{Broker, Site};
use wardlight_tests::certificates::Authority;
use wardlight_tests::hl7::{Sender, movement, observation, systolic};
use wardlight_tests::tls::Identity;
use wardlight_tests::wait::{now_ms, until};
use wardlight_tests::{Random, free_port};

const LOW: &str = "nibp_sys_low";

fn site(more: &str) -> (Site, u16) {
    let port = free_port();
    let beds = "[hl7.beds]\n\"icu^1^A\" = \"B01\"\n\"icu^1^B\" = \"B02\"\n";
    let listen = format!("[hl7.listen]\naddress = \"127.0.0.1:{port}\"\n{more}\n{beds}");
    (Site::new(Broker::Embedded, &listen), port)
}

#[test]
fn a_monitor_that_speaks_hl7_is_a_device_like_others_and_its_demo_never_alarms() {
    let (site, port) = site("");
    let agent = site.start();
    let mut sender = Sender::connect(port).unwrap();
    let mut say = |id: &str, processing: &str, mmhg: u32| {
        let message = observation(id, processing, "mon-07", now_ms(), &systolic(mmhg));
        let answer = sender.exchange(&message).unwrap();
        assert_eq!((answer.code.as_str(), answer.control_id.as_str()), ("AA", id));
    };
    say("1", "P", 120);
    until("the device is there", 10, || {
        let devices = agent.get("/api/v1/devices").body;
        (devices.contains("mon-07") && devices.contains("HL7 gateway")).then_some(())
    });
    agent.occupy("B01", "mon-07");
    for id in ["2", "3", "4"] {
        say(id, "D", 60);
    }
    assert!(agent.alarms(LOW).is_empty(), "demo: judged when it is answered, and no alarm");
    say("5", "P", 60);
    until("the alarm stands", 10, || agent.alarms(LOW).pop());
}

#[test]
fn what_cannot_be_taken_is_answered_with_its_place_and_kept_without_names() {
    let (site, port) = site("max_message_kib = 4");
    let agent = site.start();
    let mut sender = Sender::connect(port).unwrap();
    let good = observation("1", "P", "mon-07", now_ms(), &systolic(120));
    let exchange = |sender: &mut Sender, message: &str| {
        let answer = sender.exchange(message).unwrap();
        (answer.code, answer.place)
    };
    let mut refused = |message: &str| exchange(&mut sender, message);
    let error = |code: &str, place: &str| (code.to_owned(), place.to_owned());
    assert_eq!(refused("no HL7 at all"), error("AR", "MSH^1"));
    assert_eq!(refused(&good.replace("ORU^R01", "ORM^O01")), error("AR", "MSH^1^9"));
    assert_eq!(refused(&good.replace("|2.6", "|3.0")), error("AR", "MSH^1^12"));
    assert_eq!(refused(&good.replace("mon-07", "mon/07")), error("AE", "OBX^1^18"));
    assert_eq!(refused(&good.replace("mon-07", &"x".repeat(8000))), error("AR", "MSH^1"));
    let mut random = Random::new(5);
    for _ in 0..200 {
        let mut bytes = good.clone().into_bytes();
        for _ in 0..4 {
            let at = usize::try_from(random.below(bytes.len() as u64)).unwrap();
            bytes[at] = b"|^~\\&\r.0-x"[usize::try_from(random.below(10)).unwrap()];
        }
        sender.send(&bytes).unwrap();
        sender.answer().unwrap();
    }
    assert_eq!(
        exchange(&mut sender, &good),
        error("AA", ""),
        "and the next good one is taken"
    );
    assert!(agent.metric("wardlight_refused_messages_total") >= 5.0);
    drop(agent);
    let quarantine = format!("{:?}", site.quarantine());
    assert!(quarantine.contains("OBX[1]-18"), "{quarantine}");
    assert!(!quarantine.contains("Planted"), "names are not kept");
}

#[test]
fn the_admission_system_moves_patients_and_is_audited() {
    let (site, port) = site("");
    let agent = site.start();
    let mut sender = Sender::connect(port).unwrap();
    let jane = ("4711", "Doe^Jane");
    let mut say = |message: String| sender.exchange(&message).unwrap().code;
    let name_in = |bed: &str| {
        let beds = agent.get("/api/v1/beds").json();
        let beds = beds["beds"].as_array().unwrap();
        let of = beds.iter().find(|one| one["bed"] == bed).unwrap();
        of["stay"]["name"].as_str().map(str::to_owned)
    };
    let stands = |bed: &str, name: Option<&str>| {
        until("the page shows who is there", 5, || {
            (name_in(bed).as_deref() == name).then_some(())
        });
    };
    assert_eq!(say(movement("A01", "1", jane, "icu^1^A", "")), "AA");
    stands("B01", Some("Doe, Jane"));
    assert_eq!(say(movement("A01", "2", jane, "icu^1^A", "")), "AA", "it has happened");
    assert_eq!(
        say(movement("A03", "3", ("815", "Roe^Ann"), "icu^1^A", "")),
        "AE",
        "another patient"
    );
    assert_eq!(
        say(movement("A08", "4", ("4711", "Poe^Jane"), "icu^1^A", "")),
        "AA",
        "by the number"
    );
    stands("B01", Some("Poe, Jane"));
    let jane = ("4711", "Poe^Jane");
    assert_eq!(say(movement("A02", "5", jane, "icu^1^B", "icu^1^A")), "AA");
    stands("B02", Some("Poe, Jane"));
    stands("B01", None);
    assert_eq!(say(movement("A01", "6", jane, "ward9^1^A", "")), "AA", "not ours");
    assert_eq!(say(movement("A03", "7", jane, "icu^1^B", "")), "AA");
    stands("B02", None);
    assert_eq!(say(movement("A03", "8", jane, "icu^1^B", "")), "AA", "it has happened");
    drop(agent);
    let trail = site.audit_trail();
    let by_hl7 = trail.iter().filter(|record| record["by"] == "HL7 adt");
    let actions: Vec<_> = by_hl7.map(|record| record["action"].as_str().unwrap()).collect();
    assert_eq!(actions, ["admit", "revise", "transfer", "discharge"]);
}

#[test]
fn over_the_network_only_a_sender_with_a_certificate_of_the_authority_is_heard() {
    let (ours, foreign) = (Authority::new(), Authority::new());
    let identity = |authority: &Authority| {
        authority.issue("gateway");
        let read = |path| std::fs::read_to_string(path).unwrap();
        Identity {
            trusted: read(ours.path("ca.pem")),
            certificate: read(authority.path("gateway.crt")),
            key: read(authority.path("gateway.key")),
            broker: "localhost".to_owned(),
        }
    };
    ours.issue("localhost");
    let key = ours.path("localhost.key");
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o600)).unwrap();
    let files = format!(
        "ca_file = {:?}\ncert_file = {:?}\nkey_file = {key:?}\n",
        ours.path("ca.pem"),
        ours.path("localhost.crt")
    );
    let (site, port) = site(&files);
    let _agent = site.start();
    let message = observation("1", "P", "mon-07", now_ms(), &systolic(120));
    let answer = Sender::connect_as(&identity(&ours), port)
        .unwrap()
        .exchange(&message)
        .unwrap();
    assert_eq!(answer.code, "AA");
    let refused = Sender::connect_as(&identity(&foreign), port).and_then(|mut sender| sender.exchange(&message));
    assert!(refused.is_err(), "{refused:?}");
    let in_clear = Sender::connect(port).unwrap().exchange(&message);
    assert!(in_clear.is_err(), "{in_clear:?}");
}

#[test]
fn killed_at_any_instant_it_loses_nothing_that_was_acknowledged() {
    let (site, port) = site("");
    let mut random = Random::new(11);
    let mut acknowledged = BTreeSet::new();
    let start = now_ms();
    for round in 0..4_i64 {
        let agent = site.start();
        let mut sender = Sender::connect(port).unwrap();
        let before_the_kill = random.below(60);
        for number in 0..=before_the_kill {
            let at = start + round * 1000 + i64::try_from(number).unwrap();
            let message = observation(&format!("{at}"), "P", "mon-07", at, &systolic(120));
            let answer = sender.exchange(&message).unwrap();
            assert_eq!(answer.code, "AA");
            acknowledged.insert(at);
        }
        let at = start + round * 1000 + 999;
        let unanswered = observation(&format!("{at}"), "P", "mon-07", at, &systolic(120));
        sender.send(unanswered.as_bytes()).unwrap();
        agent.kill();
        if sender.answer().is_ok() {
            acknowledged.insert(at);
        }
    }
    let stored: BTreeSet<i64> = site.export().iter().filter_map(|row| row["measured_at"].as_i64()).collect();
    let lost: Vec<_> = acknowledged.difference(&stored).collect();
    assert!(
        lost.is_empty() && acknowledged.len() >= 4,
        "{} acknowledged, lost: {lost:?}",
        acknowledged.len()
    );
    site.assert_sound();
}
