//! Enrolment on the command line, without a broker.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use ring::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};
use wardlight_core::ids::DeviceId;
use wardlight_devices::{Certificate, Profile};

use super::*;
use crate::clock::wall;
use crate::config::EnrolmentConfig;
use crate::devices::firmware::Audience;
use crate::devices::{Registry, expiry};

struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let text = "[site]\nname = \"st-mary\"\n[[unit]]\nname = \"icu\"\nbeds = [\"B1\"]\n[mqtt]\nurl = \"mqtts://broker.st-mary:8884\"\n\
                    cert_file = \"tls/agent.pem\"\nkey_file = \"tls/agent.key\"\n";
        fs::write(folder.path().join("agent.toml"), text).unwrap();
        Self(folder)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn text(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    /// `wardlight device ARGS --config …`
    fn device(&self, args: &[&str]) -> anyhow::Result<String> {
        use clap::Parser;
        let config = self.path("agent.toml");
        let all = ["wardlight", "device"].iter().chain(args).copied();
        let parsed = crate::cli::Cli::try_parse_from(all.chain(["--config", config.to_str().unwrap()]))?;
        let crate::cli::Command::Device { device } = parsed.command else {
            panic!("another command")
        };
        let mut said = Vec::new();
        run(device, &mut said)?;
        Ok(String::from_utf8(said).unwrap())
    }

    fn enroll(&self, id: &str, more: &[&str]) -> anyhow::Result<String> {
        let out = self.path(&format!("bundle-{id}"));
        let mut args = vec!["enroll", "--profile", "wearable", "--id", id, "--out", out.to_str().unwrap()];
        args.extend(more);
        self.device(&args)
    }

    fn renew(&self, id: &str) -> anyhow::Result<String> {
        let out = self.path(&format!("renewed-{id}"));
        self.device(&["renew", id, "--out", out.to_str().unwrap()])
    }

    fn refused(&self, args: &[&str]) -> String {
        format!("{:#}", self.device(args).unwrap_err())
    }

    fn registry(&self) -> Registry {
        Registry::new(&self.path("devices"))
    }
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

fn every_file(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(every_file(&path));
        } else {
            found.push(path);
        }
    }
    found
}

#[test]
fn the_first_enrolment_makes_the_authority_and_leaves_the_key_in_the_bundle_alone() {
    let site = Folder::new();
    let said = site.enroll("mon-01", &[]).unwrap();
    assert!(said.contains("Made the site's authority \"st-mary devices "), "{said}");
    assert!(said.contains("mon-01: a certificate until"), "{said}");
    assert!(said.contains("The broker was not told"), "{said}");
    let key = site.text("bundle-mon-01/device.key");
    let middle = key.lines().nth(1).unwrap();
    for file in every_file(&site.path("devices")) {
        assert!(!fs::read_to_string(&file).unwrap().contains(middle), "{}", file.display());
    }
    assert_eq!(mode(&site.path("bundle-mon-01")), 0o700);
    assert_eq!(mode(&site.path("bundle-mon-01/device.key")), 0o600);
    assert_eq!(mode(&site.path("devices/ca")), 0o700);
    assert_eq!(mode(&site.path("devices/ca/ca.key")), 0o600);
    assert_eq!(mode(&site.path("devices/broker/acl")), 0o644);
    assert!(site.text("devices/broker/acl").contains("user mon-01\n"));
    assert!(site.text("devices/broker/mosquitto.conf").contains("crlfile /"));
    let listed = site.device(&["list"]).unwrap();
    assert!(
        listed.starts_with("mon-01               wearable           enrolled  until "),
        "{listed}"
    );
    assert!(site.device(&["show", "mon-01"]).unwrap().contains("status = \"enrolled\""));
}

#[test]
fn a_request_brings_a_certificate_and_no_key() {
    let site = Folder::new();
    let key = rcgen::KeyPair::generate().unwrap();
    let request = rcgen::CertificateParams::new(Vec::new())
        .unwrap()
        .serialize_request(&key)
        .unwrap();
    let file = site.path("device.csr");
    fs::write(&file, request.pem().unwrap()).unwrap();
    let said = site.enroll("mon-01", &["--csr", file.to_str().unwrap()]).unwrap();
    assert!(!said.contains("Its key"), "{said}");
    assert!(!site.path("bundle-mon-01/device.key").exists());
    assert_eq!(
        Certificate::read(&site.text("bundle-mon-01/device.pem")).unwrap().name(),
        "mon-01"
    );
}

