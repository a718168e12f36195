//! Appending: one transaction, sealed and synced, or nothing at all.

use std::ops::Range;

use ring::rand::SystemRandom;
use rusqlite::{Connection, Statement, TransactionBehavior, params};

use crate::audit::{self, Head};
use crate::entry::{Checkpoint, Entry, Kind, Part, StayToken};
use crate::error::JournalError;
use crate::keyring::KeyRing;
use crate::open::Journal;
use crate::quarantine;
use crate::seal::{DataKey, NoncePrefix, RowHead, new_prefix};

/// Checkpoints kept: the newest, and one to fall back on.
const KEPT_CHECKPOINTS: i64 = 2;
const CHECKPOINT_DOMAIN: &[u8; 8] = b"wlj1 chk";

impl Journal {
    /// Stores the entries in one transaction. When it returns they are on disk; their sequences are the range, in order.
    ///
    /// # Errors
    /// Nothing was stored; [`JournalError::fate`] says whether the same call may succeed later.
    pub fn append(&mut self, entries: &[Entry]) -> Result<Range<u64>, JournalError> {
        self.commit(&[Part {
            entries,
            ..Part::default()
        }])
    }

    /// Stores a checkpoint of the state after all entries so far.
    ///
    /// # Errors
    /// As [`Journal::append`].
    pub fn checkpoint(&mut self, checkpoint: &Checkpoint) -> Result<(), JournalError> {
        self.commit(&[Part {
            checkpoint: Some(checkpoint),
            ..Part::default()
        }])
        .map(drop)
    }

