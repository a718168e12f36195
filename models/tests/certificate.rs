//! Quantization certificates: issued only for what this machine computes as it should, and believed only here.

#![allow(
    missing_docs,
    unreachable_pub,
    dead_code,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests fail by panicking; the helpers are shared with other tests"
)]

mod common;

use std::time::Duration;

use common::{Copy, example, shipped};
use ring::signature::{Ed25519KeyPair, KeyPair};
use wardlight_models::certificate::{Bounds, Certificate, Machine};
use wardlight_models::{Backend, Engine, Package, TrustedKeys};

const NOW: Duration = Duration::from_hours(500_000);
const MOST: Duration = Duration::from_hours(90 * 24);
/// Random weights quantize badly; what is tested is that the bounds hold, not which they are.
const WIDE: Bounds = Bounds {
    largest_gap: 10.0,
    same_decision_share: 0.0,
    same_decision_share_of_group: 0.0,
};

fn site() -> Ed25519KeyPair {
    Ed25519KeyPair::from_seed_unchecked(&[9; 32]).unwrap()
}

fn keys(pair: &Ed25519KeyPair) -> TrustedKeys {
    let hex = pair.public_key().as_ref().iter().map(|byte| format!("{byte:02x}"));
    TrustedKeys::parse(&hex.collect::<String>()).unwrap()
}

fn risk() -> Package {
    Package::open(&shipped(), &TrustedKeys::release().unwrap()).unwrap()
}

fn waveform(change: impl FnOnce(&Copy)) -> Package {
    let copy = Copy::of(&example("cnn"));
    change(&copy);
    copy.sign();
    Package::open(copy.path(), &copy.keys()).unwrap()
}

fn machine() -> Machine {
    Machine::this().unwrap()
}

fn issued(package: &Package) -> String {
    Certificate::issue(package, &machine(), &WIDE, NOW)
        .unwrap()
        .sign(&site())
        .unwrap()
}

/// Why `text` is refused for `package` on `machine` at `now`.
fn refusal(text: &str, package: &Package, machine: &Machine, now: Duration) -> String {
    let verified = Certificate::verify(text, &keys(&site()), package, machine, now, MOST);
    verified.expect_err("the certificate must be refused").to_string()
}

#[test]
fn a_certificate_holds_every_engine_of_this_machine_and_is_believed_here() {
    for package in [risk(), waveform(|_| ())] {
        let text = issued(&package);
        let verified = Certificate::verify(&text, &keys(&site()), &package, &machine(), NOW + MOST, MOST).unwrap();
        let engines: Vec<&str> = verified.engines().iter().map(|engine| engine.engine.as_str()).collect();
        let expected: Vec<String> = Backend::available()
            .into_iter()
            .map(|b| Engine::Plan(b).to_string())
            .collect();
        assert_eq!(engines, expected);
        for engine in verified.engines() {
            assert_eq!(engine.groups, verified.engines()[0].groups, "all engines compute the same");
            assert_eq!(engine.groups[0].group, "all");
            assert!(engine.groups[0].vectors > 0 && engine.groups[0].gap.largest > 0.0);
        }
    }
}

#[test]
fn subgroups_are_judged_one_by_one() {
    let ages: Vec<String> = Certificate::issue(&risk(), &machine(), &WIDE, NOW).unwrap().engines()[0]
        .groups
        .iter()
        .map(|group| group.group.clone())
        .collect();
    assert_eq!(ages[..2], ["all", "age 15-49"]);
    let package = waveform(|copy| {
        let golden = String::from_utf8(copy.read("golden.json")).unwrap();
        let golden = golden.replacen(
            "\"inputs\"",
            "\"groups\": {\"sex\": \"female\", \"class\": \"v\"}, \"inputs\"",
            1,
        );
        copy.publish("golden.json", golden.as_bytes());
    });
    let certificate = Certificate::issue(&package, &machine(), &WIDE, NOW).unwrap();
    let groups: Vec<(&str, usize)> = certificate.engines()[0]
        .groups
        .iter()
        .skip(1)
        .map(|group| (group.group.as_str(), group.vectors))
        .collect();
    assert_eq!(groups, [("class v", 1), ("sex female", 1)]);
}

#[test]
fn int8_too_far_from_float_gets_no_certificate() {
    let strict = Bounds {
        largest_gap: 1e-6,
        ..WIDE
    };
    let error = Certificate::issue(&risk(), &machine(), &strict, NOW).unwrap_err().to_string();
    for part in ["certificate of deterioration", "largest gap 0.0", "\"all\"", "quantize again"] {
        assert!(error.contains(part), "{error:?} does not say {part:?}");
    }
}

#[test]
fn a_machine_that_computes_otherwise_gets_no_certificate() {
    let package = waveform(|copy| {
        let golden = String::from_utf8(copy.read("golden.json")).unwrap();
        let golden = golden.replacen("\"int8_logits\": [", "\"int8_logits\": [1", 1);
        copy.publish("golden.json", golden.as_bytes());
    });
    let error = Certificate::issue(&package, &machine(), &WIDE, NOW).unwrap_err().to_string();
    assert!(error.contains("int8 logits"), "{error}");
}

#[test]
fn an_altered_certificate_or_one_of_a_stranger_is_refused() {
    let package = risk();
    let text = issued(&package);
    let altered = text.replacen("\\\"vectors\\\":", "\\\"vectors\\\":1", 1);
    assert_ne!(altered, text);
    assert!(refusal(&altered, &package, &machine(), NOW).contains("a key of this site over these bytes"));
    let stranger = Ed25519KeyPair::from_seed_unchecked(&[8; 32]).unwrap();
    let text = Certificate::issue(&package, &machine(), &WIDE, NOW)
        .unwrap()
        .sign(&stranger)
        .unwrap();
    assert!(refusal(&text, &package, &machine(), NOW).contains("signature is none of 1 keys"));
    for broken in [
        "",
        "{}",
        "{\"statement\": \"\", \"signature\": \"no\"}",
        &text[..text.len() / 2],
    ] {
        assert!(
            refusal(broken, &package, &machine(), NOW).contains("issue it again"),
            "{broken}"
        );
    }
}

#[test]
fn a_certificate_of_another_package_machine_or_time_is_refused() {
    let package = risk();
    let text = issued(&package);
    let here = machine();
    let mut elsewhere = serde_json::to_value(&here).unwrap();
    elsewhere["cpu"] = "another".into();
    let elsewhere = serde_json::from_value(elsewhere).unwrap();
    let second = Duration::from_secs(1);
    for (other, machine, now, part) in [
        (waveform(|_| ()), &here, NOW, "must be the digest of this package"),
        (risk(), &elsewhere, NOW, "must be this machine as it is now"),
        (risk(), &here, NOW.saturating_sub(second), "must not be in the future"),
        (risk(), &here, NOW + MOST + second, "is too long ago"),
    ] {
        let message = refusal(&text, &other, machine, now);
        assert!(message.contains(part), "{message}");
    }
}
