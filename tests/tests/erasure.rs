//! A stay is erased from a running agent and from none: nothing planted comes out of any door, and the receipt verifies offline.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests fail by panicking"
)]

use std::fs;
use std::process::Output;

use serde_json::{Value, json};
use wardlight_tests::agent::{Agent, Broker, Site, run};
use wardlight_tests::device::{Device, HR};
use wardlight_tests::mosquitto::Mosquitto;
use wardlight_tests::mqtt::Client;
use wardlight_tests::planted;

fn said(output: &Output) -> String {
    let text = [&output.stdout[..], &output.stderr].concat();
    String::from_utf8_lossy(&text).into_owned()
}

fn stays(site: &Site) -> Vec<Value> {
    let output = site.command(&["journal", "stays"]);
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// What every door shows of the journal, as one text.
fn shown(site: &Site, agent: Option<&Agent<'_>>) -> Vec<u8> {
    let mut all = Vec::new();
    for args in [&["journal", "export"][..], &["journal", "quarantine"], &["audit", "list"]] {
        all.extend(site.command(args).stdout);
    }
    for path in ["beds", "alarms", "history?hours=24", "beds/B01/trends", "beds/B01"] {
        all.extend(
            agent
                .map_or_else(String::new, |agent| agent.get(&format!("/api/v1/{path}")).body)
                .into_bytes(),
        );
    }
    all
}

fn discharge(agent: &Agent<'_>, bed: &str) {
    assert_eq!(agent.post(&format!("/api/v1/beds/{bed}/discharge"), &json!({})).status, 200);
}

/// Verifies a receipt with the public key alone.
fn verify(file: &str, key: &str) -> Output {
    run(&["receipt", "verify", file, "--public-key", key])
}

#[test]
fn a_discharged_stay_is_erased_from_a_running_agent_and_nothing_of_it_comes_back() {
    let mosquitto = Mosquitto::start();
    let site = Site::new(Broker::Mosquitto(mosquitto.port), "");
    let agent = site.start();
    let (mut device, mut wire) = (Device::new("mon-01"), Client::connect(mosquitto.port, "mon-01").unwrap());
    let (mut other, mut other_wire) = (Device::new("mon-02"), Client::connect(mosquitto.port, "mon-02").unwrap());
    agent.occupy("B02", "mon-02");
    let kept = other.numerics(&[(HR, 66.25)]);
    other_wire.deliver(&kept.topic, &kept.payload());
    planted::live(&agent, &mut wire, &mut device, "B01");
    let before = planted::found(&shown(&site, Some(&agent)));
    assert!(
        before.contains(&planted::RATE) && before.contains(&planted::NAME),
        "{before:?}"
    );

    let refused = site.command(&["journal", "erase", "--bed", "B01"]);
    assert!(
        !refused.status.success() && said(&refused).contains("discharge first"),
        "{}",
        said(&refused)
    );
    let stay = stays(&site).iter().find(|seen| seen["bed"] == "B01").unwrap()["stay"]
        .as_str()
        .unwrap()
        .to_owned();
    let refused = site.command(&["journal", "erase", "--stay", &stay]);
    assert!(
        !refused.status.success() && said(&refused).contains("still in bed B01"),
        "{}",
        said(&refused)
    );
    let unknown = site.command(&["journal", "erase", "--stay", &"ab".repeat(16)]);
    assert!(
        !unknown.status.success() && said(&unknown).contains("nothing of this stay"),
        "{}",
        said(&unknown)
    );

    discharge(&agent, "B01");
    let erased = site.command(&["journal", "erase", "--bed", "B01"]);
    assert!(erased.status.success(), "{}", said(&erased));
    assert_eq!(planted::found(&shown(&site, Some(&agent))), [""; 0]);
    let history = agent.get("/api/v1/history?hours=24").body;
    assert!(!history.contains("device_alarm_vf"), "{history}");
    site.assert_sound();
    let whole = site.command(&["audit", "verify"]);
    assert!(whole.status.success(), "{}", said(&whole));
    agent.kill();
    let agent = site.start();
    assert_eq!(planted::found(&shown(&site, Some(&agent))), [""; 0]);
    assert_eq!(site.export().len(), 1, "the other patient's message");
    assert!(agent.terminate().success());
    site.assert_sound();
    let replayed = run(&["replay", site.config().to_str().unwrap()]);
    assert!(replayed.status.success(), "{}", said(&replayed));

    let file = site.dir().join(format!("receipts/erasure-{stay}.json"));
    let file = file.to_str().unwrap();
    let shown = said(&site.command(&["key", "show"]));
    let key = shown
        .lines()
        .find_map(|line| line.strip_prefix("public key: "))
        .unwrap()
        .to_owned();
    let genuine = verify(file, &key);
    assert!(genuine.status.success(), "{}", said(&genuine));
    assert!(
        said(&genuine).contains(&stay) && said(&genuine).contains("4 message"),
        "{}",
        said(&genuine)
    );
    let records = site.audit_trail();
    let record = records.iter().find(|record| record["action"] == "erase_stay").unwrap();
    let head = format!("{}:{}", record["n"], record["hash"].as_str().unwrap());
    assert!(said(&genuine).contains(&head), "{}", said(&genuine));
    // A receipt that was lost is written again, and verifies after a rotation of the site key too.
    fs::remove_file(file).unwrap();
    assert!(site.command(&["key", "rotate"]).status.success());
    let again = site.command(&["journal", "erase", "--stay", &stay]);
    assert!(
        again.status.success() && said(&again).contains("erased before"),
        "{}",
        said(&again)
    );
    assert!(verify(file, &key).status.success());
    let text = fs::read_to_string(file).unwrap();
    fs::write(file, text.replace("\"message\": 4", "\"message\": 3")).unwrap();
    let altered = verify(file, &key);
    assert!(
        !altered.status.success() && said(&altered).contains("altered"),
        "{}",
        said(&altered)
    );
}

#[test]
fn without_an_agent_the_command_erases_by_itself_and_knows_who_is_still_there() {
    let mosquitto = Mosquitto::start();
    let site = Site::new(Broker::Mosquitto(mosquitto.port), "");
    let agent = site.start();
    let (mut device, mut wire) = (Device::new("mon-01"), Client::connect(mosquitto.port, "mon-01").unwrap());
    planted::live(&agent, &mut wire, &mut device, "B01");
    // Killed: what is behind the last checkpoint is only in the record.
    agent.kill();
    let stay = stays(&site)[0]["stay"].as_str().unwrap().to_owned();
    let refused = site.command(&["journal", "erase", "--stay", &stay]);
    assert!(
        !refused.status.success() && said(&refused).contains("still in bed B01"),
        "{}",
        said(&refused)
    );
    let agent = site.start();
    discharge(&agent, "B01");
    agent.kill();
    let erased = site.command(&["journal", "erase", "--stay", &stay]);
    assert!(erased.status.success(), "{}", said(&erased));
    assert_eq!(planted::found(&shown(&site, None)), [""; 0]);
    assert_eq!(stays(&site)[0]["erased"], true);
    site.assert_sound();
    let agent = site.start();
    assert_eq!(planted::found(&shown(&site, Some(&agent))), [""; 0]);
    assert!(!site.said().contains("cannot be read"), "{}", site.said());
}
