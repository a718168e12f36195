//! Which ECG lead is followed: II if it is good, else the best of the others; back and forth only for a reason.

use serde::{Deserialize, Serialize};

use super::lead::Frame;
use super::quality::EcgSignal;
use crate::codes::Waveform;

/// Frames for which another lead must be better before it is followed: one second. *ratify*
const CONVINCED: u32 = 5;

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
}

impl Selection {
    /// The lead to follow in this frame and its frame, if any lead has one. `frames` are in order of preference.
    pub(super) fn choose(&mut self, frames: &[(Waveform, Option<Frame>)]) -> Option<(Waveform, Frame)> {
        let there = || frames.iter().filter_map(|(waveform, frame)| frame.map(|f| (*waveform, f)));
        // The first of the best: max_by_key would give the last.
        let best = there().rev().max_by_key(|(_, frame)| rank(frame))?;
        let followed = there().find(|(waveform, _)| Some(*waveform) == self.followed);
        let Some(followed) = followed else {
            self.followed = Some(best.0);
            self.doubts = 0;
            return Some(best);
        };
        self.doubts = if rank(&best.1) > rank(&followed.1) { self.doubts + 1 } else { 0 };
        if self.doubts < CONVINCED {
            return Some(followed);
        }
        self.followed = Some(best.0);
        self.doubts = 0;
        Some(best)
    }
}

const fn rank(frame: &Frame) -> EcgSignal {
    frame.signal
}
