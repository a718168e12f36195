//! What a person may set the limits of one patient to.

use std::time::Duration;

use super::{AlarmLimits, Limit, table};
use crate::codes::Parameter;
use crate::people::{Actor, Role};
use crate::time::Timestamp;
use crate::vitals::Milli;

/// Longest delay that a nurse may set (Mindray EPM 12MC caps the user's delay at 15 s).
const NURSE_DELAY: Duration = Duration::from_secs(15);
/// Longest delay at all, for whom the organisation has authorised: the charge nurse. (*ratify*)
const LONGEST_DELAY: Duration = Duration::from_secs(20);

/// Why limits were not taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LimitFault {
    /// Nothing is compared with limits there.
    #[error("{}: has no alarm limits", .0.name())]
    NoLimits(Parameter),
    /// Outside what can be measured.
    #[error("{}: limit {}: expected {} to {}", .parameter.name(), .limit.to_f64(), .least.to_f64(), .most.to_f64())]
    OutOfRange {
        /// Of which parameter.
        parameter: Parameter,
        /// The limit.
        limit: Milli,
        /// The least that is taken.
        least: Milli,
        /// The most that is taken.
        most: Milli,
    },
    /// The low limit is not below the high one.
    #[error("{}: the low limit {} must be below the high limit {}", .parameter.name(), .low.to_f64(), .high.to_f64())]
    Crossed {
        /// Of which parameter.
        parameter: Parameter,
        /// The low limit.
        low: Milli,
        /// The high limit.
        high: Milli,
    },
    /// The delay is longer than the role may set, or cannot be set.
    #[error("{}: delay of {} s: expected at most {} s", .parameter.name(), .delay.as_secs(), .most.as_secs())]
    Delay {
        /// Of which parameter.
        parameter: Parameter,
        /// The delay.
        delay: Duration,
        /// The most that is taken.
        most: Duration,
    },
}

impl AlarmLimits {
    /// Sets the limits of one parameter. Heart rate and pulse rate are set together, because the pulse stands in for the
    /// heart rate, and the extreme rates follow.
    /// # Errors
    /// [`LimitFault`] if they do not fit; then nothing changed.
    pub fn set(
        &mut self,
        parameter: Parameter,
        bounds: (Option<Milli>, Option<Milli>),
        delay: Option<Duration>,
        by: &Actor,
        now: Timestamp,
    ) -> Result<(), LimitFault> {
        let limit = self.of(parameter).ok_or(LimitFault::NoLimits(parameter))?;
        self.check_bounds(parameter, bounds)?;
        check_delay(limit, delay, by.role)?;
        let together: &[Parameter] = match parameter {
            Parameter::HeartRate | Parameter::PulseRate => &[Parameter::HeartRate, Parameter::PulseRate],
            _ => &[parameter],
        };
        for limit in self.limits.iter_mut().filter(|limit| together.contains(&limit.parameter)) {
            (limit.low, limit.high) = bounds;
            limit.max_delay = delay.unwrap_or(limit.max_delay);
        }
        if together.contains(&Parameter::HeartRate) {
            self.extreme_rate = table::extreme_rate(self.age, bounds.0, bounds.1);
            let (hard_low, hard_high) = (self.extreme_rate.low, self.extreme_rate.high);
            for limit in self.limits.iter_mut().filter(|limit| together.contains(&limit.parameter)) {
                (limit.hard_low, limit.hard_high) = (hard_low, hard_high);
            }
        }
        for &parameter in together {
            self.changed.retain(|(known, ..)| *known != parameter);
            self.changed.push((parameter, by.name.clone(), now));
        }
        Ok(())
    }

    /// Who changed a parameter's limits last, and when; `None` if they are the defaults.
    pub fn changed(&self, parameter: Parameter) -> Option<(&str, Timestamp)> {
        let found = self.changed.iter().find(|(known, ..)| *known == parameter);
        found.map(|(_, by, at)| (by.as_str(), *at))
    }

    pub(super) fn check_bounds(
        &self,
        parameter: Parameter,
        (low, high): (Option<Milli>, Option<Milli>),
    ) -> Result<(), LimitFault> {
        let (mut least, most) = parameter.technical();
        if parameter == Parameter::Spo2 {
            // A yellow limit below the red one would never speak first.
            least = self.desaturation.low.map_or(least, Milli::get);
        }
        let (least, most) = (Milli::new(least), Milli::new(most));
        for limit in [low, high].into_iter().flatten() {
            if limit < least || limit > most {
                return Err(LimitFault::OutOfRange {
                    parameter,
                    limit,
                    least,
                    most,
                });
            }
        }
        match (low, high) {
            (Some(low), Some(high)) if low >= high => Err(LimitFault::Crossed { parameter, low, high }),
            _ => Ok(()),
        }
    }
}

