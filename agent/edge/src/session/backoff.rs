//! How long to wait before the next attempt: exponential, with full jitter, so that a ward of agents does not come back
//! at one instant.

use std::time::Duration;

use ring::rand::{SecureRandom, SystemRandom};

/// Least wait.
const FLOOR: Duration = Duration::from_millis(100);
/// The ceiling doubles from here …
const FIRST_CEILING: Duration = Duration::from_millis(200);
/// … up to here.
const LAST_CEILING: Duration = Duration::from_secs(10);

/// Counts attempts in a row that failed.
#[derive(Clone, Debug, Default)]
pub(crate) struct Backoff {
    failures: u32,
}

impl Backoff {
    /// An attempt held: the next failure starts from the shortest wait.
    pub(crate) fn reset(&mut self) {
        self.failures = 0;
    }

    /// The wait after one more failure: evenly spread between 100 ms and a ceiling that doubles from 200 ms to 10 s.
    pub(crate) fn next(&mut self) -> Duration {
        self.next_with(random_u32())
    }

    fn next_with(&mut self, random: u32) -> Duration {
        let ceiling = FIRST_CEILING.saturating_mul(1 << self.failures.min(16)).min(LAST_CEILING);
        self.failures = self.failures.saturating_add(1);
        let share = f64::from(random) / f64::from(u32::MAX);
        FLOOR + ceiling.saturating_sub(FLOOR).mul_f64(share)
    }
}

/// Without randomness the wait is the shortest one: worse company, never a stop.
fn random_u32() -> u32 {
    let mut bytes = [0; 4];
    match SystemRandom::new().fill(&mut bytes) {
        Ok(()) => u32::from_ne_bytes(bytes),
        Err(ring::error::Unspecified) => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_to_ten_seconds_and_start_over_after_success() {
        let mut backoff = Backoff::default();
        let longest: Vec<_> = (0..8).map(|_| backoff.next_with(u32::MAX).as_millis()).collect();
        assert_eq!(longest, [200, 400, 800, 1600, 3200, 6400, 10_000, 10_000]);
        backoff.reset();
        assert_eq!(backoff.next_with(u32::MAX).as_millis(), 200);
    }

    #[test]
    fn jitter_is_full_and_never_less_than_the_floor() {
        let mut backoff = Backoff { failures: 40 };
        assert_eq!(backoff.next_with(0), FLOOR);
        assert_eq!(backoff.next_with(u32::MAX / 2).as_millis(), 5049);
    }
}
