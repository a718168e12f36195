//! Whether a device's clock can be believed.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::time::Timestamp;

/// Beyond this the device's times are not used (product choice; *ratify*).
const MAX_SKEW_MS: i64 = 5_000;
/// A message later than this means a wrong clock and no backlog: devices store less.
const MAX_BACKLOG_MS: i64 = 3_600_000;
/// The least delay is taken over the last one to two of these: about a minute.
const HALF_WINDOW: Duration = Duration::from_secs(30);
/// A known device may be behind for this long, working off a backlog, before its clock is called wrong.
const BACKLOG_PATIENCE: Duration = Duration::from_mins(1);

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
enum Verdict {
    #[default]
    Unknown,
    Right,
    Wrong,
}

/// Judges one device's clock by the least of arrival minus device time over the last minute.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct DeviceClock {
    verdict: Verdict,
    behind_since: Option<Timestamp>,
    half_began_at: Timestamp,
    least: Option<i64>,
    least_before: Option<i64>,
}

impl DeviceClock {
    /// Notes when a message was sent and when it came.
    pub(crate) fn note(&mut self, sent_at: Timestamp, received_at: Timestamp) {
        if received_at.since(self.half_began_at) >= HALF_WINDOW {
            self.least_before = self.least.take();
            self.half_began_at = received_at;
        }
        let delay = received_at.millis_after(sent_at);
        self.least = Some(self.least.map_or(delay, |least| least.min(delay)));
        self.verdict = self.judge(received_at);
    }

    /// Whether the clock is off by more than five seconds.
    pub(crate) fn is_wrong(&self) -> bool {
        self.verdict == Verdict::Wrong
    }

    /// Device clock minus ours in milliseconds, as far as the transport's delay allows to say.
    pub(crate) fn skew_ms(&self) -> Option<i64> {
        self.least_delay().map(|delay| -delay)
    }

    fn least_delay(&self) -> Option<i64> {
        self.least.into_iter().chain(self.least_before).min()
    }

    fn judge(&mut self, received_at: Timestamp) -> Verdict {
        let least = self.least_delay().unwrap_or(0);
        if (-MAX_SKEW_MS..=MAX_SKEW_MS).contains(&least) {
            self.behind_since = None;
            return Verdict::Right;
        }
        if !(0..=MAX_BACKLOG_MS).contains(&least) {
            return Verdict::Wrong;
        }
        let behind_since = *self.behind_since.get_or_insert(received_at);
        match self.verdict {
            Verdict::Right if received_at.since(behind_since) < BACKLOG_PATIENCE => Verdict::Right,
            _ => Verdict::Wrong,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(ms: i64) -> Timestamp {
        Timestamp::from_millis(1_700_000_000_000 + ms)
    }

    #[test]
    fn a_right_clock_keeps_its_times() {
        let mut clock = DeviceClock::default();
        clock.note(ms(0), ms(40));
        clock.note(ms(1000), ms(6100));
        assert!(!clock.is_wrong(), "one late message is no wrong clock");
    }

    #[test]
    fn a_clock_from_1970_or_2100_or_six_seconds_off_is_wrong_at_once() {
        for off in [-1_700_000_000_000, 2_400_000_000_000, 6_000, -6_000, 5_001, -5_001] {
            let mut clock = DeviceClock::default();
            clock.note(ms(off), ms(0));
            assert!(clock.is_wrong(), "{off}");
        }
        for off in [5_000, -5_000] {
            let mut clock = DeviceClock::default();
            clock.note(ms(off), ms(0));
            assert!(!clock.is_wrong(), "{off}");
        }
    }

    #[test]
    fn a_backlog_after_an_outage_keeps_its_own_times() {
        let mut clock = DeviceClock::default();
        clock.note(ms(0), ms(50));
        for i in 1..300 {
            clock.note(ms(i * 1000), ms(600_000 + i));
            assert!(!clock.is_wrong(), "{i}");
        }
    }

    #[test]
    fn a_known_clock_that_stays_behind_for_a_minute_is_wrong() {
        let mut clock = DeviceClock::default();
        clock.note(ms(0), ms(50));
        for s in 1..=200 {
            clock.note(ms(s * 1000 - 10_000), ms(s * 1000));
        }
        assert!(clock.is_wrong());
    }
}
