//! Compaction and retention: the same entries come back, at every step and after a crash at any of them.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests fail by panicking"
)]

mod common;

use std::path::Path;
use std::time::Duration;

use common::{HOUR_MS, START_MS, database, entry, key, numbered, read_all, read_from, stay};
use wardlight_journal::{Checkpoint, Entry, Expired, Filter, Journal, JournalError, Kind, Options, Place, Reader};

const KINDS: [Kind; 4] = [Kind::Message, Kind::Message, Kind::Score, Kind::Alarm];

/// Entries of three stays and the site over `hours` hours.
fn mixed(count: usize, hours: i64) -> Vec<Entry> {
    (0..count)
        .map(|n| {
            let at_ms = START_MS + n as i64 * hours * HOUR_MS / count as i64;
            let body = format!("{{\"n\":{n},\"hr\":{}}}", 60 + n % 40);
            entry(KINDS[n % 4], (n % 3) as u8, at_ms, body.as_bytes())
        })
        .collect()
}

fn open_with(dir: &Path, options: Options) -> Journal {
    Journal::open(dir, &key(), options).unwrap().0
}

fn compact_all(journal: &mut Journal, now_ms: i64) -> (u64, u64) {
    let (mut rows, mut segments) = (0, 0);
    loop {
        let done = journal.compact(now_ms).unwrap();
        assert!(done.lost.is_empty());
        rows += done.rows;
        segments += done.segments;
        if !done.pending {
            return (rows, segments);
        }
    }
}

fn expire_all(journal: &mut Journal, now_ms: i64) -> Expired {
    let mut total = Expired::default();
    loop {
        let step = journal.expire(now_ms).unwrap();
        for (all, new) in [(&mut total.by_age, step.by_age), (&mut total.by_bytes, step.by_bytes)] {
            for (kind, rows) in new {
                *all.entry(kind).or_default() += rows;
            }
        }
        total.bytes_in_use = step.bytes_in_use;
        total.held_back = step.held_back;
        if !step.pending {
            return total;
        }
    }
}

fn count(dir: &Path, table: &str) -> i64 {
    let db = rusqlite::Connection::open(database(dir)).unwrap();
    db.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get(0))
        .unwrap()
}

#[test]
fn segments_give_back_what_the_rows_were() {
    let dir = tempfile::tempdir().unwrap();
    let entries = mixed(9000, 3);
    let mut journal = open_with(dir.path(), Options::default());
    journal.append(&entries).unwrap();
    let stored = numbered(&entries);
    // In the third hour, the first two are over.
    let now = START_MS + 2 * HOUR_MS + 5;
    let (rows, segments) = compact_all(&mut journal, now);
    assert_eq!(rows, 6000);
    assert!(segments >= 2 * 9, "hours, stays with kinds: {segments}");
    let all: Vec<_> = read_all(dir.path()).into_iter().map(Result::unwrap).collect();
    assert_eq!(all, stored);
    for from in [1, 2, 2999, 3000, 3001, 5999, 6000, 6001, 9000] {
        let read = read_from(dir.path(), from, Filter::default());
        let read: Vec<_> = read.into_iter().map(Result::unwrap).collect();
        assert_eq!(read, stored[from as usize - 1..], "from {from}");
    }
    assert_eq!(compact_all(&mut journal, now), (0, 0), "nothing is left to do");
    drop(journal);
    assert_eq!(count(dir.path(), "entries"), 3000);
}

#[test]
fn filters_choose_the_same_from_segments_as_from_rows() {
    let filters = [
        Filter::of_kinds(&[Kind::Alarm]),
        Filter::of_kinds(&[Kind::Score, Kind::Audit]),
        Filter {
            stay: Some(stay(2)),
            ..Filter::default()
        },
        Filter {
            from_ms: START_MS + HOUR_MS / 2,
            until_ms: START_MS + HOUR_MS + HOUR_MS / 3,
            ..Filter::default()
        },
    ];
    let dir = tempfile::tempdir().unwrap();
    let mut journal = open_with(dir.path(), Options::default());
    journal.append(&mixed(4000, 3)).unwrap();
    let read = || {
        filters.clone().map(|filter| {
            read_from(dir.path(), 100, filter)
                .into_iter()
                .map(Result::unwrap)
                .collect::<Vec<_>>()
        })
    };
    let before = read();
    compact_all(&mut journal, START_MS + 2 * HOUR_MS);
    assert_eq!(read(), before);
    assert!(before.iter().all(|chosen| !chosen.is_empty()));
}

