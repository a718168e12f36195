//! The audit trail is whole, or says where it broke first: as far as an attacker without the site key could go, and with it.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests fail by panicking"
)]

mod common;

use std::fs;
use std::path::Path;
use std::time::Duration;

use common::{HOUR_MS, START_MS, database, entry, key, open, read_all};
use rusqlite::Connection;
use wardlight_journal::{
    AuditReport, Break, Broken, Checkpoint, Entry, Journal, Kind, Options, Reader, SiteKey, verify, verify_audit,
};

fn edit(dir: &Path, sql: &str) {
    Connection::open(database(dir)).unwrap().execute_batch(sql).unwrap();
}

fn record(n: i64) -> Entry {
    entry(Kind::Audit, 0, START_MS + n * 1000, format!("record {n}").as_bytes())
}

/// Records 1 to 6 with a message before each: record `n` has the sequence `2n`.
fn trail(dir: &Path) -> Journal {
    let mut journal = open(dir);
    for n in 1..=6 {
        journal
            .append(&[entry(Kind::Message, 1, START_MS, b"message"), record(n)])
            .unwrap();
    }
    journal
}

fn check(dir: &Path) -> AuditReport {
    verify_audit(dir, &key(), None).unwrap()
}

fn broken(dir: &Path) -> Broken {
    check(dir).broken.unwrap()
}

fn state(journal: &mut Journal, at_ms: i64) {
    let body = b"state".to_vec();
    for _ in 0..2 {
        journal
            .checkpoint(&Checkpoint {
                at_ms,
                body: body.clone(),
            })
            .unwrap();
    }
}

/// Compacts and expires until there is nothing to do.
fn maintain(journal: &mut Journal, now_ms: i64) {
    while journal.maintain(now_ms).unwrap().pending {}
}

#[test]
fn a_trail_that_nobody_touched_is_whole_and_reads_back_as_it_was_written() {
    let dir = tempfile::tempdir().unwrap();
    assert_eq!(check_empty(dir.path()), AuditReport::default());
    let journal = trail(dir.path());
    let report = check(dir.path());
    assert_eq!((report.broken, report.records, report.head), (None, 6, journal.audit_head()));
    assert_eq!(report.at_ms, Some(START_MS + 6000));
    let bodies: Vec<_> = read_all(dir.path())
        .into_iter()
        .map(|item| item.unwrap().entry)
        .filter(|e| e.kind == Kind::Audit)
        .collect();
    assert_eq!(bodies, (1..=6).map(record).collect::<Vec<_>>());
    let mut reader = Reader::open(dir.path(), &key()).unwrap();
    let listed: Vec<_> = reader.audit().map(Result::unwrap).collect();
    assert_eq!(listed[3].head.n, 4);
    assert_eq!(listed[3].record, b"record 4");
    assert_eq!(listed[3].before, listed[2].head);
}

fn check_empty(dir: &Path) -> AuditReport {
    drop(open(dir));
    check(dir)
}

#[test]
fn the_chain_goes_on_over_restarts_compaction_and_a_new_site_key() {
    let dir = tempfile::tempdir().unwrap();
    drop(trail(dir.path()));
    let mut journal = open(dir.path());
    assert_eq!(journal.audit_head().n, 6);
    journal.append(&[record(7)]).unwrap();
    state(&mut journal, START_MS);
    maintain(&mut journal, START_MS + 2 * HOUR_MS);
    assert_eq!(check(dir.path()).records, 7);
    journal.append(&[record(8), record(9)]).unwrap();
    let new = SiteKey::from_bytes([9; 32]);
    assert_eq!(journal.rotate_site_key(&new, &[]).unwrap(), 0);
    journal.append(&[record(10)]).unwrap();
    drop(journal);
    let report = verify_audit(dir.path(), &new, None).unwrap();
    assert_eq!((report.broken, report.records), (None, 10));
    assert!(verify(dir.path(), &new).unwrap().is_sound());
}

#[test]
fn a_transaction_that_failed_leaves_no_hole() {
    let dir = tempfile::tempdir().unwrap();
    let mut journal = trail(dir.path());
    edit(dir.path(), "ALTER TABLE tally RENAME TO hidden");
    journal.append(&[record(7)]).unwrap_err();
    edit(dir.path(), "ALTER TABLE hidden RENAME TO tally");
    drop(journal);
    let mut journal = open(dir.path());
    journal.append(&[record(8)]).unwrap();
    let report = check(dir.path());
    assert_eq!((report.broken, report.head.n), (None, 7));
}

