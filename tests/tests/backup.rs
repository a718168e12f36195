//! A machine is lost and its journal comes back from a backup that was made while the agent ran; what was erased since does not.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests fail by panicking"
)]

use std::fs;
use std::path::Path;

use serde_json::json;
use wardlight_tests::agent::{Broker, Site, files};
use wardlight_tests::device::{Device, HR};
use wardlight_tests::mosquitto::Mosquitto;
use wardlight_tests::mqtt::Client;
use wardlight_tests::planted;
use wardlight_tests::wait::until;

fn done(site: &Site, args: &[&str]) -> String {
    let output = site.command(args);
    let text = String::from_utf8_lossy(&[&output.stdout[..], &output.stderr].concat()).into_owned();
    assert!(output.status.success(), "{args:?}: {text}");
    text
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir(to).unwrap();
    for file in files(from) {
        fs::copy(&file, to.join(file.file_name().unwrap())).unwrap();
    }
}

#[test]
fn a_journal_comes_back_from_its_backup_and_what_was_erased_since_does_not() {
    let mosquitto = Mosquitto::start();
    let site = Site::new(Broker::Mosquitto(mosquitto.port), "");
    let folder = tempfile::tempdir().unwrap();
    let (backup, older) = (folder.path().join("backup"), folder.path().join("older"));
    let to = backup.to_str().unwrap();
    let agent = site.start();
    let (mut device, mut wire) = (Device::new("mon-01"), Client::connect(mosquitto.port, "mon-01").unwrap());
    agent.occupy("B02", "mon-02");
    let mut other = Device::new("mon-02");
    let kept = other.numerics(&[(HR, 66.25)]);
    wire.deliver(&kept.topic, &kept.payload());
    planted::live(&agent, &mut wire, &mut device, "B01");
    let text = done(&site, &["journal", "backup", "--to", to]);
    assert!(text.contains("sound"), "{text}");
    // The patient is still in bed in this copy of the backup.
    copy(&backup, &older);
    for file in files(&backup) {
        assert_eq!(planted::found(&fs::read(&file).unwrap()), [""; 0], "{}", file.display());
    }
    assert_eq!(agent.post("/api/v1/beds/B01/discharge", &json!({})).status, 200);
    done(&site, &["journal", "erase", "--bed", "B01"]);
    let exported = site.export().len();
    done(&site, &["journal", "backup", "--to", to]);
    until("both backups on record", 5, || {
        let made = site
            .audit_trail()
            .into_iter()
            .filter(|record| record["action"] == "journal_backed_up");
        (made.count() == 2).then_some(())
    });
    agent.kill();
    let refused = site.command(&["journal", "restore", "--from", to]);
    assert!(
        String::from_utf8_lossy(&refused.stderr).contains("move it away first"),
        "{refused:?}"
    );

    for (from, again) in [(&backup, "0 stays erased again"), (&older, "1 stays erased again")] {
        fs::remove_dir_all(site.dir().join("journal")).unwrap();
        let text = done(&site, &["journal", "restore", "--from", from.to_str().unwrap()]);
        assert!(text.contains(again), "{text}");
        assert_eq!(site.export().len(), exported);
        site.assert_sound();
        done(&site, &["audit", "verify"]);
        let agent = site.start();
        let beds = agent.get("/api/v1/beds").body;
        assert_eq!(planted::found(beds.as_bytes()), [""; 0], "{beds}");
        assert!(agent.alarms("device_alarm_vf").is_empty());
        assert!(agent.terminate().success());
    }
    // A receipt that somebody altered must not decide what is erased.
    let receipt = files(&site.dir().join("receipts")).remove(0);
    let altered = fs::read_to_string(&receipt).unwrap().replace("\"v\": 1", "\"v\": 2");
    fs::write(&receipt, altered).unwrap();
    fs::remove_dir_all(site.dir().join("journal")).unwrap();
    let refused = site.command(&["journal", "restore", "--from", older.to_str().unwrap()]);
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(!refused.status.success() && said.contains("must not come back"), "{said}");
    assert!(!site.dir().join("journal").exists());
}
