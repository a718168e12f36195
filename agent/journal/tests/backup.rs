//! A backup gives the journal back as it was, grows by what is new, and forgets what was erased.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests fail by panicking"
)]

mod common;

use std::fs;
use std::path::{Path, PathBuf};

use common::{HOUR_MS, START_MS, entry, key, open, read_all, stay};
use wardlight_journal::{
    BackedUp, Checkpoint, Journal, JournalError, Kind, Options, Reader, SiteKey, Stored, backup, restore, verify, verify_audit,
};

fn hour(journal: &mut Journal, number: i64) {
    let at_ms = START_MS + number * HOUR_MS;
    for stay in 1..=2 {
        let body = format!("stay {stay} in hour {number}");
        let entries = [Kind::Message, Kind::Alarm].map(|kind| entry(kind, stay, at_ms, body.as_bytes()));
        journal.append(&entries).unwrap();
    }
    journal.append(&[entry(Kind::Audit, 0, at_ms, b"seen")]).unwrap();
    journal.checkpoint(&state(at_ms)).unwrap();
    while journal.maintain(at_ms).unwrap().pending {}
}

fn state(at_ms: i64) -> Checkpoint {
    Checkpoint {
        at_ms,
        body: b"state".to_vec(),
    }
}

fn all(dir: &Path) -> Vec<Stored> {
    read_all(dir).into_iter().map(Result::unwrap).collect()
}

fn restored(from: &Path) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("journal");
    restore(from, &dir, &key()).unwrap();
    let report = verify(&dir, &key()).unwrap();
    assert!(report.is_sound(), "{:?}", report.faults);
    assert_eq!(verify_audit(&dir, &key(), None).unwrap().broken, None);
    (folder, dir)
}

fn increments(to: &Path) -> usize {
    let files = fs::read_dir(to).unwrap().map(|file| file.unwrap().file_name());
    files.filter(|name| name.to_string_lossy().starts_with("segments-")).count()
}

#[test]
fn each_backup_adds_what_is_new_and_restores_to_the_journal_as_it_was() {
    let (dir, to) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let mut journal = open(dir.path());
    for number in 0..4 {
        hour(&mut journal, number);
        let done = backup(dir.path(), &key(), to.path()).unwrap();
        let (_folder, copy) = restored(to.path());
        assert_eq!(all(&copy), all(dir.path()));
        let compacted = u64::from(number > 0);
        assert_eq!((done.added, done.rows), (compacted * 5, 5), "hour {number}");
        // A restored journal goes on where it was, and no number is used twice.
        let mut again = open(&copy);
        hour(&mut again, number + 1);
        let mut original = all(dir.path());
        original.extend(all(&copy).split_off(original.len()));
        assert_eq!(all(&copy), original);
    }
    let nothing_new = backup(dir.path(), &key(), to.path()).unwrap();
    assert_eq!((nothing_new.added, nothing_new.segments), (0, 15));
    assert_eq!(increments(to.path()), 3);
    let mut copy = Reader::open(&restored(to.path()).1, &key()).unwrap();
    assert_eq!(
        copy.latest_checkpoint().unwrap().checkpoint,
        Some(state(START_MS + 3 * HOUR_MS))
    );
}

#[test]
fn a_stay_erased_after_a_backup_is_not_in_the_next_one() {
    let (dir, to) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let mut journal = open(dir.path());
    for number in 0..3 {
        hour(&mut journal, number);
    }
    backup(dir.path(), &key(), to.path()).unwrap();
    let record = || entry(Kind::Audit, 0, START_MS, b"erased");
    journal
        .erase(stay(1), &state(START_MS), |_| record(), |_, _| Vec::new())
        .unwrap();
    let done = backup(dir.path(), &key(), to.path()).unwrap();
    assert_eq!(
        done,
        BackedUp {
            added: 0,
            segments: 6,
            rows: 6
        }
    );
    let (_folder, copy) = restored(to.path());
    assert_eq!(all(&copy), all(dir.path()));
    assert!(all(&copy).iter().all(|stored| stored.entry.stay != stay(1)));
    assert_eq!(Reader::open(&copy, &key()).unwrap().erased().unwrap()[0].stay, stay(1));
    // What comes late is not kept there either.
    let mut again = open(&copy);
    again.append(&[entry(Kind::Score, 1, START_MS, b"late")]).unwrap();
    assert!(all(&copy).iter().all(|stored| stored.entry.stay != stay(1)));
}

#[test]
fn what_cannot_be_restored_is_told_and_leaves_no_journal() {
    let (dir, to) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let mut journal = open(dir.path());
    for number in 0..3 {
        hour(&mut journal, number);
    }
    backup(dir.path(), &key(), to.path()).unwrap();
    let place = tempfile::tempdir().unwrap();
    let wrong = restore(to.path(), place.path(), &SiteKey::from_bytes([1; 32]));
    assert!(matches!(wrong, Err(JournalError::WrongKey { .. })), "{wrong:?}");
    let taken = restore(to.path(), dir.path(), &key());
    assert!(matches!(taken, Err(JournalError::Exists { .. })), "{taken:?}");
    let none = restore(place.path(), &place.path().join("x"), &key());
    assert!(matches!(none, Err(JournalError::Missing { .. })), "{none:?}");
    fs::remove_file(to.path().join("segments-000001.db")).unwrap();
    let incomplete = restore(to.path(), place.path(), &key());
    assert!(
        matches!(incomplete, Err(JournalError::Incomplete { missing: 10, .. })),
        "{incomplete:?}"
    );
    assert!(!place.path().join("journal.db").exists());
    // The next backup brings what is missing.
    assert_eq!(backup(dir.path(), &key(), to.path()).unwrap().added, 10);
    restore(to.path(), place.path(), &key()).unwrap();
    let (mut opened, _) = Journal::open(place.path(), &key(), Options::default()).unwrap();
    opened.append(&[entry(Kind::Message, 2, START_MS, b"on")]).unwrap();
}