    /// Stores several parts in one transaction: the entries of all, in order; of several checkpoints only the newest.
    ///
    /// # Errors
    /// As [`Journal::append`].
    pub fn commit(&mut self, parts: &[Part<'_>]) -> Result<Range<u64>, JournalError> {
        for part in parts {
            part.check()?;
        }
        self.check_in_place()?;
        let first = self.next_seq;
        match self.transact(parts) {
            Ok((next, chain)) => {
                self.appended(next, chain, parts);
                Ok(first..next)
            }
            Err(error) => Err(self.rolled_back(error)?),
        }
    }

    /// What is committed is known from now on.
    pub(crate) fn appended(&mut self, next: u64, chain: Head, parts: &[Part<'_>]) {
        self.next_seq = next;
        self.chain = chain;
        self.compaction.hot_bytes += parts.iter().map(|part| part.entry_bytes() as u64).sum::<u64>();
    }

    /// Makes ready for the next try after a transaction that changed nothing; returns why it did not.
    pub(crate) fn rolled_back(&mut self, error: JournalError) -> Result<JournalError, JournalError> {
        if matches!(error, JournalError::Malformed(_)) {
            // If even this fails, the next open finds the same by itself.
            self.mark_damaged().ok();
        }
        // The sequences will be used again: keys made in the transaction are gone, and nonces must differ.
        self.ring.forget();
        self.prefix = new_prefix(&self.ring.random)?;
        Ok(error)
    }

    fn transact(&mut self, parts: &[Part<'_>]) -> Result<(u64, Head), JournalError> {
        let transaction = self.db.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let place = (self.next_seq, self.chain);
        let after = write_parts(&transaction, &mut self.ring, self.prefix, place, &mut self.scratch, parts)?;
        let suspects = parts.iter().flat_map(|part| part.suspects);
        quarantine::store(&transaction, &mut self.ring, suspects, &self.options)?;
        transaction.commit()?;
        Ok(after)
    }
}

/// Writes entries and the newest checkpoint inside the caller's transaction, from this sequence and record of the audit trail on; returns
/// those that are next.
pub(crate) fn write_parts(
    db: &Connection,
    ring: &mut KeyRing,
    prefix: NoncePrefix,
    (first, chain): (u64, Head),
    scratch: &mut Vec<u8>,
    parts: &[Part<'_>],
) -> Result<(u64, Head), JournalError> {
    let written = write_rows(db, ring, prefix, (first, chain), scratch, parts)?;
    if written.chain != chain {
        audit::store(db, ring, audit::HEAD, written.chain)?;
    }
    written.tally.store(db)?;
    if let Some((checkpoint, covers)) = written.checkpoint {
        store_checkpoint(db, ring, checkpoint, covers)?;
    }
    Ok((written.next, written.chain))
}

/// What the entries of a transaction came to.
struct Written<'p> {
    next: u64,
    /// The newest record of the audit trail.
    chain: Head,
    tally: Tally,
    /// The newest checkpoint and the sequence it covers.
    checkpoint: Option<(&'p Checkpoint, u64)>,
}

fn write_rows<'p>(
    db: &Connection,
    ring: &mut KeyRing,
    prefix: NoncePrefix,
    (first, chain): (u64, Head),
    scratch: &mut Vec<u8>,
    parts: &[Part<'p>],
) -> Result<Written<'p>, JournalError> {
    let mut insert = db.prepare_cached("INSERT INTO entries VALUES (?1, ?2, ?3, ?4, ?5)")?;
    let mut written = Written {
        next: first,
        chain,
        tally: Tally::default(),
        checkpoint: None,
    };
    for part in parts {
        for entry in part.entries {
            // What comes late of a stay that is erased leaves its place in the sequence and nothing else.
            let left = ring.is_erased(entry.stay).then(|| entry.left());
            let entry = left.as_ref().unwrap_or(entry);
            let key = ring.for_writing(db, entry.stay)?;
            let head = RowHead {
                seq: written.next,
                kind: entry.kind.number(),
                at_ms: entry.at_ms,
            };
            key.seal_row(prefix, head, &written.chain.link(entry), scratch)?;
            insert_row(&mut insert, key.id, head, scratch)?;
            written.tally.count(entry.kind, written.next);
            written.next += 1;
        }
        if let Some(checkpoint) = part.checkpoint {
            written.checkpoint = Some((checkpoint, written.next - 1));
        }
    }
    Ok(written)
}

fn insert_row(insert: &mut Statement<'_>, key_id: i64, head: RowHead, sealed: &[u8]) -> Result<(), JournalError> {
    let seq = head.seq.cast_signed();
    insert.execute(params![seq, key_id, head.kind, head.at_ms, sealed])?;
    Ok(())
}

/// How many of each kind a transaction appended.
#[derive(Default)]
struct Tally([Appended; Kind::ALL.len()]);

#[derive(Clone, Copy, Default)]
struct Appended {
    newest: u64,
    rows: u64,
}

impl Tally {
    fn count(&mut self, kind: Kind, seq: u64) {
        if let Some(appended) = self.0.get_mut(usize::from(kind.number()) - 1) {
            appended.newest = seq;
            appended.rows += 1;
        }
    }

    fn store(&self, db: &Connection) -> Result<(), JournalError> {
        let mut statement = db.prepare_cached(
            "INSERT INTO tally (kind, newest, appended, removed) VALUES (?1, ?2, ?3, 0)
             ON CONFLICT (kind) DO UPDATE
             SET newest = excluded.newest, appended = appended + excluded.appended",
        )?;
        for (kind, appended) in Kind::ALL.into_iter().zip(self.0) {
            if appended.rows > 0 {
                let (newest, rows) = (appended.newest.cast_signed(), appended.rows.cast_signed());
                statement.execute(params![kind.number(), newest, rows])?;
            }
        }
        Ok(())
    }
}

pub(crate) fn store_checkpoint(
    db: &Connection,
    ring: &mut KeyRing,
    checkpoint: &Checkpoint,
    covers: u64,
) -> Result<(), JournalError> {
    let key = ring.for_writing(db, StayToken::STATE)?;
    let sealed = seal_checkpoint(&key, &ring.random, checkpoint, covers)?;
    db.prepare_cached("INSERT INTO checkpoints (covers, at_ms, key_id, sealed) VALUES (?1, ?2, ?3, ?4)")?
        .execute(params![covers.cast_signed(), checkpoint.at_ms, key.id, sealed])?;
    db.prepare_cached(
        "DELETE FROM checkpoints WHERE id <=
            (SELECT id FROM checkpoints ORDER BY id DESC LIMIT 1 OFFSET ?1)",
    )?
    .execute([KEPT_CHECKPOINTS])?;
    Ok(())
}

fn seal_checkpoint(key: &DataKey, random: &SystemRandom, checkpoint: &Checkpoint, covers: u64) -> Result<Vec<u8>, JournalError> {
    let associated = checkpoint_associated(covers, checkpoint.at_ms);
    key.seal_blob(random, &associated, &checkpoint.body)
}

/// What binds a checkpoint to the sequence it covers and its time.
pub(crate) fn checkpoint_associated(covers: u64, at_ms: i64) -> Vec<u8> {
    [CHECKPOINT_DOMAIN.as_slice(), &covers.to_le_bytes(), &at_ms.to_le_bytes()].concat()
}

#[cfg(test)]
mod tests {
    use crate::{Entry, Fate, Filter, Journal, JournalError, Kind, Options, Reader, SiteKey, StayToken};

    fn batch(stay: u8) -> Vec<Entry> {
        let entry = |n| Entry {
            kind: Kind::Message,
            stay: StayToken([stay; 16]),
            at_ms: 1,
            body: vec![n; 500],
        };
        (0..20).map(entry).collect()
    }

    #[test]
    fn a_full_database_stores_nothing_and_goes_on_when_there_is_room() {
        let dir = tempfile::tempdir().unwrap();
        let key = SiteKey::from_bytes([1; 32]);
        let (mut journal, _) = Journal::open(dir.path(), &key, Options::default()).unwrap();
        journal.db.pragma_update(None, "max_page_count", 40).unwrap();
        let mut appended = 0;
        let error = loop {
            // Each batch is of a stay of its own, whose key is made in the same transaction.
            match journal.append(&batch(appended + 1)) {
                Ok(_) => appended += 1,
                Err(error) => break error,
            }
        };
        assert!(matches!(error, JournalError::Full), "{error}");
        assert_eq!(error.fate(), Fate::Retry);
        assert!(appended > 2);
        assert_eq!(journal.newest(), u64::from(appended) * 20);
        journal.db.pragma_update(None, "max_page_count", 4000).unwrap();
        for more in 0..3 {
            journal.append(&batch(appended + 1 + more)).unwrap();
        }
        let mut reader = Reader::open(dir.path(), &key).unwrap();
        let read: Vec<_> = reader.entries(1, Filter::default()).map(|item| item.unwrap().entry).collect();
        let expected: Vec<_> = (1..=appended + 3).flat_map(batch).collect();
        assert_eq!(read, expected);
    }

    /// The number of `synchronous=FULL`.
    const FULL: i64 = 2;

    #[test]
    fn every_append_is_synced_whatever_ran_before() {
        let dir = tempfile::tempdir().unwrap();
        let key = SiteKey::from_bytes([1; 32]);
        let (mut journal, _) = Journal::open(dir.path(), &key, Options::default()).unwrap();
        let level = |journal: &Journal| -> i64 { journal.db.pragma_query_value(None, "synchronous", |row| row.get(0)).unwrap() };
        assert_eq!(level(&journal), FULL);
        journal.append(&batch(1)).unwrap();
        assert_eq!(level(&journal), FULL);
        while journal.maintain(1 << 40).unwrap().pending {
            assert_eq!(level(&journal), FULL);
        }
        journal.db.execute_batch("DROP TABLE segments; DROP TABLE tally").unwrap();
        journal.maintain(1 << 41).unwrap_err();
        assert_eq!(level(&journal), FULL);
    }

    #[test]
    fn a_failed_transaction_changes_the_nonces_of_the_sequences_used_again() {
        let dir = tempfile::tempdir().unwrap();
        let key = SiteKey::from_bytes([1; 32]);
        let (mut journal, _) = Journal::open(dir.path(), &key, Options::default()).unwrap();
        let before = journal.prefix;
        journal.db.execute_batch("ALTER TABLE tally RENAME TO hidden").unwrap();
        journal.append(&batch(1)).unwrap_err();
        assert_ne!(journal.prefix, before);
        journal.db.execute_batch("ALTER TABLE hidden RENAME TO tally").unwrap();
        assert_eq!(journal.append(&batch(1)).unwrap(), 1..21);
        let (other, _) = Journal::open(tempfile::tempdir().unwrap().path(), &key, Options::default()).unwrap();
        assert_ne!(other.prefix, journal.prefix);
    }
}
