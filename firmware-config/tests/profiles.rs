//! Profiles: those that come with the agent, and what is said of bad ones.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

use std::time::Duration;

use wardlight_core::ids::{DeviceId, SiteId};
use wardlight_core::message::{Body, Message};
use wardlight_core::time::Timestamp;
use wardlight_devices::{Profile, ProfileError};
use wardlight_wire::{decode, encode, topic_of};

#[test]
fn the_built_in_profiles_are_valid_and_carry_their_file_s_name() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/profiles");
    let mut files: Vec<String> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    files.sort();
    let names: Vec<String> = Profile::names().map(|name| format!("{name}.toml")).collect();
    assert_eq!(files, names);
    for name in Profile::names() {
        assert_eq!(Profile::builtin(name).unwrap_or_else(|e| panic!("{e}")).name, name);
    }
}

#[test]
fn births_of_built_in_profiles_go_over_the_wire_without_a_rejection() {
    for name in Profile::names() {
        let message = Message {
            device: DeviceId::new("dev-1").unwrap(),
            boot: Some(1),
            seq: Some(0),
            sent_at: Timestamp::from_millis(1_767_225_600_000),
            body: Body::Birth(Profile::builtin(name).unwrap().birth("1.0.0")),
        };
        let topic = topic_of(&SiteId::new("north").unwrap(), &message);
        let decoded = decode(&topic, &encode::cbor(&message), None, message.sent_at).unwrap();
        assert_eq!((decoded.message, decoded.rejected), (message, vec![]), "{name}");
    }
}

#[test]
fn a_profile_says_how_a_device_sends() {
    let monitor = Profile::builtin("bedside-monitor").unwrap();
    let ecg = monitor.channel(131_330).unwrap().wave.unwrap();
    assert_eq!((ecg.rate_hz, ecg.scale, ecg.offset), (250.0, (-3, 1), 0));
    assert_eq!((monitor.interval, monitor.battery), (Duration::from_secs(1), None));
    let wearable = Profile::builtin("wearable").unwrap();
    assert_eq!(wearable.battery.unwrap().lasts, Duration::from_hours(72));
    assert!(wearable.channels.iter().all(|c| c.wave.is_none()));
}

#[test]
fn all_faults_are_told_together_each_with_its_path_and_value() {
    let text = r#"
        name = "Bad Name"
        model = 7
        interval_s = 0
        colour = "red"
        [battery]
        hours = -1
        low_percent = 101
        [[channel]]
        code = 150344
        unit = "[degF]"
        [[channel]]
        code = 1
        unit = "1"
        [[channel]]
        code = 131330
        unit = "mV"
        wave = { rate_hz = 0, block_ms = 5000, scale = [0, 0], offset = "none", gain = 2 }
        [[channel]]
        code = 131329
        unit = "mV"
        [[channel]]
        code = 147842
        unit = "/min"
        wave = {}
        [[channel]]
        code = 147842
        unit = "{beats}/min"
    "#;
    let error = Profile::parse("bad.toml", text).unwrap_err();
    let expected = [
        r#"bad.toml: name = "Bad Name": expected 1 to 64 characters of a-z 0-9 -"#,
        "bad.toml: model = 7: expected text of 1 to 64 characters",
        "bad.toml: interval_s = 0: expected 0.1 to 600",
        "bad.toml: battery.hours = -1: expected 0.1 to 100000",
        "bad.toml: battery.low_percent = 101: expected 0 to 100",
        r#"bad.toml: channel[0].unit = "[degF]": expected "Cel", the unit of MDC_TEMP (150344)"#,
        "bad.toml: channel[1].code = 1: expected an MDC code of vitals/v1, see docs/devices.md",
        "bad.toml: channel[2].wave.rate_hz = 0: expected 1 to 2000",
        "bad.toml: channel[2].wave.block_ms = 5000: expected 250 to 1000",
        "bad.toml: channel[2].wave.scale = [0, 0]: expected [exponent, mantissa], the exponent from -12 to 12, the mantissa not 0",
        r#"bad.toml: channel[2].wave.offset = "none": expected a 32-bit integer"#,
        "bad.toml: channel[2].wave.gain = 2: expected no such field",
        "bad.toml: channel[3].wave = nothing: expected how the waveform is sent",
        "bad.toml: channel[4].wave = {}: expected no such field: the code is no waveform",
        "bad.toml: channel[5].code = 147842: expected each code once",
        r#"bad.toml: colour = "red": expected no such field"#,
    ];
    assert_eq!(error.to_string(), expected.join("\n"));
}

#[test]
fn a_missing_profile_and_a_text_that_is_no_toml_say_so() {
    let error = Profile::builtin("toaster").unwrap_err();
    assert_eq!(
        error.to_string(),
        r#"profile "toaster": not built in; expected one of bedside-monitor, wearable"#
    );
    let error = Profile::parse("x.toml", "name = ").unwrap_err();
    assert!(
        matches!(&error, ProfileError::Toml { file, .. } if file == "x.toml"),
        "{error}"
    );
    assert!(Profile::parse("x.toml", "").is_err());
}
