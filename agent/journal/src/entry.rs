//! What is stored: entries, and the parts of a transaction.

use crate::error::JournalError;

/// The largest body of an entry or a quarantined item, in bytes.
pub const MAX_BODY: usize = 8 << 20;
/// The largest checkpoint, in bytes.
pub const MAX_CHECKPOINT: usize = 256 << 20;

/// What an entry is. The numbers are in the database and never change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum Kind {
    /// Something a device sent.
    Message = 1,
    /// Something a person did.
    Command = 2,
    /// A model's result as it entered the ward's state.
    Score = 3,
    /// The agent started.
    Restart = 4,
    /// An alarm changed state.
    Alarm = 5,
    /// A strip of waveform around an alarm or a score.
    Strip = 6,
    /// An audit record: chained to the one before it when it is stored.
    Audit = 7,
    /// A summary of what was measured, for trends.
    Trend = 8,
    /// What is left of an entry whose stay was erased: its sequence and its hour.
    Erased = 9,
}

impl Kind {
    /// Every kind, in the order of their numbers.
    pub const ALL: [Kind; 9] = [
        Kind::Message,
        Kind::Command,
        Kind::Score,
        Kind::Restart,
        Kind::Alarm,
        Kind::Strip,
        Kind::Audit,
        Kind::Trend,
        Kind::Erased,
    ];

    /// The number in the database.
    pub fn number(self) -> u8 {
        self as u8
    }

    /// The kind with this number.
    pub fn from_number(number: i64) -> Option<Kind> {
        Kind::ALL.into_iter().find(|kind| i64::from(kind.number()) == number)
    }
}

/// The random name of a patient's stay; it says nothing about the patient, but points at one, so `Debug`
/// keeps it to itself.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct StayToken(pub [u8; 16]);

impl StayToken {
    /// For what belongs to no stay: unassigned devices, restarts, audit of the site.
    pub const SITE: StayToken = StayToken([0; 16]);
    /// For checkpoints: the whole state has a data key of its own, which goes with each stay that is erased.
    pub(crate) const STATE: StayToken = StayToken([0xff; 16]);

    /// True for the tokens that are no patient's.
    pub(crate) fn is_reserved(self) -> bool {
        self == StayToken::SITE || self == StayToken::STATE
    }
}

impl std::fmt::Debug for StayToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(if *self == StayToken::SITE {
            "StayToken::SITE"
        } else {
            "StayToken(..)"
        })
    }
}

/// One record to be stored.
#[derive(Clone, PartialEq, Eq)]
pub struct Entry {
    /// What it is.
    pub kind: Kind,
    /// Whose data key seals it.
    pub stay: StayToken,
    /// When it happened, in milliseconds since 1970 by the agent's clock. It decides the hour of the segment and the age.
    pub at_ms: i64,
    /// The content, at most [`MAX_BODY`] bytes. The journal does not look into it.
    pub body: Vec<u8>,
}

impl Entry {
    /// What is left of it when its stay is erased.
    pub(crate) fn left(&self) -> Entry {
        Entry {
            kind: Kind::Erased,
            stay: StayToken::SITE,
            at_ms: self.at_ms,
            body: Vec::new(),
        }
    }
}

impl std::fmt::Debug for Entry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Entry")
            .field("kind", &self.kind)
            .field("stay", &self.stay)
            .field("at_ms", &self.at_ms)
            .field("body", &format_args!("{} bytes", self.body.len()))
            .finish()
    }
}

/// An entry as read back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    /// Its place in the journal: strictly increasing, never reused, from 1.
    pub seq: u64,
    /// What was stored.
    pub entry: Entry,
}

/// The agent's whole state, to be stored beside the entries from which it follows.
#[derive(Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// When it was taken, in milliseconds since 1970.
    pub at_ms: i64,
    /// The state, at most [`MAX_CHECKPOINT`] bytes.
    pub body: Vec<u8>,
}

impl std::fmt::Debug for Checkpoint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Checkpoint")
            .field("at_ms", &self.at_ms)
            .field("body", &format_args!("{} bytes", self.body.len()))
            .finish()
    }
}

/// Input that could not be decoded, to be kept for a person to look at.
#[derive(Clone, PartialEq, Eq)]
pub struct Suspect {
    /// The stay that it belongs to, whose data key seals it; [`StayToken::SITE`] if that is not known.
    pub stay: StayToken,
    /// Where it came from: a topic, a device.
    pub source: String,
    /// Why it was refused: which field, what was expected.
    pub reason: String,
    /// When it came, in milliseconds since 1970.
    pub at_ms: i64,
    /// The bytes as they came. Only the first 64 KiB are kept.
    pub body: Vec<u8>,
}

impl std::fmt::Debug for Suspect {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Suspect")
            .field("at_ms", &self.at_ms)
            .field("body", &format_args!("{} bytes", self.body.len()))
            .finish_non_exhaustive()
    }
}

/// One part of a transaction: entries, then a checkpoint that covers everything up to and including them.
#[derive(Clone, Copy, Debug, Default)]
pub struct Part<'a> {
    /// Entries in order.
    pub entries: &'a [Entry],
    /// The state after all entries so far, these included.
    pub checkpoint: Option<&'a Checkpoint>,
    /// Undecodable inputs to be put aside.
    pub suspects: &'a [Suspect],
}

impl Part<'_> {
    /// Bytes of the bodies of the entries.
    pub(crate) fn entry_bytes(&self) -> usize {
        self.entries.iter().map(|entry| entry.body.len()).sum()
    }

    /// Bytes of content in this part.
    pub(crate) fn bytes(&self) -> usize {
        let entries = self.entry_bytes();
        let suspects: usize = self.suspects.iter().map(|suspect| suspect.body.len()).sum();
        entries + suspects + self.checkpoint.map_or(0, |checkpoint| checkpoint.body.len())
    }

    /// Refuses what could never be stored, before anything is.
    pub(crate) fn check(&self) -> Result<(), JournalError> {
        for entry in self.entries {
            within("an entry", entry.body.len(), MAX_BODY)?;
        }
        match self.checkpoint {
            Some(checkpoint) => within("a checkpoint", checkpoint.body.len(), MAX_CHECKPOINT),
            None => Ok(()),
        }
    }
}

fn within(what: &'static str, bytes: usize, limit: usize) -> Result<(), JournalError> {
    if bytes > limit {
        return Err(JournalError::TooLarge { what, bytes, limit });
    }
    Ok(())
}
