//! Alarms: what they are about, how they begin and end, and what people can do to them.

mod alarm;
mod audio;
mod call;
mod condition;
mod kind;
mod standing;
#[cfg(test)]
mod tests;

pub(crate) use audio::Signals;
pub use audio::{Audio, AudioPause, Inactivated, Inactivation, LONGEST_PAUSE};
pub use call::{MERGE_WITHIN, Receiver, Roster};
pub use condition::{Conditions, Finding, Moment};
pub use kind::{AlarmKind, Side, Technical, is_red_device_condition, label};
pub use standing::{REMIND_AFTER, Scope, StandingAlarms};

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::ids::BedId;
use crate::time::Timestamp;

/// Identity of one episode of one condition at one bed: `{bed}:{kind}:{onset in device ms}`.
///
/// It follows from the data alone, so a message that is delivered again makes the same identity and never a second alarm.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct AlarmId(Arc<str>);

impl AlarmId {
    /// Names the episode.
    pub fn new(bed: &BedId, kind: &AlarmKind, onset_at: Timestamp) -> Self {
        Self(Arc::from(format!("{bed}:{kind}:{onset_at}")))
    }

    /// Takes an identity from outside as it stands; one that names no alarm is simply not found.
    pub fn from_text(text: &str) -> Self {
        Self(Arc::from(text))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for AlarmId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// State of an alarm (signal presence of IEEE 11073-10207: `On`, `Ack`, `Latch`, `Off`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum AlarmState {
    /// Condition present, nobody has taken note.
    Active,
    /// Condition present, somebody took note.
    Acknowledged,
    /// Condition over, nobody has taken note; signals go on.
    Latched,
    /// Over.
    Cleared,
}

impl AlarmState {
    /// `active`, `acknowledged`, `latched` or `cleared`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Acknowledged => "acknowledged",
            Self::Latched => "latched",
            Self::Cleared => "cleared",
        }
    }
}
