//! Storing and reading back, and who may.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests fail by panicking"
)]

mod common;

use common::{START_MS, database, entry, key, messages, numbered, open, read_all, read_from, stay};
use wardlight_journal::{
    Checkpoint, Fate, Filter, Journal, JournalError, Kind, MAX_BODY, Options, Part, Reader, SiteKey, SiteSecret, StayToken,
    Suspect,
};

#[test]
fn entries_come_back_in_order_after_reopening() {
    let dir = tempfile::tempdir().unwrap();
    let entries = messages(2000);
    let mut journal = open(dir.path());
    assert_eq!(journal.append(&entries[..1]).unwrap(), 1..2);
    assert_eq!(journal.append(&entries[1..700]).unwrap(), 2..701);
    drop(journal);
    let mut journal = open(dir.path());
    assert_eq!(journal.newest(), 700);
    assert_eq!(journal.append(&entries[700..]).unwrap(), 701..2001);
    let read: Vec<_> = read_all(dir.path()).into_iter().map(Result::unwrap).collect();
    assert_eq!(read, numbered(&entries));
}

#[test]
fn a_reader_sees_commits_while_the_journal_runs_and_after() {
    let dir = tempfile::tempdir().unwrap();
    let entries = messages(10);
    let mut journal = open(dir.path());
    let mut reader = Reader::open(dir.path(), &key()).unwrap();
    assert_eq!(reader.newest().unwrap(), 0);
    journal.append(&entries[..4]).unwrap();
    assert_eq!(reader.newest().unwrap(), 4);
    assert_eq!(reader.entries(3, Filter::default()).count(), 2);
    journal.append(&entries[4..]).unwrap();
    assert_eq!(reader.entries(1, Filter::default()).count(), 10);
    drop(journal);
    assert_eq!(reader.entries(1, Filter::default()).count(), 10);
    drop(reader);
    assert_eq!(read_all(dir.path()).len(), 10);
}

#[test]
fn filters_choose_by_kind_stay_and_time() {
    let dir = tempfile::tempdir().unwrap();
    let entries = [
        entry(Kind::Message, 1, START_MS, b"a"),
        entry(Kind::Alarm, 1, START_MS + 1, b"b"),
        entry(Kind::Message, 2, START_MS + 2, b"c"),
        entry(Kind::Restart, 0, START_MS + 3, b"d"),
    ];
    open(dir.path()).append(&entries).unwrap();
    let chosen = |filter| -> Vec<u64> {
        read_from(dir.path(), 1, filter)
            .into_iter()
            .map(|item| item.unwrap().seq)
            .collect()
    };
    assert_eq!(chosen(Filter::of_kinds(&[Kind::Alarm, Kind::Restart])), [2, 4]);
    let of_stay = |stay| Filter {
        stay: Some(stay),
        ..Filter::default()
    };
    assert_eq!(chosen(of_stay(stay(1))), [1, 2]);
    assert_eq!(chosen(of_stay(StayToken::SITE)), [4]);
    let between = Filter {
        from_ms: START_MS + 1,
        until_ms: START_MS + 3,
        ..Filter::default()
    };
    assert_eq!(chosen(between), [2, 3]);
}

#[test]
fn counts_follow_each_kind() {
    let dir = tempfile::tempdir().unwrap();
    let mut journal = open(dir.path());
    journal.append(&messages(3)).unwrap();
    journal.append(&[entry(Kind::Alarm, 1, START_MS, b"x")]).unwrap();
    journal.append(&messages(2)).unwrap();
    let counts = Reader::open(dir.path(), &key()).unwrap().counts().unwrap();
    assert_eq!((counts[&Kind::Message].newest, counts[&Kind::Message].appended), (6, 5));
    assert_eq!((counts[&Kind::Alarm].newest, counts[&Kind::Alarm].appended), (4, 1));
    assert!(!counts.contains_key(&Kind::Audit));
}

