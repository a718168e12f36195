//! Reading rows that are not yet in a segment. Their sequences have no gaps, so whatever is missing is damage,
//! and a row counts only where its seal proves its sequence: a malformed page cannot mislead.

use std::collections::VecDeque;

use rusqlite::types::ValueRef;
use rusqlite::{Connection, Row};

use crate::entry::{Entry, Kind, Stored};
use crate::error::{Damage, JournalError, Place, is_malformed};
use crate::keyring::KeyRing;
use crate::probe;
use crate::read::Filter;
use crate::seal::RowHead;

/// Bounds of one read transaction.
const BATCH_ROWS: usize = 512;
const BATCH_BYTES: usize = 512 << 10;

const MALFORMED: &str = "the page or row is malformed";
const UNSEALED: &str = "the seal does not open";
const MISSING: &str = "the row is missing";

/// Reads a batch of rows with sequences `expected..=newest` into `ready`; returns the sequence to go on with.
pub(crate) fn read(
    db: &Connection,
    ring: &mut KeyRing,
    expected: u64,
    newest: u64,
    filter: &Filter,
    ready: &mut VecDeque<Result<Stored, JournalError>>,
) -> Result<u64, JournalError> {
    let mut walk = Walk {
        db,
        ring,
        expected,
        newest,
        filter,
        ready,
        reason: MISSING,
        bytes: 0,
    };
    match walk.run() {
        Ok(()) => Ok(walk.expected),
        Err(JournalError::Malformed(_)) => {
            let resume = walk.find_readable()?;
            walk.reason = MALFORMED;
            walk.lose_until(resume);
            Ok(walk.expected)
        }
        Err(error) => Err(error),
    }
}

struct Walk<'a> {
    db: &'a Connection,
    ring: &'a mut KeyRing,
    expected: u64,
    newest: u64,
    filter: &'a Filter,
    ready: &'a mut VecDeque<Result<Stored, JournalError>>,
    /// Why the rows from `expected` on were not there, as far as known.
    reason: &'static str,
    bytes: usize,
}

impl Walk<'_> {
    fn run(&mut self) -> Result<(), JournalError> {
        let db = self.db;
        let mut statement =
            db.prepare_cached("SELECT seq, key_id, kind, at_ms, sealed FROM entries WHERE seq >= ?1 ORDER BY seq")?;
        let mut rows = statement.query([self.expected.cast_signed()])?;
        let mut looked_at = 0;
        while looked_at < BATCH_ROWS && self.bytes < BATCH_BYTES {
            let Some(row) = rows.next()? else {
                self.lose_until(self.newest + 1);
                return Ok(());
            };
            if self.take(row)? {
                looked_at += 1;
            }
        }
        Ok(())
    }

    /// Takes one row in; false if it proves nothing, and what follows must show what was lost.
    fn take(&mut self, row: &Row<'_>) -> Result<bool, JournalError> {
        let Some(found) = Found::of(row) else {
            self.reason = MALFORMED;
            return Ok(false);
        };
        let seq = found.head.seq;
        if seq < self.expected || seq > self.newest {
            return Ok(false);
        }
        if seq == self.expected && self.is_unwanted(&found) {
            self.step_to(seq);
            return Ok(true);
        }
        let Some(entry) = found.open(self.db, self.ring)? else {
            self.reason = UNSEALED;
            return Ok(false);
        };
        self.step_to(seq);
        if !self.is_unwanted(&found) && self.filter.wants_stay(entry.stay) {
            self.bytes += entry.body.len();
            self.ready.push_back(Ok(Stored { seq, entry }));
        }
        Ok(true)
    }

    fn is_unwanted(&self, found: &Found<'_>) -> bool {
        !self.filter.wants_kind(found.kind) || !self.filter.wants_time(found.head.at_ms)
    }

    fn step_to(&mut self, seq: u64) {
        self.lose_until(seq);
        self.expected = seq + 1;
    }

    /// Reports everything from `expected` up to, but not including, `seq` as lost.
    fn lose_until(&mut self, seq: u64) {
        if seq > self.expected {
            self.ready.push_back(Err(JournalError::Damaged(Damage {
                place: Place::Entry,
                first: self.expected,
                last: seq - 1,
                reason: self.reason,
            })));
            self.expected = seq;
        }
        self.reason = MISSING;
    }

    fn find_readable(&mut self) -> Result<u64, JournalError> {
        let (expected, end) = (self.expected, self.newest + 1);
        probe::first_readable(expected, end, |seq| self.is_readable_from(seq))
    }

    fn is_readable_from(&mut self, seq: u64) -> Result<bool, JournalError> {
        let db = self.db;
        let mut statement =
            db.prepare_cached("SELECT seq, key_id, kind, at_ms, sealed FROM entries WHERE seq >= ?1 ORDER BY seq")?;
        let mut rows = statement.query([seq.cast_signed()])?;
        match rows.next() {
            Ok(Some(row)) => match Found::of(row) {
                Some(found) => Ok(found.open(self.db, self.ring)?.is_some()),
                None => Ok(false),
            },
            Ok(None) => Ok(true),
            Err(error) if is_malformed(&error) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }
}

/// A row whose columns have the types they should; nothing is proved yet.
pub(crate) struct Found<'r> {
    pub(crate) head: RowHead,
    pub(crate) kind: Kind,
    pub(crate) key_id: i64,
    sealed: &'r [u8],
}

impl<'r> Found<'r> {
    pub(crate) fn of(row: &'r Row<'_>) -> Option<Self> {
        let number = |column| match row.get_ref(column) {
            Ok(ValueRef::Integer(number)) => Some(number),
            _ => None,
        };
        let kind = Kind::from_number(number(2)?)?;
        let Ok(ValueRef::Blob(sealed)) = row.get_ref(4) else {
            return None;
        };
        Some(Found {
            head: RowHead {
                seq: u64::try_from(number(0)?).ok()?,
                kind: kind.number(),
                at_ms: number(3)?,
            },
            kind,
            key_id: number(1)?,
            sealed,
        })
    }

    /// Bytes that the row takes, without what SQLite adds.
    pub(crate) fn bytes(&self) -> usize {
        self.sealed.len()
    }

    /// The entry, if the seal proves every column.
    pub(crate) fn open(&self, db: &Connection, ring: &mut KeyRing) -> Result<Option<Entry>, JournalError> {
        let Some(key) = ring.for_reading(db, self.key_id)? else {
            return Ok(None);
        };
        Ok(key.open_row(self.head, self.sealed).map(|body| Entry {
            kind: self.kind,
            stay: key.stay,
            at_ms: self.head.at_ms,
            body,
        }))
    }
}
