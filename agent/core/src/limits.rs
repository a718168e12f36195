//! Alarm limits: what a value is compared with, how long it must stay beyond, and when it is back.
//!
//! The numbers stand in `limits/table.rs`, each with its source.

mod change;
mod propose;
mod table;

pub use change::LimitFault;

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::codes::{AgeGroup, Parameter};
use crate::message::Priority;
use crate::time::Timestamp;
use crate::vitals::Milli;

/// Shortest severity-scaled delay: one more look at a value that jumped. (*ratify*)
pub const SHORTEST_DELAY: Duration = Duration::from_secs(2);

/// The number that is shown and compared: whole units, temperatures in tenths, rounded half up.
pub const fn shown(parameter: Parameter, value: Milli) -> Milli {
    match parameter {
        Parameter::Temp | Parameter::TempSkin => Milli::new(value.tenths().saturating_mul(100)),
        _ => Milli::from_int(value.rounded()),
    }
}

/// Limits of one parameter. A value must be strictly beyond a limit, as it is shown, to cross it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limit {
    /// What is compared.
    pub parameter: Parameter,
    /// Below this it alarms.
    pub low: Option<Milli>,
    /// Above this it alarms.
    pub high: Option<Milli>,
    /// How far back inside the limit the value must come before the condition is over.
    pub hysteresis: Milli,
    /// Delay of a value just beyond the limit; zero alarms at once.
    pub max_delay: Duration,
    /// From here down the delay is the shortest; without it the delay is always the longest.
    pub hard_low: Option<Milli>,
    /// From here up the delay is the shortest; without it the delay is always the longest.
    pub hard_high: Option<Milli>,
    /// How urgent it is to be below.
    pub priority_low: Priority,
    /// How urgent it is to be above.
    pub priority_high: Priority,
}

impl Limit {
    /// Whether the value is below the low limit.
    pub fn crosses_low(&self, value: Milli) -> bool {
        self.low.is_some_and(|low| self.shown(value) < self.shown(low))
    }

    /// Whether the value is above the high limit.
    pub fn crosses_high(&self, value: Milli) -> bool {
        self.high.is_some_and(|high| self.shown(value) > self.shown(high))
    }

    /// Whether a value that was below is back: at the low limit plus the hysteresis, or there is no low limit any more.
    pub fn clears_low(&self, value: Milli) -> bool {
        self.low
            .is_none_or(|low| self.shown(value).get() >= self.shown(low).get().saturating_add(self.hysteresis.get()))
    }

    /// Whether a value that was above is back: at the high limit less the hysteresis, or there is no high limit any more.
    pub fn clears_high(&self, value: Milli) -> bool {
        self.high
            .is_none_or(|high| self.shown(value).get() <= self.shown(high).get().saturating_sub(self.hysteresis.get()))
    }

    /// How long a value as low as this must last before it alarms.
    pub fn delay_low(&self, value: Milli) -> Duration {
        self.delay(value, self.low, self.hard_low)
    }

    /// How long a value as high as this must last before it alarms.
    pub fn delay_high(&self, value: Milli) -> Duration {
        self.delay(value, self.high, self.hard_high)
    }

    fn delay(&self, value: Milli, limit: Option<Milli>, hard: Option<Milli>) -> Duration {
        match (limit, hard) {
            (Some(limit), Some(hard)) => severity_delay(self.max_delay, self.shown(value), limit, hard),
            _ => self.max_delay,
        }
    }

    const fn shown(&self, value: Milli) -> Milli {
        shown(self.parameter, value)
    }
}

/// The deeper the breach, the shorter the delay: `d_max · (1 − depth / (|hard − limit|))`, in whole milliseconds, at least
/// [`SHORTEST_DELAY`] and never more than `d_max`; a `d_max` of zero stays zero. Depth is how far `value` is beyond `limit`
/// towards `hard`. (*ratify*)
pub fn severity_delay(d_max: Duration, value: Milli, limit: Milli, hard: Milli) -> Duration {
    let distance = |to: Milli| i64::from(to.get()) - i64::from(limit.get());
    let span = distance(hard).abs();
    let depth = (distance(value) * distance(hard).signum()).clamp(0, span);
    let longest = i64::try_from(d_max.as_millis()).unwrap_or(i64::MAX);
    let scaled = match span {
        0 => 0,
        _ => i128::from(longest) * i128::from(span - depth) / i128::from(span),
    };
    Duration::from_millis(u64::try_from(scaled).unwrap_or(u64::MAX))
        .max(SHORTEST_DELAY)
        .min(d_max)
}

/// Everything a bed's values are compared with. Discharge resets it to the age group's defaults.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AlarmLimits {
    age: AgeGroup,
    limits: Vec<Limit>,
    extreme_rate: Limit,
    desaturation: Limit,
    apnoea: Duration,
    /// Who changed which parameter's limits last, and when.
    changed: Vec<(Parameter, String, Timestamp)>,
}

impl AlarmLimits {
    /// Defaults of an age group, for a patient who is given no oxygen.
    pub fn for_age(age: AgeGroup) -> Self {
        let limits = table::limits(age);
        let rate = limits.iter().find(|limit| limit.parameter == Parameter::HeartRate);
        let (low, high) = rate.map_or((None, None), |rate| (rate.low, rate.high));
        Self {
            age,
            limits,
            extreme_rate: table::extreme_rate(age, low, high),
            desaturation: table::desaturation(),
            apnoea: table::APNOEA,
            changed: Vec::new(),
        }
    }

    /// Whose defaults these are.
    pub const fn age(&self) -> AgeGroup {
        self.age
    }

    /// Limits of a parameter; `None` where it has none.
    pub fn of(&self, parameter: Parameter) -> Option<&Limit> {
        self.limits.iter().find(|limit| limit.parameter == parameter)
    }

    /// Low and high limit of the age group.
    pub fn default_of(&self, parameter: Parameter) -> (Option<Milli>, Option<Milli>) {
        let range = table::range(parameter, self.age);
        (range.map(|r| Milli::from_int(r.0)), range.map(|r| Milli::from_int(r.1)))
    }

    /// All of them, in the order of [`Parameter::ALL`].
    pub fn iter(&self) -> impl Iterator<Item = &Limit> {
        self.limits.iter()
    }

    /// Extreme heart or pulse rate, high priority, without delay.
    pub const fn extreme_rate(&self) -> &Limit {
        &self.extreme_rate
    }

    /// Desaturation, high priority; it has only a low limit.
    pub const fn desaturation(&self) -> &Limit {
        &self.desaturation
    }

    /// Time without a breath that is apnoea, high priority, without further delay.
    pub const fn apnoea(&self) -> Duration {
        self.apnoea
    }

    /// Follows the charted oxygen: a neonate's saturation has a lower high limit while oxygen is given (hyperoxia).
    pub fn chart_oxygen(&mut self, given: Option<bool>) {
        if self.changed(Parameter::Spo2).is_some() {
            return;
        }
        let high = table::spo2_high(self.age, given == Some(true));
        if let Some(limit) = self.limits.iter_mut().find(|limit| limit.parameter == Parameter::Spo2) {
            limit.high = Some(high);
        }
    }
}
