//! Whether an ECG lead can be believed, judged before any rhythm: a lead that is off and one that is disturbed are technical
//! conditions. All limits are product choices. *ratify*

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use super::grid::Cell;
use super::lead::FRAME;

/// State of the ECG.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum EcgSignal {
    /// No ECG arrives.
    #[default]
    None,
    /// An electrode is off, the input saturates, or samples are missing.
    LeadOff,
    /// Disturbed: no rhythm can be told.
    Noisy,
    /// The first seconds: the threshold is being learnt.
    Learning,
    /// Believed.
    Good,
}

/// Frames that are looked at together: one second.
const WINDOW: usize = 5;
/// Mean curvature in the quiet half of the last second, in µV: muscle and mains. A QRS fills less than half of a second's frames.
const NOISE_UV: f32 = 90.0;
/// The same, relative to the height of the wave.
const NOISE_SHARE: f32 = 0.12;
/// A step within 8 ms that is this many times as steep as the patient's beats, and at least so high in µV, is a disturbance …
const SPIKE_SHARE: f32 = 3.5;
const SPIKE_UV: f32 = 400.0;
/// … and so are the frames after it, while amplifiers recover: two seconds.
const RECOVERY: u8 = 10;
/// A change within 40 ms that no heart makes, in µV.
const JUMP_UV: f32 = 8_000.0;
/// Beyond this a constant value is a rail of the input and not a quiet heart, in µV.
const RAIL_UV: f32 = 3_000.0;
/// Steps smaller than this between cells count as constant, in µV.
const CONSTANT_UV: f32 = 3.0;

/// What was seen in one frame.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Seen {
    values: u8,
    off: u8,
    constant: u8,
    jumps: u8,
    /// Sum of |x[n-1] - (x[n] + x[n-2]) / 2|.
    curvature: f32,
    low: f32,
    high: f32,
}

/// Judge of one lead.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Judge {
    seen: Seen,
    frames: VecDeque<Seen>,
    recent: [f32; 5],
    /// Frames until a disturbance is over.
    recovery: u8,
}

impl Judge {
    pub(super) fn take(&mut self, cell: Cell, follows: bool, usual_slope: i32) {
        let Cell::Value(value) = cell else {
            self.seen.off += u8::from(matches!(cell, Cell::LeadOff | Cell::Gap));
            return;
        };
        if !follows {
            self.recent = [value; 5];
        }
        let [last, before, .., oldest] = self.recent;
        let seen = &mut self.seen;
        if seen.values == 0 {
            (seen.low, seen.high) = (value, value);
        }
        seen.values += 1;
        seen.curvature += (last - f32::midpoint(value, before)).abs();
        seen.low = seen.low.min(value);
        seen.high = seen.high.max(value);
        seen.jumps += u8::from((value - oldest).abs() > JUMP_UV);
        let step = (value - last).abs();
        if usual_slope > 0 && step > SPIKE_UV && step > SPIKE_SHARE * usual_slope as f32 {
            self.recovery = RECOVERY;
        }
        seen.constant += u8::from(step < CONSTANT_UV && value.abs() > RAIL_UV);
        self.recent.rotate_right(1);
        let [newest, ..] = &mut self.recent;
        *newest = value;
    }

    /// Ends a frame.
    pub(super) fn judge(&mut self) -> EcgSignal {
        self.frames.push_back(std::mem::take(&mut self.seen));
        let recovers = self.recovery > 0;
        self.recovery = self.recovery.saturating_sub(1);
        if self.frames.len() > WINDOW {
            self.frames.pop_front();
        }
        let total = |f: fn(&Seen) -> u8| self.frames.iter().map(|s| usize::from(f(s))).sum::<usize>();
        let half = self.frames.len() * FRAME / 2;
        if total(|s| s.off) > half || total(|s| s.constant) > half {
            return EcgSignal::LeadOff;
        }
        if total(|s| s.values) < half || total(|s| s.jumps) > 0 || recovers {
            return EcgSignal::Noisy;
        }
        let (noise, height) = self.noise();
        if noise > NOISE_UV && noise > NOISE_SHARE * height {
            return EcgSignal::Noisy;
        }
        EcgSignal::Good
    }

    /// Median over the frames of the mean curvature, and the height of the wave.
    pub(super) fn noise(&self) -> (f32, f32) {
        let mut curvatures: [f32; WINDOW] = [0.0; WINDOW];
        let with_values = self.frames.iter().filter(|s| s.values > 0);
        for (slot, seen) in curvatures.iter_mut().zip(with_values.clone()) {
            *slot = seen.curvature / f32::from(seen.values);
        }
        curvatures.sort_unstable_by(f32::total_cmp);
        let [_, _, median, _, _] = curvatures;
        let height = with_values.map(|s| s.high - s.low).fold(0.0, f32::max);
        (median, height)
    }
}