#[test]
fn what_cannot_be_enrolled_changes_nothing() {
    let site = Folder::new();
    site.enroll("mon-01", &[]).unwrap();
    let before = site.text("devices/registry/mon-01.toml");
    let again = format!("{:#}", site.enroll("mon-01", &[]).unwrap_err());
    assert!(again.contains("mon-01: is enrolled"), "{again}");
    assert_eq!(site.text("devices/registry/mon-01.toml"), before);
    for name in ["wardlight-st-mary", "wardlight-st-mary-live"] {
        let error = format!("{:#}", site.enroll(name, &[]).unwrap_err());
        assert!(error.contains("the agent connects under this name"), "{error}");
    }
    assert!(site.enroll("mon 1", &[]).is_err());
    fs::create_dir(site.path("bundle-mon-02")).unwrap();
    let error = format!("{:#}", site.enroll("mon-02", &[]).unwrap_err());
    assert!(error.contains("is there already"), "{error}");
    assert!(!site.path("devices/registry/mon-02.toml").exists());
}

#[test]
fn who_is_revoked_stays_on_the_list_also_when_enrolled_again() {
    let site = Folder::new();
    site.enroll("mon-01", &[]).unwrap();
    let said = site.device(&["revoke", "mon-01", "--reason", "lost"]).unwrap();
    assert!(said.contains("no certificate of it counts any more"), "{said}");
    assert!(said.contains("An open connection of it was not ended"), "{said}");
    assert!(!site.text("devices/broker/acl").contains("user mon-01\n"));
    let before = site.text("devices/registry/mon-01.toml");
    let again = site.device(&["revoke", "mon-01", "--reason", "another"]).unwrap();
    assert!(again.contains("The broker was not told"), "{again}");
    assert_eq!(site.text("devices/registry/mon-01.toml"), before);
    assert!(format!("{:#}", site.renew("mon-01").unwrap_err()).contains("is revoked"));
    let listed = site.device(&["list", "--json"]).unwrap();
    let listed: serde_json::Value = serde_json::from_str(&listed).unwrap();
    assert_eq!(listed[0]["status"], "revoked");
    assert_eq!(listed[0]["reason"], "lost");

    fs::rename(site.path("bundle-mon-01"), site.path("old")).unwrap();
    site.enroll("mon-01", &[]).unwrap();
    let record = site.registry().records().unwrap().remove(0);
    assert_eq!(record.former.len(), 1);
    assert!(record.certificate.revoked_at.is_none() && record.former[0].revoked_at.is_some());
    assert!(site.text("devices/broker/acl").contains("user mon-01\n"));
}

#[test]
fn another_authority_takes_over_and_the_former_goes_when_nobody_needs_it() {
    let site = Folder::new();
    site.enroll("mon-01", &[]).unwrap();
    site.device(&["enroll-broker", "--host", "broker.st-mary"]).unwrap();
    assert!(
        site.refused(&["rotate-ca", "--finish"])
            .contains("no change of the authority is underway")
    );
    site.device(&["rotate-ca"]).unwrap();
    assert!(site.refused(&["rotate-ca"]).contains("is underway"));
    assert_eq!(site.text("devices/broker/ca.pem").matches("BEGIN CERTIFICATE").count(), 2);
    assert_eq!(site.text("devices/broker/crl.pem").matches("BEGIN X509 CRL").count(), 2);
    let left = site.refused(&["rotate-ca", "--finish"]);
    assert!(left.contains("still needed by device mon-01, the broker"), "{left}");

    site.renew("mon-01").unwrap();
    assert_eq!(site.text("renewed-mon-01/ca.pem").matches("BEGIN CERTIFICATE").count(), 2);
    site.device(&["enroll-broker", "--host", "broker.st-mary"]).unwrap();
    site.device(&["rotate-ca", "--finish"]).unwrap();
    assert_eq!(site.text("devices/broker/ca.pem").matches("BEGIN CERTIFICATE").count(), 1);
    assert!(!site.path("devices/ca/former.key").exists());
}

