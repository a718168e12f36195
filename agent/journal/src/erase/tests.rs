//! A crash at any place of the log that an erasure or a rotation wrote: all of it or nothing.

use std::fs;
use std::path::Path;
use std::time::Duration;

use crate::{Checkpoint, Entry, Filter, Journal, JournalError, Kind, Options, Reader, SiteKey, StayToken, verify};

const STAY: StayToken = StayToken([1; 16]);

fn key() -> SiteKey {
    SiteKey::from_bytes([5; 32])
}

fn entry(kind: Kind, stay: StayToken) -> Entry {
    Entry {
        kind,
        stay,
        at_ms: 1_780_002_000_000,
        body: vec![7; 2000],
    }
}

fn erase(journal: &mut Journal) {
    let checkpoint = Checkpoint {
        at_ms: 1_780_002_000_000,
        body: vec![1; 20_000],
    };
    let record = entry(Kind::Audit, StayToken::SITE);
    journal.erase(STAY, &checkpoint, |_| record, |_, _| b"body".to_vec()).unwrap();
}

/// Does something to a journal while a reader keeps its log from being emptied, then opens copies whose logs end anywhere: `check` says
/// whether it is done there. Returns the number of copies in which it is.
fn cut_anywhere(change: impl FnOnce(&mut Journal), check: impl Fn(&Path) -> bool) -> usize {
    let dir = tempfile::tempdir().unwrap();
    let (mut journal, _) = Journal::open(dir.path(), &key(), Options::default()).unwrap();
    for stay in [STAY, StayToken([2; 16])] {
        journal
            .append(&[Kind::Message, Kind::Alarm].map(|kind| entry(kind, stay)))
            .unwrap();
    }
    journal.clean_log().unwrap();
    let reader = crate::schema::open_read_only(&journal.path).unwrap();
    reader.execute_batch("BEGIN; SELECT count(*) FROM entries").unwrap();
    journal.db.busy_timeout(Duration::ZERO).unwrap();
    change(&mut journal);
    assert!(journal.log_is_dirty, "the reader was in the way");
    let log = fs::read(dir.path().join("journal.db-wal")).unwrap();
    let mut done = 0;
    for share in 0..=40 {
        let copy = tempfile::tempdir().unwrap();
        fs::copy(dir.path().join("journal.db"), copy.path().join("journal.db")).unwrap();
        fs::write(copy.path().join("journal.db-wal"), &log[..log.len() * share / 40]).unwrap();
        done += usize::from(check(copy.path()));
    }
    // The reader goes, and the next step of maintenance empties the log.
    drop(reader);
    journal.maintain(0).unwrap();
    assert_eq!(fs::metadata(dir.path().join("journal.db-wal")).unwrap().len(), 0);
    done
}

#[test]
fn an_erasure_is_whole_or_did_not_happen() {
    let done = cut_anywhere(erase, |dir| {
        let (journal, report) = Journal::open(dir, &key(), Options::default()).unwrap();
        assert_eq!(report.replaced, None);
        drop(journal);
        let report = verify(dir, &key()).unwrap();
        assert!(report.is_sound(), "{:?}", report.faults);
        let mut reader = Reader::open(dir, &key()).unwrap();
        let erased = !reader.erased().unwrap().is_empty();
        let entries = reader.entries(1, Filter::default()).map(|item| item.unwrap().entry);
        let (ours, others): (Vec<_>, Vec<_>) = entries.partition(|entry| entry.stay == STAY);
        assert_eq!(ours.len(), if erased { 0 } else { 2 });
        assert_eq!(
            others.len(),
            if erased { 5 } else { 2 },
            "two emptied, two of another, one audit record"
        );
        erased
    });
    assert!((1..40).contains(&done), "{done} of 41 copies");
}

#[test]
fn a_rotation_leaves_a_journal_that_opens_with_exactly_one_of_the_keys() {
    let new = || SiteKey::from_bytes([6; 32]);
    let change = |journal: &mut Journal| assert_eq!(journal.rotate_site_key(&new(), &[]).unwrap(), 0);
    let done = cut_anywhere(change, |dir| {
        let refused = |key: &SiteKey| matches!(Reader::open(dir, key), Err(JournalError::WrongKey { .. }));
        let rotated = refused(&key());
        assert_ne!(rotated, refused(&new()));
        let key = if rotated { new() } else { key() };
        drop(Journal::open(dir, &key, Options::default()).unwrap());
        assert!(verify(dir, &key).unwrap().is_sound());
        rotated
    });
    assert!((1..40).contains(&done), "{done} of 41 copies");
}
