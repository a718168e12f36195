//! How a monitor averages the heart rate.

use std::collections::VecDeque;

/// Without a beat for this long there is no rate to show, seconds (the definition of asystole).
pub(super) const NO_BEAT_S: f64 = 4.0;

/// Averages RR intervals: the last 12, or the last 4 when the last 3 are all longer than 1.2 s, as makers declare
/// (Philips MP2 manual p. 300, Mindray BeneHeart D60 manual p. 97).
#[derive(Clone, Debug, Default)]
pub struct HeartRateMeter {
    beats: VecDeque<f64>,
}

impl HeartRateMeter {
    /// Notes an R peak at `seconds` of the signal's own time. After a pause of four seconds the average begins anew.
    pub fn beat(&mut self, seconds: f64) {
        if self.since_last(seconds).is_some_and(|gap| gap > NO_BEAT_S) {
            self.beats.clear();
        }
        self.beats.push_back(seconds);
        if self.beats.len() > 13 {
            self.beats.pop_front();
        }
    }

    /// Forgets everything: the lead was off.
    pub fn clear(&mut self) {
        self.beats.clear();
    }

    /// Seconds since the last beat.
    pub fn since_last(&self, now: f64) -> Option<f64> {
        self.beats.back().map(|last| now - last)
    }

    /// Beats per minute at `now`, or `None` without two beats, or without one in the last four seconds.
    pub fn rate(&self, now: f64) -> Option<f64> {
        if self.since_last(now)? > NO_BEAT_S {
            return None;
        }
        let intervals: Vec<f64> = self.beats.iter().zip(self.beats.iter().skip(1)).map(|(a, b)| b - a).collect();
        let slow = intervals.len() >= 3 && intervals.iter().rev().take(3).all(|rr| *rr > 1.2);
        let used: Vec<f64> = intervals.iter().rev().take(if slow { 4 } else { 12 }).copied().collect();
        let sum: f64 = used.iter().sum();
        (sum > 0.0).then(|| 60.0 * used.len() as f64 / sum)
    }
}
