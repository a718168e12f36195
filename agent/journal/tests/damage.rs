//! Damage to the file: it never panics, it costs what was hit, and it is said.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests fail by panicking"
)]

mod common;

use std::collections::BTreeSet;
use std::os::unix::fs::FileExt;
use std::path::Path;

use common::{HOUR_MS, START_MS, database, entry, key, messages, numbered, open, read_all, stay};
use proptest::prelude::*;
use rusqlite::Connection;
use wardlight_journal::{Checkpoint, Entry, Fault, Filter, Journal, JournalError, Kind, Options, Place, Reader, Stored, verify};

const PAGE: u64 = 4096;

fn edit(dir: &Path, sql: &str) {
    Connection::open(database(dir)).unwrap().execute_batch(sql).unwrap();
}

/// Sequences that come back, and the spans that are reported as lost. What comes back must be what was stored.
fn split(read: Vec<Result<Stored, JournalError>>, stored: &[Stored]) -> (BTreeSet<u64>, Vec<(u64, u64)>) {
    let (mut good, mut lost) = (BTreeSet::new(), Vec::new());
    for item in read {
        match item {
            Ok(found) => {
                assert_eq!(found, stored[found.seq as usize - 1]);
                assert!(good.insert(found.seq), "{} came twice", found.seq);
            }
            Err(JournalError::Damaged(damage)) => lost.push((damage.first, damage.last)),
            Err(other) => panic!("{other}"),
        }
    }
    (good, lost)
}

#[test]
fn rows_that_were_moved_or_changed_are_refused() {
    let entries = [
        entry(Kind::Message, 1, START_MS, b"of stay one"),
        entry(Kind::Message, 1, START_MS, b"of stay one"),
        entry(Kind::Message, 2, START_MS, b"of stay two"),
        entry(Kind::Alarm, 2, START_MS, b"of stay two"),
    ];
    let edits = [
        (
            "swap the contents of two rows of one stay",
            "CREATE TEMP TABLE t AS SELECT * FROM entries WHERE seq IN (1, 2);
          UPDATE entries SET sealed = (SELECT sealed FROM t WHERE t.seq = 3 - entries.seq) WHERE seq IN (1, 2)",
            vec![1, 2],
        ),
        (
            "swap two whole rows",
            "UPDATE entries SET seq = 99 WHERE seq = 1; UPDATE entries SET seq = 1 WHERE seq = 2;
          UPDATE entries SET seq = 2 WHERE seq = 99",
            vec![1, 2],
        ),
        (
            "give a row to another stay",
            "UPDATE entries SET key_id = (SELECT key_id FROM entries WHERE seq = 3) WHERE seq = 2",
            vec![2],
        ),
        ("change a kind", "UPDATE entries SET kind = 7 WHERE seq = 4", vec![4]),
        ("change a time", "UPDATE entries SET at_ms = at_ms - 1 WHERE seq = 3", vec![3]),
        (
            "change the token of a stay",
            "UPDATE data_keys SET stay = zeroblob(16) WHERE id = (SELECT key_id FROM entries WHERE seq = 3)",
            vec![3, 4],
        ),
        (
            "swap the keys of two stays",
            "CREATE TEMP TABLE t AS SELECT * FROM data_keys;
          UPDATE data_keys SET wrapped = (SELECT wrapped FROM t WHERE t.id != data_keys.id)",
            vec![1, 2, 3, 4],
        ),
        ("delete a row", "DELETE FROM entries WHERE seq = 2", vec![2]),
        ("delete the last row", "DELETE FROM entries WHERE seq = 4", vec![4]),
        (
            "put in a row of another type",
            "PRAGMA ignore_check_constraints = 1; UPDATE entries SET sealed = x'' WHERE seq = 1",
            vec![1],
        ),
    ];
    for (what, sql, lost) in edits {
        let dir = tempfile::tempdir().unwrap();
        open(dir.path()).append(&entries).unwrap();
        assert!(verify(dir.path(), &key()).unwrap().is_sound());
        edit(dir.path(), sql);
        let (good, spans) = split(read_all(dir.path()), &numbered(&entries));
        let expected: BTreeSet<u64> = (1..=4).filter(|seq| !lost.contains(seq)).collect();
        assert_eq!(good, expected, "{what}");
        assert!(
            lost.iter()
                .all(|seq| spans.iter().any(|(first, last)| (first..=last).contains(&seq))),
            "{what}: {spans:?}"
        );
        assert!(!verify(dir.path(), &key()).unwrap().is_sound(), "{what}");
    }
}

