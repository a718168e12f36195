//! What patients do who are not ill: they turn, wash, sit up, sleep, and now and then pull at an electrode.
//!
//! How often is a rough guess at a general ward (*no source*), on the busy side: it exercises what must not alarm.

use std::collections::BTreeMap;
use std::time::Duration;

use wardlight_core::time::Timestamp;

use super::people::HOUR;
use crate::patient::Driver;
use crate::random::Random;
use crate::scenario::Act;

/// Something that comes again and again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Habit {
    /// The patient turns, reaches for the glass, scratches: a few seconds of motion.
    Turn,
    /// Washing, sitting up, walking to the chair: minutes of a faster heart and breath, with motion in bouts.
    Effort,
    /// A shallow breath in sleep: the saturation dips by some percent.
    Dip,
    /// An electrode comes loose and is pressed on again.
    LooseElectrode,
    /// The cuff is started by hand, between its quarter hours.
    Cuff,
}

impl Habit {
    const ALL: [Self; 5] = [Self::Turn, Self::Effort, Self::Dip, Self::LooseElectrode, Self::Cuff];

    /// Mean time from one to the next by day and by night; none where it does not happen.
    const fn mean(self, night: bool) -> Option<Duration> {
        match (self, night) {
            (Self::Turn, false) => Some(Duration::from_mins(10)),
            (Self::Turn | Self::Dip, true) => Some(Duration::from_mins(30)),
            (Self::Effort, false) => Some(Duration::from_hours(3)),
            (Self::LooseElectrode, _) => Some(Duration::from_hours(12)),
            (Self::Cuff, _) => Some(Duration::from_hours(6)),
            (Self::Effort, true) | (Self::Dip, false) => None,
        }
    }
}

/// The daily life of one patient.
#[derive(Clone, Debug)]
pub(super) struct DailyLife {
    random: Random,
    began_at: Timestamp,
    /// When each habit comes next.
    next: [(Habit, Timestamp); 5],
    /// What is to happen, in the order of time and of planning.
    agenda: BTreeMap<(Timestamp, u32), Act>,
    planned: u32,
}

impl DailyLife {
    pub(super) fn new(seed: u64, start: Timestamp) -> Self {
        let mut life = Self {
            random: Random::named(seed, "daily life"),
            began_at: start,
            next: Habit::ALL.map(|habit| (habit, start)),
            agenda: BTreeMap::new(),
            planned: 0,
        };
        for (habit, at) in &mut life.next {
            *at = start.plus(wait(*habit, night(start, start), &mut life.random));
        }
        life
    }

    /// The next thing that happens at `now`, until there is none.
    pub(super) fn due(&mut self, now: Timestamp) -> Option<Act> {
        let night = night(self.began_at, now);
        for (habit, at) in self.next {
            if at <= now {
                if habit.mean(night).is_some() {
                    self.plan(habit, now);
                }
                let again = now.plus(wait(habit, night, &mut self.random));
                for (_, next) in self.next.iter_mut().filter(|(other, _)| *other == habit) {
                    *next = again;
                }
            }
        }
        let first = self.agenda.first_entry().filter(|entry| entry.key().0 <= now)?;
        Some(first.remove())
    }

    fn plan(&mut self, habit: Habit, now: Timestamp) {
        match habit {
            Habit::Turn => {
                let length = self.random.between(2.0, 12.0);
                self.move_about(now, length, 0.7);
            }
            Habit::Effort => self.effort(now),
            Habit::Dip => {
                let to = self.random.between(0.65, 0.9);
                let length = self.random.between(20.0, 60.0);
                self.drive(now, Driver::GasExchange, to, 5.0);
                self.drive(after(now, length), Driver::GasExchange, 1.0, 5.0);
            }
            Habit::LooseElectrode => {
                let length = self.random.between(2.0, 60.0);
                self.add(now, Act::LeadOff(true));
                self.add(after(now, length), Act::LeadOff(false));
            }
            Habit::Cuff => self.add(now, Act::Cuff),
        }
    }

