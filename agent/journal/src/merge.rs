//! Reading segments: those of one hour overlap in their sequences, so they are opened as the reading comes to
//! them and merged.

use std::collections::VecDeque;

use rusqlite::{Connection, OptionalExtension, Row};

use crate::entry::{Kind, Stored};
use crate::error::{Damage, JournalError, Place, is_malformed};
use crate::keyring::KeyRing;
use crate::read::Filter;
use crate::segment::{SegmentHead, decode};

/// Bounds of one read transaction.
const BATCH_ROWS: usize = 512;
const BATCH_SEGMENTS: usize = 16;

/// The segments that the reading is inside of. It lives from one read transaction to the next: a segment never
/// changes, and one that retention has removed meanwhile is simply not there.
#[derive(Debug, Default)]
pub(crate) struct Merge {
    open: Vec<VecDeque<Stored>>,
    /// First sequence of the segment looked at last; no two begin with the same. `None` before the first.
    looked: Option<i64>,
}

impl Merge {
    /// Reads a batch of entries with sequences `expected..=upto` into `ready`; returns the sequence to go on with.
    pub(crate) fn read(
        &mut self,
        db: &Connection,
        ring: &mut KeyRing,
        expected: u64,
        upto: u64,
        filter: &Filter,
        ready: &mut VecDeque<Result<Stored, JournalError>>,
    ) -> Result<u64, JournalError> {
        let mut pass = Pass {
            db,
            ring,
            expected,
            upto,
            filter,
            ready,
            opened: 0,
        };
        match pass.run(self) {
            Ok(()) => Ok(pass.expected),
            Err(JournalError::Malformed(_)) => {
                while let Some(seq) = self.next_seq() {
                    pass.take(self, seq);
                }
                if pass.expected <= upto {
                    pass.lose(pass.expected, upto, "the table of segments is malformed");
                }
                *self = Merge::default();
                Ok(upto + 1)
            }
            Err(error) => Err(error),
        }
    }

    fn next_seq(&self) -> Option<u64> {
        self.open.iter().filter_map(VecDeque::front).map(|stored| stored.seq).min()
    }

    fn pop(&mut self, seq: u64) -> Option<Stored> {
        let at = self
            .open
            .iter()
            .position(|segment| segment.front().is_some_and(|stored| stored.seq == seq))?;
        let segment = self.open.get_mut(at)?;
        let stored = segment.pop_front();
        if segment.is_empty() {
            self.open.swap_remove(at);
        }
        stored
    }
}

struct Pass<'a> {
    db: &'a Connection,
    ring: &'a mut KeyRing,
    expected: u64,
    upto: u64,
    filter: &'a Filter,
    ready: &'a mut VecDeque<Result<Stored, JournalError>>,
    opened: usize,
}

