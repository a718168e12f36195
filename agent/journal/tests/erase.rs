//! A stay that is erased is gone: no key of it is in any byte of the folder, and what is left is sound.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests fail by panicking"
)]

mod common;

use std::fs;
use std::path::Path;

use common::{HOUR_MS, START_MS, database, entry, key, open, read_all, stay};
use rusqlite::Connection;
use wardlight_journal::{
    Checkpoint, Entry, Erased, Journal, JournalError, Kind, Options, Reader, SiteKey, Suspect, verify, verify_audit,
};

const BODY: &[u8] = b"tombstone";

fn state(at_ms: i64) -> Checkpoint {
    Checkpoint {
        at_ms,
        body: b"state".to_vec(),
    }
}

fn record() -> Entry {
    entry(Kind::Audit, 0, START_MS, b"erased")
}

fn erase(journal: &mut Journal, number: u8) -> Result<Erased, JournalError> {
    journal.erase(stay(number), &state(START_MS), |_| record(), |_, _| BODY.to_vec())
}

/// A journal of stays 1 and 2: two hours in segments, one in rows, something in quarantine, a checkpoint.
fn journal(dir: &Path) -> Journal {
    let mut journal = open(dir);
    for hour in 0..3 {
        let at_ms = START_MS + hour * HOUR_MS;
        for number in 1..=2 {
            let body = format!("planted {number} in hour {hour}").repeat(40);
            let kinds = [Kind::Message, Kind::Strip, Kind::Alarm];
            let entries = kinds.map(|kind| entry(kind, number, at_ms + 5000, body.as_bytes()));
            journal.append(&entries).unwrap();
        }
        journal.append(&[entry(Kind::Audit, 0, at_ms, b"seen")]).unwrap();
        if hour == 1 {
            while journal.maintain(START_MS + 2 * HOUR_MS).unwrap().pending {}
        }
    }
    journal.checkpoint(&state(START_MS)).unwrap();
    let suspect = Suspect {
        stay: stay(1),
        source: "topic".to_owned(),
        reason: "reason".to_owned(),
        at_ms: START_MS,
        body: b"planted 1".to_vec(),
    };
    journal.quarantine(&suspect).unwrap();
    journal
}

/// Every key as it lies wrapped in the file, with its stay.
fn wrapped(dir: &Path) -> Vec<([u8; 16], Vec<u8>)> {
    let db = Connection::open(database(dir)).unwrap();
    let mut statement = db.prepare("SELECT stay, wrapped FROM data_keys").unwrap();
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
    rows.map(Result::unwrap).collect()
}

/// Whether any file of the folder holds these bytes.
fn holds(dir: &Path, bytes: &[u8]) -> bool {
    fs::read_dir(dir).unwrap().any(|file| {
        let content = fs::read(file.unwrap().path()).unwrap();
        content.windows(bytes.len()).any(|window| window == bytes)
    })
}

fn assert_gone(dir: &Path, before: &[([u8; 16], Vec<u8>)], site: &SiteKey) {
    let keys_of_checkpoints = [0xff; 16];
    for (token, wrapped) in before {
        let erased = *token == stay(1).0 || *token == keys_of_checkpoints;
        assert_eq!(holds(dir, wrapped), !erased, "a key of {token:?}");
    }
    let mut reader = Reader::open(dir, site).unwrap();
    let entries = reader.entries(1, wardlight_journal::Filter::default());
    for stored in entries.map(Result::unwrap) {
        assert_ne!(stored.entry.stay, stay(1));
        assert!(!stored.entry.body.starts_with(b"planted 1"));
    }
    assert!(reader.quarantine().unwrap().is_empty());
    let report = verify(dir, site).unwrap();
    assert!(report.is_sound(), "{:?}", report.faults);
    assert_eq!(verify_audit(dir, site, None).unwrap().broken, None);
}