#[test]
fn without_the_site_key_every_edit_of_the_rows_is_found_and_named() {
    let cases = [
        ("delete one", "DELETE FROM entries WHERE seq = 8", 4, "altered"),
        (
            "delete one and what tells of it",
            "DELETE FROM entries WHERE seq = 8; UPDATE tally SET appended = appended - 1 WHERE kind = 7",
            4,
            "altered",
        ),
        ("delete the first", "DELETE FROM entries WHERE seq = 2", 1, "altered"),
        (
            "swap two",
            "UPDATE entries SET seq = 99 WHERE seq = 4; UPDATE entries SET seq = 4 WHERE seq = 6;
             UPDATE entries SET seq = 6 WHERE seq = 99",
            2,
            "altered",
        ),
        (
            "change a byte",
            "UPDATE entries SET sealed = CAST(sealed || x'00' AS BLOB) WHERE seq = 10",
            5,
            "altered",
        ),
        (
            "change a time",
            "UPDATE entries SET at_ms = at_ms + 1 WHERE seq = 10",
            5,
            "altered",
        ),
        ("call it a message", "UPDATE entries SET kind = 1 WHERE seq = 6", 3, "missing"),
        (
            "put another's content",
            "UPDATE entries SET sealed = (SELECT sealed FROM entries WHERE seq = 2) WHERE seq = 12",
            6,
            "altered",
        ),
        (
            "cut the end",
            "DELETE FROM entries WHERE seq >= 9; UPDATE tally SET appended = 4, newest = 8",
            5,
            "missing: the trail was cut; its head is record 6",
        ),
        (
            "cut the end and the head",
            "DELETE FROM entries WHERE seq >= 9; UPDATE tally SET appended = 4, newest = 8; DELETE FROM meta WHERE name = 'audit_head'",
            5,
            "the head of the trail is missing or forged",
        ),
        (
            "forge the head",
            "UPDATE meta SET value = zeroblob(76) WHERE name = 'audit_head'",
            7,
            "the head of the trail",
        ),
        (
            "call the base a head",
            "UPDATE meta SET name = 'audit_base' WHERE name = 'audit_head'",
            7,
            "the head of the trail",
        ),
        (
            "empty the trail",
            "DELETE FROM entries WHERE kind = 7; DELETE FROM tally WHERE kind = 7",
            1,
            "",
        ),
    ];
    for (what, sql, n, expected) in cases {
        let dir = tempfile::tempdir().unwrap();
        drop(trail(dir.path()));
        edit(dir.path(), sql);
        let found = broken(dir.path());
        assert_eq!(found.n, n, "{what}: {found}");
        assert!(found.to_string().contains(expected), "{what}: {found}");
    }
}

#[test]
fn segments_are_followed_like_rows() {
    for (what, sql) in [
        ("delete", "DELETE FROM segments WHERE kind = 7"),
        (
            "change",
            "UPDATE segments SET sealed = CAST(sealed || x'00' AS BLOB) WHERE kind = 7",
        ),
        ("call it a message", "UPDATE segments SET kind = 1 WHERE kind = 7"),
    ] {
        let dir = tempfile::tempdir().unwrap();
        let mut journal = trail(dir.path());
        state(&mut journal, START_MS);
        maintain(&mut journal, START_MS + 2 * HOUR_MS);
        journal.append(&[record(7)]).unwrap();
        drop(journal);
        assert_eq!(check(dir.path()).records, 7);
        edit(dir.path(), sql);
        assert_eq!(broken(dir.path()).n, 1, "{what}");
    }
}

/// The one thing that a thief of the disk can do unseen, and what finds it.
#[test]
fn an_older_copy_put_back_whole_is_found_only_by_a_head_that_was_noted() {
    let dir = tempfile::tempdir().unwrap();
    let mut journal = trail(dir.path());
    let early = journal.audit_head();
    drop(journal);
    let copy = fs::read(database(dir.path())).unwrap();
    journal = open(dir.path());
    journal.append(&[record(7)]).unwrap();
    let late = journal.audit_head();
    drop(journal);
    for head in [early, late] {
        assert_eq!(verify_audit(dir.path(), &key(), Some(&head)).unwrap().broken, None);
    }
    for file in ["journal.db-wal", "journal.db-shm"] {
        fs::remove_file(dir.path().join(file)).ok();
    }
    fs::write(database(dir.path()), copy).unwrap();
    assert_eq!(check(dir.path()).broken, None, "this is not found");
    let found = verify_audit(dir.path(), &key(), Some(&late)).unwrap().broken.unwrap();
    assert_eq!((found.n, found.what), (7, Break::NotAsNoted));
}

#[test]
fn whoever_has_the_site_key_can_rewrite_all_and_only_a_noted_head_tells() {
    let dir = tempfile::tempdir().unwrap();
    let noted = trail(dir.path()).audit_head();
    fs::remove_file(database(dir.path())).unwrap();
    let mut forged = open(dir.path());
    for n in [1, 2, 4, 5, 6, 7] {
        forged
            .append(&[entry(Kind::Message, 1, START_MS, b"message"), record(n)])
            .unwrap();
    }
    assert_eq!(check(dir.path()).broken, None);
    let found = verify_audit(dir.path(), &key(), Some(&noted)).unwrap().broken.unwrap();
    assert_eq!((found.n, found.what), (6, Break::NotAsNoted));
}

