//! Moving rows into segments, in steps short enough not to hold up appending.
//!
//! A round reads rows in order, gathers them by hour, stay and kind, and writes full segments as it goes. These
//! stay invisible until the round's last step moves the mark `compacted_upto`: at or below the mark only segments
//! count, above it only rows. So a crash anywhere leaves either the rows or the segments, never both and never
//! neither; what an interrupted round had written is deleted by the next. The rows below the mark are deleted
//! afterwards, also in steps.

use std::collections::BTreeMap;

use rusqlite::{Connection, OptionalExtension, params};

use crate::entry::{Kind, StayToken};
use crate::error::{Damage, JournalError, Place, is_malformed};
use crate::keyring::KeyRing;
use crate::open::Journal;
use crate::rows::Found;
use crate::schema::{self, meta};
use crate::segment::{Builder, HOUR_MS};

/// Bounds of one step: a few milliseconds.
const STEP_ROWS: usize = 1000;
const STEP_BYTES: usize = 256 << 10;
const STEP_SEGMENTS: usize = 8;
/// Rows after which a round becomes visible even if the hour has more.
const ROUND_ROWS: u64 = 100_000;
/// Bodies held in memory over all groups of a round; beyond it the largest group is written early.
const HELD_BYTES: usize = 4 << 20;
/// A time further ahead of now than this is a wrong clock's, and must not keep its row from being compacted.
const CLOCK_DOUBT_MS: i64 = HOUR_MS;

/// Bytes of a row, where the rows themselves do not tell.
const TYPICAL_BYTES: f64 = 300.0;

/// What one step of [`Journal::compact`] did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Compacted {
    /// Rows that are now in segments instead.
    pub rows: u64,
    /// Segments written.
    pub segments: u64,
    /// Rows that could not be read and are lost.
    pub lost: Vec<Damage>,
    /// There is more to do now.
    pub pending: bool,
}

/// Where compaction stands between steps.
#[derive(Debug, Default)]
pub(crate) struct Compaction {
    round: Option<Round>,
    /// Rows at or below the mark may still be there.
    deleting: bool,
    /// Bytes of rows above the mark, roughly.
    pub(crate) hot_bytes: u64,
    /// The file is malformed where compaction works: nothing more is tried before the next open rebuilds it.
    halted: bool,
}

#[derive(Debug)]
struct Round {
    groups: BTreeMap<Group, Builder>,
    held: usize,
    /// The mark when the round began.
    before: u64,
    /// Rows up to here are taken in.
    upto: u64,
    bytes: u64,
    scanned: bool,
    forced: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Group {
    hour: i64,
    stay: StayToken,
    kind: Kind,
}

impl Compaction {
    /// As after opening: there may be rows left to delete, and the size of the others is a guess from the newest.
    pub(crate) fn resume(db: &Connection, newest: u64) -> Result<Self, JournalError> {
        let rows = newest.saturating_sub(schema::compacted_upto(db)?);
        let typical = db.query_row(
            "SELECT avg(length(sealed)) FROM (SELECT sealed FROM entries ORDER BY seq DESC LIMIT 100)",
            [],
            |row| row.get::<_, Option<f64>>(0),
        );
        let typical = match typical {
            // Compaction itself will say so when it comes to these rows.
            Err(error) if is_malformed(&error) => None,
            typical => typical?,
        };
        Ok(Compaction {
            deleting: true,
            hot_bytes: (rows as f64 * typical.unwrap_or(TYPICAL_BYTES)) as u64,
            ..Compaction::default()
        })
    }
}

impl Compaction {
    /// Forgets a round that is under way; what it wrote is deleted by the next.
    pub(crate) fn abandon(&mut self) {
        self.round = None;
    }
}

impl Journal {
    /// Does one short step of moving the rows of finished hours into segments. Call it again while
    /// [`Compacted::pending`] is true. Rows of the running hour move too while there are more of them than
    /// [`crate::Options::max_hot_bytes`].
    ///
    /// # Errors
    /// From SQLite; the round is begun anew at the next call. A malformed file is marked so that the next
    /// [`Journal::open`] rebuilds it; until then nothing more is compacted.
    pub fn compact(&mut self, now_ms: i64) -> Result<Compacted, JournalError> {
        if self.compaction.halted {
            return Ok(Compacted::default());
        }
        // The step need not be on disk when it returns: the next append's sync takes it along, in order.
        schema::set_synchronous(&self.db, false)?;
        let result = self.compact_step(now_ms);
        schema::set_synchronous(&self.db, self.options.sync_every_commit)?;
        if let Err(error) = &result {
            self.compaction.round = None;
            self.ring.forget();
            if matches!(error, JournalError::Malformed(_)) {
                self.compaction.halted = true;
                self.mark_damaged()?;
            }
        }
        result
    }

