//! Erasing a stay: its data keys are destroyed, its rows are replaced by empty ones, and a tombstone says that it was here.
//!
//! Everything happens in one transaction. Rows that are not yet in segments keep their sequences, since a missing one would be damage: each
//! becomes an empty row of [`Kind::Erased`] whose time is cut to the hour. Segments go as retention removes them. The checkpoints of before may
//! hold the stay within the whole state, so they go too, and the data key that sealed them with them; the caller brings a new one.

use std::collections::BTreeMap;

use ring::digest::{SHA256, digest};
use rusqlite::{Connection, OptionalExtension, TransactionBehavior, params};

use crate::append::{self, write_parts};
use crate::audit::Head;
use crate::entry::{Checkpoint, Entry, Kind, Part, StayToken};
use crate::error::JournalError;
use crate::keyring::KeyRing;
use crate::open::Journal;
use crate::read::Reader;
use crate::schema::{self, meta};
use crate::seal::{NoncePrefix, RowHead};
use crate::segment::HOUR_MS;

/// Begins the names of tombstones in `meta`; the token in hexadecimal digits follows.
const TOMBSTONE: &str = "erased:";
/// Behind every such name, in the order of names.
const BEHIND: &str = "erased;";
const DOMAIN: &[u8] = b"wlj1 tombstone";

/// What was erased of a stay.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Erased {
    /// Which stay.
    pub stay: StayToken,
    /// Entries by kind.
    pub counts: BTreeMap<Kind, u64>,
    /// Items in quarantine.
    pub quarantined: u64,
    /// Times of the first and last entry, in milliseconds since 1970; of those in segments the first to the hour. `None` without any.
    pub span_ms: Option<(i64, i64)>,
    /// SHA-256 of each data key as it was wrapped.
    pub keys: Vec<[u8; 32]>,
}

/// What stays of an erased stay.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tombstone {
    /// Which stay.
    pub stay: StayToken,
    /// What the caller of [`Journal::erase`] said of it.
    pub body: Vec<u8>,
}

impl Journal {
    /// Erases a stay for good. `record` makes the audit record that is appended with it; `tombstone` says what is kept of it, given the
    /// newest record of the audit trail. `checkpoint` is the state after all entries so far, without the stay. When it returns, neither the
    /// file nor its log holds a key of the stay, unless a reader was in the way; then the next step of [`Journal::maintain`] empties the log.
    ///
    /// # Errors
    /// [`JournalError::UnknownStay`] if the journal has no key of it, [`JournalError::Aside`] while a damaged copy of the file lies beside it,
    /// and as [`Journal::append`]; then nothing was erased.
    pub fn erase(
        &mut self,
        stay: StayToken,
        checkpoint: &Checkpoint,
        record: impl FnOnce(&Erased) -> Entry,
        tombstone: impl FnOnce(&Erased, Head) -> Vec<u8>,
    ) -> Result<Erased, JournalError> {
        self.check_in_place()?;
        self.refuse_copies()?;
        // A round that is under way holds entries of the stay.
        self.compaction.abandon();
        match self.erase_all(stay, checkpoint, record, tombstone) {
            Ok((erased, (next, chain))) => {
                self.ring.forget();
                self.ring.erased.insert(stay);
                self.appended(next, chain, &[]);
                self.clean_log()?;
                Ok(erased)
            }
            Err(error) => Err(self.rolled_back(error)?),
        }
    }

    fn erase_all(
        &mut self,
        stay: StayToken,
        checkpoint: &Checkpoint,
        record: impl FnOnce(&Erased) -> Entry,
        tombstone: impl FnOnce(&Erased, Head) -> Vec<u8>,
    ) -> Result<(Erased, (u64, Head)), JournalError> {
        let transaction = self.db.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let erased = remove(&transaction, &mut self.ring, self.prefix, stay)?;
        let entries = [record(&erased)];
        let part = Part {
            entries: &entries,
            checkpoint: Some(checkpoint),
            ..Part::default()
        };
        part.check()?;
        let place = (self.next_seq, self.chain);
        let after = write_parts(&transaction, &mut self.ring, self.prefix, place, &mut self.scratch, &[part])?;
        // One to fall back on.
        append::store_checkpoint(&transaction, &mut self.ring, checkpoint, after.0 - 1)?;
        store(&transaction, &mut self.ring, stay, &tombstone(&erased, after.1))?;
        transaction.commit()?;
        Ok((erased, after))
    }