#[test]
fn a_profile_of_ones_own_is_found_again_when_the_device_is_renewed() {
    let site = Folder::new();
    let file = site.path("own.toml");
    fs::write(&file, Profile::builtin_text("capnograph").unwrap()).unwrap();
    let out = site.path("out");
    let args = [
        "enroll",
        "--profile",
        file.to_str().unwrap(),
        "--id",
        "cap-1",
        "--out",
        out.to_str().unwrap(),
    ];
    assert!(
        site.refused(&args)
            .contains("expected a name that no profile of the agent has")
    );
    let own = Profile::builtin_text("capnograph")
        .unwrap()
        .replace("name = \"capnograph\"", "name = \"ours\"");
    fs::write(&file, own).unwrap();
    site.device(&args).unwrap();
    fs::remove_file(&file).unwrap();
    site.renew("cap-1").unwrap();
    assert!(site.text("renewed-cap-1/config.json").contains("\"profile\": \"ours\""));
}

#[test]
fn the_agent_gets_its_certificate_where_the_configuration_names_it() {
    let site = Folder::new();
    assert!(!site.device(&["init-ca"]).unwrap().is_empty());
    assert!(site.refused(&["init-ca"]).contains("there is an authority"));
    assert!(!site.text("devices/broker/mosquitto.conf").contains("listener 8884"));
    site.device(&["enroll-agent"]).unwrap();
    assert_eq!(mode(&site.path("tls/agent.key")), 0o600);
    assert!(site.text("devices/broker/mosquitto.conf").contains("listener 8884"));
    let authority = site.text("devices/broker/agents.pem");
    site.device(&["enroll-agent"]).unwrap();
    assert_eq!(site.text("devices/broker/agents.pem"), authority);
    site.device(&["enroll-agent", "--replace"]).unwrap();
    assert_ne!(site.text("devices/broker/agents.pem"), authority);
}

#[test]
fn what_ends_within_six_weeks_is_named_the_most_urgent_first() {
    let site = Folder::new();
    site.enroll("mon-01", &[]).unwrap();
    site.device(&["enroll-broker", "--host", "broker.st-mary"]).unwrap();
    site.device(&["enroll-agent"]).unwrap();
    let agent = site.path("tls/agent.pem");
    let registry = site.registry();
    assert_eq!(expiry::ending(&registry, Some(&agent), wall()).unwrap(), []);
    let end = registry.records().unwrap()[0].certificate.not_after;
    let soon = end.minus(expiry::AHEAD);
    let named = expiry::ending(&registry, Some(&agent), soon.plus(std::time::Duration::from_mins(1))).unwrap();
    let whose: Vec<String> = named.iter().map(|ending| ending.whose.to_string()).collect();
    assert_eq!(whose, ["device mon-01", "broker", "agent"]);
    assert_eq!(
        (named[0].at, named[0].remedy().as_str()),
        (end, "`wardlight device renew mon-01`")
    );
    // Not a revoked one: it must not connect anyway.
    site.device(&["revoke", "mon-01", "--reason", "lost"]).unwrap();
    let named = expiry::ending(&registry, None, end).unwrap();
    assert!(
        named.iter().all(|ending| ending.whose.to_string() != "device mon-01"),
        "{named:?}"
    );
}

#[test]
fn enrolment_does_not_ask_for_certificates_that_it_is_there_to_make() {
    let site = Folder::new();
    let config = EnrolmentConfig::load(&site.path("agent.toml")).unwrap();
    assert_eq!(config.device_door(), Some(("broker.st-mary", 8883)));
    let text = site.text("agent.toml").replace("st-mary\"", "st mary\"") + "[devices]\nbroker = \"mqtt://x\"\n";
    fs::write(site.path("agent.toml"), text).unwrap();
    let faults = EnrolmentConfig::load(&site.path("agent.toml")).unwrap_err().to_string();
    assert!(
        faults.contains("site.name") && faults.contains("devices.broker = \"mqtt://x\": must be mqtts://"),
        "{faults}"
    );
}