#[test]
fn a_checkpoint_covers_the_entries_stored_with_it() {
    let dir = tempfile::tempdir().unwrap();
    let mut journal = open(dir.path());
    let empty = Reader::open(dir.path(), &key()).unwrap().latest_checkpoint().unwrap();
    assert_eq!((empty.covers, empty.checkpoint), (0, None));
    for round in 1..=5 {
        let entries = messages(10);
        let checkpoint = Checkpoint {
            at_ms: START_MS + round,
            body: format!("state {round}").into_bytes(),
        };
        let parts = [
            Part {
                entries: &entries[..7],
                checkpoint: Some(&checkpoint),
                suspects: &[],
            },
            Part {
                entries: &entries[7..],
                ..Part::default()
            },
        ];
        journal.commit(&parts).unwrap();
        let found = Reader::open(dir.path(), &key()).unwrap().latest_checkpoint().unwrap();
        assert_eq!(found.covers, (round as u64 - 1) * 10 + 7);
        assert_eq!(found.checkpoint.unwrap(), checkpoint);
        assert!(found.skipped.is_empty());
    }
    let db = rusqlite::Connection::open(database(dir.path())).unwrap();
    let kept: i64 = db
        .query_row("SELECT count(*) FROM checkpoints", [], |row| row.get(0))
        .unwrap();
    assert_eq!(kept, 2);
}

#[test]
fn a_damaged_checkpoint_falls_back_to_the_one_before() {
    let dir = tempfile::tempdir().unwrap();
    let mut journal = open(dir.path());
    for n in 1..=2 {
        journal.append(&messages(5)).unwrap();
        let body = vec![n; 10_000];
        journal.checkpoint(&Checkpoint { at_ms: START_MS, body }).unwrap();
    }
    drop(journal);
    let db = rusqlite::Connection::open(database(dir.path())).unwrap();
    db.execute("UPDATE checkpoints SET sealed = zeroblob(10028) WHERE covers = 10", [])
        .unwrap();
    drop(db);
    let found = Reader::open(dir.path(), &key()).unwrap().latest_checkpoint().unwrap();
    assert_eq!(found.covers, 5);
    assert_eq!(found.checkpoint.unwrap().body, vec![1; 10_000]);
    assert_eq!(found.skipped.len(), 1);
    assert_eq!(found.skipped[0].first, 10);
}

#[test]
fn a_wrong_key_is_refused_and_changes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    open(dir.path()).append(&messages(10)).unwrap();
    let before = std::fs::read(database(dir.path())).unwrap();
    let wrong = SiteKey::from_bytes([1; 32]);
    let opened = Journal::open(dir.path(), &wrong, Options::default());
    assert!(matches!(opened, Err(JournalError::WrongKey { .. })), "{opened:?}");
    let opened = Reader::open(dir.path(), &wrong);
    assert!(matches!(opened, Err(JournalError::WrongKey { .. })), "{opened:?}");
    assert_eq!(std::fs::read(database(dir.path())).unwrap(), before);
    assert_eq!(read_all(dir.path()).len(), 10);
}

#[test]
fn a_second_writer_is_refused_while_the_first_lives() {
    let dir = tempfile::tempdir().unwrap();
    let first = open(dir.path());
    let second = Journal::open(dir.path(), &key(), Options::default());
    assert!(matches!(second, Err(JournalError::InUse { .. })), "{second:?}");
    drop(first);
    open(dir.path());
}

#[test]
fn a_newer_schema_is_refused_and_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    drop(open(dir.path()));
    let db = rusqlite::Connection::open(database(dir.path())).unwrap();
    db.execute("UPDATE schema_version SET version = 99", []).unwrap();
    drop(db);
    let opened = Journal::open(dir.path(), &key(), Options::default());
    let Err(error @ JournalError::NewerSchema { found: 99, .. }) = opened else {
        panic!("{opened:?}");
    };
    assert_eq!(error.fate(), Fate::Fatal);
    assert!(database(dir.path()).exists());
}

