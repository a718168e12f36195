//! Devices against a real broker with TLS, and against the agent: the reference client in C, and the simulator beside it.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "tests fail by panicking"
)]

use std::collections::BTreeMap;
use std::io::Write;
use std::process::Command;

use serde_json::{Value, json};
use wardlight_core::message::{Body, DeviceEvent, Message};
use wardlight_core::vitals::{Milli, Quality};
use wardlight_tests::Random;
use wardlight_tests::agent::{Broker, Site};
use wardlight_tests::certificates::Authority;
use wardlight_tests::contract::{self, Ear};
use wardlight_tests::firmware::{self, Bundle};
use wardlight_tests::mosquitto::Mosquitto;
use wardlight_tests::mqtt::Client;
use wardlight_tests::proxy::{Link, Proxy};
use wardlight_tests::wait::until;

/// How often the client is killed while its link is cut.
const KILLS: usize = 25;
/// How many times faster than the world the client lives while its link is cut.
const SPEED: u64 = 60;
/// Numerics of ten minutes, one a second.
const TEN_MINUTES: u64 = 600;

#[test]
fn the_client_keeps_the_contract() {
    let authority = Authority::new();
    let broker = Mosquitto::with_tls(&authority);
    let bundle = Bundle::new(&authority, "mon-01", "localhost", broker.tls_port.unwrap());
    let ear = Ear::new(broker.port, "mon-01");
    let device = bundle.start(&["--simulate"]);
    contract::assert_kept(broker.port, ear, || device.kill());
}

#[test]
fn the_simulator_keeps_the_contract() {
    let authority = Authority::new();
    let broker = Mosquitto::with_tls(&authority);
    let ear = Ear::new(broker.port, "mon-01");
    let mut device = firmware::simulator(&authority, broker.tls_port.unwrap());
    contract::assert_kept(broker.port, ear, || {
        device.kill().unwrap();
        device.wait().unwrap();
    });
}