#[test]
fn an_erased_stay_leaves_no_key_no_row_and_a_sound_journal() {
    let dir = tempfile::tempdir().unwrap();
    let mut journal = journal(dir.path());
    let before = wrapped(dir.path());
    assert!(before.iter().all(|(_, wrapped)| holds(dir.path(), wrapped)));
    let others = |dir: &Path| -> Vec<_> {
        let all = read_all(dir).into_iter().map(Result::unwrap);
        all.filter(|stored| stored.entry.stay == stay(2)).collect()
    };
    let kept = others(dir.path());
    let erased = erase(&mut journal, 1).unwrap();
    assert_eq!(
        erased.counts.into_iter().collect::<Vec<_>>(),
        [(Kind::Message, 3), (Kind::Alarm, 3), (Kind::Strip, 3)]
    );
    assert_eq!((erased.quarantined, erased.keys.len()), (1, 1));
    assert_eq!(erased.span_ms, Some((START_MS, START_MS + 2 * HOUR_MS + 5000)));
    assert_gone(dir.path(), &before, &key());
    assert_eq!(others(dir.path()), kept);
    let mut reader = Reader::open(dir.path(), &key()).unwrap();
    let tombstones = reader.erased().unwrap();
    assert_eq!(
        (tombstones.len(), tombstones[0].stay, &tombstones[0].body[..]),
        (1, stay(1), BODY)
    );
    assert_eq!(reader.latest_checkpoint().unwrap().checkpoint, Some(state(START_MS)));

    // What comes late is not kept, and it goes on as before: after compaction, a restart and another key too.
    journal.append(&[entry(Kind::Score, 1, START_MS, b"planted 1 late")]).unwrap();
    assert!(matches!(erase(&mut journal, 1), Err(JournalError::UnknownStay)));
    assert!(matches!(erase(&mut journal, 9), Err(JournalError::UnknownStay)));
    assert!(matches!(erase(&mut journal, 0), Err(JournalError::UnknownStay)));
    while journal.maintain(START_MS + 9 * HOUR_MS).unwrap().pending {}
    drop(journal);
    let mut journal = open(dir.path());
    journal.append(&[entry(Kind::Score, 1, START_MS, b"planted 1 late")]).unwrap();
    assert_gone(dir.path(), &before, &key());
    let new = SiteKey::from_bytes([77; 32]);
    journal.rotate_site_key(&new, &[]).unwrap();
    journal.append(&[entry(Kind::Score, 1, START_MS, b"planted 1 late")]).unwrap();
    assert!(verify(dir.path(), &new).unwrap().is_sound());
    assert_eq!(Reader::open(dir.path(), &new).unwrap().erased().unwrap().len(), 1);
}

#[test]
fn an_erasure_in_the_middle_of_a_compaction_takes_what_was_gathered_too() {
    let dir = tempfile::tempdir().unwrap();
    let mut journal = journal(dir.path());
    let before = wrapped(dir.path());
    // One step opens the round, one takes the rows in.
    for _ in 0..2 {
        assert!(journal.compact(START_MS + 9 * HOUR_MS).unwrap().pending);
    }
    erase(&mut journal, 1).unwrap();
    while journal.maintain(START_MS + 9 * HOUR_MS).unwrap().pending {}
    assert_gone(dir.path(), &before, &key());
}

#[test]
fn an_erasure_that_cannot_commit_erases_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let mut journal = journal(dir.path());
    let before = read_all(dir.path()).len();
    let large = Checkpoint {
        at_ms: START_MS,
        body: vec![0; 257 << 20],
    };
    let refused = journal.erase(stay(1), &large, |_| record(), |_, _| BODY.to_vec());
    assert!(matches!(refused, Err(JournalError::TooLarge { .. })), "{refused:?}");
    assert_eq!(read_all(dir.path()).into_iter().flatten().count(), before);
    fs::write(dir.path().join("journal.db.corrupt-1"), b"a copy").unwrap();
    assert!(matches!(erase(&mut journal, 1), Err(JournalError::Aside { .. })));
    fs::remove_file(dir.path().join("journal.db.corrupt-1")).unwrap();
    erase(&mut journal, 1).unwrap();
    journal.append(&[record()]).unwrap();
    assert!(verify(dir.path(), &key()).unwrap().is_sound());
    drop(journal);
    Journal::open(dir.path(), &key(), Options::default()).unwrap();
}
