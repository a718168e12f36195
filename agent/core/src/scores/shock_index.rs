//! Shock index and the pressures that follow from others.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::time::Timestamp;
use crate::vitals::Milli;

/// Values further apart than this say nothing about each other (*ratify*).
const APART: Duration = Duration::from_mins(1);

/// A value and when it was measured: a cuff's at the instant of its reading.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Measured {
    /// The value.
    pub value: Milli,
    /// On the device's clock.
    pub measured_at: Timestamp,
}

/// What the index and the pressures are computed from; all pressures from one technique, in mmHg.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HaemodynamicsInput {
    /// Heart rate per minute.
    pub heart_rate: Option<Measured>,
    /// Systolic pressure.
    pub systolic: Option<Measured>,
    /// Diastolic pressure.
    pub diastolic: Option<Measured>,
    /// Mean pressure, if measured.
    pub mean: Option<Measured>,
}

/// Each is `None` where an input is missing, where two inputs are more than 60 s apart, or where it would divide by a
/// pressure that is not above zero. Quotients are rounded to the nearest thousandth.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Haemodynamics {
    /// Shock index: heart rate / systolic. About 0.5 to 0.7 in adults; 0.9 and above is of concern (*ratify*).
    pub shock_index: Option<Milli>,
    /// Mean pressure: as measured, else diastolic + (systolic − diastolic) / 3.
    pub mean_pressure: Option<Milli>,
    /// Modified shock index: heart rate / mean pressure.
    pub modified_shock_index: Option<Milli>,
    /// Pulse pressure: systolic − diastolic.
    pub pulse_pressure: Option<Milli>,
}

impl Haemodynamics {
    /// Computes what can be.
    pub fn of(input: &HaemodynamicsInput) -> Self {
        let systolic = input.systolic.filter(|s| s.value.get() > 0);
        let pressures = together(systolic, input.diastolic);
        let derived = pressures.map(|(s, d)| derived_mean(s.value, d.value));
        let mean = input.mean.map(|m| m.value).or(derived);
        let rate_of = |pressure| together(input.heart_rate, pressure).map(|(rate, _)| rate.value);
        let rate_of_mean = match input.mean {
            Some(_) => rate_of(input.mean),
            None => rate_of(systolic).and(rate_of(input.diastolic)),
        };
        Self {
            shock_index: ratio(rate_of(systolic), systolic.map(|s| s.value)),
            mean_pressure: mean,
            modified_shock_index: ratio(rate_of_mean, mean),
            pulse_pressure: pressures.map(|(s, d)| Milli::new(s.value.get().saturating_sub(d.value.get()))),
        }
    }
}

/// Both values, if they are close enough in time.
fn together(a: Option<Measured>, b: Option<Measured>) -> Option<(Measured, Measured)> {
    let (a, b) = (a?, b?);
    let apart = a.measured_at.since(b.measured_at).max(b.measured_at.since(a.measured_at));
    (apart <= APART).then_some((a, b))
}

fn derived_mean(systolic: Milli, diastolic: Milli) -> Milli {
    let thirds = i64::from(systolic.get()) + 2 * i64::from(diastolic.get());
    Milli::new(divided(thirds, 3) as i32)
}

fn ratio(rate: Option<Milli>, pressure: Option<Milli>) -> Option<Milli> {
    let (rate, pressure) = (i64::from(rate?.get()), i64::from(pressure?.get()));
    if pressure <= 0 {
        return None;
    }
    i32::try_from(divided(rate * 1000, pressure)).ok().map(Milli::new)
}

/// Quotient rounded half up; the divisor is positive.
const fn divided(dividend: i64, divisor: i64) -> i64 {
    (2 * dividend + divisor).div_euclid(2 * divisor)
}