#[test]
fn the_clients_unit_tests_pass_under_the_sanitizers() {
    let output = Command::new(firmware::build("unit")).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn lines_of_input_become_vitals_and_events() {
    let authority = Authority::new();
    let broker = Mosquitto::with_tls(&authority);
    let bundle = Bundle::new(&authority, "mon-02", "localhost", broker.tls_port.unwrap());
    bundle.change(|config| config["interval_ms"] = json!(200));
    let mut ear = Ear::new(broker.port, "mon-02");
    let mut device = bundle.start(&[]);
    device
        .input()
        .write_all(b"149530 72\n150368 37.1\nnonsense\n150456 - 4\nbutton\nlead_off 150456 on\n")
        .unwrap();
    let mut readings = BTreeMap::new();
    while readings.len() < 3 {
        if let Body::Numerics(list) = &ear.hear().body {
            readings.extend(
                list.iter()
                    .map(|r| (r.numeric().code, (r.value().map(Milli::get), r.quality()))),
            );
        }
    }
    assert_eq!(readings[&149_530], (Some(72_000), Quality::VALID));
    assert_eq!(readings[&150_368], (Some(37_100), Quality::VALID));
    assert_eq!(readings[&150_456], (None, Quality::LEAD_OFF));
    let events: Vec<DeviceEvent> = ear.messages.iter().filter_map(event).collect();
    let off = DeviceEvent::LeadOff {
        code: Some(150_456),
        off: true,
    };
    assert_eq!(events, [DeviceEvent::Button, off]);
    device.stop();
    ear.until("its goodbye", |m| {
        matches!(m.body, Body::State { online: false, .. }).then_some(())
    });
    contract::assert_numbered(&ear.messages);
}

#[test]
fn a_command_that_the_broker_had_kept_is_ignored_because_it_may_be_old() {
    let authority = Authority::new();
    let broker = Mosquitto::with_tls(&authority);
    let bundle = Bundle::new(&authority, "mon-06", "localhost", broker.tls_port.unwrap());
    let mut somebody = Client::connect(broker.port, "somebody").unwrap();
    let old = br#"{"v":1,"cmd":"config","rev":5,"set":{"interval_ms":60000}}"#;
    somebody.keep("vitals/v1/site/mon-06/cmd", old).unwrap();
    let mut ear = Ear::new(broker.port, "mon-06");
    let _device = bundle.start(&["--simulate"]);
    bundle.until_said("A command that the broker had kept is ignored");
    assert_eq!(ear.configure(6, &json!({})), BTreeMap::new());
    let told = ear.messages.iter().filter_map(|m| match m.body {
        Body::State { rev, .. } => rev,
        _ => None,
    });
    assert_eq!(told.collect::<Vec<_>>(), [6]);
}

fn event(message: &Message) -> Option<DeviceEvent> {
    match message.body {
        Body::Event(event) => Some(event),
        _ => None,
    }
}

#[test]
fn a_broker_of_another_name_or_authority_gets_nothing() {
    let authority = Authority::new();
    let broker = Mosquitto::with_tls(&authority);
    let port = broker.tls_port.unwrap();
    let renamed = Bundle::new(&authority, "mon-03", "127.0.0.1", port);
    let device = renamed.start(&["--simulate"]);
    renamed.until_said("does not match with the expected CN");
    assert_eq!(device.stop()["connections"], 0);
    let foreign = Bundle::new(&Authority::new(), "mon-03", "localhost", port);
    let device = foreign.start(&["--simulate"]);
    foreign.until_said("not correctly signed by the trusted CA");
    assert_eq!(device.stop()["connections"], 0);
}

/// A bundle of a device that reaches the broker over a link which can be cut; it sends numerics only.
fn linked(authority: &Authority, device: &str, broker: &Mosquitto) -> (Bundle, Proxy) {
    let proxy = Proxy::to(broker.tls_port.unwrap());
    let bundle = Bundle::new(authority, device, "localhost", proxy.port);
    bundle.change(|config| {
        config["channels"].as_array_mut().unwrap().pop();
        config["broker"]["keep_alive_s"] = json!(2);
    });
    (bundle, proxy)
}

/// What the journal has of a device: the numbers of each start, and how many numerics.
fn journaled(site: &Site, device: &str) -> (BTreeMap<u64, Vec<u64>>, usize) {
    let lines = site.export();
    let ours: Vec<&Value> = lines
        .iter()
        .filter(|line| line["device"] == device && !line["seq"].is_null())
        .collect();
    let mut numbers: BTreeMap<u64, Vec<u64>> = BTreeMap::new();
    for line in &ours {
        let boot = line["boot"].as_u64().unwrap();
        numbers.entry(boot).or_default().push(line["seq"].as_u64().unwrap());
    }
    (numbers, ours.iter().filter(|line| line["kind"] == "num").count())
}

/// Size of one stored message of three numerics, at most.
const STORED_NUMERIC: u64 = 80;

#[test]
fn a_link_that_is_cut_for_ten_minutes_loses_no_numeric() {
    let authority = Authority::new();
    let broker = Mosquitto::with_tls(&authority);
    let site = Site::new(Broker::Mosquitto(broker.port), "[model]\nenabled = false\n");
    let agent = site.start();
    agent.occupy("B01", "mon-04");
    let (bundle, proxy) = linked(&authority, "mon-04", &broker);
    let mut ear = Ear::new(broker.port, "mon-04");
    let device = bundle.start(&["--simulate", "--speed", &SPEED.to_string()]);
    ear.until("a numeric", |m| matches!(m.body, Body::Numerics(_)).then_some(()));
    // Once closed, once silent: nothing arrives, and nobody says that the connection is gone.
    for link in [Link::Cut, Link::Silent] {
        proxy.set(link);
        until("ten minutes of numerics wait in the store", 120, || {
            (bundle.stored_bytes() >= TEN_MINUTES * STORED_NUMERIC).then_some(())
        });
        proxy.set(Link::Up);
        until("everything is delivered", 60, || {
            (bundle.stored_bytes() < STORED_NUMERIC * 3).then_some(())
        });
    }
    let counted = device.stop();
    let sent = counted["seq"].as_u64().unwrap();
    let (numbers, numerics) = until("the journal has all of it", 30, || {
        let found = journaled(&site, "mon-04");
        (found.0.values().map(Vec::len).sum::<usize>() as u64 >= sent).then_some(found)
    });
    println!(
        "cut link: {numerics} numerics journaled of {}, {counted}",
        counted["numerics"]
    );
    assert!(counted["numerics"].as_u64().unwrap() >= 2 * TEN_MINUTES, "{counted}");
    assert_eq!(
        (&counted["lost"], counted["numerics"].as_u64()),
        (&json!(0), Some(numerics as u64))
    );
    // In order, none missing, none twice.
    let all: Vec<u64> = (1..=sent).collect();
    assert_eq!(numbers, BTreeMap::from([(counted["boot"].as_u64().unwrap(), all)]));
    assert!(agent.terminate().success());
    site.assert_sound();
}

#[test]
fn a_client_that_is_killed_again_and_again_offline_delivers_what_it_had_stored_under_its_old_numbers() {
    let authority = Authority::new();
    let broker = Mosquitto::with_tls(&authority);
    let (bundle, proxy) = linked(&authority, "mon-05", &broker);
    let mut ear = Ear::new(broker.port, "mon-05");
    proxy.set(Link::Cut);
    let mut random = Random::new(0x5eed);
    let mut stored = 0;
    for _ in 0..KILLS {
        let device = bundle.start(&["--simulate", "--speed", "1000"]);
        let enough = stored + (1 + random.below(60)) * STORED_NUMERIC;
        stored = until("numerics wait in the store", 60, || {
            Some(bundle.stored_bytes()).filter(|bytes| *bytes >= enough)
        });
        device.kill();
    }
    proxy.set(Link::Up);
    let device = bundle.start(&["--simulate"]);
    ear.until("the state of the last start", |m| {
        matches!(m.body, Body::State { .. }).then_some(())
    });
    ear.until("a numeric of the last start", |m| {
        matches!(m.body, Body::Numerics(_)).then_some(())
    });
    let counted = device.stop();
    assert_eq!(counted["lost"], 0);
    let starts: Vec<&[Message]> = ear.messages.chunk_by(|a, b| a.boot == b.boot).collect();
    assert_eq!(starts.len(), KILLS + 1);
    for pair in starts.windows(2) {
        assert_eq!(pair[1][0].boot, pair[0][0].boot.map(|boot| boot + 1));
    }
    for start in &starts {
        assert!(matches!(start[0].body, Body::Birth(_)), "{:?}", start[0]);
        let numbers: Vec<u32> = start.iter().filter_map(|m| m.seq).collect();
        let last = u32::try_from(numbers.len()).unwrap();
        assert_eq!(numbers, (1..=last).collect::<Vec<_>>());
    }
    println!("{KILLS} kills, {} messages delivered, none lost", ear.messages.len());
}
