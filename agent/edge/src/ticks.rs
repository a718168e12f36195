//! Ticks: the Ward sees time pass on a fixed grid, the same in service, after a crash and in a replay.

use std::time::Duration;

use wardlight_core::event::{Effect, Event};
use wardlight_core::time::Timestamp;
use wardlight_core::ward::{TICK, Ward};

/// After a longer silence (the machine slept, the clock leapt) only this much of it is ticked through. An agent that runs
/// never waits as long for its next input that a replay would leave out a tick that it had: models alone answer more often.
const LONGEST_CATCH_UP: Duration = Duration::from_hours(1);

/// Steps the Ward through every tick after its last event, up to and including `until`.
pub(crate) fn run_until(ward: &mut Ward, until: Timestamp, effects: &mut Vec<Effect>) {
    let mut next = following(ward.now().max(until.minus(LONGEST_CATCH_UP)));
    while next <= until {
        ward.step(Event::Tick, next, effects);
        next = next.plus(TICK);
    }
}

/// Steps the Ward through the ticks that come before an event at `at`. None come before a restart: nobody watched then,
/// and what would have been silence is the agent's own absence.
pub(crate) fn run_before(ward: &mut Ward, event: &Event, at: Timestamp, effects: &mut Vec<Effect>) {
    if !matches!(event, Event::Restart) {
        run_until(ward, at, effects);
    }
}

/// The first tick after `now`.
pub(crate) fn following(now: Timestamp) -> Timestamp {
    let grid = i64::try_from(TICK.as_millis()).unwrap_or(1);
    Timestamp::from_millis((now.as_millis().div_euclid(grid) + 1) * grid)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_stand_on_the_grid_whenever_one_looks() {
        assert_eq!(following(Timestamp::from_millis(0)).as_millis(), 250);
        assert_eq!(following(Timestamp::from_millis(249)).as_millis(), 250);
        assert_eq!(following(Timestamp::from_millis(250)).as_millis(), 500);
    }
}