    /// True while there are more rows than [`crate::Options::max_hot_bytes`] allows.
    pub(crate) fn is_behind(&self) -> bool {
        self.compaction.hot_bytes > self.options.hot_limit()
    }

    /// Makes the next open rebuild the file.
    pub(crate) fn mark_damaged(&self) -> Result<(), JournalError> {
        schema::set_meta(&self.db, meta::DAMAGED, &1)
    }

    fn compact_step(&mut self, now_ms: i64) -> Result<Compacted, JournalError> {
        if self.compaction.deleting {
            self.compaction.deleting = delete_some(&self.db)?;
            return Ok(Compacted {
                pending: true,
                ..Compacted::default()
            });
        }
        let Some(mut round) = self.compaction.round.take() else {
            return self.begin_round(now_ms);
        };
        let transaction = self.db.transaction()?;
        let mut step = Step {
            db: &transaction,
            ring: &mut self.ring,
            done: Compacted::default(),
        };
        if round.scanned {
            let most = step.done.segments + STEP_SEGMENTS as u64;
            while step.done.segments < most && round.write_largest(&mut step)? {}
        } else {
            round.scan(&mut step, now_ms)?;
        }
        let mut done = step.done;
        done.pending = true;
        if round.scanned && round.groups.is_empty() {
            schema::set_meta(&transaction, meta::COMPACTED_UPTO, &round.upto.cast_signed())?;
            transaction.commit()?;
            done.rows = round.upto - round.before;
            self.compaction.hot_bytes = self.compaction.hot_bytes.saturating_sub(round.bytes);
            self.compaction.deleting = true;
        } else {
            transaction.commit()?;
            self.compaction.round = Some(round);
        }
        Ok(done)
    }

    /// Begins a round if the oldest row is ready, and clears away what an interrupted one left.
    fn begin_round(&mut self, now_ms: i64) -> Result<Compacted, JournalError> {
        let forced = self.is_behind();
        let upto = schema::compacted_upto(&self.db)?;
        let oldest: Option<i64> = self
            .db
            .prepare_cached("SELECT at_ms FROM entries WHERE seq > ?1 ORDER BY seq LIMIT 1")?
            .query_row([upto.cast_signed()], |row| row.get(0))
            .optional()?;
        if !oldest.is_some_and(|at_ms| forced || is_ready(at_ms, now_ms)) {
            return Ok(Compacted::default());
        }
        delete_unfinished(&self.db)?;
        self.compaction.round = Some(Round {
            groups: BTreeMap::new(),
            held: 0,
            upto,
            before: upto,
            bytes: 0,
            scanned: false,
            forced,
        });
        Ok(Compacted {
            pending: true,
            ..Compacted::default()
        })
    }
}

/// Segments of a round that never became visible.
pub(crate) fn delete_unfinished(db: &Connection) -> Result<(), JournalError> {
    let upto = schema::compacted_upto(db)?;
    db.prepare_cached("DELETE FROM segments WHERE first_seq > ?1")?
        .execute([upto.cast_signed()])?;
    Ok(())
}

/// Deletes some of the rows that are in segments; true while there are more.
fn delete_some(db: &Connection) -> Result<bool, JournalError> {
    let upto = schema::compacted_upto(db)?.cast_signed();
    let oldest: Option<i64> = db
        .prepare_cached("SELECT min(seq) FROM entries")?
        .query_row([], |row| row.get(0))?;
    let Some(oldest) = oldest.filter(|seq| *seq <= upto) else {
        return Ok(false);
    };
    let until = upto.min(oldest.saturating_add(STEP_ROWS as i64));
    db.prepare_cached("DELETE FROM entries WHERE seq <= ?1")?.execute([until])?;
    Ok(true)
}

/// True if the hour of this time is over, or the time is not to be believed.
fn is_ready(at_ms: i64, now_ms: i64) -> bool {
    let hour_begins = now_ms.div_euclid(HOUR_MS).saturating_mul(HOUR_MS);
    at_ms < hour_begins || at_ms > now_ms.saturating_add(CLOCK_DOUBT_MS)
}

/// One step's transaction and what it has done.
struct Step<'a> {
    db: &'a Connection,
    ring: &'a mut KeyRing,
    done: Compacted,
}

