//! Which ECG lead is followed: II if it is good, else the best of the others; back and forth only for a reason.

use serde::{Deserialize, Serialize};

use super::lead::Frame;
use super::quality::EcgSignal;
use crate::codes::Waveform;

/// Frames for which another lead must be better before it is followed: one second. *ratify*
const CONVINCED: u32 = 5;

/// Frames for which the preferred lead must be as good before it is followed again: ten seconds. *ratify*
const RETURN: u32 = 50;

/// Order of preference, lowest first: II, then the limb leads and V, then the rest.
pub(super) const fn preference(waveform: Waveform) -> u32 {
    match waveform.code() {
        131_330 => 0,
        131_395 => 1,
        131_329 => 2,
        131_389 => 3,
        131_335 => 4,
        131_392 => 5,
        other => other,
    }
}

/// The lead that is followed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Selection {
    followed: Option<Waveform>,
    /// Frames for which the lead that is followed has not been the best.
    doubts: u32,
    /// Frames for which a preferred lead has been as good.
    as_good: u32,
}

impl Selection {
    /// The lead to follow in this frame and its frame, if any lead has one. `frames` are in order of preference.
    pub(super) fn choose(&mut self, frames: &[(Waveform, Option<Frame>)]) -> Option<(Waveform, Frame)> {
        let there = || frames.iter().filter_map(|(waveform, frame)| frame.map(|f| (*waveform, f)));
        // The first of the best: max_by_key would give the last.
        let best = there().rev().max_by_key(|(_, frame)| rank(frame))?;
        let followed = there().find(|(waveform, _)| Some(*waveform) == self.followed);
        let Some(followed) = followed else {
            return Some(self.follow(best));
        };
        let better = rank(&best.1) > rank(&followed.1);
        let preferred = !better && best.0 != followed.0;
        self.doubts = if better { self.doubts + 1 } else { 0 };
        self.as_good = if preferred { self.as_good + 1 } else { 0 };
        let turn = self.doubts >= CONVINCED || self.as_good >= RETURN;
        Some(if turn { self.follow(best) } else { followed })
    }

    fn follow(&mut self, lead: (Waveform, Frame)) -> (Waveform, Frame) {
        *self = Self {
            followed: Some(lead.0),
            ..Self::default()
        };
        lead
    }
}

const fn rank(frame: &Frame) -> EcgSignal {
    frame.signal
}
