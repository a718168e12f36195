//! The data keys in use: one per stay, made on first use, wrapped by the site key in the database.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use ring::rand::SystemRandom;
use rusqlite::{Connection, OptionalExtension, params};

use crate::entry::StayToken;
use crate::error::{JournalError, is_malformed};
use crate::key::SiteKey;
use crate::seal::{DataKey, SiteKeys};

/// Opened keys kept in memory. A ward has tens of stays at a time; beyond this all are forgotten and opened anew.
const CACHED_KEYS: usize = 4096;

pub(crate) struct KeyRing {
    site: SiteKeys,
    pub(crate) random: SystemRandom,
    by_id: HashMap<i64, Option<Arc<DataKey>>>,
    by_stay: HashMap<StayToken, Arc<DataKey>>,
    /// Stays that were erased: no key is ever made for them again.
    pub(crate) erased: HashSet<StayToken>,
}

impl KeyRing {
    pub(crate) fn new(site: &SiteKey) -> Result<Self, JournalError> {
        Ok(KeyRing {
            site: SiteKeys::new(site)?,
            random: SystemRandom::new(),
            by_id: HashMap::new(),
            by_stay: HashMap::new(),
            erased: HashSet::new(),
        })
    }

    pub(crate) fn site(&self) -> &SiteKeys {
        &self.site
    }

    /// The key that seals new rows of this stay. Made, inside the caller's transaction, if there is none
    /// or none that still opens.
    pub(crate) fn for_writing(&mut self, db: &Connection, stay: StayToken) -> Result<Arc<DataKey>, JournalError> {
        if let Some(key) = self.by_stay.get(&stay) {
            return Ok(Arc::clone(key));
        }
        let key = match self.newest_of(db, stay)? {
            Some(key) => key,
            None => self.make(db, stay)?,
        };
        self.make_room();
        self.by_stay.insert(stay, Arc::clone(&key));
        Ok(key)
    }

    /// The key with this number; `None` if it is gone, damaged, or not for this site.
    pub(crate) fn for_reading(&mut self, db: &Connection, id: i64) -> Result<Option<Arc<DataKey>>, JournalError> {
        if let Some(key) = self.by_id.get(&id) {
            return Ok(key.clone());
        }
        let row = db
            .prepare_cached("SELECT stay, wrapped FROM data_keys WHERE id = ?1")?
            .query_row([id], |row| Ok((row.get::<_, [u8; 16]>(0)?, row.get::<_, Vec<u8>>(1)?)))
            .optional();
        let key = match row {
            Ok(Some((stay, wrapped))) => self.site.unwrap(id, StayToken(stay), &wrapped).map(Arc::new),
            Ok(None) => None,
            Err(error) if is_malformed(&error) => None,
            Err(error) => return Err(error.into()),
        };
        self.make_room();
        self.by_id.insert(id, key.clone());
        Ok(key)
    }

    pub(crate) fn is_erased(&self, stay: StayToken) -> bool {
        self.erased.contains(&stay)
    }

    /// Forgets everything that was opened: after a rolled-back transaction a key that was made in it is gone.
    pub(crate) fn forget(&mut self) {
        self.by_id.clear();
        self.by_stay.clear();
    }

    fn newest_of(&self, db: &Connection, stay: StayToken) -> Result<Option<Arc<DataKey>>, JournalError> {
        let mut statement = db.prepare_cached("SELECT id, wrapped FROM data_keys WHERE stay = ?1 ORDER BY id DESC LIMIT 1")?;
        let newest = statement
            .query_row([stay.0], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, Vec<u8>>(1)?)))
            .optional();
        match newest {
            Ok(Some((id, wrapped))) => Ok(self.site.unwrap(id, stay, &wrapped).map(Arc::new)),
            Ok(None) => Ok(None),
            Err(error) if is_malformed(&error) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    fn make(&self, db: &Connection, stay: StayToken) -> Result<Arc<DataKey>, JournalError> {
        let wrapped = self.site.new_data_key(&self.random, stay)?;
        db.prepare_cached("INSERT INTO data_keys (stay, wrapped) VALUES (?1, ?2)")?
            .execute(params![stay.0, wrapped])?;
        let id = db.last_insert_rowid();
        let key = self.site.unwrap(id, stay, &wrapped);
        key.map(Arc::new).ok_or(JournalError::Seal)
    }

    fn make_room(&mut self) {
        if self.by_id.len() + self.by_stay.len() >= CACHED_KEYS {
            self.forget();
        }
    }
}
