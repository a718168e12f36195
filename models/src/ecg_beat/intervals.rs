//! The intervals between beats, and how one compares with those before it.

use std::collections::VecDeque;

use super::measure::compare;

/// Intervals remembered.
const KEPT: usize = 400;
/// Longest interval before a beat that is told apart, in cells: 3 s.
const LONGEST: f32 = 375.0;
/// The same of the interval after it, for which nobody waits longer: 1.5 s.
const LONGEST_AFTER: f32 = 188.0;
/// What is assumed before anything is known: 75 a minute.
const USUAL: f32 = 100.0;
/// An interval within this share of the median is a regular one.
const REGULAR: f32 = 0.08;

/// Numbers that [`Intervals::features`] gives.
pub(super) const FEATURES: usize = 26;

/// A change from one interval to the next within this share of the median is a small one.
const STEADY: f32 = 0.05;
/// An interval changes suddenly if it leaves this share around the rate that was there before.
const SUDDEN: f32 = 0.12;
/// How fast that rate follows intervals that change slowly.
const FOLLOW: f32 = 0.125;
/// Intervals after which a sudden change has become the rate.
const ACCEPTED: u32 = 240;

/// The intervals before a beat, newest last, in cells.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Intervals {
    kept: VecDeque<f32>,
    /// The interval of the rhythm that was there before something began suddenly; a rhythm that quickens slowly takes it along.
    settled: Option<f32>,
    /// Intervals since it was last met.
    unmet: u32,
}

impl Intervals {
    /// The interval before the beat in question.
    pub(super) fn push(&mut self, cells: Option<i64>) {
        let cells = cells.map_or_else(|| self.median(10, 0), |cells| (cells as f32).min(LONGEST));
        if self.kept.len() >= KEPT {
            self.kept.pop_front();
        }
        self.kept.push_back(cells);
        self.settle(cells);
    }

    fn settle(&mut self, cells: f32) {
        let near = self.median(10, 0);
        let settled = self.settled.get_or_insert(near);
        if (cells - *settled).abs() <= SUDDEN * *settled {
            *settled += (cells - *settled) * FOLLOW;
            self.unmet = 0;
        } else {
            self.unmet += 1;
        }
        // At the start nothing is known that was there before.
        if self.unmet > ACCEPTED.min(self.kept.len() as u32 / 2) {
            self.settled = Some(near);
            self.unmet = 0;
        }
    }

    /// How early the beat is by the median of the intervals so far: [`compare`] of the two.
    pub(super) fn earliness(&self) -> f32 {
        compare(self.back(0), self.quantile(100, 1, 0.5))
    }

    /// The features of the beat; `after` is the interval to the next beat, if one is known.
    pub(super) fn features(&self, after: Option<i64>) -> [f32; FEATURES] {
        let after = after.map_or(LONGEST_AFTER, |cells| (cells as f32).min(LONGEST_AFTER));
        let (before, last, second) = (self.back(0), self.back(1), self.back(2));
        let near = self.median(10, 1);
        let long = self.quantile(100, 1, 0.5);
        let settled = self.settled.unwrap_or(USUAL);
        let (low, high) = (self.quantile(100, 1, 0.2), self.quantile(100, 1, 0.8));
        [
            compare(before, USUAL),
            compare(after, USUAL),
            compare(before, near),
            compare(after, near),
            compare(before, long),
            compare(before, high),
            compare(before, low),
            compare(before, after),
            compare(before, last),
            compare(last, near),
            compare(second, near),
            compare(near, high),
            compare(low, high),
            self.irregularity(12),
            self.irregularity(48),
            self.regular(24),
            compare(before, self.quantile(8, 1, 0.0)),
            compare(before, self.quantile(8, 1, 1.0)),
            compare(before, settled),
            compare(after, settled),
            compare(last, settled),
            compare(near, settled),
            compare(before, self.quantile(KEPT, 1, 0.6)),
            self.usual_change(32),
            self.usual_change(100),
            self.steady(48),
        ]
    }

    fn back(&self, age: usize) -> f32 {
        let at = self.kept.len().checked_sub(age + 1);
        at.and_then(|at| self.kept.get(at))
            .copied()
            .unwrap_or_else(|| self.kept.front().copied().unwrap_or(USUAL))
    }

    fn median(&self, count: usize, skip: usize) -> f32 {
        self.quantile(count, skip, 0.5)
    }

    /// Of the last `count` intervals, but for the newest `skip`.
    fn quantile(&self, count: usize, skip: usize, share: f32) -> f32 {
        let mut some: Vec<f32> = self.kept.iter().rev().skip(skip).take(count).copied().collect();
        some.sort_unstable_by(f32::total_cmp);
        let at = (some.len().saturating_sub(1) as f32 * share) as usize;
        some.get(at).copied().unwrap_or(USUAL)
    }

    /// Mean change from interval to interval over the last `count`, by their mean.
    fn irregularity(&self, count: usize) -> f32 {
        let change: f32 = self.changes(count).sum();
        let sum: f32 = self.kept.iter().rev().take(count).sum();
        if sum > 0.0 { 4.0 * change / sum } else { 0.0 }
    }

    /// Median change from interval to interval, by the median interval: large in atrial fibrillation, small with a few extra beats.
    fn usual_change(&self, count: usize) -> f32 {
        let mut changes: Vec<f32> = self.changes(count).collect();
        changes.sort_unstable_by(f32::total_cmp);
        let middle = changes.get(changes.len() / 2).copied().unwrap_or(0.0);
        (16.0 * middle / self.median(count, 0)).min(4.0)
    }

    /// Share of the last `count` changes that are small.
    fn steady(&self, count: usize) -> f32 {
        let small = STEADY * self.median(count, 0);
        let found = self.changes(count).filter(|change| *change <= small).count();
        found as f32 / self.kept.len().clamp(1, count) as f32
    }

    fn changes(&self, count: usize) -> impl Iterator<Item = f32> + '_ {
        let some = || self.kept.iter().rev().take(count);
        some().zip(some().skip(1)).map(|(a, b)| (a - b).abs())
    }

    /// Share of the last `count` intervals that lie near their median.
    fn regular(&self, count: usize) -> f32 {
        let median = self.median(count, 0);
        let near = self
            .kept
            .iter()
            .rev()
            .take(count)
            .filter(|i| (*i - median).abs() <= REGULAR * median);
        near.count() as f32 / self.kept.len().clamp(1, count) as f32
    }
}