    fn effort(&mut self, now: Timestamp) {
        let length = self.random.between(120.0, 600.0);
        let strength = self.random.between(0.4, 1.0);
        for (driver, by, rest) in [
            (Driver::HeartRate, 25.0, 0.0),
            (Driver::Pressure, 12.0, 0.0),
            (Driver::RespiratoryDrive, 0.35, 1.0),
        ] {
            self.drive(now, driver, rest + by * strength, 30.0);
            self.drive(after(now, length), driver, rest, 90.0);
        }
        let mut at = now;
        while at < after(now, length) {
            let bout = self.random.between(1.0, 6.0);
            self.move_about(at, bout, 0.5);
            at = after(at, bout + self.random.between(5.0, 60.0));
        }
    }

    fn move_about(&mut self, now: Timestamp, seconds: f64, most: f64) {
        let intensity = self.random.between(0.05, most);
        self.add(now, Act::Motion(intensity));
        self.add(after(now, seconds), Act::Motion(0.0));
    }

    fn drive(&mut self, at: Timestamp, driver: Driver, to: f64, over_s: f64) {
        self.add(at, Act::Drive { driver, to, over_s });
    }

    fn add(&mut self, at: Timestamp, act: Act) {
        self.planned = self.planned.wrapping_add(1);
        self.agenda.insert((at, self.planned), act);
    }
}

/// Whether it is between 22 and 6 o'clock.
fn night(began_at: Timestamp, now: Timestamp) -> bool {
    let hour = (HOUR + now.since(began_at).as_secs_f64() / 3600.0) % 24.0;
    !(6.0..22.0).contains(&hour)
}

/// Time to the next occurrence, exponential; a habit that rests is asked for again after a while.
fn wait(habit: Habit, night: bool, random: &mut Random) -> Duration {
    let mean = habit.mean(night).unwrap_or(Duration::from_mins(30));
    mean.mul_f64(-(1.0 - random.unit()).ln())
}

fn after(at: Timestamp, seconds: f64) -> Timestamp {
    at.plus(Duration::from_secs_f64(seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Timestamp = Timestamp::from_millis(1_767_261_600_000);

    fn acts(hours: std::ops::Range<i64>) -> Vec<Act> {
        let mut life = DailyLife::new(7, START);
        let mut acts = Vec::new();
        for second in 0..hours.end * 3600 {
            let now = Timestamp::from_millis(START.as_millis() + second * 1000);
            while let Some(act) = life.due(now) {
                if second >= hours.start * 3600 {
                    acts.push(act);
                }
            }
        }
        acts
    }

    fn count(acts: &[Act], which: impl Fn(&Act) -> bool) -> usize {
        acts.iter().filter(|act| which(act)).count()
    }

    #[test]
    fn a_day_has_turns_efforts_and_a_loose_electrode_and_everything_that_begins_ends() {
        let acts = acts(0..48);
        let begun = count(&acts, |a| matches!(a, Act::Motion(to) if *to > 0.0));
        let ended = count(&acts, |a| *a == Act::Motion(0.0));
        assert!(begun > 150 && begun.abs_diff(ended) <= 1, "{begun} begun, {ended} ended");
        let off = count(&acts, |a| *a == Act::LeadOff(true));
        let on = count(&acts, |a| *a == Act::LeadOff(false));
        assert!((1..=10).contains(&off) && off.abs_diff(on) <= 1, "{off} off, {on} on");
        assert!(count(&acts, |a| *a == Act::Cuff) >= 1);
    }

    #[test]
    fn at_night_the_patient_sleeps() {
        let effort = |a: &Act| matches!(a, Act::Drive { driver: Driver::HeartRate, to, .. } if *to > 0.0);
        let dip = |a: &Act| matches!(a, Act::Drive { driver: Driver::GasExchange, to, .. } if *to < 1.0);
        let (day, night) = (acts(0..11), acts(13..19));
        assert!(count(&day, effort) > 0 && count(&day, dip) == 0);
        assert!(count(&night, effort) == 0 && count(&night, dip) > 0);
    }

    #[test]
    fn the_same_seed_gives_the_same_day() {
        assert_eq!(acts(0..24), acts(0..24));
    }
}
