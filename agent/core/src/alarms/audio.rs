//! What people do to the signals of a bed's alarms: audio paused, audio off, alarm off. Nothing else is called "silence".

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::AlarmKind;
use crate::time::Timestamp;

/// Longest audio pause (IEC 60601-1-8 leaves the number to the maker; 120 s is usual; *ratify*).
pub const LONGEST_PAUSE: Duration = Duration::from_mins(2);

/// Whether an alarm sounds (signal activation of IEEE 11073-10207: `On`, `Psd`, `Off`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Audio {
    /// It sounds, as long as nobody has acknowledged it.
    On,
    /// The bed's audio is paused for a while.
    Paused,
    /// This alarm's audio is off at this bed.
    Off,
}

impl Audio {
    /// `on`, `paused` or `off`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::On => "on",
            Self::Paused => "paused",
            Self::Off => "off",
        }
    }
}

/// What one kind of alarm is set to at one bed, until it is set back or the patient is discharged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Inactivation {
    /// Seen, not heard.
    AudioOff,
    /// Not raised at all. Refused for red alarms.
    AlarmOff,
}

impl Inactivation {
    /// `audio_off` or `alarm_off`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::AudioOff => "audio_off",
            Self::AlarmOff => "alarm_off",
        }
    }
}

/// One kind of alarm that is not as it is by default.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Inactivated {
    /// Which kind.
    pub kind: AlarmKind,
    /// What it is set to.
    pub how: Inactivation,
    /// Who did it.
    pub by: String,
    /// When.
    pub at: Timestamp,
}

/// A running audio pause.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AudioPause {
    /// When it ends by itself.
    pub until: Timestamp,
    /// Who did it.
    pub by: String,
}

/// The signals of one bed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Signals {
    pause: Option<AudioPause>,
    inactivated: Vec<Inactivated>,
}

impl Signals {
    pub(crate) const fn pause(&self) -> Option<&AudioPause> {
        self.pause.as_ref()
    }

    pub(crate) fn inactivated(&self) -> &[Inactivated] {
        &self.inactivated
    }

    /// Pauses the audio for at most [`LONGEST_PAUSE`].
    pub(crate) fn pause_until(&mut self, until: Timestamp, by: &str, now: Timestamp) {
        self.pause = Some(AudioPause {
            until: until.min(now.plus(LONGEST_PAUSE)),
            by: by.to_owned(),
        });
    }

    /// Ends the pause: a person wants so, or a new high-priority condition does.
    pub(crate) fn resume(&mut self) {
        self.pause = None;
    }

    /// Ends a pause whose time is over.
    pub(crate) fn tick(&mut self, now: Timestamp) {
        self.pause.take_if(|pause| now >= pause.until);
    }

    /// Sets a kind, or back to normal with `None`.
    pub(crate) fn set(&mut self, kind: &AlarmKind, how: Option<Inactivation>, by: &str, now: Timestamp) {
        self.inactivated.retain(|known| known.kind != *kind);
        if let Some(how) = how {
            self.inactivated.push(Inactivated {
                kind: kind.clone(),
                how,
                by: by.to_owned(),
                at: now,
            });
        }
    }

    /// Whether alarms of this kind are not to be raised.
    pub(crate) fn is_alarm_off(&self, kind: &AlarmKind) -> bool {
        self.how(kind) == Some(Inactivation::AlarmOff)
    }

    /// Whether an alarm of this kind sounds. `unheeded_high`: it is of high priority and nobody has taken note; neither a
    /// pause nor "audio off" holds that back. Acknowledging is the way to quiet it.
    pub(crate) fn audio(&self, kind: &AlarmKind, unheeded_high: bool) -> Audio {
        if unheeded_high {
            return Audio::On;
        }
        match (self.how(kind), &self.pause) {
            (Some(_), _) => Audio::Off,
            (None, Some(_)) => Audio::Paused,
            (None, None) => Audio::On,
        }
    }

    fn how(&self, kind: &AlarmKind) -> Option<Inactivation> {
        self.inactivated
            .iter()
            .find(|known| known.kind == *kind)
            .map(|known| known.how)
    }
}