/// A delay that is fixed (temperature, cuff) can be left as it is only.
fn check_delay(limit: &Limit, delay: Option<Duration>, role: Role) -> Result<(), LimitFault> {
    let Some(delay) = delay else { return Ok(()) };
    let fixed = matches!(
        limit.parameter,
        Parameter::Temp | Parameter::NibpSys | Parameter::NibpDia | Parameter::NibpMap
    );
    let most = match role {
        _ if fixed => limit.max_delay,
        Role::ChargeNurse => LONGEST_DELAY,
        _ => NURSE_DELAY,
    };
    if delay > most || (fixed && delay != most) {
        return Err(LimitFault::Delay {
            parameter: limit.parameter,
            delay,
            most,
        });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codes::AgeGroup;

    const NOW: Timestamp = Timestamp::from_millis(5);

    fn whole(value: i32) -> Milli {
        Milli::from_int(value)
    }

    fn set(role: Role, parameter: Parameter, low: Option<i32>, high: Option<i32>, delay_s: Option<u64>) -> (AlarmLimits, String) {
        let mut limits = AlarmLimits::for_age(AgeGroup::Adult);
        let bounds = (low.map(whole), high.map(whole));
        let by = Actor::new("anna", role);
        let outcome = limits.set(parameter, bounds, delay_s.map(Duration::from_secs), &by, NOW);
        (
            limits,
            outcome.map_or_else(|fault| fault.to_string(), |()| "taken".to_owned()),
        )
    }

    #[test]
    fn limits_that_do_not_fit_are_refused_and_change_nothing() {
        let nurse = |p, low, high, delay| set(Role::Nurse, p, low, high, delay);
        for ((limits, said), expected) in [
            (
                nurse(Parameter::HeartRate, Some(120), Some(60), None),
                "hr: the low limit 120 must be below the high limit 60",
            ),
            (
                nurse(Parameter::HeartRate, Some(5), None, None),
                "hr: limit 5: expected 15 to 350",
            ),
            (
                nurse(Parameter::Spo2, Some(79), None, None),
                "spo2: limit 79: expected 80 to 100",
            ),
            (nurse(Parameter::Battery, None, None, None), "battery: has no alarm limits"),
            (
                nurse(Parameter::Spo2, Some(88), None, Some(16)),
                "spo2: delay of 16 s: expected at most 15 s",
            ),
            (
                nurse(Parameter::Temp, Some(35), None, Some(10)),
                "temp: delay of 10 s: expected at most 30 s",
            ),
            (
                set(Role::ChargeNurse, Parameter::Spo2, Some(88), None, Some(21)),
                "spo2: delay of 21 s: expected at most 20 s",
            ),
        ] {
            assert_eq!(said, expected);
            assert_eq!(limits, AlarmLimits::for_age(AgeGroup::Adult));
        }
    }

    #[test]
    fn a_delay_beyond_the_nurses_needs_the_charge_nurse() {
        let (limits, said) = set(Role::ChargeNurse, Parameter::Spo2, Some(88), Some(100), Some(20));
        assert_eq!(said, "taken");
        let spo2 = limits.of(Parameter::Spo2).unwrap();
        assert_eq!((spo2.low, spo2.max_delay), (Some(whole(88)), LONGEST_DELAY));
        assert_eq!(limits.changed(Parameter::Spo2), Some(("anna", NOW)));
    }

    #[test]
    fn heart_and_pulse_rate_go_together_and_the_extreme_rates_follow() {
        let (limits, _) = set(Role::Nurse, Parameter::PulseRate, Some(45), Some(150), None);
        for parameter in [Parameter::HeartRate, Parameter::PulseRate] {
            let limit = limits.of(parameter).unwrap();
            assert_eq!((limit.low, limit.high), (Some(whole(45)), Some(whole(150))));
        }
        let extreme = limits.extreme_rate();
        assert_eq!((extreme.low, extreme.high), (Some(whole(40)), Some(whole(170))));
    }

    #[test]
    fn the_red_rates_stay_when_the_yellow_ones_are_switched_off() {
        let (limits, _) = set(Role::Nurse, Parameter::HeartRate, None, None, None);
        let extreme = limits.extreme_rate();
        assert_eq!((extreme.low, extreme.high), (Some(whole(40)), Some(whole(200))));
    }
}
