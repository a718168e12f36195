//! What the journal's tests share.
#![allow(
    dead_code,
    unreachable_pub,
    clippy::unwrap_used,
    reason = "each test file uses its part; tests fail by panicking"
)]

use std::path::{Path, PathBuf};

use wardlight_journal::{Entry, Filter, Journal, JournalError, Kind, Options, Reader, SiteKey, StayToken, Stored};

pub const HOUR_MS: i64 = 3_600_000;
/// Some day in 2026, on the hour.
pub const START_MS: i64 = 1_780_002_000_000;

pub fn key() -> SiteKey {
    SiteKey::from_bytes([42; 32])
}

pub fn stay(number: u8) -> StayToken {
    StayToken([number; 16])
}

pub fn entry(kind: Kind, stay_number: u8, at_ms: i64, body: &[u8]) -> Entry {
    Entry {
        kind,
        stay: if stay_number == 0 {
            StayToken::SITE
        } else {
            stay(stay_number)
        },
        at_ms,
        body: body.to_vec(),
    }
}

/// `count` messages of stay 1, a second apart, with bodies that tell them apart.
pub fn messages(count: usize) -> Vec<Entry> {
    (0..count)
        .map(|n| {
            let at_ms = START_MS + n as i64 * 1000;
            entry(Kind::Message, 1, at_ms, format!("message {n}").as_bytes())
        })
        .collect()
}

pub fn open(dir: &Path) -> Journal {
    Journal::open(dir, &key(), Options::default()).unwrap().0
}

pub fn read_all(dir: &Path) -> Vec<Result<Stored, JournalError>> {
    read_from(dir, 1, Filter::default())
}

pub fn read_from(dir: &Path, seq: u64, filter: Filter) -> Vec<Result<Stored, JournalError>> {
    let mut reader = Reader::open(dir, &key()).unwrap();
    reader.entries(seq, filter).collect()
}

pub fn database(dir: &Path) -> PathBuf {
    dir.join("journal.db")
}

/// Numbers the entries as the journal does, from 1.
pub fn numbered(entries: &[Entry]) -> Vec<Stored> {
    (1..)
        .zip(entries)
        .map(|(seq, entry)| Stored {
            seq,
            entry: entry.clone(),
        })
        .collect()
}