    /// A damaged file that was moved aside still has the keys.
    fn refuse_copies(&self) -> Result<(), JournalError> {
        let first = schema::with_suffix(&self.path, ".corrupt-1");
        if first.exists() {
            return Err(JournalError::Aside { path: first });
        }
        Ok(())
    }
}

impl Reader {
    /// The stays that were erased.
    ///
    /// # Errors
    /// From SQLite; a tombstone that does not open comes without its body.
    pub fn erased(&mut self) -> Result<Vec<Tombstone>, JournalError> {
        let found: Vec<(String, Vec<u8>)> = self
            .db
            .prepare_cached("SELECT name, value FROM meta WHERE name > ?1 AND name < ?2")?
            .query_map([TOMBSTONE, BEHIND], |row| Ok((row.get(0)?, row.get(1)?)))?
            .collect::<Result<_, _>>()?;
        let mut tombstones = Vec::new();
        for (name, value) in found {
            let Some(stay) = token(&name) else { continue };
            let Some((id, sealed)) = value.split_first_chunk::<8>() else {
                continue;
            };
            let key = self.ring.for_reading(&self.db, i64::from_le_bytes(*id))?;
            let body = key
                .and_then(|key| key.open_blob(&associated(stay), sealed))
                .unwrap_or_default();
            tombstones.push(Tombstone { stay, body });
        }
        Ok(tombstones)
    }
}

