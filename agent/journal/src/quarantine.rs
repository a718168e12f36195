//! Undecodable input, kept for a person to look at: bounded, oldest out first, sealed like the rest.

use rusqlite::{Connection, OptionalExtension, params};

use crate::entry::{Part, StayToken, Suspect};
use crate::error::{Damage, JournalError, Place};
use crate::keyring::KeyRing;
use crate::open::{Journal, Options};

/// Bytes of a refused input that are kept.
const KEPT_BODY: usize = 64 << 10;
/// Bytes kept of the words that go with it.
const KEPT_WORDS: usize = 1 << 10;
const DOMAIN: &[u8; 8] = b"wlj1 qua";

/// A quarantined item as read back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quarantined {
    /// Its number, rising.
    pub id: u64,
    /// How long the input was; the body may be only its beginning.
    pub bytes: u64,
    /// What was put aside.
    pub suspect: Suspect,
}

impl Journal {
    /// Puts an undecodable input aside; the oldest make room for it.
    ///
    /// # Errors
    /// As [`Journal::append`].
    pub fn quarantine(&mut self, suspect: &Suspect) -> Result<(), JournalError> {
        self.commit(&[Part {
            suspects: std::slice::from_ref(suspect),
            ..Part::default()
        }])
        .map(drop)
    }
}

pub(crate) fn store<'a>(
    db: &Connection,
    ring: &mut KeyRing,
    suspects: impl Iterator<Item = &'a Suspect>,
    options: &Options,
) -> Result<(), JournalError> {
    let mut any = false;
    for suspect in suspects {
        if ring.is_erased(suspect.stay) {
            continue;
        }
        any = true;
        let key = ring.for_writing(db, suspect.stay)?;
        let content = encode(suspect);
        let sealed = key.seal_blob(&ring.random, &associated(suspect.at_ms), &content)?;
        db.prepare_cached("INSERT INTO quarantine (at_ms, key_id, bytes, sealed) VALUES (?1, ?2, ?3, ?4)")?
            .execute(params![suspect.at_ms, key.id, suspect.body.len() as u64 as i64, sealed])?;
    }
    if any {
        make_room(db, options)?;
    }
    Ok(())
}

/// Deletes the oldest until both bounds hold.
fn make_room(db: &Connection, options: &Options) -> Result<(), JournalError> {
    let too_many: Option<i64> = db
        .prepare_cached("SELECT id FROM quarantine ORDER BY id DESC LIMIT 1 OFFSET ?1")?
        .query_row([options.quarantine_items], |row| row.get(0))
        .optional()?;
    let too_large: Option<i64> = db
        .prepare_cached(
            "SELECT id FROM (SELECT id, sum(length(sealed)) OVER (ORDER BY id DESC) AS held FROM quarantine)
             WHERE held > ?1 ORDER BY id DESC LIMIT 1",
        )?
        .query_row([options.quarantine_bytes.cast_signed()], |row| row.get(0))
        .optional()?;
    if let Some(id) = too_many.max(too_large) {
        db.prepare_cached("DELETE FROM quarantine WHERE id <= ?1")?.execute([id])?;
    }
    Ok(())
}

/// Everything in quarantine, oldest first; an item that cannot be opened comes as an error.
pub(crate) fn list(db: &Connection, ring: &mut KeyRing) -> Result<Vec<Result<Quarantined, JournalError>>, JournalError> {
    let mut statement = db.prepare_cached("SELECT id, at_ms, key_id, bytes, sealed FROM quarantine ORDER BY id")?;
    let mut rows = statement.query([])?;
    let mut items = Vec::new();
    while let Some(row) = rows.next()? {
        let id: i64 = row.get(0)?;
        let (at_ms, key_id): (i64, i64) = (row.get(1)?, row.get(2)?);
        let bytes: i64 = row.get(3)?;
        let sealed: Vec<u8> = row.get(4)?;
        let key = ring.for_reading(db, key_id)?;
        let suspect = key.and_then(|key| decode(&key.open_blob(&associated(at_ms), &sealed)?, key.stay, at_ms));
        items.push(match suspect {
            Some(suspect) => Ok(Quarantined {
                id: id.cast_unsigned(),
                bytes: bytes.cast_unsigned(),
                suspect,
            }),
            None => Err(JournalError::Damaged(Damage {
                place: Place::Quarantine,
                first: id.cast_unsigned(),
                last: id.cast_unsigned(),
                reason: "the seal does not open",
            })),
        });
    }
    Ok(items)
}

fn associated(at_ms: i64) -> Vec<u8> {
    [DOMAIN.as_slice(), &at_ms.to_le_bytes()].concat()
}

/// Source and reason, each behind its length, then the beginning of the body.
fn encode(suspect: &Suspect) -> Vec<u8> {
    let mut content = Vec::new();
    for words in [&suspect.source, &suspect.reason] {
        let (kept, _) = words.split_at(words.floor_char_boundary(KEPT_WORDS));
        let kept = kept.as_bytes();
        content.extend_from_slice(&(kept.len() as u32).to_le_bytes());
        content.extend_from_slice(kept);
    }
    content.extend(suspect.body.iter().take(KEPT_BODY));
    content
}

fn decode(content: &[u8], stay: StayToken, at_ms: i64) -> Option<Suspect> {
    let (source, rest) = take_words(content)?;
    let (reason, body) = take_words(rest)?;
    Some(Suspect {
        stay,
        source,
        reason,
        at_ms,
        body: body.to_vec(),
    })
}

fn take_words(content: &[u8]) -> Option<(String, &[u8])> {
    let (length, rest) = content.split_first_chunk::<4>()?;
    let (words, rest) = rest.split_at_checked(u32::from_le_bytes(*length) as usize)?;
    Some((String::from_utf8(words.to_vec()).ok()?, rest))
}
