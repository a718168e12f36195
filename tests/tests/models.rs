//! A model goes live only signed, untouched, with a certificate of this machine, and step by step.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    unreachable_pub,
    dead_code,
    reason = "tests fail by panicking; the maker of ONNX files is shared with the tests of the models"
)]

#[path = "../../models/tests/onnx/mod.rs"]
mod onnx;

use std::fs;
use std::path::Path;
use std::process::Command;

use onnx::Node;
use wardlight_tests::agent::{Broker, Site};
use wardlight_tests::device::{Device, HR, SPO2};
use wardlight_tests::mqtt::Client;
use wardlight_tests::system_clock::SystemClock;
use wardlight_tests::wait::until;
use wardlight_tests::wardlight;
use wardlight_tests::workshop::{Workshop, audited, replace};

/// What the agent says of its model once it is up.
fn model(site: &Site) -> String {
    let agent = site.start();
    let said = until("the model's state", 10, || {
        let ward = agent.get("/api/v1/ward").json();
        let state = ward["ward"]["model"].as_str()?.to_owned();
        let settled = state == "live" || site.said().contains("does not go live");
        settled.then_some(state)
    });
    assert!(agent.terminate().success());
    said
}

#[test]
fn without_a_certificate_of_this_machine_the_agent_runs_on_rules_and_says_what_to_do() {
    let site = Site::new(Broker::Embedded, "");
    let certificate = site.dir().join("certificates/deterioration-3.0.0.json");
    assert_eq!(
        model(&site),
        "live",
        "init has certified what the binary carries: {}",
        site.said()
    );

    let text = fs::read_to_string(&certificate).unwrap();
    fs::remove_file(&certificate).unwrap();
    assert_eq!(model(&site), "gone");
    assert!(site.said().contains("wardlight model verify"), "{}", site.said());

    fs::write(&certificate, text.replace("all", "alL")).unwrap();
    let check = site.command(&["check"]);
    assert!(!check.status.success());
    let said = String::from_utf8_lossy(&check.stdout).into_owned();
    assert!(said.contains("signature") && said.contains("issue it again"), "{said}");

    let verify = site.command(&["model", "verify"]);
    assert!(verify.status.success(), "{verify:?}");
    assert!(site.command(&["check"]).stdout.windows(9).any(|said| said == b"certified"));
    fs::remove_file(site.log()).unwrap();
    assert_eq!(model(&site), "live");
}

