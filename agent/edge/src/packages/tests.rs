//! Packages on a disk: what is refused changes nothing, two changes at once lose nothing, and nothing altered is believed.

use std::fs;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use ring::signature::{Ed25519KeyPair, KeyPair};
use tempfile::TempDir;
use wardlight_core::time::Timestamp;
use wardlight_journal::SiteKey;
use wardlight_models::TrustedKeys;

use super::*;
use crate::config::Config;

pub(crate) const MODEL: &str = "deterioration";

const CONFIGURATION: &str = r#"
[site]
name = "site"
[[unit]]
name = "icu"
beds = ["B01"]
[mqtt.embedded]
enabled = true
[model]
keys_file = "models.pub"
gpu = "off"
"#;

/// A machine that trusts a key of the test's, with a package of another version that is signed with it.
pub(crate) struct Machine {
    folder: TempDir,
    pub(crate) packages: Packages,
}

pub(crate) fn machine() -> Machine {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("agent");
    fs::create_dir_all(dir.join("journal")).unwrap();
    SiteKey::create(&dir.join("site.key")).unwrap();
    fs::write(dir.join("models.pub"), hex::encode(pair().public_key().as_ref())).unwrap();
    let config = Config::parse(CONFIGURATION, &dir.join("agent.toml")).unwrap();
    package(&folder.path().join("package"), "3.1.0");
    let packages = Packages::of(&config.model, &config.journal);
    packages
        .certificates()
        .issue(&packages.carried(MODEL).unwrap(), None)
        .unwrap();
    Machine { folder, packages }
}

impl Machine {
    fn package(&self) -> PathBuf {
        self.folder.path().join("package")
    }

    /// 3.1.0 goes through its whole life up to live; it is live by the real clock.
    pub(crate) fn make_live(&self) {
        let stamp = Stamp {
            at: crate::clock::wall(),
            ..now()
        };
        let package = stage(&self.packages, &self.package(), stamp).unwrap();
        self.packages.verify(&package, stamp).unwrap();
        self.packages.promote(MODEL, None, stamp).unwrap();
        self.packages.promote(MODEL, None, stamp).unwrap();
    }

    pub(crate) fn life_bytes(&self) -> Option<Vec<u8>> {
        fs::read(self.packages.file()).ok()
    }
}

fn pair() -> Ed25519KeyPair {
    Ed25519KeyPair::from_seed_unchecked(&[7; 32]).unwrap()
}

/// The carried risk model under another version.
fn package(folder: &Path, version: &str) {
    fs::create_dir(folder).unwrap();
    let carried = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../models/packages/deterioration");
    for name in Package::file_names() {
        fs::copy(carried.join(name), folder.join(name)).unwrap();
    }
    let manifest = fs::read_to_string(folder.join("manifest.toml")).unwrap();
    let manifest = manifest.replacen("version = \"3.0.0\"", &format!("version = \"{version}\""), 1);
    fs::write(folder.join("manifest.toml"), &manifest).unwrap();
    fs::write(
        folder.join("manifest.sig"),
        hex::encode(pair().sign(manifest.as_bytes()).as_ref()),
    )
    .unwrap();
}

pub(crate) fn now() -> Stamp<'static> {
    Stamp {
        by: "klein",
        at: Timestamp::from_millis(1_800_000_000_000),
    }
}

fn said<T>(outcome: anyhow::Result<T>) -> String {
    outcome
        .map(drop)
        .unwrap_err()
        .chain()
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join(": ")
}

#[test]
fn a_package_goes_from_staged_to_live_and_back_to_the_carried_one() {
    let machine = machine();
    let packages = &machine.packages;
    stage(packages, &machine.package(), now()).unwrap();
    let step = || packages.promote(MODEL, None, now());
    assert!(said(step()).contains("run wardlight model verify deterioration 3.1.0 first"));
    let package = packages.brought(&packages.life().unwrap(), MODEL, "3.1.0").unwrap();
    packages.verify(&package, now()).unwrap();
    assert_eq!(step().unwrap(), ("3.1.0".to_owned(), State::Shadow));
    assert_eq!(step().unwrap(), ("3.1.0".to_owned(), State::Live));
    let life = packages.life().unwrap();
    assert_eq!(packages.live(&life, MODEL).unwrap().manifest().version(), "3.1.0");
    assert_eq!(packages.roll_back(MODEL, None, "by hand", now()).unwrap(), "3.0.0");
    let life = packages.life().unwrap();
    assert_eq!(packages.live(&life, MODEL).unwrap().manifest().version(), "3.0.0");
}

#[test]
fn a_copy_that_was_altered_or_cut_off_is_never_used() {
    let machine = machine();
    let packages = &machine.packages;
    // A command that was cut off left these.
    packages.make_folder(&packages.folder).unwrap();
    for left in ["unfinished", "deterioration", "deterioration/3.1.0"] {
        fs::create_dir(packages.folder.join(left)).unwrap();
        fs::write(packages.folder.join(left).join("half"), "half").unwrap();
    }
    stage(packages, &machine.package(), now()).unwrap();
    let life = packages.life().unwrap();
    packages.brought(&life, MODEL, "3.1.0").unwrap();
    // A package of the same name that a trusted key signed, but not the one that was staged.
    let other = machine.folder.path().join("other");
    package(&other, "2.2.0");
    let place = packages.place(MODEL, "3.1.0");
    fs::remove_dir_all(&place).unwrap();
    fs::rename(&other, &place).unwrap();
    assert!(said(packages.brought(&life, MODEL, "3.1.0")).contains("is not the package that was staged"));
    fs::write(place.join("card.md"), "altered").unwrap();
    assert!(said(packages.brought(&life, MODEL, "3.1.0")).contains("sha256"));
}

