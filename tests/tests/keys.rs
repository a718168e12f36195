//! The site key is replaced under a running agent and under none, and a kill at any instant leaves a journal that opens.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "tests fail by panicking, and a kill needs an instant"
)]

use std::fs;
use std::os::unix::fs::symlink;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use wardlight_tests::agent::{Agent, Broker, Site};
use wardlight_tests::device::{Device, HR};
use wardlight_tests::mosquitto::Mosquitto;
use wardlight_tests::mqtt::Client;
use wardlight_tests::wait::until;
use wardlight_tests::wardlight;

fn said(site: &Site, args: &[&str]) -> String {
    let output = site.command(args);
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{text}{}", String::from_utf8_lossy(&output.stderr));
    text
}

/// The line of `wardlight key show` that begins so.
fn shown(site: &Site, what: &str) -> String {
    let text = said(site, &["key", "show"]);
    text.lines().find(|line| line.starts_with(what)).unwrap().to_owned()
}

#[test]
fn the_key_of_a_running_agent_is_replaced_under_load_and_nothing_is_lost() {
    let mosquitto = Mosquitto::start();
    let site = Site::new(Broker::Mosquitto(mosquitto.port), "");
    let key_file = site.dir().join("site.key");
    let (first, public) = (fs::read(&key_file).unwrap(), shown(&site, "public key"));
    let agent = site.start();
    agent.occupy("B01", "mon-01");
    let (mut device, mut wire) = (Device::new("mon-01"), Client::connect(mosquitto.port, "mon-01").unwrap());
    let first_message = device.numerics(&[(HR, 80.0)]);
    wire.deliver(&first_message.topic, &first_message.payload());
    let blind = |agent: &Agent<'_>| {
        let beds = agent.get("/api/v1/beds").json();
        (beds["beds"][0]["blind_since"].clone(), beds["beds"][0]["blind_ms"].clone())
    };
    let seeing = until("the bed is watched", 10, || {
        Some(blind(&agent)).filter(|(since, _)| since.is_null())
    });
    for _ in 0..3 {
        let before = fs::read(&key_file).unwrap();
        for _ in 0..50 {
            let message = device.numerics(&[(HR, 80.0)]);
            wire.publish(&message.topic, &message.payload()).unwrap();
        }
        let text = said(&site, &["key", "rotate"]);
        assert!(
            text.contains("the old one opens nothing any more") && !text.contains("TO DO"),
            "{text}"
        );
        assert_ne!(fs::read(&key_file).unwrap(), before);
        let message = device.numerics(&[(HR, 81.0)]);
        wire.deliver(&message.topic, &message.payload());
    }
    assert!(agent.get("/api/v1/alarms").json()["alarms"].as_array().unwrap().is_empty());
    assert_eq!(blind(&agent), seeing, "no moment without alarms");
    agent.kill();
    site.assert_sound();
    assert_eq!(shown(&site, "public key"), public, "receipts of before still verify");
    let rotations = site
        .audit_trail()
        .into_iter()
        .filter(|record| record["action"] == "site_key_rotated");
    assert_eq!(rotations.count(), 3);

    let agent = site.start();
    // What was not confirmed before the kill the broker brings again.
    until("every message on record", 20, || {
        (site.export().len() == 1 + 3 * 51).then_some(())
    });
    assert!(
        !site.said().contains("does not go live"),
        "the certificates of the models hold"
    );
    assert!(agent.terminate().success());
    fs::write(&key_file, first).unwrap();
    let refused = site.command(&["run"]);
    let text = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(
        !refused.status.success() && text.contains("nothing in a journal can be read"),
        "{text}"
    );
    let checked = site.command(&["check"]);
    assert!(String::from_utf8_lossy(&checked.stdout).contains("nothing in a journal can be read"));
}

#[test]
fn a_kill_at_any_instant_of_a_rotation_leaves_a_journal_that_opens() {
    let site = Site::new(Broker::Embedded, "");
    let before = shown(&site, "site key");
    // A little later each time, until one comes to its end.
    for step in 0.. {
        let mut rotation = Command::new(wardlight());
        let config = site.config();
        rotation.args(["key", "rotate", "--config", config.to_str().unwrap()]);
        let mut child = rotation.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let begun = Instant::now();
        let mut ended = None;
        while begun.elapsed() < Duration::from_millis(2) * step && ended.is_none() {
            ended = child.try_wait().unwrap();
        }
        child.kill().ok();
        child.wait().unwrap();
        site.assert_sound();
        if ended.is_some() {
            break;
        }
    }
    assert_ne!(shown(&site, "site key"), before);
    said(&site, &["key", "rotate"]);
    assert!(!site.dir().join("site.key.new").exists());
    site.assert_sound();
}

#[test]
fn a_key_in_a_mounted_secret_is_replaced_by_the_one_beside_it() {
    let site = Site::new(Broker::Embedded, "");
    let (key_file, secret) = (site.dir().join("site.key"), site.dir().join("secret"));
    fs::create_dir(&secret).unwrap();
    fs::rename(&key_file, secret.join("site.key")).unwrap();
    symlink(secret.join("site.key"), &key_file).unwrap();
    let next = site.dir().join("site.key.new");
    let other = Site::new(Broker::Embedded, "");
    fs::rename(other.dir().join("site.key"), &next).unwrap();
    let agent = site.start();
    let text = said(&site, &["key", "rotate", "--new-key", next.to_str().unwrap()]);
    assert!(text.contains("TO DO") && text.contains("a mounted secret"), "{text}");
    assert!(agent.terminate().success());
    let agent = site.start();
    fs::rename(&next, secret.join("site.key")).unwrap();
    assert!(agent.terminate().success());
    assert!(site.start().terminate().success());
    site.assert_sound();
}