#[test]
fn a_package_that_is_not_as_it_must_be_is_not_staged_and_changes_nothing() {
    type Harm = fn(&Workshop, &Path);
    let dynamic: Harm = |workshop, package| {
        let nodes = [Node::new("DynamicQuantizeLinear", &["features", "w"], "logit")];
        workshop.publish(package, "model.int8.onnx", &onnx::model(&nodes, 103));
    };
    let shape: Harm = |workshop, package| {
        let nodes = [Node::new("MatMul", &["features", "w"], "logit")];
        workshop.publish(package, "model.int8.onnx", &onnx::model(&nodes, 104));
    };
    let golden: Harm = |workshop, package| {
        let expected = fs::read_to_string(package.join("golden.json")).unwrap();
        let other = expected.replacen("\"int8_logit\": -", "\"int8_logit\": ", 1);
        assert_ne!(other, expected);
        workshop.publish(package, "golden.json", other.as_bytes());
    };
    let table: [(&str, Harm, &str); 11] = [
        (
            "tampered",
            |_, package| {
                let file = package.join("model.int8.onnx");
                let mut content = fs::read(&file).unwrap();
                let middle = content.len() / 2;
                content[middle] ^= 1;
                fs::write(file, content).unwrap();
            },
            "model.int8.onnx: sha256",
        ),
        (
            "truncated",
            |_, package| {
                let file = package.join("golden.json");
                let content = fs::read(&file).unwrap();
                fs::write(file, &content[..content.len() / 2]).unwrap();
            },
            "golden.json: sha256",
        ),
        (
            "missing",
            |_, package| fs::remove_file(package.join("card.md")).unwrap(),
            "card.md: No such file",
        ),
        (
            "unsigned",
            |_, package| fs::remove_file(package.join("manifest.sig")).unwrap(),
            "not signed, manifest.sig is missing",
        ),
        (
            "wrong key",
            |workshop, package| workshop.sign(package, "stranger"),
            "the signature of manifest.toml matches none of 2 trusted keys",
        ),
        (
            "changed manifest",
            |_, package| replace(package, "slope = ", "slope = 1"),
            "the signature of manifest.toml matches none",
        ),
        (
            "unexpected file",
            |_, package| fs::write(package.join("notes.txt"), "hello").unwrap(),
            "unexpected entry \"notes.txt\"",
        ),
        (
            "wrong shape",
            shape,
            "f32 [batch, 104], the manifest says \"features\" f32 [batch, 103]",
        ),
        (
            "dynamic quantization",
            dynamic,
            "operator DynamicQuantizeLinear is dynamic quantization; quantize statically",
        ),
        ("another result", golden, "golden vector"),
        (
            "unknown model",
            |workshop, package| {
                replace(package, "id = \"deterioration\"", "id = \"sepsis\"");
                workshop.sign(package, "key");
            },
            "sepsis: this software has a place for deterioration, ecg-beat, ecg-vf",
        ),
    ];
    let workshop = Workshop::new("interval_s = 1");
    // There is something to leave alone: 3.1.0 is live.
    let good = workshop.package("deterioration", "3.1.0");
    workshop.done(&["stage", good.to_str().unwrap()]);
    workshop.done(&["verify", "deterioration", "3.1.0"]);
    workshop.done(&["promote", "deterioration"]);
    workshop.done(&["promote", "deterioration"]);
    for (at, (what, harm, reason)) in table.iter().enumerate() {
        let package = workshop.package("deterioration", &format!("3.0.{at}"));
        harm(&workshop, &package);
        workshop.refused(&["stage", package.to_str().unwrap()], reason);
        assert_eq!(workshop.live(), "3.1.0", "{what}");
    }
    let agent = workshop.site.start();
    assert!(agent.terminate().success());
}

#[test]
fn a_certificate_that_does_not_hold_promotes_nothing() {
    let workshop = Workshop::new("interval_s = 1");
    let package = workshop.package("deterioration", "3.1.0");
    workshop.done(&["stage", package.to_str().unwrap()]);
    let promote = ["promote", "deterioration"];
    workshop.refused(&promote, "run wardlight model verify deterioration 3.1.0 first");
    workshop.done(&["verify", "deterioration", "3.1.0"]);
    let file = workshop.site.dir().join("certificates/deterioration-3.1.0.json");
    let sound = fs::read_to_string(&file).unwrap();

    fs::remove_file(&file).unwrap();
    workshop.refused(&promote, "no certificate of this machine");
    fs::write(&file, sound.replacen("vectors", "vektors", 1)).unwrap();
    workshop.refused(&promote, "must be made by a key of this site over these bytes");
    fs::write(&file, &sound[..sound.len() / 2]).unwrap();
    workshop.refused(&promote, "must be a statement and its signature");

    // The same package on another machine of another site.
    let other = Workshop::new("interval_s = 1");
    fs::copy(workshop.path("key.pub"), other.site.dir().join("models.pub")).unwrap();
    other.done(&["stage", package.to_str().unwrap()]);
    other.done(&["verify", "deterioration", "3.1.0"]);
    fs::copy(other.site.dir().join("certificates/deterioration-3.1.0.json"), &file).unwrap();
    workshop.refused(&promote, "must be made by a key of this site over these bytes");

    let clock = SystemClock::new(-500 * 24 * 3600);
    let mut verify = Command::new(wardlight());
    clock.rule(&mut verify);
    let config = workshop.site.config();
    let long_ago = verify
        .args(["model", "verify", "deterioration", "3.1.0", "--config"])
        .arg(&config)
        .output();
    assert!(long_ago.unwrap().status.success());
    workshop.refused(&promote, "is too long ago");

    workshop.done(&["verify", "deterioration", "3.1.0"]);
    assert!(workshop.done(&promote).contains("in the shadow"));
    assert_eq!(workshop.live(), "3.0.0");
    assert!(workshop.done(&promote).contains("live"));
    assert_eq!(workshop.live(), "3.1.0");
    workshop.refused(&["promote", "deterioration", "3.1.0"], "is live already");
    workshop.done(&["rollback", "deterioration", "--why", "tried"]);
    assert_eq!(workshop.live(), "3.0.0");
    workshop.refused(&["rollback", "deterioration"], "nothing before it");
}

