//! Retention: what is old goes, and when space is short what matters least goes first.
//!
//! Only segments are removed, never rows, and never what a restart would replay: everything after the oldest
//! checkpoint that is kept stays, so without a checkpoint nothing goes.

use std::collections::BTreeMap;
use std::time::Duration;

use rusqlite::{Connection, params};

use crate::audit::trail;
use crate::entry::Kind;
use crate::error::JournalError;
use crate::keyring::KeyRing;
use crate::open::{Journal, Options};
use crate::schema::{self, meta};

/// Segments removed in one step: a few milliseconds.
const STEP_SEGMENTS: usize = 16;

/// Kinds that go together.
struct Class {
    kinds: &'static [Kind],
    keep: fn(&Options) -> Duration,
}

/// In the order in which they go when space is short.
const CLASSES: [Class; 4] = [
    Class {
        kinds: &[Kind::Strip],
        keep: |options| options.keep_strips,
    },
    Class {
        kinds: &[Kind::Message, Kind::Score, Kind::Restart, Kind::Trend, Kind::Erased],
        keep: |options| options.keep_stream,
    },
    Class {
        kinds: &[Kind::Command, Kind::Alarm],
        keep: |options| options.keep_records,
    },
    Class {
        kinds: &[Kind::Audit],
        keep: |options| options.keep_audit,
    },
];

/// What one step of [`Journal::expire`] removed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Expired {
    /// Entries removed because they were too old.
    pub by_age: BTreeMap<Kind, u64>,
    /// Entries removed early because the journal was over [`Options::max_bytes`].
    pub by_bytes: BTreeMap<Kind, u64>,
    /// Bytes in use, all tables together, when the step had ended.
    pub bytes_in_use: u64,
    /// Still over [`Options::max_bytes`], and nothing may be removed: what is left is not yet in segments, or no
    /// checkpoint covers it.
    pub held_back: bool,
    /// There is more to remove now.
    pub pending: bool,
}

/// What one step of [`Journal::maintain`] did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Maintained {
    /// What retention removed.
    pub expired: Expired,
    /// What was moved into segments.
    pub compacted: crate::Compacted,
    /// There is more to do now.
    pub pending: bool,
}

impl Maintained {
    /// True if nothing changed and nothing is wrong.
    pub fn is_nothing(&self) -> bool {
        let Maintained { expired, compacted, .. } = self;
        expired.by_age.is_empty()
            && expired.by_bytes.is_empty()
            && !expired.held_back
            && compacted.rows == 0
            && compacted.segments == 0
            && compacted.lost.is_empty()
    }
}

pub(crate) struct Candidate {
    pub(crate) id: i64,
    pub(crate) kind: Kind,
    last_ms: i64,
    pub(crate) last_seq: i64,
    rows: i64,
    bytes: i64,
}

impl Journal {
    /// One short step of what keeps the journal small: retention, or else compaction.
    ///
    /// # Errors
    /// As [`Journal::expire`] and [`Journal::compact`].
    pub fn maintain(&mut self, now_ms: i64) -> Result<Maintained, JournalError> {
        if self.log_is_dirty {
            self.clean_log()?;
        }
        let expired = self.expire(now_ms)?;
        let compacted = if expired.pending {
            crate::Compacted::default()
        } else {
            self.compact(now_ms)?
        };
        Ok(Maintained {
            pending: expired.pending || compacted.pending,
            expired,
            compacted,
        })
    }

    /// Does one short step of removing what is too old, or what there is no room for. Call it again while
    /// [`Expired::pending`] is true.
    ///
    /// # Errors
    /// From SQLite; nothing was removed. A malformed file is marked so that the next [`Journal::open`] rebuilds it.
    pub fn expire(&mut self, now_ms: i64) -> Result<Expired, JournalError> {
        schema::set_synchronous(&self.db, false)?;
        let result = self.expire_step(now_ms);
        schema::set_synchronous(&self.db, self.options.sync_every_commit)?;
        if let Err(JournalError::Malformed(_)) = &result {
            self.mark_damaged()?;
        }
        result
    }

