//! What is flashed: every kind of bundle, and that its digests are right.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

use std::fs;
use std::process::Command;

use serde_json::{Value, json};
use wardlight_core::ids::{DeviceId, SiteId};
use wardlight_core::time::Timestamp;
use wardlight_devices::{Authority, Bundle, BundleFile, Holder, KEY_FILE, PrivateKey, Profile, SUMS_FILE};

const NOW: Timestamp = Timestamp::from_millis(1_796_000_000_000);

fn bundle(profile: &str, with_key: bool) -> Vec<BundleFile> {
    let site = SiteId::new("st-mary").unwrap();
    let device = DeviceId::new("dev-01").unwrap();
    let profile = Profile::builtin(profile).unwrap();
    let (authority, _) = Authority::create("st-mary devices", NOW).unwrap();
    let key = PrivateKey::generate().unwrap();
    let certificate = authority
        .issue(&Holder::Device(&device), &key.public().unwrap(), NOW)
        .unwrap();
    let bundle = Bundle {
        site: &site,
        device: &device,
        profile: &profile,
        broker_host: "broker.st-mary",
        broker_port: 8883,
        authorities: &[authority.certificate().clone()],
        certificate: &certificate,
        key: with_key.then_some(&key),
    };
    bundle.files().unwrap()
}

fn text(files: &[BundleFile], name: &str) -> String {
    let file = files.iter().find(|file| file.name == name);
    let file = file.unwrap_or_else(|| panic!("{name}: not among {files:?}"));
    String::from_utf8(file.content.clone()).unwrap()
}

#[test]
fn sha256sum_finds_every_file_of_every_bundle_as_it_was_made() {
    for profile in Profile::names() {
        let folder = tempfile::tempdir().unwrap();
        let files = bundle(profile, true);
        for file in &files {
            fs::write(folder.path().join(file.name), &file.content).unwrap();
        }
        let check = || {
            let mut command = Command::new("sha256sum");
            command.current_dir(folder.path()).args(["--check", "--strict", SUMS_FILE]);
            command.output().unwrap()
        };
        let output = check();
        assert!(output.status.success(), "{profile}: {output:?}");
        let checked = String::from_utf8(output.stdout).unwrap();
        assert_eq!(checked.lines().count(), files.len() - 1, "{profile}: {checked}");
        fs::write(folder.path().join(KEY_FILE), "another").unwrap();
        assert!(!check().status.success(), "{profile}");
    }
}

#[test]
fn the_configuration_holds_what_any_firmware_needs() {
    let files = bundle("esp32-max30102", true);
    let config: Value = serde_json::from_str(&text(&files, "config.json")).unwrap();
    let expected = json!({
        "v": 1, "site": "st-mary", "device": "dev-01", "profile": "esp32-max30102", "model": "ESP32 MAX30102 MAX30205",
        "broker": {"host": "broker.st-mary", "port": 8883, "tls": true, "keep_alive_s": 30},
        "files": {"ca": "ca.pem", "cert": "device.pem", "key": "device.key"},
        "interval_ms": 5000, "buffer_minutes": 60, "battery_low_percent": 15,
        "settable": {"interval_ms": [200, 600_000], "battery_low_percent": [5, 50]},
        "channels": [
            {"c": 149_530, "unit": "/min"}, {"c": 150_456, "unit": "%"}, {"c": 150_364, "unit": "Cel"}, {"c": 67_996, "unit": "%"},
            {"c": 150_452, "unit": "1", "fs": 100, "block_ms": 1000, "scale": [-3, 1], "offset": 0},
        ],
    });
    assert_eq!(config, expected);
}

#[test]
fn each_platform_gets_its_own_files() {
    let esp = bundle("esp32-max30102", true);
    assert!(text(&esp, "sdkconfig.defaults").contains("CONFIG_MQTT_TRANSPORT_SSL=y\n"));
    let rows = text(&esp, "nvs.csv");
    assert!(rows.starts_with("key,type,encoding,value\nwardlight,namespace,,\n"), "{rows}");
    assert!(
        rows.contains("broker_port,data,u16,8883\n") && rows.ends_with("key,file,string,device.key\n"),
        "{rows}"
    );
    assert!(
        rows.lines()
            .all(|row| row.split(',').count() == 4 && row.split(',').next().unwrap().len() <= 15)
    );

    let patch = bundle("nrf-chest-patch", true);
    assert!(text(&patch, "prj.conf").contains("CONFIG_MQTT_LIB_TLS=y\n"));
    assert!(text(&patch, "wardlight_device.h").contains("wardlight_key[]"));

    let phone = bundle("phone-gateway", false);
    assert!(text(&phone, "qr.svg").starts_with("<svg "));
    assert!(text(&phone, "qr.txt").contains('█'));
}

#[test]
fn a_device_that_made_its_own_key_gets_no_key() {
    for profile in Profile::names() {
        let files = bundle(profile, false);
        assert!(files.iter().all(|file| file.name != KEY_FILE), "{profile}");
        for file in &files {
            let text = String::from_utf8_lossy(&file.content);
            assert!(
                !text.contains("PRIVATE KEY") && !text.contains("wardlight_key"),
                "{profile}: {file:?}"
            );
        }
    }
}

#[test]
fn the_header_for_zephyr_compiles_and_holds_the_certificate() {
    let folder = tempfile::tempdir().unwrap();
    let files = bundle("nrf-chest-patch", true);
    fs::write(folder.path().join("wardlight_device.h"), text(&files, "wardlight_device.h")).unwrap();
    let program = r#"
        #include <stdio.h>
        #include <unistd.h>
        #include "wardlight_device.h"
        int main(void) { return write(1, wardlight_cert, sizeof wardlight_cert) + (int)sizeof wardlight_key + (int)sizeof wardlight_ca_0 < 0; }
    "#;
    let source = folder.path().join("main.c");
    fs::write(&source, program).unwrap();
    let binary = folder.path().join("main");
    let built = Command::new("cc")
        .args(["-Wall", "-Werror", "-o"])
        .args([&binary, &source])
        .output()
        .unwrap();
    assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
    let der = Command::new(&binary).output().unwrap().stdout;
    let (_, block) = x509_parser::pem::parse_x509_pem(text(&files, "device.pem").as_bytes()).unwrap();
    assert_eq!(der, block.contents);
}