#[test]
fn a_file_that_is_no_database_is_moved_aside() {
    for (content, what) in [
        (b"not a database".repeat(1000), "text"),
        (vec![0; 10_000], "zeros"),
        (vec![7; 10], "short"),
    ] {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(database(dir.path()), &content).unwrap();
        for n in 1..=2 {
            let (mut journal, report) = Journal::open(dir.path(), &key(), Options::default()).unwrap();
            let replaced = report.replaced.unwrap();
            assert_eq!(replaced.aside, dir.path().join(format!("journal.db.corrupt-{n}")), "{what}");
            assert_eq!(std::fs::read(&replaced.aside).unwrap(), content);
            assert_eq!(journal.append(&messages(1)).unwrap(), 1..2);
            drop(journal);
            std::fs::write(database(dir.path()), &content).unwrap();
        }
    }
}

#[test]
fn another_programs_database_is_moved_aside_whole() {
    let dir = tempfile::tempdir().unwrap();
    edit(dir.path(), "CREATE TABLE mine (x); INSERT INTO mine VALUES (42)");
    let (_journal, report) = Journal::open(dir.path(), &key(), Options::default()).unwrap();
    let aside = report.replaced.unwrap().aside;
    let db = Connection::open(aside).unwrap();
    let kept: i64 = db.query_row("SELECT x FROM mine", [], |row| row.get(0)).unwrap();
    assert_eq!(kept, 42);
}

/// A journal of rows, segments and a checkpoint, closed, in one file.
fn filled(dir: &Path) -> Vec<Entry> {
    let entries: Vec<_> = (0..6000)
        .map(|n| {
            let at_ms = START_MS + n * 2 * HOUR_MS / 6000;
            let body = format!("reading {n} {}", "x".repeat(n as usize % 200));
            entry(Kind::Message, 1 + (n % 3) as u8, at_ms, body.as_bytes())
        })
        .collect();
    let mut journal = open(dir);
    journal.append(&entries).unwrap();
    while journal.compact(START_MS + HOUR_MS).unwrap().pending {}
    let state = Checkpoint {
        at_ms: START_MS,
        body: vec![5; 20_000],
    };
    journal.checkpoint(&state).unwrap();
    entries
}

/// Number and rows of each leaf page of the table of entries.
fn entry_pages(dir: &Path) -> Vec<(i64, i64)> {
    let db = Connection::open(database(dir)).unwrap();
    let mut pages = db
        .prepare("SELECT pageno, ncell FROM dbstat WHERE name = 'entries' AND pagetype = 'leaf'")
        .unwrap();
    let pages = pages.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
    pages.map(Result::unwrap).collect()
}

#[test]
fn a_malformed_leaf_page_costs_only_its_own_rows() {
    let origin = tempfile::tempdir().unwrap();
    let entries = filled(origin.path());
    let pages = entry_pages(origin.path());
    assert!(pages.len() > 50);
    let bytes = std::fs::read(database(origin.path())).unwrap();
    for (page, rows) in [pages[0], pages[1], pages[20], pages[pages.len() - 1]] {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(database(dir.path()), &bytes).unwrap();
        let file = std::fs::OpenOptions::new().write(true).open(database(dir.path())).unwrap();
        file.write_all_at(&[0xff; PAGE as usize], (page as u64 - 1) * PAGE).unwrap();
        let (good, lost) = split(read_all(dir.path()), &numbered(&entries));
        assert_eq!(good.len() as i64, 6000 - rows, "page {page}");
        assert_eq!(lost.len(), 1, "page {page}: {lost:?}");
        assert_eq!((lost[0].1 - lost[0].0 + 1) as i64, rows, "page {page}");
        // Opening for writing goes on, with a new file if it must, and loses no more.
        let (mut journal, _) = Journal::open(dir.path(), &key(), Options::default()).unwrap();
        assert_eq!(journal.append(&messages(1)).unwrap(), 6001..6002);
        drop(journal);
        let mut stored = numbered(&entries);
        stored.push(Stored {
            seq: 6001,
            entry: messages(1)[0].clone(),
        });
        let (good, _) = split(read_all(dir.path()), &stored);
        assert_eq!(good.len() as i64, 6001 - rows, "page {page} after opening");
    }
}

