//! Links, and where the ends of the chain are kept.

use std::borrow::Cow;
use std::path::Path;

use ring::digest;
use rusqlite::Connection;

use crate::entry::{Entry, Kind, StayToken};
use crate::error::JournalError;
use crate::key::SiteKey;
use crate::keyring::KeyRing;
use crate::read::Reader;
use crate::schema;

const HASH_BYTES: usize = 32;
/// First byte of a link: the version of its layout.
const VERSION: u8 = 1;
/// Version, number, hash of the record before.
const LINK_BYTES: usize = 1 + 8 + HASH_BYTES;
const DOMAIN: &[u8] = b"wlj1 audit record";
/// Name in `meta` of the newest record.
pub(crate) const HEAD: &str = "audit_head";
/// Name in `meta` of the last record that retention removed.
pub(crate) const BASE: &str = "audit_base";

/// A record's number and hash. It stands for the whole chain up to there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Head {
    /// The record's number: 1 is the first, 0 is before any.
    pub n: u64,
    /// Its hash, over its content, time and number and the hash of the one before.
    pub hash: [u8; HASH_BYTES],
}

impl std::fmt::Display for Head {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:", self.n)?;
        self.hash.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl std::str::FromStr for Head {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let expected = "expected NUMBER:HASH with 64 hex digits, as `wardlight audit verify` prints it";
        let (n, digits) = text.split_once(':').ok_or(expected)?;
        let n = n.parse().map_err(|_error| expected)?;
        if digits.len() != HASH_BYTES * 2 {
            return Err(expected);
        }
        let mut hash = [0; HASH_BYTES];
        for (byte, pair) in hash.iter_mut().zip(digits.as_bytes().chunks(2)) {
            let digit = |c: &u8| char::from(*c).to_digit(16);
            let [high, low] = pair else { return Err(expected) };
            let (high, low) = (digit(high).ok_or(expected)?, digit(low).ok_or(expected)?);
            *byte = (high * 16 + low) as u8;
        }
        Ok(Head { n, hash })
    }
}

impl Head {
    /// The head after a record of the site that follows this one: what whoever verifies an export computes.
    #[must_use]
    pub fn after(&self, at_ms: i64, record: &[u8]) -> Head {
        self.after_of(at_ms, StayToken::SITE, record)
    }

    /// The same for a record under any key.
    pub(crate) fn after_of(&self, at_ms: i64, stay: StayToken, record: &[u8]) -> Head {
        let n = self.n + 1;
        let mut hasher = digest::Context::new(&digest::SHA256);
        hasher.update(DOMAIN);
        hasher.update(&n.to_le_bytes());
        hasher.update(&self.hash);
        hasher.update(&at_ms.to_le_bytes());
        hasher.update(&stay.0);
        hasher.update(record);
        let mut hash = [0; HASH_BYTES];
        hash.copy_from_slice(hasher.finish().as_ref());
        Head { n, hash }
    }

    /// The body to store for an entry, linked if it is a record; the head moves on.
    pub(crate) fn link<'e>(&mut self, entry: &'e Entry) -> Cow<'e, [u8]> {
        if entry.kind != Kind::Audit {
            return Cow::Borrowed(&entry.body);
        }
        let mut body = Vec::with_capacity(LINK_BYTES + entry.body.len());
        body.push(VERSION);
        body.extend((self.n + 1).to_le_bytes());
        body.extend(self.hash);
        body.extend(&entry.body);
        *self = self.after_of(entry.at_ms, entry.stay, &entry.body);
        Cow::Owned(body)
    }

    fn to_bytes(self) -> [u8; 8 + HASH_BYTES] {
        let mut bytes = [0; 8 + HASH_BYTES];
        for (place, byte) in bytes.iter_mut().zip(self.n.to_le_bytes().into_iter().chain(self.hash)) {
            *place = byte;
        }
        bytes
    }

    fn from_bytes(bytes: &[u8]) -> Option<Head> {
        let (n, hash) = bytes.split_first_chunk::<8>()?;
        Some(Head {
            n: u64::from_le_bytes(*n),
            hash: hash.try_into().ok()?,
        })
    }
}