#[test]
fn reading_where_there_is_no_journal_makes_none() {
    let dir = tempfile::tempdir().unwrap();
    let opened = Reader::open(dir.path(), &key());
    assert!(matches!(opened, Err(JournalError::Missing { .. })), "{opened:?}");
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
}

#[cfg(unix)]
#[test]
fn files_are_private_to_the_owner() {
    use std::os::unix::fs::PermissionsExt;
    let root = tempfile::tempdir().unwrap();
    let dir = root.path().join("var/journal");
    let (mut journal, report) = Journal::open(&dir, &key(), Options::default()).unwrap();
    assert!(report.created && !report.folder_open_to_others);
    journal.append(&messages(1)).unwrap();
    let mode = |path: &std::path::Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&dir), 0o700);
    let mut seen = 0;
    for file in std::fs::read_dir(&dir).unwrap() {
        let path = file.unwrap().path();
        assert_eq!(mode(&path), 0o600, "{}", path.display());
        seen += 1;
    }
    assert_eq!(seen, 4, "database, log, index, lock");
    drop(journal);
    std::fs::set_permissions(&dir, std::fs::Permissions::from_mode(0o755)).unwrap();
    let (_journal, report) = Journal::open(&dir, &key(), Options::default()).unwrap();
    assert!(report.folder_open_to_others);
}

#[test]
fn nothing_stands_in_clear_on_disk() {
    const MARKER: &[u8] = b"Blofeld, Ernst Stavro";
    let dir = tempfile::tempdir().unwrap();
    let mut journal = open(dir.path());
    journal.append(&[entry(Kind::Message, 1, START_MS, MARKER)]).unwrap();
    let body = MARKER.repeat(500);
    journal.checkpoint(&Checkpoint { at_ms: START_MS, body }).unwrap();
    let suspect = Suspect {
        stay: wardlight_journal::StayToken::SITE,
        source: String::from_utf8(MARKER.to_vec()).unwrap(),
        reason: String::from_utf8(MARKER.to_vec()).unwrap(),
        at_ms: START_MS,
        body: MARKER.to_vec(),
    };
    journal.quarantine(&suspect).unwrap();
    let search = || {
        let mut searched = 0;
        for file in std::fs::read_dir(dir.path()).unwrap() {
            let path = file.unwrap().path();
            let bytes = std::fs::read(&path).unwrap();
            assert!(
                !bytes.windows(MARKER.len()).any(|window| window == MARKER),
                "{}",
                path.display()
            );
            searched += bytes.len();
        }
        searched
    };
    assert!(search() > 20_000);
    drop(journal);
    assert!(search() > 20_000);
}

#[test]
fn an_oversized_body_is_refused_and_the_rest_goes_on() {
    let dir = tempfile::tempdir().unwrap();
    let mut journal = open(dir.path());
    let large = entry(Kind::Strip, 1, START_MS, &vec![0; MAX_BODY + 1]);
    let refused = journal.append(&[large]).unwrap_err();
    assert_eq!(refused.fate(), Fate::Refuse);
    let limit = entry(Kind::Strip, 1, START_MS, &vec![0; MAX_BODY]);
    assert_eq!(journal.append(std::slice::from_ref(&limit)).unwrap(), 1..2);
    assert_eq!(read_all(dir.path())[0].as_ref().unwrap().entry, limit);
}

#[test]
fn a_file_removed_while_in_use_is_noticed() {
    let dir = tempfile::tempdir().unwrap();
    let mut journal = open(dir.path());
    journal.append(&messages(1)).unwrap();
    std::fs::remove_file(database(dir.path())).unwrap();
    let refused = journal.append(&messages(1));
    assert!(matches!(refused, Err(JournalError::Gone { .. })), "{refused:?}");
}

