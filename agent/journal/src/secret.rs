//! What the other keys of a site are derived from: certificates of models, displays, receipts.
//!
//! At first it is what follows from the site key. When the site key changes it stays: sealed in the journal, under a data key that is
//! wrapped anew like all others. It tells nothing of the site key that it came from, so a key that was replaced can be destroyed.

use std::path::Path;

use ring::hkdf::{HKDF_SHA256, Prk};
use ring::hmac;
use rusqlite::Connection;
use zeroize::Zeroizing;

use crate::entry::StayToken;
use crate::error::JournalError;
use crate::key::{KEY_BYTES, SiteKey};
use crate::keyring::KeyRing;
use crate::read::Reader;
use crate::schema;

/// Name in `meta` of the sealed secret; absent until the first rotation.
pub(crate) const NAME: &str = "site_secret";
const SALT: &[u8] = b"wardlight site key, for";

/// The secret of a site that survives a rotation of its key. Erased from memory when dropped.
pub struct SiteSecret(Zeroizing<[u8; KEY_BYTES]>);

impl std::fmt::Debug for SiteSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SiteSecret(..)")
    }
}

impl SiteSecret {
    /// That of a site whose key was never changed: the extract step of HKDF over it.
    pub(crate) fn of(key: &SiteKey) -> Self {
        let extracted = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, SALT), key.bytes());
        let mut secret = Zeroizing::new([0; KEY_BYTES]);
        secret.copy_from_slice(extracted.as_ref());
        SiteSecret(secret)
    }

    /// The secret of the journal in `dir`; that of the key where there is no journal yet.
    ///
    /// # Errors
    /// As [`Reader::open`], and [`JournalError::Malformed`] if the secret is there and does not open.
    pub fn load(dir: &Path, key: &SiteKey) -> Result<Self, JournalError> {
        match Reader::open(dir, key) {
            Ok(mut reader) => Ok(load(&reader.db, &mut reader.ring)?.unwrap_or_else(|| SiteSecret::of(key))),
            Err(JournalError::Missing { .. }) => Ok(SiteSecret::of(key)),
            Err(error) => Err(error),
        }
    }

    /// A key for one purpose: the same for the same `label`. `None` never happens with labels of a sane length.
    pub fn derive(&self, label: &str) -> Option<[u8; KEY_BYTES]> {
        let mut key = [0; KEY_BYTES];
        let info = [label.as_bytes()];
        let root = Prk::new_less_safe(HKDF_SHA256, self.0.as_ref());
        root.expand(&info, HKDF_SHA256).and_then(|okm| okm.fill(&mut key)).ok()?;
        Some(key)
    }
}

/// Keeps the secret of the site key that is about to be replaced, unless there is an older one.
pub(crate) fn keep(db: &Connection, ring: &mut KeyRing) -> Result<(), JournalError> {
    if load(db, ring)?.is_some() {
        return Ok(());
    }
    let key = ring.for_writing(db, StayToken::SITE)?;
    let mut value = key.id.to_le_bytes().to_vec();
    value.extend(key.seal_blob(&ring.random, NAME.as_bytes(), ring.site().secret().0.as_ref())?);
    schema::set_meta(db, NAME, &value)
}

fn load(db: &Connection, ring: &mut KeyRing) -> Result<Option<SiteSecret>, JournalError> {
    let Some(value) = schema::get_meta::<Vec<u8>>(db, NAME)? else {
        return Ok(None);
    };
    let malformed = || JournalError::Malformed("the site's secret does not open".to_owned());
    let (id, sealed) = value.split_first_chunk::<8>().ok_or_else(malformed)?;
    let key = ring.for_reading(db, i64::from_le_bytes(*id))?;
    let opened = Zeroizing::new(
        key.and_then(|key| key.open_blob(NAME.as_bytes(), sealed))
            .ok_or_else(malformed)?,
    );
    let secret = <[u8; KEY_BYTES]>::try_from(opened.as_slice()).map_err(|_wrong_length| malformed())?;
    Ok(Some(SiteSecret(Zeroizing::new(secret))))
}