/// The record before, by number and hash, and the record itself; `None` if the body has no link.
pub(crate) fn unlink(body: &[u8]) -> Option<(Head, &[u8])> {
    let (&[version], rest) = body.split_first_chunk::<1>()?;
    let (n, rest) = rest.split_first_chunk::<8>()?;
    let (hash, record) = rest.split_first_chunk::<HASH_BYTES>()?;
    let n = u64::from_le_bytes(*n).checked_sub(1)?;
    (version == VERSION).then_some((Head { n, hash: *hash }, record))
}

/// Keeps an end of the chain, sealed: it cannot be made without the site key.
pub(crate) fn store(db: &Connection, ring: &mut KeyRing, name: &'static str, head: Head) -> Result<(), JournalError> {
    let key = ring.for_writing(db, StayToken::SITE)?;
    let mut value = key.id.to_le_bytes().to_vec();
    value.extend(key.seal_blob(&ring.random, &associated(name), &head.to_bytes())?);
    schema::set_meta(db, name, &value)
}

/// An end of the chain; `None` if there is none, or it does not open.
pub(crate) fn load(db: &Connection, ring: &mut KeyRing, name: &'static str) -> Result<Option<Head>, JournalError> {
    let Some(value) = schema::get_meta::<Vec<u8>>(db, name)? else {
        return Ok(None);
    };
    let Some((id, sealed)) = value.split_first_chunk::<8>() else {
        return Ok(None);
    };
    let key = ring.for_reading(db, i64::from_le_bytes(*id))?;
    let opened = key.and_then(|key| key.open_blob(&associated(name), sealed));
    Ok(opened.and_then(|bytes| Head::from_bytes(&bytes)))
}

fn associated(name: &str) -> Vec<u8> {
    [b"wlj1 ".as_slice(), name.as_bytes()].concat()
}

/// Where the chain goes on when the journal is opened. Every journal has a head from its beginning. Where it was lost, or removed by
/// somebody, a number is left out behind the newest record that can be read: what is missing there stays visible for good.
pub(crate) fn resume(db: &Connection, ring: &mut KeyRing, dir: &Path, key: &SiteKey, newest: u64) -> Result<Head, JournalError> {
    if let Some(head) = load(db, ring, HEAD).unwrap_or(None) {
        return Ok(head);
    }
    let mut head = Head::default();
    if newest > 0 {
        let base = load(db, ring, BASE).unwrap_or(None).unwrap_or_default();
        let mut reader = Reader::open(dir, key)?;
        let last = reader.audit().flatten().map(|found| found.head.n).max();
        head.n = last.unwrap_or(0).max(base.n) + 1;
    }
    store(db, ring, HEAD, head)?;
    Ok(head)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_is_read_as_it_is_printed() {
        let head = Head { n: 12, hash: [0xA5; 32] };
        assert_eq!(head.to_string().parse(), Ok(head));
        assert_eq!(Head::from_bytes(&head.to_bytes()), Some(head));
        for bad in ["", "12", "12:", "x:00", "12:zz", &format!("12:{}", "g".repeat(64))] {
            assert!(bad.parse::<Head>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_hash_depends_on_all_that_a_record_is() {
        let before = Head { n: 3, hash: [1; 32] };
        let hash = before.after_of(5, StayToken::SITE, b"x").hash;
        assert_ne!(hash, before.after_of(6, StayToken::SITE, b"x").hash);
        assert_ne!(hash, before.after_of(5, StayToken([1; 16]), b"x").hash);
        assert_ne!(hash, before.after_of(5, StayToken::SITE, b"y").hash);
        assert_ne!(hash, Head { n: 4, ..before }.after_of(5, StayToken::SITE, b"x").hash);
        assert_ne!(hash, Head { hash: [2; 32], ..before }.after_of(5, StayToken::SITE, b"x").hash);
    }
}