#[test]
fn damage_found_while_compacting_stops_it_and_the_next_open_rebuilds_the_file() {
    let dir = tempfile::tempdir().unwrap();
    let entries = filled(dir.path());
    let (page, rows) = entry_pages(dir.path())[20];
    let file = std::fs::OpenOptions::new().write(true).open(database(dir.path())).unwrap();
    file.write_all_at(&[0xff; PAGE as usize], (page as u64 - 1) * PAGE).unwrap();
    drop(file);
    let mut journal = open(dir.path());
    let now = START_MS + 3 * HOUR_MS;
    let error = loop {
        match journal.compact(now) {
            Ok(done) => assert!(done.pending),
            Err(error) => break error,
        }
    };
    assert!(matches!(error, JournalError::Malformed(_)), "{error}");
    assert!(!journal.compact(now).unwrap().pending, "it is not tried again");
    assert_eq!(journal.append(&messages(1)).unwrap(), 6001..6002, "appending goes on");
    assert_eq!(
        Reader::open(dir.path(), &key())
            .unwrap()
            .entries(1, Filter::default())
            .filter(Result::is_err)
            .count(),
        1
    );
    drop(journal);
    let (mut journal, report) = Journal::open(dir.path(), &key(), Options::default()).unwrap();
    let salvaged = report.replaced.unwrap().salvaged.unwrap();
    assert_eq!(salvaged.entries as i64, 3001 - rows);
    assert_eq!((salvaged.checkpoints, salvaged.lost), (1, 1));
    let mut stored = numbered(&entries);
    stored.push(Stored {
        seq: 6001,
        entry: messages(1)[0].clone(),
    });
    let (good, _) = split(read_all(dir.path()), &stored);
    assert_eq!(good.len() as i64, 6001 - rows);
    let report = verify(dir.path(), &key()).unwrap();
    assert!(
        report
            .faults
            .iter()
            .all(|fault| matches!(fault, Fault::Damaged(_) | Fault::Count { .. })),
        "{:?}",
        report.faults
    );
    // Now it is only a gap, and compaction passes over it.
    let mut lost = Vec::new();
    loop {
        let done = journal.compact(now).unwrap();
        lost.extend(done.lost);
        if !done.pending {
            break;
        }
    }
    assert_eq!(lost.len(), 1);
    assert_eq!(lost[0].place, Place::Entry);
}

#[test]
fn a_swap_that_was_cut_short_is_carried_through() {
    let dir = tempfile::tempdir().unwrap();
    open(dir.path()).append(&messages(10)).unwrap();
    // As if the process had died after the new file was complete and the old one was moved, and before the new
    // one got its name.
    std::fs::rename(database(dir.path()), dir.path().join("journal.db.rebuilt")).unwrap();
    let (journal, report) = Journal::open(dir.path(), &key(), Options::default()).unwrap();
    assert_eq!((journal.newest(), report.created), (10, false));
    drop(journal);
    // As if it had died before the old one was moved.
    std::fs::rename(database(dir.path()), dir.path().join("journal.db.rebuilt")).unwrap();
    std::fs::write(database(dir.path()), b"old").unwrap();
    let (journal, _) = Journal::open(dir.path(), &key(), Options::default()).unwrap();
    assert_eq!(journal.newest(), 10);
    assert_eq!(std::fs::read(dir.path().join("journal.db.corrupt-1")).unwrap(), b"old");
}

