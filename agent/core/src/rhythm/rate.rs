//! Heart rate as bedside monitors average it.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use crate::vitals::Milli;

/// Intervals averaged (as two makers of bedside monitors declare for IEC 60601-2-27).
const INTERVALS: usize = 12;
/// While this many last intervals are all slow, fewer are averaged.
const SLOW: usize = 3;
const SLOW_INTERVALS: usize = 4;
/// A slow interval.
const SLOW_MS: u32 = 1200;
/// Least number of intervals for a rate. *ratify*
const LEAST: usize = 3;

/// The last intervals between beats.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct HeartRate(VecDeque<u32>);

impl HeartRate {
    pub(super) fn add(&mut self, interval_ms: u32) {
        if self.0.len() >= INTERVALS {
            self.0.pop_front();
        }
        self.0.push_back(interval_ms);
    }

    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    /// Mean of the last 12 intervals without the largest and the smallest, but of the last 4 if the last 3 all exceed 1200 ms.
    pub(super) fn rate(&self) -> Option<Milli> {
        let last = |n: usize| self.0.iter().rev().take(n);
        let len = self.0.len();
        if len < LEAST {
            return None;
        }
        let (sum, count) = if last(SLOW).all(|ms| *ms > SLOW_MS) {
            (last(SLOW_INTERVALS).sum::<u32>(), len.min(SLOW_INTERVALS))
        } else {
            let extremes = last(len).max()? + last(len).min()?;
            (last(len).sum::<u32>() - extremes, len - 2)
        };
        Milli::from_f64(60_000.0 * count as f64 / f64::from(sum.max(1)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rate(intervals: &[u32]) -> Option<i32> {
        let mut rate = HeartRate::default();
        for ms in intervals {
            rate.add(*ms);
        }
        rate.rate().map(Milli::get)
    }

    #[test]
    fn twelve_intervals_are_averaged_without_the_largest_and_the_smallest() {
        let mut intervals = vec![9000; 3];
        intervals.extend([1000; 10]);
        intervals.extend([200, 3000]);
        assert_eq!(rate(&intervals), Some(60_000));
    }

    #[test]
    fn four_are_averaged_while_the_last_three_are_slow() {
        let mut intervals = vec![600; 10];
        intervals.extend([1201, 1201, 1201]);
        assert_eq!(rate(&intervals), Some(Milli::from_f64(240_000.0 / 4203.0).unwrap().get()));
        intervals.push(1200);
        // Twelve again: 8 × 600 and 4 slow ones, less one of each end.
        assert_eq!(
            rate(&intervals),
            Some(
                Milli::from_f64(600_000.0 / (7.0 * 600.0 + 2.0 * 1201.0 + 1200.0))
                    .unwrap()
                    .get()
            )
        );
    }

    #[test]
    fn fewer_than_three_intervals_give_no_rate() {
        assert_eq!(rate(&[800, 800]), None);
        assert_eq!(rate(&[800, 800, 800]), Some(75_000));
    }
}
