//! A record needs fewer values than an alarm: of each numeric of a device the first in each interval.

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use wardlight_core::ids::{DeviceId, StayToken};
use wardlight_core::scores::News2;
use wardlight_core::time::Timestamp;

/// Intervals that are remembered for each numeric. A device that stored more while it was away has its oldest values sent in full.
const INTERVALS: usize = 4096;

/// What was sent, as far as it decides about what comes.
#[derive(Debug)]
pub(super) struct Thinning {
    interval_ms: i64,
    taken: HashMap<(StayToken, DeviceId, u32), BTreeSet<i64>>,
    scores: HashMap<StayToken, (News2, Timestamp)>,
}

/// A score that does not change is sent again after so long.
const SCORE_AGAIN: Duration = Duration::from_hours(1);

impl Thinning {
    pub(super) fn new(interval: Duration) -> Self {
        Self {
            interval_ms: i64::try_from(interval.as_millis()).unwrap_or(i64::MAX).max(1),
            taken: HashMap::new(),
            scores: HashMap::new(),
        }
    }

    /// How long before a position its interval may have begun.
    pub(super) fn interval(&self) -> Duration {
        Duration::from_millis(self.interval_ms.unsigned_abs())
    }

    /// Whether nothing was taken yet of this numeric in the interval of `measured_at`; it is now.
    pub(super) fn takes(&mut self, stay: StayToken, device: &DeviceId, code: u32, measured_at: Timestamp) -> bool {
        let intervals = self.taken.entry((stay, device.clone(), code)).or_default();
        let is_first = intervals.insert(measured_at.as_millis().div_euclid(self.interval_ms));
        if intervals.len() > INTERVALS {
            intervals.pop_first();
        }
        is_first
    }

    /// Whether the score is another than the last one of the stay, or that one is old.
    pub(super) fn takes_score(&mut self, stay: StayToken, score: &News2, at: Timestamp) -> bool {
        let last = self.scores.get(&stay);
        let takes = last.is_none_or(|(last, sent_at)| last != score || at.since(*sent_at) >= SCORE_AGAIN);
        if takes {
            self.scores.insert(stay, (*score, at));
        }
        takes
    }

    /// Forgets what nothing has been heard of since `oldest`: memory follows the beds, not the years.
    pub(super) fn forget(&mut self, oldest: Timestamp) {
        let first = oldest.as_millis().div_euclid(self.interval_ms);
        self.taken
            .retain(|_, intervals| intervals.last().is_some_and(|last| *last >= first));
        self.scores.retain(|_, (_, at)| *at >= oldest);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STAY: StayToken = StayToken::from_bytes([1; 16]);

    fn takes(thinning: &mut Thinning, code: u32, s: i64) -> bool {
        thinning.takes(
            STAY,
            &DeviceId::new("mon-01").unwrap(),
            code,
            Timestamp::from_millis(s * 1000),
        )
    }

    #[test]
    fn the_first_value_of_each_interval_is_taken_whenever_it_comes() {
        let mut thinning = Thinning::new(Duration::from_mins(1));
        let taken: Vec<_> = (0..180).filter(|s| takes(&mut thinning, 1, *s)).collect();
        assert_eq!(taken, [0, 60, 120]);
        assert!(takes(&mut thinning, 2, 119), "another numeric");
        assert!(takes(&mut thinning, 1, -30), "stored by the device, and late");
        assert!(!takes(&mut thinning, 1, -31));
    }

    #[test]
    fn a_score_is_taken_when_it_changes_and_each_hour() {
        let mut thinning = Thinning::new(Duration::from_mins(1));
        let score = |pulse| {
            News2::of(&wardlight_core::scores::News2Input {
                pulse: Some(pulse),
                ..Default::default()
            })
        };
        let mut told = |score, minute: i64| thinning.takes_score(STAY, &score, Timestamp::from_millis(minute * 60_000));
        let answers = [(80, 0), (80, 1), (120, 2), (120, 61), (120, 62)].map(|(pulse, minute)| told(score(pulse), minute));
        assert_eq!(answers, [true, false, true, false, true]);
    }

    #[test]
    fn what_is_over_is_forgotten() {
        let mut thinning = Thinning::new(Duration::from_mins(1));
        takes(&mut thinning, 1, 0);
        takes(&mut thinning, 2, 600);
        thinning.forget(Timestamp::from_millis(300_000));
        assert_eq!(thinning.taken.len(), 1);
    }
}
