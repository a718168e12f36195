//! Limits that fit a patient's present value ("auto-limits", Mindray BeneVision N p. 115, EPM 12MC p. 82): proposals that a
//! person confirms; they never move by themselves.

use super::AlarmLimits;
use crate::codes::AgeGroup;
use crate::codes::Parameter::{
    self, AbpDia, AbpMap, AbpSys, EtCo2, HeartRate, NibpDia, NibpMap, NibpSys, PulseRate, RespRate, Temp, TempSkin,
};
use crate::vitals::Milli;

impl AlarmLimits {
    /// Low and high limit proposed for a parameter whose value is `value`; `None` where the default is to be kept.
    pub fn propose(&self, parameter: Parameter, value: Milli) -> Option<(Milli, Milli)> {
        self.of(parameter)?;
        let v = value.to_f64();
        let (low, high) = match self.age {
            AgeGroup::Neonate => neonate(parameter, v)?,
            AgeGroup::Paediatric | AgeGroup::Adult => older(parameter, v)?,
        };
        let low = Milli::from_int(low.round() as i32);
        let high = Milli::from_int(high.round() as i32);
        let (low, high) = match parameter {
            Temp | TempSkin => (Milli::new(value.get() - 500), Milli::new(value.get() + 500)),
            _ => (low, high),
        };
        self.check_bounds(parameter, (Some(low), Some(high))).ok()?;
        Some((low, high))
    }
}

fn older(parameter: Parameter, v: f64) -> Option<(f64, f64)> {
    Some(match parameter {
        HeartRate | PulseRate => ((0.8 * v).clamp(40.0, 240.0), (1.25 * v).clamp(35.0, 240.0)),
        RespRate => ((0.5 * v).clamp(6.0, 55.0), (1.5 * v).clamp(6.0, 30.0)),
        NibpSys | AbpSys => (0.68 * v + 10.0, 0.86 * v + 38.0),
        NibpDia | AbpDia => (0.68 * v + 6.0, 0.86 * v + 32.0),
        NibpMap | AbpMap => (0.68 * v + 8.0, 0.86 * v + 35.0),
        other => return either(other, v),
    })
}

fn neonate(parameter: Parameter, v: f64) -> Option<(f64, f64)> {
    Some(match parameter {
        HeartRate | PulseRate => ((v - 30.0).clamp(90.0, 225.0), (v + 40.0).clamp(55.0, 200.0)),
        RespRate => ((v - 10.0).clamp(30.0, 90.0), (v + 25.0).clamp(10.0, 85.0)),
        NibpSys | AbpSys => ((v - 15.0).max(45.0), (v + 15.0).min(105.0)),
        NibpDia | AbpDia => ((v - 15.0).max(20.0), (v + 15.0).min(80.0)),
        NibpMap | AbpMap => ((v - 15.0).max(35.0), (v + 15.0).min(95.0)),
        other => return either(other, v),
    })
}

fn either(parameter: Parameter, v: f64) -> Option<(f64, f64)> {
    Some(match parameter {
        Temp => (v - 0.5, v + 0.5),
        EtCo2 if (33.0..36.0).contains(&v) => (29.0, 41.0),
        EtCo2 if (36.0..46.0).contains(&v) => (v - 6.0, v + 6.0),
        EtCo2 if (46.0..49.0).contains(&v) => (39.0, 51.0),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn proposed(age: AgeGroup, parameter: Parameter, value: i32) -> Option<(f64, f64)> {
        let found = AlarmLimits::for_age(age).propose(parameter, Milli::from_int(value));
        found.map(|(low, high)| (low.to_f64(), high.to_f64()))
    }

    #[test]
    fn proposals_follow_the_makers_table() {
        use AgeGroup::{Adult, Neonate};
        for (age, parameter, value, expected) in [
            (Adult, HeartRate, 80, Some((64.0, 100.0))),
            (Adult, HeartRate, 45, Some((40.0, 56.0))),
            (Adult, HeartRate, 210, Some((168.0, 240.0))),
            (Adult, RespRate, 16, Some((8.0, 24.0))),
            (Adult, RespRate, 28, Some((14.0, 30.0))),
            (Adult, NibpSys, 120, Some((92.0, 141.0))),
            (Adult, Temp, 37, Some((36.5, 37.5))),
            (Adult, Parameter::Spo2, 96, None),
            (Adult, EtCo2, 30, None),
            (Adult, EtCo2, 34, Some((29.0, 41.0))),
            (Adult, EtCo2, 40, Some((34.0, 46.0))),
            (Adult, EtCo2, 47, Some((39.0, 51.0))),
            (Neonate, HeartRate, 140, Some((110.0, 180.0))),
            (Neonate, HeartRate, 100, Some((90.0, 140.0))),
            (Neonate, RespRate, 50, Some((40.0, 75.0))),
            (Neonate, NibpSys, 50, Some((45.0, 65.0))),
        ] {
            assert_eq!(proposed(age, parameter, value), expected, "{age:?} {parameter:?} {value}");
        }
    }
}
