//! Pulses in the plethysmogram: the second witness. A pulse that goes on regularly contradicts an asystole seen in the ECG only.
//! All limits are product choices. *ratify*

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use super::filter::{Boxcar, HighPass};
use super::grid::{Cell, Grid};
use super::lead::FRAME;
use super::qrs::ms;
use crate::message::WaveBlock;
use crate::time::Timestamp;

/// Most frames kept for the bed.
const MOST_FRAMES: usize = 32;
/// Pulses told to the bed.
pub(super) const PULSES: usize = 6;
/// A swing of this share of the usual one is a pulse.
const SWING_SHARE: f32 = 0.4;
/// Swings beyond this share of the usual one are a movement.
const MOVEMENT_SHARE: f32 = 2.5;
/// Intervals of a regular pulse differ from their mean by this share at most.
const IRREGULAR: f32 = 0.25;
/// Shortest and longest interval of a pulse: 180 and 30 a minute.
const INTERVALS: (i64, i64) = (ms(333) as i64, ms(2000) as i64);

/// The pleth at the end of a frame.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct PulseFrame {
    pub index: i64,
    /// Cells since each of the last regular pulses, newest first; 0 for none. Empty if the last one is overdue.
    pub ages: [u16; PULSES],
}

impl PulseFrame {
    /// Whether at least `least` regular pulses came in the last `cells`, the last of them on time, no faster than `shortest` apart.
    pub(super) fn beats_on(&self, least: usize, cells: i64, shortest: i64) -> bool {
        let within = |age: &&u16| **age > 0 && i64::from(**age) <= cells;
        let mut ages = self.ages.iter().filter(within);
        let count = ages.clone().count();
        let newest = ages.next().copied().map_or(0, i64::from);
        let oldest = ages.next_back().copied().map_or(0, i64::from);
        count >= least && oldest - newest >= shortest * (count as i64 - 1)
    }
}

/// See the [module](self).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Pleth {
    grid: Grid,
    pulses: Pulses,
    pub(super) frames: VecDeque<PulseFrame>,
}

impl Default for Pleth {
    fn default() -> Self {
        Self {
            grid: Grid::default(),
            pulses: Pulses::new(),
            frames: VecDeque::new(),
        }
    }
}

impl Pleth {
    pub(super) fn push(&mut self, block: &WaveBlock, sent_at: Timestamp) {
        let (pulses, frames) = (&mut self.pulses, &mut self.frames);
        self.grid.push(block, sent_at, |number, cell| {
            if cell == Cell::Restart {
                *pulses = Pulses::new();
                frames.retain(|f: &PulseFrame| f.index < number.div_euclid(FRAME as i64));
                return;
            }
            pulses.take(number, cell);
            if (number + 1).rem_euclid(FRAME as i64) == 0 {
                if frames.len() >= MOST_FRAMES {
                    frames.pop_front();
                }
                frames.push_back(pulses.frame(number));
            }
        });
    }

    /// Frames up to here, exclusive, are complete.
    pub(super) fn produced(&self) -> i64 {
        self.grid.cell().div_euclid(FRAME as i64)
    }

    /// Removes and returns the frame with this index; earlier ones are dropped.
    pub(super) fn frame(&mut self, index: i64) -> Option<PulseFrame> {
        while self.frames.front().is_some_and(|f| f.index < index) {
            self.frames.pop_front();
        }
        self.frames.pop_front_if(|f| f.index == index)
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Pulses {
    high_pass: HighPass,
    smooth: Boxcar,
    follows: bool,
    rising: bool,
    low: i32,
    high: i32,
    high_at: i64,
    /// The last swings.
    swings: [f32; 8],
    /// Cells since the last pulse.
    since: usize,
    /// Cells of the pulses of the regular run.
    run: VecDeque<i64>,
}

impl Pulses {
    fn new() -> Self {
        Self {
            high_pass: HighPass::default(),
            smooth: Boxcar::new(13),
            follows: false,
            rising: false,
            low: 0,
            high: 0,
            high_at: 0,
            swings: [0.0; 8],
            since: 0,
            run: VecDeque::new(),
        }
    }

    fn take(&mut self, number: i64, cell: Cell) {
        let Cell::Value(value) = cell else {
            self.follows = false;
            self.run.clear();
            return;
        };
        if !self.follows {
            self.follows = true;
            self.high_pass.settle(value);
            self.smooth.settle(0);
            (self.low, self.high, self.rising) = (0, 0, false);
        }
        // Tenths of a thousandth: pleths come in units of their own, often below 1.
        let wave = self.smooth.mean((self.high_pass.next(value) * 10.0).clamp(-1e9, 1e9) as i32);
        self.since += 1;
        if self.since > ms(3000) {
            // Nothing at the usual swing for long: look for smaller ones, but forget slowly.
            self.swings.iter_mut().for_each(|swing| *swing *= 0.8);
            self.since = 0;
            self.run.clear();
        }
        let enough = (self.usual_swing() * SWING_SHARE).max(1.0);
        if self.rising {
            if wave > self.high {
                (self.high, self.high_at) = (wave, number);
            } else if (self.high.saturating_sub(wave)) as f32 > enough {
                self.rising = false;
                let swing = self.high.saturating_sub(self.low) as f32;
                self.low = wave;
                self.pulse(self.high_at, swing);
            }
        } else if wave < self.low {
            self.low = wave;
        } else if (wave.saturating_sub(self.low)) as f32 > enough {
            self.rising = true;
            (self.high, self.high_at) = (wave, number);
        }
    }

    fn pulse(&mut self, at: i64, swing: f32) {
        self.since = 0;
        let usual = (SWING_SHARE..MOVEMENT_SHARE).contains(&(swing / self.usual_swing().max(1.0)));
        self.swings.rotate_right(1);
        let [newest, ..] = &mut self.swings;
        *newest = swing;
        if !usual || !self.is_regular(at) {
            self.run.clear();
        }
        if self.run.len() >= PULSES {
            self.run.pop_front();
        }
        self.run.push_back(at);
    }

    /// Median of the last swings.
    fn usual_swing(&self) -> f32 {
        let mut sorted = self.swings;
        sorted.sort_unstable_by(f32::total_cmp);
        let [_, _, _, _, middle, ..] = sorted;
        middle
    }

    fn mean_interval(&self) -> Option<i64> {
        let (first, last) = (self.run.front()?, self.run.back()?);
        let intervals = self.run.len() as i64 - 1;
        (intervals > 0).then(|| (last - first) / intervals)
    }

    fn is_regular(&self, at: i64) -> bool {
        let Some(last) = self.run.back() else { return true };
        let interval = at - last;
        let near = self
            .mean_interval()
            .is_none_or(|mean| (interval - mean).abs() as f32 <= IRREGULAR * mean as f32);
        near && (INTERVALS.0..=INTERVALS.1).contains(&interval)
    }

    fn frame(&self, number: i64) -> PulseFrame {
        let index = number.div_euclid(FRAME as i64);
        let mut ages = [0; PULSES];
        let overdue = match (self.mean_interval(), self.run.back()) {
            (Some(mean), Some(last)) => number - last > mean + mean / 2 + ms(200) as i64,
            _ => true,
        };
        if !overdue {
            for (age, at) in ages.iter_mut().zip(self.run.iter().rev()) {
                *age = u16::try_from(number - at + 1).unwrap_or(0);
            }
        }
        PulseFrame { index, ages }
    }
}
