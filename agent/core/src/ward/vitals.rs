//! The newest value of each parameter of a stay, how old it is, and the medians that scores use.

use std::collections::VecDeque;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::alarms::Moment;
use crate::codes::Parameter;
use crate::time::Timestamp;
use crate::view::Freshness;
use crate::vitals::{Milli, Quality, Reading};

/// Scores use the median of the valid values of this time.
const MEDIAN_OVER: Duration = Duration::from_mins(1);
/// More values than this in the median's time are thinned by dropping the oldest.
const MEDIAN_MAX: usize = 64;

/// Newest value of one parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Latest {
    /// As sent; kept even where its quality voids it, to judge the next step.
    raw: Option<Milli>,
    quality: Quality,
    /// Since when, on the device's clock as sent, the quality is what it is.
    quality_since: Timestamp,
    /// On the device's clock, exactly as sent.
    pub(crate) sent_at: Timestamp,
    pub(crate) measured_at: Timestamp,
    pub(crate) received_at: Timestamp,
    pub(crate) implausible: bool,
    /// How often the device sends this.
    interval: Duration,
}

impl Latest {
    /// The value, where scores and limits may use it.
    pub(crate) fn usable(&self) -> Option<Milli> {
        self.raw.filter(|_| self.quality.usable())
    }

    /// Since when the device marks the value so, if it does.
    pub(crate) fn marked_since(&self, mark: Quality) -> Option<Timestamp> {
        self.quality.has(mark).then_some(self.quality_since)
    }

    pub(crate) const fn quality(&self) -> Quality {
        self.quality
    }

    /// How long after its arrival the value still counts as being measured.
    pub(crate) fn patience(&self) -> Duration {
        Duration::from_secs(10).max(self.interval * 3)
    }

    /// How old the value is: 1 Hz values dim after 3 s and go after 10 s, those that a device sends more rarely after
    /// one and a half and three of its intervals; spot values after their own times. (*ratify*)
    pub(crate) fn freshness(&self, parameter: Parameter, now: Timestamp) -> Freshness {
        const HOUR: Duration = Duration::from_hours(1);
        let (ageing, expired) = match parameter {
            Parameter::NibpSys | Parameter::NibpDia | Parameter::NibpMap => (HOUR, 2 * HOUR),
            Parameter::Temp | Parameter::TempSkin | Parameter::Glucose => (HOUR, 4 * HOUR),
            Parameter::Battery | Parameter::BatteryMinutes => (HOUR / 6, HOUR),
            _ => (Duration::from_secs(3).max(self.interval * 3 / 2), self.patience()),
        };
        match now.since(self.measured_at) {
            age if age > expired => Freshness::Expired,
            age if age > ageing => Freshness::Ageing,
            _ => Freshness::Fresh,
        }
    }
}

/// What became of a reading.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Taken {
    /// It is the newest: judge it.
    Newest,
    /// It leapt further than physiology does: shown with a mark, not judged; the next one decides.
    Leap,
    /// Older than what is known: counted in trends only.
    Late,
}

/// All parameters of one stay.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Vitals {
    latest: Vec<(Parameter, Latest)>,
    minute: Vec<(Parameter, VecDeque<(Timestamp, i32)>)>,
}

impl Vitals {
    /// Takes a reading.
    pub(crate) fn take(&mut self, reading: &Reading, at: Moment, implausible: bool, interval: Duration) -> Taken {
        let parameter = reading.parameter();
        let next = Latest {
            raw: reading.value(),
            quality: reading.quality(),
            quality_since: at.sent_at,
            sent_at: at.sent_at,
            measured_at: at.measured_at,
            received_at: at.received_at,
            implausible,
            interval,
        };
        let taken = match self.latest.iter_mut().find(|(p, _)| *p == parameter) {
            None => {
                self.latest.push((parameter, next));
                self.latest.sort_by_key(|(p, _)| *p);
                Taken::Newest
            }
            Some((_, last)) if next.measured_at < last.measured_at => return Taken::Late,
            Some((_, last)) => {
                let leap = leaps(parameter, last, &next);
                let quality_since = if last.quality == next.quality {
                    last.quality_since
                } else {
                    next.quality_since
                };
                *last = Latest {
                    implausible: implausible || leap,
                    quality_since,
                    ..next
                };
                if leap { Taken::Leap } else { Taken::Newest }
            }
        };
        if let (Taken::Newest, Some(value)) = (taken, reading.usable()) {
            self.remember(parameter, at.measured_at, value);
        }
        taken
    }

    /// Newest value of a parameter, whatever its age.
    pub(crate) fn latest(&self, parameter: Parameter) -> Option<&Latest> {
        self.latest.iter().find(|(p, _)| *p == parameter).map(|(_, latest)| latest)
    }

    /// All, in the order of [`Parameter::ALL`].
    pub(crate) fn iter(&self) -> impl Iterator<Item = (Parameter, &Latest)> {
        self.latest.iter().map(|(p, latest)| (*p, latest))
    }

    /// The usable value and its time, if it is not older than `max_age`.
    pub(crate) fn usable(&self, parameter: Parameter, max_age: Duration, now: Timestamp) -> Option<(Milli, Timestamp)> {
        let latest = self.latest(parameter)?;
        (now.since(latest.measured_at) <= max_age).then_some(())?;
        latest.usable().map(|value| (value, latest.measured_at))
    }

    /// Median of the usable values of the minute before the newest one, with the newest one's time,
    /// if that is not older than `max_age`.
    pub(crate) fn median(&self, parameter: Parameter, max_age: Duration, now: Timestamp) -> Option<(Milli, Timestamp)> {
        let (_, values) = self.minute.iter().find(|(p, _)| *p == parameter)?;
        let newest_at = values.back()?.0;
        (now.since(newest_at) <= max_age).then_some(())?;
        let mut sorted: Vec<i32> = values.iter().map(|(_, value)| *value).collect();
        sorted.sort_unstable();
        sorted.get(sorted.len() / 2).map(|&value| (Milli::new(value), newest_at))
    }

    fn remember(&mut self, parameter: Parameter, measured_at: Timestamp, value: Milli) {
        if !matches!(
            parameter,
            Parameter::HeartRate | Parameter::PulseRate | Parameter::Spo2 | Parameter::RespRate
        ) {
            return;
        }
        if !self.minute.iter().any(|(p, _)| *p == parameter) {
            self.minute.push((parameter, VecDeque::new()));
        }
        let Some((_, values)) = self.minute.iter_mut().find(|(p, _)| *p == parameter) else {
            return;
        };
        values.push_back((measured_at, value.get()));
        while values.front().is_some_and(|(at, _)| measured_at.since(*at) > MEDIAN_OVER) || values.len() > MEDIAN_MAX {
            values.pop_front();
        }
    }
}

fn leaps(parameter: Parameter, last: &Latest, next: &Latest) -> bool {
    let (Some(step), Some(from), Some(to)) = (parameter.max_step_per_second(), last.raw, next.raw) else {
        return false;
    };
    if !last.quality.usable() || !next.quality.usable() {
        return false;
    }
    let elapsed_ms = next.measured_at.millis_after(last.measured_at).max(1000);
    let allowed = i64::from(step).saturating_mul(elapsed_ms) / 1000;
    (i64::from(to.get()) - i64::from(from.get())).abs() > allowed
}