impl Round {
    /// Takes in the next rows, writing segments as they fill.
    fn scan(&mut self, step: &mut Step<'_>, now_ms: i64) -> Result<(), JournalError> {
        let db = step.db;
        let mut statement =
            db.prepare_cached("SELECT seq, key_id, kind, at_ms, sealed FROM entries WHERE seq > ?1 ORDER BY seq")?;
        let mut rows = statement.query([self.upto.cast_signed()])?;
        let (mut seen, mut bytes) = (0, 0);
        while seen < STEP_ROWS && bytes < STEP_BYTES {
            let row = match rows.next()? {
                Some(row) if self.upto - self.before < ROUND_ROWS => row,
                Some(_) | None => {
                    self.scanned = true;
                    return Ok(());
                }
            };
            let Some(found) = Found::of(row) else {
                return Err(JournalError::Malformed("a row in entries".to_owned()));
            };
            if !self.forced && !is_ready(found.head.at_ms, now_ms) {
                self.scanned = true;
                return Ok(());
            }
            seen += 1;
            bytes += found.bytes();
            self.bytes += found.bytes() as u64;
            self.take(step, &found)?;
        }
        Ok(())
    }

    fn take(&mut self, step: &mut Step<'_>, found: &Found<'_>) -> Result<(), JournalError> {
        let seq = found.head.seq;
        let Some(entry) = found.open(step.db, step.ring)? else {
            // Without a seal that opens, the sequence proves nothing unless it is the very next.
            if seq != self.upto + 1 {
                return Err(JournalError::Malformed("a row out of order in entries".to_owned()));
            }
            step.lose(seq, seq, "the seal does not open");
            self.upto = seq;
            return Ok(());
        };
        if seq > self.upto + 1 {
            step.lose(self.upto + 1, seq - 1, "the row is missing");
        }
        self.upto = seq;
        let group = Group {
            hour: entry.at_ms.div_euclid(HOUR_MS),
            stay: entry.stay,
            kind: entry.kind,
        };
        let builder = self.groups.entry(group).or_default();
        builder.push(seq, entry.at_ms, &entry.body);
        self.held += entry.body.len();
        if builder.is_full() {
            self.write(step, group)?;
        } else if self.held > HELD_BYTES {
            self.write_largest(step)?;
        }
        Ok(())
    }

    /// False if there is nothing to write.
    fn write_largest(&mut self, step: &mut Step<'_>) -> Result<bool, JournalError> {
        let largest = self.groups.iter().max_by_key(|(_, builder)| builder.bytes());
        match largest.map(|(group, _)| *group) {
            Some(group) => self.write(step, group).map(|()| true),
            None => Ok(false),
        }
    }

    fn write(&mut self, step: &mut Step<'_>, group: Group) -> Result<(), JournalError> {
        let Some(builder) = self.groups.remove(&group) else {
            return Ok(());
        };
        self.held = self.held.saturating_sub(builder.bytes());
        step.insert(group, &builder)
    }
}

impl Step<'_> {
    fn insert(&mut self, group: Group, builder: &Builder) -> Result<(), JournalError> {
        let Some((head, columns)) = builder.finish(group.hour, group.kind) else {
            return Ok(());
        };
        let key = self.ring.for_writing(self.db, group.stay)?;
        let sealed = key.seal_blob(&self.ring.random, &head.associated(group.stay), &columns)?;
        self.db
            .prepare_cached(
                "INSERT INTO segments (hour, kind, key_id, first_seq, last_seq, last_ms, rows, sealed)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
            )?
            .execute(params![
                head.hour,
                head.kind.number(),
                key.id,
                head.first_seq.cast_signed(),
                head.last_seq.cast_signed(),
                head.last_ms,
                head.rows.cast_signed(),
                sealed
            ])?;
        self.done.segments += 1;
        Ok(())
    }

    fn lose(&mut self, first: u64, last: u64, reason: &'static str) {
        self.done.lost.push(Damage {
            place: Place::Entry,
            first,
            last,
            reason,
        });
    }
}
