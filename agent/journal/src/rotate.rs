//! Changing the site key: every data key is wrapped anew; nothing else needs to be touched.

use rusqlite::TransactionBehavior;

use crate::entry::StayToken;
use crate::error::JournalError;
use crate::key::SiteKey;
use crate::keyring::KeyRing;
use crate::open::Journal;
use crate::schema::{self, meta};

impl Journal {
    /// Wraps every data key under `new` in one transaction. Returns how many could not be opened under the old
    /// key; they stay as they are, and what they sealed was unreadable before.
    ///
    /// # Errors
    /// As [`Journal::append`]; then the old key is still the journal's.
    pub fn rotate_site_key(&mut self, new: &SiteKey) -> Result<u64, JournalError> {
        let ring = KeyRing::new(new)?;
        let mut unreadable = 0;
        let transaction = self.db.transaction_with_behavior(TransactionBehavior::Immediate)?;
        {
            let mut read = transaction.prepare("SELECT id, stay, wrapped FROM data_keys WHERE id > ?1 ORDER BY id LIMIT 1")?;
            let mut write = transaction.prepare("UPDATE data_keys SET wrapped = ?2 WHERE id = ?1")?;
            let mut after = 0;
            while let Some((id, stay, wrapped)) = next_key(&mut read, after)? {
                after = id;
                match self.ring.site().rewrap(ring.site(), &ring.random, stay, &wrapped) {
                    Some(rewrapped) => drop(write.execute((id, rewrapped?))?),
                    None => unreadable += 1,
                }
            }
        }
        schema::set_meta(&transaction, meta::KEY_CHECK, &ring.site().check_value())?;
        transaction.commit()?;
        self.ring = ring;
        // The old wrappings must not stay behind in the log. A reader in the way only delays this to the next time.
        self.db.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
        Ok(unreadable)
    }
}

type Wrapped = (i64, StayToken, Vec<u8>);

fn next_key(read: &mut rusqlite::Statement<'_>, after: i64) -> Result<Option<Wrapped>, JournalError> {
    let mut rows = read.query([after])?;
    Ok(match rows.next()? {
        Some(row) => Some((row.get(0)?, StayToken(row.get(1)?), row.get(2)?)),
        None => None,
    })
}