#[test]
fn what_is_asked_of_a_device_stands_in_its_record_with_a_revision_that_is_never_used_again() {
    let site = Folder::new();
    site.enroll("patch-1", &[]).unwrap();
    let said = site
        .device(&["configure", "patch-1", "interval_ms=2000", "battery_low_percent=20"])
        .unwrap();
    assert!(
        said.contains("revision 1 is desired: battery_low_percent = 20, interval_ms = 2000."),
        "{said}"
    );
    site.device(&["configure", "patch-1", "--clear", "interval_ms=1000"]).unwrap();
    let shown = site.device(&["show", "patch-1"]).unwrap();
    assert!(
        shown.contains("[desired]\nrev = 2\n\n[desired.set]\ninterval_ms = 1000\n"),
        "{shown}"
    );
    assert!(shown.contains("# What the device reports is not known here: "), "{shown}");
    let refused = site.refused(&["configure", "patch-1", "interval_ms=999", "waves=131330"]);
    assert!(
        refused.contains("profile wearable: expected 1000 to 600000\nwaves = \"131330\""),
        "{refused}"
    );
    assert!(
        site.refused(&["configure", "patch-1", "interval_ms=1000"])
            .contains("is what is desired already")
    );
    assert!(site.refused(&["configure", "patch-1"]).contains("required"));
    site.device(&["revoke", "patch-1", "--reason", "lost"]).unwrap();
    assert!(site.refused(&["configure", "patch-1", "--clear"]).contains("is revoked"));
    // The device may still know the revision that was sent before it was lost.
    fs::rename(site.path("bundle-patch-1"), site.path("old")).unwrap();
    site.enroll("patch-1", &[]).unwrap();
    site.device(&["configure", "patch-1", "--clear"]).unwrap();
    assert!(site.device(&["show", "patch-1"]).unwrap().contains("[desired]\nrev = 3\n"));
}

#[test]
fn a_firmware_is_kept_with_hash_and_signature_for_a_profile_or_a_single_device() {
    let site = Folder::new();
    site.enroll("patch-1", &[]).unwrap();
    let pair = Ed25519KeyPair::generate_pkcs8(&ring::rand::SystemRandom::new()).unwrap();
    fs::write(site.path("maker.key"), pair.as_ref()).unwrap();
    fs::write(site.path("image.bin"), b"an image").unwrap();
    let (key, image) = (site.path("maker.key"), site.path("image.bin"));
    let offer = |whom: [&str; 2], url: &str| {
        let (key, image) = (key.to_str().unwrap(), image.to_str().unwrap());
        let rest = ["--version", "2.5.0", "--image", image, "--url", url, "--key", key];
        site.device(&[&["firmware"][..], &whom, &rest].concat())
    };
    let url = "https://updates.example/2.5.0.bin";
    let open = offer(["--profile", "wearable"], url).unwrap_err();
    assert!(open.to_string().contains("chmod 600"), "{open}");
    fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).unwrap();
    let said = offer(["--profile", "wearable"], url).unwrap();
    assert!(
        said.starts_with("profile wearable: version 2.5.0, 8 bytes, SHA-256 "),
        "{said}"
    );
    offer(["--id", "patch-1"], url).unwrap();
    for (whom, other) in [
        (["--profile", "washer"], url),
        (["--id", "patch-2"], url),
        (["--id", "patch-1"], "http://x/"),
    ] {
        assert!(offer(whom, other).is_err(), "{whom:?}");
    }
    let noted = site.registry().firmware_noted().unwrap();
    let device = Audience::Device(DeviceId::new("patch-1").unwrap());
    assert_eq!(
        noted.keys().collect::<Vec<_>>(),
        [&Audience::Profile("wearable".to_owned()), &device]
    );
    let notice = &noted[&device].notice;
    let hash = ring::digest::digest(&ring::digest::SHA256, b"an image");
    assert_eq!((notice.size, &notice.sha256[..]), (8, hash.as_ref()));
    let public = Ed25519KeyPair::from_pkcs8_maybe_unchecked(pair.as_ref()).unwrap();
    let public = UnparsedPublicKey::new(&ED25519, public.public_key().as_ref());
    public.verify(hash.as_ref(), &notice.sig).unwrap();
    site.device(&["firmware", "--id", "patch-1", "--withdraw"]).unwrap();
    assert_eq!(site.registry().firmware_noted().unwrap().len(), 1);
}
