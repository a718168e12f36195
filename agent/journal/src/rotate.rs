//! Changing the site key: every data key is wrapped anew; nothing else needs to be touched.

use rusqlite::{Connection, TransactionBehavior};

use crate::append::write_parts;
use crate::audit::Head;
use crate::entry::{Entry, Part, StayToken};
use crate::error::JournalError;
use crate::key::SiteKey;
use crate::keyring::KeyRing;
use crate::open::Journal;
use crate::schema::{self, meta};
use crate::secret;

impl Journal {
    /// Wraps every data key under `new` and appends `records`, all in one transaction: at any instant the journal opens with exactly one
    /// of the two keys. What was derived from the site key before stays as it is, see [`crate::SiteSecret`]. Returns how many data keys
    /// could not be opened under the old key; they stay as they are, and what they sealed was unreadable before.
    ///
    /// # Errors
    /// As [`Journal::append`]; then the old key is still the journal's.
    pub fn rotate_site_key(&mut self, new: &SiteKey, records: &[Entry]) -> Result<u64, JournalError> {
        self.check_in_place()?;
        let mut ring = KeyRing::new(new)?;
        ring.erased.clone_from(&self.ring.erased);
        let parts = [Part {
            entries: records,
            ..Part::default()
        }];
        for part in &parts {
            part.check()?;
        }
        match self.rewrap(&ring, &parts) {
            Ok((unreadable, (next, chain))) => {
                self.ring = ring;
                self.appended(next, chain, &parts);
                // The old wrappings must not stay behind in the log.
                self.clean_log()?;
                Ok(unreadable)
            }
            Err(error) => Err(self.rolled_back(error)?),
        }
    }

    fn rewrap(&mut self, ring: &KeyRing, parts: &[Part<'_>]) -> Result<(u64, (u64, Head)), JournalError> {
        let transaction = self.db.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let place = (self.next_seq, self.chain);
        let after = write_parts(&transaction, &mut self.ring, self.prefix, place, &mut self.scratch, parts)?;
        secret::keep(&transaction, &mut self.ring)?;
        let unreadable = rewrap_all(&transaction, &self.ring, ring)?;
        schema::set_meta(&transaction, meta::KEY_CHECK, &ring.site().check_value())?;
        transaction.commit()?;
        Ok((unreadable, after))
    }
}

fn rewrap_all(db: &Connection, old: &KeyRing, new: &KeyRing) -> Result<u64, JournalError> {
    let mut unreadable = 0;
    let mut read = db.prepare("SELECT id, stay, wrapped FROM data_keys WHERE id > ?1 ORDER BY id LIMIT 1")?;
    let mut write = db.prepare("UPDATE data_keys SET wrapped = ?2 WHERE id = ?1")?;
    let mut after = 0;
    while let Some((id, stay, wrapped)) = next_key(&mut read, after)? {
        after = id;
        match old.site().rewrap(new.site(), &new.random, stay, &wrapped) {
            Some(rewrapped) => drop(write.execute((id, rewrapped?))?),
            None => unreadable += 1,
        }
    }
    Ok(unreadable)
}

type Wrapped = (i64, StayToken, Vec<u8>);

fn next_key(read: &mut rusqlite::Statement<'_>, after: i64) -> Result<Option<Wrapped>, JournalError> {
    let mut rows = read.query([after])?;
    Ok(match rows.next()? {
        Some(row) => Some((row.get(0)?, StayToken(row.get(1)?), row.get(2)?)),
        None => None,
    })
}