#[test]
fn what_retention_removes_leaves_a_chain_that_still_verifies() {
    let dir = tempfile::tempdir().unwrap();
    let options = Options {
        keep_audit: Duration::from_hours(24),
        ..Options::default()
    };
    let mut journal = Journal::open(dir.path(), &key(), options).unwrap().0;
    for hour in 0..10 {
        for n in 0..3 {
            journal
                .append(&[entry(Kind::Audit, 0, START_MS + hour * HOUR_MS + n, b"x")])
                .unwrap();
        }
    }
    state(&mut journal, START_MS + 10 * HOUR_MS);
    maintain(&mut journal, START_MS + 11 * HOUR_MS);
    assert_eq!(check(dir.path()).records, 30);
    maintain(&mut journal, START_MS + 28 * HOUR_MS);
    let report = check(dir.path());
    assert_eq!(
        (report.broken, report.base.n, report.records, report.head.n),
        (None, 12, 18, 30)
    );

    // Deleting a little more than retention did is found.
    edit(
        dir.path(),
        "DELETE FROM segments WHERE id = (SELECT id FROM segments WHERE kind = 7 ORDER BY first_seq LIMIT 1)",
    );
    assert_eq!(broken(dir.path()).n, 13);

    // When everything has gone, the chain goes on from there.
    maintain(&mut journal, START_MS + 100 * HOUR_MS);
    journal
        .append(&[entry(Kind::Audit, 0, START_MS + 100 * HOUR_MS, b"x")])
        .unwrap();
    let report = check(dir.path());
    assert_eq!(
        (report.broken, report.base.n, report.records, report.head.n),
        (None, 30, 1, 31)
    );
}

#[test]
fn after_a_clock_was_set_back_only_what_is_oldest_in_the_chain_goes() {
    let dir = tempfile::tempdir().unwrap();
    let options = Options {
        keep_audit: Duration::from_hours(24),
        ..Options::default()
    };
    let mut journal = Journal::open(dir.path(), &key(), options).unwrap().0;
    for at_ms in [START_MS + 50 * HOUR_MS, START_MS, START_MS + HOUR_MS] {
        journal.append(&[entry(Kind::Audit, 0, at_ms, b"x")]).unwrap();
    }
    state(&mut journal, START_MS + 50 * HOUR_MS);
    maintain(&mut journal, START_MS + 52 * HOUR_MS);
    assert_eq!(check(dir.path()).records, 3, "the two old ones come after the new one");
    maintain(&mut journal, START_MS + 90 * HOUR_MS);
    let report = check(dir.path());
    assert_eq!((report.broken, report.base.n), (None, 3));
}

#[test]
fn a_damaged_file_that_was_rebuilt_says_what_of_the_trail_was_lost() {
    let dir = tempfile::tempdir().unwrap();
    drop(trail(dir.path()));
    edit(
        dir.path(),
        "DELETE FROM entries WHERE seq = 6; INSERT INTO meta VALUES ('damaged', 1)",
    );
    let (mut journal, report) = Journal::open(dir.path(), &key(), Options::default()).unwrap();
    assert!(report.replaced.is_some());
    assert_eq!(journal.audit_head().n, 6);
    journal.append(&[record(7)]).unwrap();
    assert_eq!(broken(dir.path()).n, 3);
}

/// Otherwise a cut end, head removed, would look whole again after a restart.
#[test]
fn a_lost_head_leaves_a_number_out_for_good() {
    let dir = tempfile::tempdir().unwrap();
    drop(trail(dir.path()));
    edit(
        dir.path(),
        "DELETE FROM entries WHERE seq >= 9; UPDATE tally SET appended = 4, newest = 8; DELETE FROM meta WHERE name = 'audit_head'",
    );
    let mut journal = open(dir.path());
    journal.append(&[record(7)]).unwrap();
    drop(journal);
    let mut journal = open(dir.path());
    journal.append(&[record(8)]).unwrap();
    let found = broken(dir.path());
    assert_eq!((found.n, found.what), (5, Break::Missing { through: 5 }));
}

#[test]
fn a_trail_that_was_removed_altogether_is_missed() {
    let dir = tempfile::tempdir().unwrap();
    drop(trail(dir.path()));
    edit(
        dir.path(),
        "DELETE FROM entries; DELETE FROM meta WHERE name = 'audit_head'; DELETE FROM tally WHERE kind = 7",
    );
    assert_eq!(broken(dir.path()).what, Break::NoHead);
    let mut journal = open(dir.path());
    journal.append(&[record(7)]).unwrap();
    assert_eq!(broken(dir.path()).n, 1);
}
