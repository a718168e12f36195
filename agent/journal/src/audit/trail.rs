//! Retention of the trail: only from its old end, and the last record removed is kept as the base of the rest.

use std::collections::BTreeSet;

use rusqlite::{Connection, OptionalExtension};

use super::chain::{self, BASE, Head, unlink};
use crate::entry::Kind;
use crate::error::JournalError;
use crate::keyring::KeyRing;
use crate::merge;
use crate::read::Filter;
use crate::retain::Candidate;

/// Those of the candidates that may go: of audit segments only those that all others follow, and only while they can be read.
/// After a clock was set back an hour may hold records from before and after another's; then they go together or not at all.
pub(crate) fn removable(
    db: &Connection,
    ring: &mut KeyRing,
    mut candidates: Vec<Candidate>,
) -> Result<Vec<Candidate>, JournalError> {
    if candidates.iter().all(|candidate| candidate.kind != Kind::Audit) {
        return Ok(candidates);
    }
    let all: Vec<(i64, i64)> = db
        .prepare_cached("SELECT id, first_seq FROM segments WHERE kind = ?1")?
        .query_map([Kind::Audit.number()], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<Result<_, _>>()?;
    let mut readable = Vec::new();
    for candidate in candidates.drain(..) {
        if candidate.kind != Kind::Audit || last_of(db, ring, candidate.id)?.is_some() {
            readable.push(candidate);
        }
    }
    loop {
        let going: BTreeSet<i64> = readable.iter().map(|candidate| candidate.id).collect();
        let staying = all.iter().filter(|(id, _)| !going.contains(id));
        let cut = staying.map(|(_, first_seq)| *first_seq).min().unwrap_or(i64::MAX);
        let before = readable.len();
        readable.retain(|candidate| candidate.kind != Kind::Audit || candidate.last_seq < cut);
        if readable.len() == before {
            return Ok(readable);
        }
    }
}

/// Makes the newest record of these the base, in the transaction that removes them.
pub(crate) fn move_base(db: &Connection, ring: &mut KeyRing, candidates: &[Candidate]) -> Result<(), JournalError> {
    let mut base: Option<Head> = None;
    for candidate in candidates.iter().filter(|candidate| candidate.kind == Kind::Audit) {
        let last = last_of(db, ring, candidate.id)?;
        base = base.into_iter().chain(last).max_by_key(|head| head.n);
    }
    match base {
        Some(base) => chain::store(db, ring, BASE, base),
        None => Ok(()),
    }
}

/// The newest record of a segment; `None` if it cannot be read.
fn last_of(db: &Connection, ring: &mut KeyRing, id: i64) -> Result<Option<Head>, JournalError> {
    let found = db
        .prepare_cached("SELECT hour, kind, key_id, first_seq, last_seq, last_ms, rows, sealed FROM segments WHERE id = ?1")?
        .query_row([id], |row| merge::Found::of(row, 0))
        .optional()?;
    let Some(found) = found else { return Ok(None) };
    let entries = found.entries(db, ring, &Filter::default())?.unwrap_or_default();
    let heads = entries.iter().filter_map(|stored| {
        let (before, record) = unlink(&stored.entry.body)?;
        Some(before.after_of(stored.entry.at_ms, stored.entry.stay, record))
    });
    Ok(heads.max_by_key(|head| head.n))
}