#[test]
fn a_crash_after_any_step_leaves_every_entry_once() {
    let entries = mixed(5000, 2);
    let stored = numbered(&entries);
    let now = START_MS + 3 * HOUR_MS;
    let mut steps = 0;
    loop {
        let dir = tempfile::tempdir().unwrap();
        let mut journal = open_with(dir.path(), Options::default());
        journal.append(&entries).unwrap();
        let mut finished = false;
        for _ in 0..steps {
            finished = !journal.compact(now).unwrap().pending;
        }
        let read: Vec<_> = read_all(dir.path()).into_iter().map(Result::unwrap).collect();
        assert_eq!(read, stored, "while running, after step {steps}");
        drop(journal);
        let mut journal = open_with(dir.path(), Options::default());
        let read: Vec<_> = read_all(dir.path()).into_iter().map(Result::unwrap).collect();
        assert_eq!(read, stored, "after step {steps} and a restart");
        assert_eq!(journal.append(&entries[..1]).unwrap(), 5001..5002);
        compact_all(&mut journal, now);
        let read: Vec<_> = read_all(dir.path()).into_iter().map(Result::unwrap).collect();
        assert_eq!(read[..5000], stored, "finished after a restart");
        if finished {
            break;
        }
        steps += 1;
    }
    assert!(steps > 8, "{steps} steps");
}

#[test]
fn a_reader_in_the_middle_is_not_disturbed_by_compaction() {
    let dir = tempfile::tempdir().unwrap();
    let entries = mixed(5000, 2);
    let mut journal = open_with(dir.path(), Options::default());
    journal.append(&entries).unwrap();
    let mut reader = Reader::open(dir.path(), &key()).unwrap();
    let mut reading = reader.entries(1, Filter::default());
    let mut read: Vec<_> = reading.by_ref().take(700).map(Result::unwrap).collect();
    compact_all(&mut journal, START_MS + HOUR_MS);
    read.extend(reading.by_ref().take(1500).map(Result::unwrap));
    compact_all(&mut journal, START_MS + 3 * HOUR_MS);
    read.extend(reading.map(Result::unwrap));
    assert_eq!(read, numbered(&entries));
}

#[test]
fn too_many_rows_are_compacted_before_their_hour_is_over() {
    let dir = tempfile::tempdir().unwrap();
    let options = Options {
        max_hot_bytes: 50_000,
        ..Options::default()
    };
    let mut journal = open_with(dir.path(), options);
    let entries = mixed(3000, 1);
    journal.append(&entries).unwrap();
    let (rows, _) = compact_all(&mut journal, START_MS + 1);
    assert_eq!(rows, 3000);
    let read: Vec<_> = read_all(dir.path()).into_iter().map(Result::unwrap).collect();
    assert_eq!(read, numbered(&entries));
}

#[test]
fn a_time_far_ahead_does_not_stop_compaction() {
    let dir = tempfile::tempdir().unwrap();
    let mut journal = open_with(dir.path(), Options::default());
    let entries = [
        entry(Kind::Message, 1, START_MS, b"then"),
        entry(Kind::Message, 1, i64::MAX, b"2100 and later"),
        entry(Kind::Message, 1, i64::MIN, b"long ago"),
        entry(Kind::Message, 1, START_MS + HOUR_MS, b"now"),
    ];
    journal.append(&entries).unwrap();
    let (rows, _) = compact_all(&mut journal, START_MS + HOUR_MS);
    assert_eq!(rows, 3);
    let read: Vec<_> = read_all(dir.path()).into_iter().map(Result::unwrap).collect();
    assert_eq!(read, numbered(&entries));
}

#[test]
fn a_damaged_segment_is_reported_and_the_rest_is_read() {
    let dir = tempfile::tempdir().unwrap();
    let mut journal = open_with(dir.path(), Options::default());
    journal.append(&mixed(3000, 1)).unwrap();
    compact_all(&mut journal, START_MS + HOUR_MS);
    drop(journal);
    let db = rusqlite::Connection::open(database(dir.path())).unwrap();
    let (id, rows): (i64, i64) = db
        .query_row("SELECT id, rows FROM segments WHERE kind = 3 LIMIT 1", [], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })
        .unwrap();
    db.execute("UPDATE segments SET hour = hour + 1 WHERE id = ?1", [id]).unwrap();
    drop(db);
    let (good, bad): (Vec<_>, Vec<_>) = read_all(dir.path()).into_iter().partition(Result::is_ok);
    assert_eq!(good.len() as i64, 3000 - rows);
    assert_eq!(bad.len(), 1);
    let Err(JournalError::Damaged(damage)) = &bad[0] else {
        panic!("{bad:?}")
    };
    assert_eq!(damage.place, Place::Segment);
}

fn days(days: u64) -> Duration {
    Duration::from_secs(days * 24 * 3600)
}

/// One hour of every kind, covered by a checkpoint and in segments.
fn one_of_each(options: Options, dir: &Path) -> Journal {
    let mut journal = open_with(dir, options);
    let mut noise = 88_172_645_463_325_252_u64;
    for kind in Kind::ALL {
        for minute in 0..5 {
            // Noise (xorshift) does not compress.
            let body: Vec<u8> = (0..10_000)
                .map(|_| {
                    noise ^= noise << 13;
                    noise ^= noise >> 7;
                    noise ^= noise << 17;
                    noise as u8
                })
                .collect();
            journal.append(&[entry(kind, 1, START_MS + minute, &body)]).unwrap();
        }
    }
    let state = Checkpoint {
        at_ms: START_MS,
        body: b"state".to_vec(),
    };
    journal.checkpoint(&state).unwrap();
    compact_all(&mut journal, START_MS + HOUR_MS);
    journal
}

