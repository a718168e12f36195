//! Reading the trail.

use super::chain::{BASE, Head, load, unlink};
use crate::entry::{Kind, StayToken};
use crate::error::{Damage, JournalError, Place};
use crate::read::{Filter, Reader};

/// One record of the audit trail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Audited {
    /// Its number and hash.
    pub head: Head,
    /// Hash of the record before it.
    pub before: Head,
    /// Its sequence in the journal.
    pub seq: u64,
    /// When it happened, in milliseconds since 1970.
    pub at_ms: i64,
    /// Whose key seals it.
    pub stay: StayToken,
    /// The record.
    pub record: Vec<u8>,
}

impl Reader {
    /// The last record that retention removed: the trail begins behind it.
    ///
    /// # Errors
    /// From SQLite.
    pub fn audit_base(&mut self) -> Result<Head, JournalError> {
        Ok(load(&self.db, &mut self.ring, BASE)?.unwrap_or_default())
    }

    /// The audit trail in the order in which it was written. A damaged record comes as [`JournalError::Damaged`].
    pub fn audit(&mut self) -> impl Iterator<Item = Result<Audited, JournalError>> {
        self.linked(Filter::of_kinds(&[Kind::Audit])).map(|item| {
            let stored = item?;
            let Some((before, record)) = unlink(&stored.entry.body) else {
                return Err(JournalError::Damaged(Damage {
                    place: Place::Entry,
                    first: stored.seq,
                    last: stored.seq,
                    reason: "an audit record without a link",
                }));
            };
            Ok(Audited {
                head: before.after_of(stored.entry.at_ms, stored.entry.stay, record),
                before,
                seq: stored.seq,
                at_ms: stored.entry.at_ms,
                stay: stored.entry.stay,
                record: record.to_vec(),
            })
        })
    }
}