    fn expire_step(&mut self, now_ms: i64) -> Result<Expired, JournalError> {
        let mut expired = Expired::default();
        let floor = covered_by_all(&self.db)?;
        let mut room = STEP_SEGMENTS;
        for Class { kinds, keep } in CLASSES {
            let keep_ms = i64::try_from(keep(&self.options).as_millis()).unwrap_or(i64::MAX);
            let before_ms = now_ms.saturating_sub(keep_ms);
            let old = oldest(&self.db, kinds, floor, before_ms, room)?;
            let old = trail::removable(&self.db, &mut self.ring, old)?;
            room -= old.len();
            remove(&mut self.db, &mut self.ring, &old, &mut expired.by_age)?;
        }
        expired.pending = room == 0;
        let over = bytes_in_use(&self.db)?.saturating_sub(self.options.max_bytes);
        if over > 0 && room > 0 {
            let least = self.least_wanted(floor, over)?;
            expired.held_back = least.is_empty();
            expired.pending = !least.is_empty();
            remove(&mut self.db, &mut self.ring, &least, &mut expired.by_bytes)?;
        }
        expired.bytes_in_use = bytes_in_use(&self.db)?;
        Ok(expired)
    }

    /// The oldest of the first class that has any, about as many as free `over` bytes.
    fn least_wanted(&mut self, floor: i64, over: u64) -> Result<Vec<Candidate>, JournalError> {
        for class in CLASSES {
            let mut found = oldest(&self.db, class.kinds, floor, i64::MAX, STEP_SEGMENTS)?;
            if !found.is_empty() {
                let mut freed = 0;
                found.retain(|candidate| {
                    let wanted = freed < over;
                    freed += candidate.bytes.cast_unsigned();
                    wanted
                });
                let found = trail::removable(&self.db, &mut self.ring, found)?;
                if !found.is_empty() {
                    return Ok(found);
                }
            }
        }
        Ok(Vec::new())
    }
}

/// The newest sequence that every kept checkpoint covers; 0 without a checkpoint.
fn covered_by_all(db: &Connection) -> Result<i64, JournalError> {
    let floor = db
        .prepare_cached("SELECT coalesce(min(covers), 0) FROM checkpoints")?
        .query_row([], |row| row.get(0))?;
    Ok(floor)
}

/// The oldest visible segments of these kinds, all of whose entries are before `before_ms` and covered by every checkpoint.
fn oldest(db: &Connection, kinds: &[Kind], floor: i64, before_ms: i64, most: usize) -> Result<Vec<Candidate>, JournalError> {
    let visible = schema::compacted_upto(db)?.cast_signed().min(floor);
    let mut found = Vec::new();
    for &kind in kinds {
        let mut statement = db.prepare_cached(
            "SELECT id, last_ms, last_seq, rows, length(sealed) FROM segments
             WHERE kind = ?1 AND last_ms < ?2 AND last_seq <= ?3 ORDER BY last_ms LIMIT ?4",
        )?;
        let mut rows = statement.query(params![kind.number(), before_ms, visible, most as u64 as i64])?;
        while let Some(row) = rows.next()? {
            found.push(Candidate {
                id: row.get(0)?,
                kind,
                last_ms: row.get(1)?,
                last_seq: row.get(2)?,
                rows: row.get(3)?,
                bytes: row.get(4)?,
            });
        }
    }
    found.sort_by_key(|candidate| candidate.last_ms);
    found.truncate(most);
    Ok(found)
}

fn remove(
    db: &mut Connection,
    ring: &mut KeyRing,
    candidates: &[Candidate],
    removed: &mut BTreeMap<Kind, u64>,
) -> Result<(), JournalError> {
    let Some(newest) = candidates.iter().map(|candidate| candidate.last_seq).max() else {
        return Ok(());
    };
    let transaction = db.transaction()?;
    trail::move_base(&transaction, ring, candidates)?;
    for candidate in candidates {
        transaction
            .prepare_cached("DELETE FROM segments WHERE id = ?1")?
            .execute([candidate.id])?;
        transaction
            .prepare_cached("UPDATE tally SET removed = removed + ?2 WHERE kind = ?1")?
            .execute(params![candidate.kind.number(), candidate.rows])?;
    }
    let before: Option<i64> = schema::get_meta(&transaction, meta::REMOVED_UPTO)?;
    schema::set_meta(&transaction, meta::REMOVED_UPTO, &newest.max(before.unwrap_or(0)))?;
    transaction.commit()?;
    for candidate in candidates {
        *removed.entry(candidate.kind).or_default() += candidate.rows.cast_unsigned();
    }
    Ok(())
}

/// Bytes of the pages in use; pages that are free within the file are used again before it grows.
fn bytes_in_use(db: &Connection) -> Result<u64, JournalError> {
    let number = |pragma: &str| -> Result<i64, rusqlite::Error> { db.pragma_query_value(None, pragma, |row| row.get(0)) };
    let pages = number("page_count")? - number("freelist_count")?;
    Ok((pages * number("page_size")?).max(0).cast_unsigned())
}