fn kinds_left(dir: &Path) -> Vec<Kind> {
    let mut kinds: Vec<_> = read_all(dir).into_iter().map(|item| item.unwrap().entry.kind).collect();
    kinds.dedup();
    kinds
}

#[test]
fn each_class_goes_at_its_own_age() {
    let dir = tempfile::tempdir().unwrap();
    let options = Options {
        keep_strips: days(1),
        keep_stream: days(10),
        keep_records: days(100),
        keep_audit: days(1000),
        ..Options::default()
    };
    let mut journal = one_of_each(options, dir.path());
    let day = |n: i64| START_MS + n * 24 * HOUR_MS + 4;
    assert!(expire_all(&mut journal, day(1)).by_age.is_empty());
    let gone = expire_all(&mut journal, day(1) + 1).by_age;
    assert_eq!(gone.into_iter().collect::<Vec<_>>(), [(Kind::Strip, 5)]);
    let gone = expire_all(&mut journal, day(11)).by_age;
    assert_eq!(
        gone.into_iter().collect::<Vec<_>>(),
        [
            (Kind::Message, 5),
            (Kind::Score, 5),
            (Kind::Restart, 5),
            (Kind::Trend, 5),
            (Kind::Erased, 5)
        ]
    );
    assert_eq!(kinds_left(dir.path()), [Kind::Command, Kind::Alarm, Kind::Audit]);
    let gone = expire_all(&mut journal, day(101)).by_age;
    assert_eq!(gone.len(), 2);
    assert_eq!(kinds_left(dir.path()), [Kind::Audit]);
    let gone = expire_all(&mut journal, day(1001)).by_age;
    assert_eq!(gone.into_iter().collect::<Vec<_>>(), [(Kind::Audit, 5)]);
    assert!(kinds_left(dir.path()).is_empty());
    let counts = Reader::open(dir.path(), &key()).unwrap().counts().unwrap();
    assert!(counts.values().all(|count| count.appended == 5 && count.removed == 5));
    // What is gone leaves its sequences used.
    let next = 5 * Kind::ALL.len() as u64 + 1;
    assert_eq!(journal.append(&mixed(1, 1)).unwrap(), next..next + 1);
}

#[test]
fn short_of_space_strips_go_first_and_records_last() {
    let dir = tempfile::tempdir().unwrap();
    drop(one_of_each(Options::default(), dir.path()));
    let mut order = Vec::new();
    for max_bytes in (0..50).rev().map(|n| n * 16_384) {
        let options = Options {
            max_bytes,
            ..Options::default()
        };
        let mut journal = open_with(dir.path(), options);
        let gone = expire_all(&mut journal, START_MS + HOUR_MS);
        assert!(gone.by_age.is_empty());
        assert!(gone.bytes_in_use <= max_bytes || gone.held_back);
        for kind in gone.by_bytes.into_keys() {
            if !order.contains(&kind) {
                order.push(kind);
            }
        }
    }
    assert_eq!(order.len(), Kind::ALL.len());
    assert_eq!(order[0], Kind::Strip);
    let mut stream = order[1..6].to_vec();
    stream.sort();
    assert_eq!(stream, [Kind::Message, Kind::Score, Kind::Restart, Kind::Trend, Kind::Erased]);
}

#[test]
fn what_a_restart_would_replay_is_never_removed() {
    let dir = tempfile::tempdir().unwrap();
    let options = Options {
        max_bytes: 0,
        keep_stream: Duration::ZERO,
        keep_records: Duration::ZERO,
        ..Options::default()
    };
    let mut journal = open_with(dir.path(), options);
    journal.append(&mixed(1000, 1)).unwrap();
    let now = START_MS + 2 * HOUR_MS;
    compact_all(&mut journal, now);
    let gone = expire_all(&mut journal, now);
    assert!(gone.by_age.is_empty() && gone.by_bytes.is_empty() && gone.held_back);
    let state = Checkpoint {
        at_ms: START_MS,
        body: b"state".to_vec(),
    };
    journal.checkpoint(&state).unwrap();
    journal.append(&mixed(500, 1)).unwrap();
    journal.checkpoint(&state).unwrap();
    compact_all(&mut journal, now);
    // The older of the two checkpoints is there to fall back on, so what follows it stays.
    let gone = expire_all(&mut journal, now);
    assert_eq!(gone.by_age.values().sum::<u64>(), 1000);
    assert_eq!(read_all(dir.path()).len(), 500);
    assert_eq!(read_all(dir.path())[0].as_ref().unwrap().seq, 1001);
}
