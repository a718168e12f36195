//! The agent's clock: the one place that asks the system what time it is.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use wardlight_core::time::Timestamp;

/// A system clock that was set forward by more than this is followed; smaller differences are left to time synchronisation.
const FOLLOW_FORWARD: Duration = Duration::from_secs(1);

/// Wall-clock time that never goes back: it follows the monotonic clock, and the system's only forward.
///
/// Where the system clock is set back, ours runs on, so that no tick stops and no record is out of order;
/// the next start begins with the corrected time.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock {
    wall: Timestamp,
    since: Instant,
}

impl Clock {
    /// Starts at the system's time, or at `not_before` if that is later: a restored state may be ahead of a clock set back.
    pub(crate) fn start(not_before: Timestamp) -> Self {
        Self {
            wall: wall().max(not_before),
            since: instant(),
        }
    }

    /// Now.
    pub(crate) fn now(&self) -> Timestamp {
        self.wall.plus(self.since.elapsed())
    }

    /// How far the system's clock is behind ours: it was set back, and we run on.
    pub(crate) fn ahead(&self) -> Duration {
        self.now().since(wall())
    }

    /// Compares with the system clock; returns the step if it was set forward and ours followed.
    pub(crate) fn follow(&mut self) -> Option<Duration> {
        let (ours, theirs) = (self.now(), wall());
        let ahead = theirs.since(ours);
        (ahead > FOLLOW_FORWARD).then(|| {
            *self = Self {
                wall: theirs,
                since: instant(),
            };
            ahead
        })
    }
}

/// The system's wall clock.
#[allow(clippy::disallowed_methods, reason = "the binary's clock")]
pub(crate) fn wall() -> Timestamp {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_millis(i64::try_from(since_epoch.as_millis()).unwrap_or(i64::MAX))
}

/// The system's monotonic clock.
#[allow(clippy::disallowed_methods, reason = "the binary's clock")]
pub(crate) fn instant() -> Instant {
    Instant::now()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_never_starts_before_the_state_it_continues() {
        let later = wall().plus(Duration::from_hours(1));
        assert!(Clock::start(later).now() >= later);
    }

    #[test]
    fn a_system_clock_set_back_by_an_hour_is_noticed() {
        let clock = Clock::start(wall().plus(Duration::from_hours(1)));
        assert!(clock.ahead() > Duration::from_mins(59));
    }

    #[test]
    fn a_system_clock_that_is_behind_is_not_followed() {
        let mut clock = Clock::start(wall().plus(Duration::from_hours(1)));
        assert_eq!(clock.follow(), None);
    }
}