#[test]
fn quarantine_keeps_the_newest_within_its_bounds() {
    let dir = tempfile::tempdir().unwrap();
    let options = Options {
        quarantine_items: 5,
        quarantine_bytes: 10_000,
        ..Options::default()
    };
    let (mut journal, _) = Journal::open(dir.path(), &key(), options).unwrap();
    let suspect = |n: usize, bytes: usize| Suspect {
        stay: wardlight_journal::StayToken::SITE,
        source: format!("vitals/v1/a/device-{n}/num"),
        reason: "hr: 999 is over 350".to_owned(),
        at_ms: START_MS,
        body: vec![n as u8; bytes],
    };
    let listed = || -> Vec<(u64, usize)> {
        let mut reader = Reader::open(dir.path(), &key()).unwrap();
        let items = reader.quarantine().unwrap();
        items
            .into_iter()
            .map(|item| item.unwrap())
            .map(|item| (item.bytes, item.suspect.body.len()))
            .collect()
    };
    for n in 0..8 {
        journal.quarantine(&suspect(n, n)).unwrap();
    }
    assert_eq!(listed(), [(3, 3), (4, 4), (5, 5), (6, 6), (7, 7)]);
    journal.quarantine(&suspect(1, 9_000)).unwrap();
    assert_eq!(listed(), [(4, 4), (5, 5), (6, 6), (7, 7), (9_000, 9_000)]);
    journal.quarantine(&suspect(1, 9_001)).unwrap();
    assert_eq!(listed(), [(9_001, 9_001)]);
    let mut words = suspect(1, 3);
    words.reason = "ä".repeat(4000);
    journal.quarantine(&words).unwrap();
    let mut reader = Reader::open(dir.path(), &key()).unwrap();
    let kept = reader.quarantine().unwrap().pop().unwrap().unwrap();
    assert_eq!(kept.suspect.source, words.source);
    assert_eq!(kept.suspect.reason, "ä".repeat(512));
}

#[test]
fn rotating_the_site_key_keeps_everything_and_shuts_the_old_key_out() {
    let dir = tempfile::tempdir().unwrap();
    let entries = [
        entry(Kind::Message, 1, START_MS, b"a"),
        entry(Kind::Alarm, 2, START_MS, b"b"),
        entry(Kind::Restart, 0, START_MS, b"c"),
    ];
    let mut journal = open(dir.path());
    journal.append(&entries).unwrap();
    let new = SiteKey::from_bytes([77; 32]);
    let secret = |key: &SiteKey| SiteSecret::load(dir.path(), key).unwrap().derive("label");
    let derived = secret(&key());
    let nowhere = tempfile::tempdir().unwrap();
    let of_key = SiteSecret::load(nowhere.path(), &key()).unwrap().derive("label");
    assert_eq!(derived, of_key, "without a rotation it follows from the key");
    assert_eq!(journal.rotate_site_key(&new, &[]).unwrap(), 0);
    journal.append(&entries).unwrap();
    drop(journal);
    let opened = Journal::open(dir.path(), &key(), Options::default());
    assert!(matches!(opened, Err(JournalError::WrongKey { .. })), "{opened:?}");
    let mut reader = Reader::open(dir.path(), &new).unwrap();
    let read: Vec<_> = reader.entries(1, Filter::default()).map(Result::unwrap).collect();
    assert_eq!(read, numbered(&[entries.clone(), entries].concat()));
    let db = rusqlite::Connection::open(database(dir.path())).unwrap();
    let keys: i64 = db.query_row("SELECT count(*) FROM data_keys", [], |row| row.get(0)).unwrap();
    assert_eq!(keys, 3, "the same data keys, wrapped anew");
    assert_eq!(
        secret(&new),
        derived,
        "what was derived from the first key survives the second"
    );
    let third = SiteKey::from_bytes([78; 32]);
    let (mut journal, _) = Journal::open(dir.path(), &new, Options::default()).unwrap();
    journal.rotate_site_key(&third, &[]).unwrap();
    assert_eq!(secret(&third), derived, "and the third");
}
