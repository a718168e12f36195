//! Small filters on the 125 Hz grid. Sums are integers, so they never drift and every machine agrees.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

/// Running sum over the last `N` values.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Boxcar {
    held: VecDeque<i32>,
    sum: i64,
}

impl Boxcar {
    pub(super) fn new(len: usize) -> Self {
        Self {
            held: std::iter::repeat_n(0, len).collect(),
            sum: 0,
        }
    }

    /// Takes a value and returns the mean.
    pub(super) fn mean(&mut self, value: i32) -> i32 {
        let oldest = self.held.pop_front().unwrap_or(0);
        self.held.push_back(value);
        self.sum += i64::from(value) - i64::from(oldest);
        (self.sum / self.held.len() as i64) as i32
    }

    /// The value in the middle: the input, delayed as the mean is.
    pub(super) fn middle(&self) -> i32 {
        self.held.get(self.held.len() / 2).copied().unwrap_or(0)
    }

    /// As if `value` had been there for ever.
    pub(super) fn settle(&mut self, value: i32) {
        self.held.iter_mut().for_each(|held| *held = value);
        self.sum = i64::from(value) * self.held.len() as i64;
    }
}

/// First-order high-pass that keeps 0.5 Hz and above: takes the offset and most of the wander off.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct HighPass {
    input: f32,
    output: f32,
}

/// exp(−2π · 0.5 Hz · 8 ms)
const HIGH_PASS_POLE: f32 = 0.975_18;

impl HighPass {
    pub(super) fn next(&mut self, value: f32) -> f32 {
        self.output = HIGH_PASS_POLE * (self.output + value - self.input);
        self.input = value;
        self.output
    }

    pub(super) fn settle(&mut self, value: f32) {
        self.input = value;
        self.output = 0.0;
    }
}

/// The last [`History::LEN`] values in µV, newest last.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct History(VecDeque<i16>);

impl Default for History {
    fn default() -> Self {
        Self(std::iter::repeat_n(0, Self::LEN).collect())
    }
}

impl History {
    /// A little over four seconds.
    pub(super) const LEN: usize = 512;

    pub(super) fn push(&mut self, value: f32) {
        self.0.pop_front();
        self.0.push_back(value.clamp(-32_000.0, 32_000.0) as i16);
    }

    /// The value `age` cells ago, 0 beyond the end.
    pub(super) fn back(&self, age: usize) -> i32 {
        let at = (Self::LEN - 1).checked_sub(age);
        at.and_then(|at| self.0.get(at)).copied().map_or(0, i32::from)
    }

    /// The values from `oldest` to `newest` cells ago, in order of time.
    pub(super) fn span(&self, oldest: usize, newest: usize) -> impl Iterator<Item = i32> + Clone + '_ {
        let from = (Self::LEN - 1).saturating_sub(oldest);
        let to = Self::LEN.saturating_sub(newest).max(from);
        self.0.range(from..to).map(|value| i32::from(*value))
    }
}