#[test]
fn a_damaged_key_costs_its_stay_and_new_entries_get_a_new_one() {
    let dir = tempfile::tempdir().unwrap();
    let one_each = |body: &[u8]| {
        [
            entry(Kind::Message, 1, START_MS, body),
            entry(Kind::Message, 2, START_MS, body),
        ]
    };
    open(dir.path()).append(&one_each(b"before")).unwrap();
    // Key 1 is the site's own: it seals the head of the audit trail from the beginning.
    edit(dir.path(), "UPDATE data_keys SET wrapped = zeroblob(60) WHERE id = 2");
    open(dir.path()).append(&one_each(b"after")).unwrap();
    let stored = numbered(&[one_each(b"before"), one_each(b"after")].concat());
    let (good, lost) = split(read_all(dir.path()), &stored);
    assert_eq!(good, BTreeSet::from([2, 3, 4]));
    assert_eq!(lost, [(1, 1)]);
    let mut reader = Reader::open(dir.path(), &key()).unwrap();
    let of_stay = Filter {
        stay: Some(stay(1)),
        ..Filter::default()
    };
    assert_eq!(reader.entries(1, of_stay).flatten().count(), 1);
    assert!(verify(dir.path(), &key()).unwrap().faults.contains(&Fault::Key(2)));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, failure_persistence: None, ..ProptestConfig::default() })]

    /// Any few bytes anywhere: nothing panics, nothing wrong is read, and what is lost is no more than the page
    /// that was hit, where that is a leaf of the entries; an inner page also hides what only it leads to.
    #[test]
    fn random_damage_loses_only_what_it_hits(hits in prop::collection::vec((any::<u32>(), any::<u8>()), 1..4)) {
        thread_local! {
            static ORIGIN: (tempfile::TempDir, Vec<Entry>, BTreeSet<usize>) = {
                let dir = tempfile::tempdir().unwrap();
                let entries = filled(dir.path());
                let pages = entry_pages(dir.path()).into_iter().map(|(page, _)| page as usize - 1).collect();
                (dir, entries, pages)
            };
        }
        ORIGIN.with(|(origin, entries, leaves)| {
            let dir = tempfile::tempdir().unwrap();
            let mut bytes = std::fs::read(database(origin.path())).unwrap();
            let mut leaves_only = true;
            for (place, value) in &hits {
                let at = *place as usize % bytes.len();
                let page = at / PAGE as usize;
                leaves_only &= leaves.contains(&page);
                bytes[at] ^= value | 1;
            }
            std::fs::write(database(dir.path()), &bytes).unwrap();
            let stored = numbered(entries);
            match Reader::open(dir.path(), &key()) {
                Ok(mut reader) => {
                    let (good, _) = split(reader.entries(1, Filter::default()).collect(), &stored);
                    if leaves_only {
                        // A leaf has at most 80 of these rows.
                        prop_assert!(good.len() >= 6000 - hits.len() * 80, "{} left", good.len());
                    }
                    reader.latest_checkpoint().unwrap();
                    verify(dir.path(), &key()).unwrap();
                }
                Err(error) => prop_assert!(!matches!(error, JournalError::Sqlite(_)), "{error}"),
            }
            match Journal::open(dir.path(), &key(), Options::default()) {
                Ok((mut journal, _)) => {
                    let first = journal.newest() + 1;
                    prop_assert_eq!(journal.append(&messages(3)).unwrap(), first..first + 3);
                    let mut reader = Reader::open(dir.path(), &key()).unwrap();
                    prop_assert_eq!(reader.entries(first, Filter::default()).flatten().count(), 3);
                }
                // A byte of the schema's version or of the key's check value.
                Err(JournalError::WrongKey { .. } | JournalError::NewerSchema { .. }) => {}
                Err(error) => prop_assert!(false, "{error}"),
            }
            Ok(())
        })?;
    }
}