#[test]
fn another_version_goes_live_and_back_under_a_running_ward_that_loses_nothing() {
    let workshop = Workshop::new("interval_s = 1");
    let package = workshop.package("deterioration", "3.1.0");
    workshop.done(&["stage", package.to_str().unwrap()]);
    workshop.done(&["verify", "deterioration", "3.1.0"]);
    workshop.done(&["promote", "deterioration"]);

    let site = &workshop.site;
    let mut clock = SystemClock::new(0);
    let agent = site.start_under(&clock);
    agent.occupy("B03", "mon-03");
    let mut wire = Client::connect(site.broker, "mon-03").unwrap();
    let mut device = Device::new("mon-03");
    // A risk needs hours of history.
    for hour in 0..7 {
        clock.set(hour * 3600);
        let steps = || agent.metric("wardlight_clock_steps_total") >= hour as f64;
        until("the clock is followed", 15, || steps().then_some(()));
        device.ahead_ms = clock.ahead_ms();
        let message = device.numerics(&[(HR, 80.0), (SPO2, 96.0)]);
        wire.deliver(&message.topic, &message.payload());
    }
    let mut until_model = |version: &str| {
        until("the model of the estimate", 20, || {
            // Every message is confirmed meanwhile.
            let message = device.numerics(&[(HR, 80.0), (SPO2, 96.0)]);
            wire.deliver(&message.topic, &message.payload());
            let ward = agent.get("/api/v1/ward").json();
            assert_ne!(ward["ward"]["model"], "gone", "{ward}");
            let bed = agent.get("/api/v1/beds/B03").json();
            (bed["bed"]["risk"]["model"] == format!("deterioration {version}")).then_some(())
        });
        let alarm = device.alarm(if version == "3.1.0" { "vf" } else { "asystole" }, true);
        wire.deliver(&alarm.topic, &alarm.payload());
    };
    until_model("3.0.0");
    until("an alarm before", 5, || agent.alarms("device_alarm_asystole").pop());
    let beside = |versions: &str| {
        let shown = || workshop.done(&["list"]).contains(versions).then_some(());
        until("what is unheard", 10, shown);
    };
    beside("deterioration 3.1.0 beside 3.0.0, unheard: ");
    let compared = || agent.metric("wardlight_model_shadow_compared_total");
    until("the shadow", 10, || (compared() >= 1.0).then_some(()));
    assert!(agent.metric("wardlight_model_shadow_different_total") < 0.5);
    workshop.done_under(&clock, &["promote", "deterioration"]);
    until_model("3.1.0");
    until("an alarm after", 5, || agent.alarms("device_alarm_vf").pop());
    beside("deterioration 3.0.0 beside 3.1.0, unheard: ");
    workshop.done(&["rollback", "deterioration", "--why", "tried"]);
    until_model("3.0.0");
    assert!(agent.metric("wardlight_model_requests_dropped_total") < 0.5);
    // Altered by hand: what runs goes on, and it is said.
    let life = site.dir().join("packages/life.json");
    let text = fs::read_to_string(&life).unwrap();
    fs::write(&life, text.replace("retired", "live")).unwrap();
    until("that it is refused", 10, || audited(site, "models_unreadable").pop());
    until_model("3.0.0");
    assert!(agent.terminate().success());

    let actions: Vec<String> = audited(site, "model_")
        .iter()
        .map(|record| record["action"].as_str().unwrap().to_owned())
        .collect();
    let expected = [
        "model_staged",
        "model_verified",
        "model_in_shadow",
        "model_live",
        "model_retired",
    ];
    assert_eq!(actions, expected);
    let last = audited(site, "model_retired").pop().unwrap();
    assert!(last["detail"].as_str().unwrap().contains("tried"), "{last}");
    assert!(last["by"].as_str().unwrap().contains("(uid "), "{last}");
}