/// The stays whose tombstones are in a file.
pub(crate) fn erased_stays(db: &Connection) -> Result<Vec<StayToken>, JournalError> {
    let names: Vec<String> = db
        .prepare_cached("SELECT name FROM meta WHERE name > ?1 AND name < ?2")?
        .query_map([TOMBSTONE, BEHIND], |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    Ok(names.iter().filter_map(|name| token(name)).collect())
}

fn token(name: &str) -> Option<StayToken> {
    let digits = name.strip_prefix(TOMBSTONE)?;
    let value = u128::from_str_radix(digits, 16).ok().filter(|_| digits.len() == 32)?;
    Some(StayToken(value.to_be_bytes()))
}

fn associated(stay: StayToken) -> Vec<u8> {
    [DOMAIN, &stay.0].concat()
}

fn store(db: &Connection, ring: &mut KeyRing, stay: StayToken, body: &[u8]) -> Result<(), JournalError> {
    let key = ring.for_writing(db, StayToken::SITE)?;
    let mut value = key.id.to_le_bytes().to_vec();
    value.extend(key.seal_blob(&ring.random, &associated(stay), body)?);
    schema::set_meta(db, &name(stay), &value)
}

/// The name in `meta` of a stay's tombstone.
pub(crate) fn name(stay: StayToken) -> String {
    format!("{TOMBSTONE}{:032x}", u128::from_be_bytes(stay.0))
}

/// Removes everything that is sealed under keys of the stay, the keys, and the checkpoints with theirs.
fn remove(db: &Connection, ring: &mut KeyRing, prefix: NoncePrefix, stay: StayToken) -> Result<Erased, JournalError> {
    let keys = keys_of(db, stay)?;
    if keys.is_empty() || stay.is_reserved() {
        return Err(JournalError::UnknownStay);
    }
    let mut erased = Erased {
        stay,
        counts: BTreeMap::new(),
        quarantined: 0,
        span_ms: None,
        keys: Vec::new(),
    };
    let mark = schema::compacted_upto(db)?.cast_signed();
    for (id, wrapped) in keys {
        let mut hash = [0; 32];
        hash.copy_from_slice(digest(&SHA256, &wrapped).as_ref());
        erased.keys.push(hash);
        db.execute("DELETE FROM entries WHERE key_id = ?1 AND seq <= ?2", [id, mark])?;
        remove_segments(db, id, mark, &mut erased)?;
        empty_rows(db, ring, prefix, id, &mut erased)?;
        erased.quarantined += db.execute("DELETE FROM quarantine WHERE key_id = ?1", [id])? as u64;
        db.execute("DELETE FROM data_keys WHERE id = ?1", [id])?;
    }
    db.execute("DELETE FROM checkpoints", [])?;
    db.execute("DELETE FROM data_keys WHERE stay = ?1", [StayToken::STATE.0])?;
    ring.forget();
    Ok(erased)
}

fn keys_of(db: &Connection, stay: StayToken) -> Result<Vec<(i64, Vec<u8>)>, JournalError> {
    let keys = db
        .prepare("SELECT id, wrapped FROM data_keys WHERE stay = ?1")?
        .query_map([stay.0], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<Result<_, _>>()?;
    Ok(keys)
}

fn remove_segments(db: &Connection, key_id: i64, mark: i64, erased: &mut Erased) -> Result<(), JournalError> {
    let mut removed_upto: i64 = schema::get_meta(db, meta::REMOVED_UPTO)?.unwrap_or(0);
    let mut statement =
        db.prepare("SELECT kind, hour, last_ms, last_seq, rows FROM segments WHERE key_id = ?1 AND last_seq <= ?2")?;
    let mut rows = statement.query([key_id, mark])?;
    while let Some(row) = rows.next()? {
        let (hour, last_ms): (i64, i64) = (row.get(1)?, row.get(2)?);
        let count: i64 = row.get(4)?;
        erased.count(row.get(0)?, count, hour.saturating_mul(HOUR_MS), last_ms);
        db.prepare_cached("UPDATE tally SET removed = removed + ?2 WHERE kind = ?1")?
            .execute([row.get(0)?, count])?;
        removed_upto = removed_upto.max(row.get(3)?);
    }
    schema::set_meta(db, meta::REMOVED_UPTO, &removed_upto)?;
    // Those behind the mark are of a round that never ended: their rows are counted.
    db.execute("DELETE FROM segments WHERE key_id = ?1", [key_id])?;
    Ok(())
}

/// Puts an empty row in the place of each that is not in a segment.
fn empty_rows(
    db: &Connection,
    ring: &mut KeyRing,
    prefix: NoncePrefix,
    key_id: i64,
    erased: &mut Erased,
) -> Result<(), JournalError> {
    let site = ring.for_writing(db, StayToken::SITE)?;
    let mut next = db.prepare("SELECT seq, kind, at_ms FROM entries WHERE key_id = ?1 AND seq > ?2 ORDER BY seq LIMIT 1")?;
    let mut write = db.prepare("UPDATE entries SET key_id = ?2, kind = ?3, at_ms = ?4, sealed = ?5 WHERE seq = ?1")?;
    let mut removed = db.prepare("UPDATE tally SET removed = removed + 1 WHERE kind = ?1")?;
    let (mut sealed, mut emptied, mut after) = (Vec::new(), 0_i64, 0_i64);
    let read = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get(1)?, row.get(2)?));
    while let Some((seq, kind, at_ms)) = next.query_row([key_id, after], read).optional()? {
        let head = RowHead {
            seq: i64::cast_unsigned(seq),
            kind: Kind::Erased.number(),
            at_ms: i64::div_euclid(at_ms, HOUR_MS).saturating_mul(HOUR_MS),
        };
        site.seal_row(prefix, head, &[], &mut sealed)?;
        write.execute(params![seq, site.id, head.kind, head.at_ms, sealed])?;
        removed.execute([kind])?;
        erased.count(kind, 1, at_ms, at_ms);
        (emptied, after) = (emptied + 1, seq);
    }
    if emptied > 0 {
        db.execute(
            "INSERT INTO tally (kind, newest, appended, removed) VALUES (?1, ?2, ?3, 0)
             ON CONFLICT (kind) DO UPDATE SET newest = max(newest, excluded.newest), appended = appended + excluded.appended",
            params![Kind::Erased.number(), after, emptied],
        )?;
    }
    Ok(())
}

impl Erased {
    fn count(&mut self, kind: i64, rows: i64, first_ms: i64, last_ms: i64) {
        if let Some(kind) = Kind::from_number(kind) {
            *self.counts.entry(kind).or_default() += rows.cast_unsigned();
        }
        let (first, last) = self.span_ms.unwrap_or((first_ms, last_ms));
        self.span_ms = Some((first.min(first_ms), last.max(last_ms)));
    }
}

#[cfg(test)]
mod tests;
