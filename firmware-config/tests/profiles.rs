//! Profiles: those that come with the agent, and what is said of bad ones.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

use std::time::Duration;

use wardlight_core::ids::{DeviceId, SiteId};
use wardlight_core::message::{Body, Message};
use wardlight_core::time::Timestamp;
use wardlight_devices::{Platform, Profile, Telling};
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
fn a_profile_says_how_a_device_sends_and_fails() {
    let monitor = Profile::builtin("bedside-monitor").unwrap();
    let ecg = monitor.channel(131_330).unwrap().wave.unwrap();
    assert_eq!((ecg.rate_hz, ecg.scale, ecg.offset), (250.0, (-3, 1), 0));
    assert_eq!((monitor.interval, monitor.battery), (Duration::from_secs(1), None));
    let cuff = monitor.channel(150_021).unwrap();
    assert_eq!(cuff.announced().rate_hz, Some(1.0 / 900.0));

    let esp = Profile::builtin("esp32-max30102").unwrap();
    assert_eq!(esp.platform, Platform::EspIdf);
    assert_eq!(esp.settable.interval, (Duration::from_millis(200), Duration::from_mins(10)));
    assert_eq!(esp.settable.battery_low_percent, Some((5, 50)));
    assert_eq!(esp.failing.battery_empty, Some(Telling::Silent));
    assert_eq!(esp.failing.buffer, Duration::from_hours(1));
    let thermometer = esp.channel(150_364).unwrap();
    assert_eq!((thermometer.accuracy, thermometer.range), (Some(0.1), Some((0.0, 50.0))));
}

#[test]
fn all_faults_are_told_together_each_with_its_line_path_and_value() {
    let text = r#"name = "Bad Name"
model = 7
platform = "arduino"
interval_s = 0
colour = "red"
[battery]
hours = -1
low_percent = 101
[settable]
interval_s = [10, 1]
[failing]
sensor_off = "loudly"
battery_empty = "said"
[[channel]]
code = 150344
unit = "[degF]"
[[channel]]
code = 1
unit = "1"
[[channel]]
code = 131330
unit = "mV"
every_s = 5
wave = { rate_hz = 0, block_ms = 5000, scale = [0, 0], offset = "none", gain = 2 }
[[channel]]
code = 131329
unit = "mV"
[[channel]]
code = 147842
unit = "/min"
accuracy = 0
range = [0, 500]
wave = {}
[[channel]]
code = 147842
unit = "{beats}/min"
"#;
    let error = Profile::parse("bad.toml", text).unwrap_err();
    let expected = [
        r#"bad.toml:1: name = "Bad Name": expected 1 to 64 characters of a-z 0-9 -"#,
        "bad.toml:2: model = 7: expected text of 1 to 64 characters",
        r#"bad.toml:3: platform = "arduino": expected "esp-idf" or "zephyr" or "phone" or "gateway""#,
        "bad.toml:4: interval_s = 0: expected 0.1 to 600",
        r#"bad.toml:5: colour = "red": expected no such field"#,
        "bad.toml:7: battery.hours = -1: expected 0.1 to 100000",
        "bad.toml:8: battery.low_percent = 101: expected 0 to 100",
        "bad.toml:9: settable.battery_low_percent = nothing: expected [least, most] percent within 0 to 100",
        "bad.toml:10: settable.interval_s = [10, 1]: expected [shortest, longest] within 0.1 to 600",
        "bad.toml:11: failing.buffer_minutes = nothing: expected 0 to 10080",
        r#"bad.toml:12: failing.sensor_off = "loudly": expected "said" or "silent""#,
        r#"bad.toml:16: channel[0].unit = "[degF]": expected "Cel", the unit of MDC_TEMP (150344)"#,
        "bad.toml:18: channel[1].code = 1: expected an MDC code of vitals/v1 (docs/devices.md), each once",
        "bad.toml:23: channel[2].every_s = 5: expected seconds between two values of a numeric, 0.1 to 10000",
        "bad.toml:24: channel[2].wave.rate_hz = 0: expected 1 to 2000",
        "bad.toml:24: channel[2].wave.block_ms = 5000: expected 250 to 1000",
        "bad.toml:24: channel[2].wave.scale = [0, 0]: expected [exponent, mantissa], the exponent from -12 to 12, the mantissa not 0",
        r#"bad.toml:24: channel[2].wave.offset = "none": expected a 32-bit integer"#,
        "bad.toml:24: channel[2].wave.gain = 2: expected no such field",
        "bad.toml:25: channel[3].wave = nothing: expected how the waveform is sent",
        "bad.toml:31: channel[4].accuracy = 0: expected how far off a value may be, above 0",
        "bad.toml:32: channel[4].range = [0, 500]: expected [lowest, highest] that the sensor reports, from 15 to 350",
        "bad.toml:33: channel[4].wave = {}: expected no such field: the code is no waveform",
        "bad.toml:35: channel[5].code = 147842: expected an MDC code of vitals/v1 (docs/devices.md), each once",
    ];
    assert_eq!(error.to_string(), expected.join("\n"));
}

#[test]
fn tables_of_another_kind_and_tables_that_are_missing_say_so() {
    let faults = Profile::parse("x.toml", "battery = 3\nsettable = []\nchannel = 5\n")
        .unwrap_err()
        .to_string();
    for expected in [
        "x.toml:1: battery = 3: expected a table with hours and low_percent",
        "x.toml:2: settable = []: expected a table [settable]: what may be asked of it: interval_s",
        "x.toml:1: failing = nothing: expected a table [failing]: how it fails: sensor_off, buffer_minutes",
        "x.toml:3: channel = 5: expected 1 to 64 tables [[channel]]",
    ] {
        assert!(faults.contains(expected), "{faults}");
    }
}

#[test]
fn a_missing_profile_and_a_text_that_is_no_toml_say_so() {
    let error = Profile::builtin("toaster").unwrap_err().to_string();
    assert!(
        error.starts_with(r#"profile "toaster": not built in; expected one of bedside-monitor, capnograph"#),
        "{error}"
    );
    let error = Profile::parse("x.toml", "name = ").unwrap_err().to_string();
    assert!(error.starts_with("x.toml: ") && error.contains("line 1"), "{error}");
}
