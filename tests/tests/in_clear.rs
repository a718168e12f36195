//! Nothing of a patient in clear: every byte that the agent writes is searched, and what leaves by design is listed door by door.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests fail by panicking"
)]

use std::collections::BTreeMap;
use std::fs;

use serde_json::json;
use wardlight_tests::agent::{Agent, Broker, Site, files};
use wardlight_tests::device::Device;
use wardlight_tests::mosquitto::Mosquitto;
use wardlight_tests::mqtt::{Client, Heard};
use wardlight_tests::planted::{self, NAME, NUMBER, RATE, WORDS};

/// The planted things that a door shows because it is there for that.
const DOORS: [(&str, &[&str]); 6] = [
    // The nurse's page: names, and values as they are displayed.
    ("page", &[NAME]),
    ("handover", &[NAME, NUMBER, WORDS]),
    // `journal export` says that its output is patient data.
    ("export", &[RATE, planted::SATURATION]),
    // Why a message was refused, and never what it said.
    ("quarantine", &[]),
    ("metrics", &[]),
    ("alerts", &[]),
];

/// What everything that was written holds: files, while the agent runs the log of the database too, and what it said.
fn assert_nothing_written(site: &Site) {
    let mut searched = files(&site.dir());
    searched.push(site.log());
    assert!(searched.iter().any(|file| file.ends_with("journal.db")), "{searched:?}");
    for file in searched {
        let bytes = fs::read(&file).unwrap();
        assert_eq!(planted::found(&bytes), [""; 0], "{}", file.display());
    }
}

fn doors(site: &Site, agent: &Agent<'_>, alerts: &mut Client) -> BTreeMap<&'static str, Vec<u8>> {
    let page = ["beds", "alarms", "devices", "ward", "history?hours=24"];
    let page = page.map(|path| agent.get(&format!("/api/v1/{path}")).body).concat();
    let mut heard = Vec::new();
    while !heard.ends_with(b"acknowledged") {
        let Ok(message) = alerts.heard.recv_timeout(std::time::Duration::from_secs(10)) else {
            panic!("no alert of the acknowledgement")
        };
        if let Heard::Message(topic, payload) = message {
            heard.extend(topic.into_bytes());
            let done = String::from_utf8_lossy(&payload).contains("\"state\":\"acknowledged\"");
            heard.extend(payload);
            heard.extend(if done { b"acknowledged".as_slice() } else { b"" });
        }
    }
    BTreeMap::from([
        ("page", page.into_bytes()),
        ("handover", agent.get("/api/v1/beds/B01").body.into_bytes()),
        ("export", site.command(&["journal", "export"]).stdout),
        ("quarantine", site.command(&["journal", "quarantine"]).stdout),
        ("metrics", agent.get("/metrics").body.into_bytes()),
        ("alerts", heard),
    ])
}

#[test]
fn nothing_of_a_patient_is_in_clear_in_any_byte_that_is_written_and_the_doors_show_what_they_are_for() {
    let mosquitto = Mosquitto::start();
    let site = Site::new(Broker::Mosquitto(mosquitto.port), "");
    let mut alerts = Client::connect(mosquitto.port, "pager").unwrap();
    alerts.subscribe("ward/#");
    let agent = site.start_talking();
    let (mut device, mut wire) = (Device::new("mon-01"), Client::connect(mosquitto.port, "mon-01").unwrap());
    planted::live(&agent, &mut wire, &mut device, "B01");
    assert_nothing_written(&site);
    let shown = doors(&site, &agent, &mut alerts);
    for (door, allowed) in DOORS {
        assert_eq!(planted::found(&shown[door]), allowed, "{door}");
    }
    assert_eq!(planted::found(&site.command(&["audit", "list"]).stdout), [""; 0]);
    assert_no_core_dumps(agent.pid());
    agent.kill();
    assert_nothing_written(&site);
    let agent = site.start_talking();
    assert_eq!(agent.post("/api/v1/beds/B01/discharge", &json!({})).status, 200);
    assert!(agent.terminate().success());
    assert_nothing_written(&site);
}

#[test]
fn the_agents_own_broker_writes_nothing_in_clear_either() {
    let site = Site::new(Broker::Embedded, "");
    let agent = site.start_talking();
    let (mut device, mut wire) = (Device::new("mon-01"), Client::connect(site.broker, "mon-01").unwrap());
    planted::live(&agent, &mut wire, &mut device, "B01");
    assert_nothing_written(&site);
    agent.kill();
    assert_nothing_written(&site);
}

/// A dump of the memory would hold everything in clear: there is none, and no other process of the same user may read the memory.
fn assert_no_core_dumps(pid: u32) {
    let limits = fs::read_to_string(format!("/proc/{pid}/limits")).unwrap();
    let core = limits.lines().find(|line| line.starts_with("Max core file size")).unwrap();
    assert_eq!(core.split_whitespace().collect::<Vec<_>>()[4..6], ["0", "0"], "{core}");
    let owner = fs::metadata(format!("/proc/{pid}/mem")).unwrap();
    assert_eq!(
        std::os::unix::fs::MetadataExt::uid(&owner),
        0,
        "its memory belongs to root: not dumpable"
    );
}