impl Pass<'_> {
    fn run(&mut self, merge: &mut Merge) -> Result<(), JournalError> {
        let looked = match merge.looked {
            Some(looked) => looked,
            None => self.open_around(merge)?,
        };
        let mut following = self.following(looked)?;
        let mut taken = 0;
        while taken < BATCH_ROWS && self.opened < BATCH_SEGMENTS {
            match (merge.next_seq(), following) {
                (Some(seq), next) if next.is_none_or(|(first, _)| first.cast_unsigned() > seq) => {
                    taken += 1;
                    self.take(merge, seq);
                }
                (_, Some((first, id))) => {
                    merge.looked = Some(first);
                    self.open(merge, first, id)?;
                    following = self.following(first)?;
                }
                (_, None) => {
                    self.expected = self.upto + 1;
                    *merge = Merge::default();
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    /// Opens the segments that begin before the first sequence and reach over it.
    fn open_around(&mut self, merge: &mut Merge) -> Result<i64, JournalError> {
        let before = self.expected.cast_signed();
        let around: Vec<(i64, i64)> = self
            .db
            .prepare_cached("SELECT first_seq, id FROM segments WHERE first_seq < ?1 AND last_seq >= ?1")?
            .query_map([before], |row| Ok((row.get(0)?, row.get(1)?)))?
            .collect::<Result<_, _>>()?;
        for (first, id) in around {
            self.open(merge, first, id)?;
        }
        merge.looked = Some(before - 1);
        Ok(before - 1)
    }

    fn take(&mut self, merge: &mut Merge, seq: u64) {
        let Some(stored) = merge.pop(seq) else { return };
        // Above the mark the rows count, whatever a segment has.
        if seq >= self.expected && seq <= self.upto {
            self.expected = seq + 1;
            if self.filter.wants_time(stored.entry.at_ms) {
                self.ready.push_back(Ok(stored));
            }
        }
    }

    /// First sequence and number of the next segment of a wanted kind. The index alone answers it.
    fn following(&self, looked: i64) -> Result<Option<(i64, i64)>, JournalError> {
        let mut statement = self.db.prepare_cached(
            "SELECT first_seq, id FROM segments
             WHERE first_seq > ?1 AND first_seq <= ?2 AND (?3 >> kind) & 1 ORDER BY first_seq LIMIT 1",
        )?;
        let following = statement
            .query_row((looked, self.upto.cast_signed(), self.filter.kind_bits()), |row| {
                Ok((row.get(0)?, row.get(1)?))
            })
            .optional()?;
        Ok(following)
    }

    /// Opens one segment, if it may hold what is wanted; damage is reported and passed over.
    fn open(&mut self, merge: &mut Merge, first: i64, id: i64) -> Result<(), JournalError> {
        let found = self
            .db
            .prepare_cached(
                "SELECT hour, kind, key_id, first_seq, last_seq, last_ms, rows, sealed FROM segments
                 WHERE id = ?1 AND last_ms >= ?2 AND (?3 >> kind) & 1",
            )?
            .query_row((id, self.filter.from_ms, self.filter.kind_bits()), |row| Found::of(row, 0))
            .optional();
        let found = match found {
            Ok(Some(found)) => found,
            Ok(None) => return Ok(()),
            Err(error) if is_malformed(&error) => {
                self.lose(first.cast_unsigned(), first.cast_unsigned(), "the segment's row is malformed");
                return Ok(());
            }
            Err(error) => return Err(error.into()),
        };
        self.opened += 1;
        match found.entries(self.db, self.ring, self.filter)? {
            Some(entries) => merge.open.push(entries.into()),
            None => self.lose(found.head.first_seq, found.head.last_seq, "the seal does not open"),
        }
        Ok(())
    }

    fn lose(&mut self, first: u64, last: u64, reason: &'static str) {
        self.ready.push_back(Err(JournalError::Damaged(Damage {
            place: Place::Segment,
            first,
            last,
            reason,
        })));
    }
}

/// A segment's row; nothing is proved yet.
pub(crate) struct Found {
    pub(crate) head: SegmentHead,
    key_id: i64,
    sealed: Vec<u8>,
}

impl Found {
    /// From a row whose columns from `first` on are `hour, kind, key_id, first_seq, last_seq, last_ms, rows, sealed`.
    pub(crate) fn of(row: &Row<'_>, first: usize) -> rusqlite::Result<Self> {
        let number = |column: usize| row.get::<_, i64>(first + column);
        let sequence = |column| number(column).map(i64::cast_unsigned);
        let kind = number(1)?;
        Ok(Found {
            head: SegmentHead {
                hour: number(0)?,
                kind: Kind::from_number(kind).ok_or(rusqlite::Error::IntegralValueOutOfRange(1, kind))?,
                first_seq: sequence(3)?,
                last_seq: sequence(4)?,
                last_ms: number(5)?,
                rows: sequence(6)?,
            },
            key_id: number(2)?,
            sealed: row.get(first + 7)?,
        })
    }

    /// The entries, if their stay is wanted; `None` if the seal does not prove every column.
    pub(crate) fn entries(
        &self,
        db: &Connection,
        ring: &mut KeyRing,
        filter: &Filter,
    ) -> Result<Option<Vec<Stored>>, JournalError> {
        let Some(key) = ring.for_reading(db, self.key_id)? else {
            return Ok(None);
        };
        if !filter.wants_stay(key.stay) {
            return Ok(Some(Vec::new()));
        }
        Ok(key
            .open_blob(&self.head.associated(key.stay), &self.sealed)
            .and_then(|columns| decode(&self.head, key.stay, &columns)))
    }
}