#[test]
fn two_changes_at_once_lose_nothing() {
    let machine = machine();
    let change = |name: char| {
        for n in 0..20 {
            let version = format!("{n}.0.0");
            let stage = |life: &mut Life| Ok(life.stage(&name.to_string(), &version, "digest", now())?);
            machine.packages.change(stage).unwrap();
        }
    };
    thread::scope(|scope| {
        for name in ['a', 'b', 'c'] {
            scope.spawn(move || change(name));
        }
    });
    let life = machine.packages.life().unwrap();
    assert_eq!(life.history().len(), 60);
    assert_eq!(life.history().last().unwrap().number, 60);
}

#[test]
fn a_record_that_was_altered_or_is_unreadable_is_refused_and_stays_as_it_is() {
    let machine = machine();
    let packages = &machine.packages;
    stage(packages, &machine.package(), now()).unwrap();
    let sound = String::from_utf8(machine.life_bytes().unwrap()).unwrap();
    let cases = [
        (
            sound.replace("\"staged\"", "\"live\""),
            "was altered, or belongs to another site key",
        ),
        (sound.replace("klein", "nobody"), "was altered"),
        (sound.replace("\"mac\": \"", "\"mac\": \"zz"), "its code is not hexadecimal"),
        (sound.replace("\"life\"", "\"lives\""), "unknown field `lives`"),
        (sound[..sound.len() / 2].to_owned(), "EOF while parsing"),
        (String::new(), "EOF while parsing"),
    ];
    for (text, expected) in cases {
        fs::write(packages.file(), &text).unwrap();
        let problem = said(packages.life());
        assert!(
            problem.contains(expected) && problem.contains("put the copy from your backup there"),
            "{problem}"
        );
        assert_eq!(said(packages.promote(MODEL, None, now())), problem);
        assert_eq!(machine.life_bytes().unwrap(), text.as_bytes());
    }
}

#[test]
fn a_certificate_of_another_machine_site_or_time_promotes_nothing() {
    let machine = machine();
    let packages = &machine.packages;
    let package = stage(packages, &machine.package(), now()).unwrap();
    let (certificate, path) = packages.verify(&package, now()).unwrap();
    let sound = fs::read_to_string(&path).unwrap();
    let before = machine.life_bytes();
    // Signed anew: these are of this site and would be believed if their content held.
    let pair = packages.certificates().site().unwrap().pair;
    let bounds =
        || serde_json::from_str(r#"{"largest_gap":1.0,"same_decision_share":0.0,"same_decision_share_of_group":0.0}"#).unwrap();
    let issue = |machine: Option<&str>, at: Duration| {
        let here = wardlight_models::certificate::Machine::this().unwrap();
        let mut described = serde_json::to_value(here).unwrap();
        if let Some(machine) = machine {
            described["cpu"] = machine.into();
        }
        let machine = serde_json::from_value(described).unwrap();
        let issued = Certificate::issue(&package, &machine, &bounds(), at).unwrap();
        issued.sign(&pair).unwrap()
    };
    let today = Duration::from_millis(crate::clock::wall().as_millis().unsigned_abs());
    let stranger = certificate
        .sign(&Ed25519KeyPair::from_seed_unchecked(&[8; 32]).unwrap())
        .unwrap();
    let cases = [
        (issue(Some("another"), today), "must be this machine as it is now"),
        (
            issue(None, today.saturating_sub(Duration::from_hours(24 * 401))),
            "is too long ago",
        ),
        (issue(None, today + Duration::from_hours(24)), "must not be in the future"),
        (stranger, "must be made by a key of this site"),
        (sound.replacen("vectors", "vektors", 1), "must be made by a key of this site"),
    ];
    for (text, expected) in cases {
        fs::write(&path, text).unwrap();
        let problem = said(packages.promote(MODEL, None, now()));
        assert!(problem.contains(expected), "{problem}");
        assert!(
            problem.contains("run wardlight model verify deterioration 3.1.0 first"),
            "{problem}"
        );
        assert_eq!(machine.life_bytes(), before);
    }
    fs::write(&path, sound).unwrap();
    packages.promote(MODEL, None, now()).unwrap();
}

#[test]
fn what_has_no_place_is_not_staged() {
    let machine = machine();
    let refused = |from: &str, to: &str| {
        let manifest = machine.package().join("manifest.toml");
        let sound = fs::read_to_string(&manifest).unwrap();
        let text = sound.replacen(from, to, 1);
        assert_ne!(text, sound);
        fs::write(
            machine.package().join("manifest.sig"),
            hex::encode(pair().sign(text.as_bytes()).as_ref()),
        )
        .unwrap();
        fs::write(&manifest, text).unwrap();
        let problem = said(stage(&machine.packages, &machine.package(), now()));
        fs::write(manifest, sound).unwrap();
        problem
    };
    let stranger = refused("id = \"deterioration\"", "id = \"sepsis\"");
    assert!(
        stranger.contains("sepsis: this software has a place for deterioration, ecg-beat, ecg-vf"),
        "{stranger}"
    );
    let other_kind = refused("id = \"deterioration\"", "id = \"ecg-vf\"");
    assert!(
        other_kind.contains("package ecg-vf: the shape of its ends is"),
        "{other_kind}"
    );
    let same = refused("version = \"3.1.0\"", "version = \"3.0.0\"");
    assert!(same.contains("is the one that is carried already"), "{same}");
    let raised = refused("version = \"3.1.0\"", "version = \"3.0.0\" # mine");
    assert!(
        raised.contains("the carried package has this version: raise version"),
        "{raised}"
    );
    assert_eq!(machine.life_bytes(), None);
    assert!(TrustedKeys::release_and("no key").is_err());
}
