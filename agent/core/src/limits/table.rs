//! Every default of the alarm limits, with its source.
//!
//! Read in makers' manuals: Contec CMS8000 (p. 88), Mindray TMS60/TD60 (p. 94), Mindray TM80/TM70 (p. 64), Edan X8 (p. 180).
//! Marked *ratify*: general knowledge or a choice of this product, which a hospital must confirm before anybody relies on it.

use std::time::Duration;

use super::Limit;
use crate::codes::AgeGroup::{self, Adult, Neonate, Paediatric};
use crate::codes::Parameter::{self, AbpDia, AbpMap, AbpSys, EtCo2, HeartRate, NibpDia, NibpMap, NibpSys};
use crate::codes::Parameter::{PulseRate, RespRate, Spo2, Temp};
use crate::message::Priority;
use crate::vitals::Milli;

/// Apnoea: Edan X8, default 20 s of 10–40 s, all ages.
pub(super) const APNOEA: Duration = Duration::from_secs(20);

/// Desaturation in percent, red below: Mindray TM80 and TMS60 for adults and children; neonates *ratify*.
const DESATURATION: i32 = 80;

/// Delay of desaturation (*ratify*).
const DESATURATION_DELAY: Duration = Duration::from_secs(5);

/// Highest saturation of a neonate on oxygen: Contec CMS8000 95 %; that it holds on oxygen only, *ratify*.
const NEONATE_ON_OXYGEN_SPO2_HIGH: i32 = 95;

/// How far beyond the rate's limit the extreme rate lies, per minute: clamped as below (*ratify*).
const EXTREME_STEP: i32 = 20;

/// Default `(low, high)` in whole units. All are of medium priority, but for [`priority_low`].
#[expect(clippy::match_same_arms, reason = "one line per cell of the table")]
pub(super) const fn range(parameter: Parameter, age: AgeGroup) -> Option<(i32, i32)> {
    Some(match (parameter, age) {
        // Contec CMS8000, pulse rate; Mindray TMS60 the same for adults and children.
        (HeartRate | PulseRate, Neonate) => (100, 200),
        (HeartRate | PulseRate, Paediatric) => (75, 160),
        (HeartRate | PulseRate, Adult) => (50, 120),
        // Contec CMS8000. The high limit of a neonate is that on air: see `spo2_high`.
        (Spo2, Neonate) => (85, 100),
        (Spo2, Paediatric | Adult) => (90, 100),
        // *ratify*
        (RespRate, Neonate) => (30, 100),
        (RespRate, Paediatric | Adult) => (8, 30),
        // Adults: Mindray TM80. Neonates and children, and all arterial pressures: *ratify*
        (NibpSys | AbpSys, Neonate) => (40, 90),
        (NibpSys | AbpSys, Paediatric) => (70, 120),
        (NibpSys | AbpSys, Adult) => (90, 160),
        (NibpDia | AbpDia, Neonate) => (20, 60),
        (NibpDia | AbpDia, Paediatric) => (40, 70),
        (NibpDia | AbpDia, Adult) => (50, 90),
        (NibpMap | AbpMap, Neonate) => (24, 70),
        (NibpMap | AbpMap, Paediatric) => (50, 90),
        (NibpMap, Adult) => (60, 110),
        (AbpMap, Adult) => (70, 110),
        // *ratify*
        (Temp, _) => (36, 39),
        // *ratify*
        (EtCo2, Neonate) => (30, 45),
        (EtCo2, Paediatric | Adult) => (25, 50),
        _ => return None,
    })
}

/// Extreme rates never lie further out than this, per minute (*ratify*). With the defaults an adult's are 40 and 140,
/// which are the definitions of the PhysioNet/CinC 2015 challenge.
const fn extreme_clamp(age: AgeGroup) -> (i32, i32) {
    match age {
        Neonate => (50, 240),
        Paediatric => (40, 220),
        Adult => (40, 200),
    }
}

/// Longest delay, in seconds (*ratify*).
const fn max_delay_s(parameter: Parameter) -> u64 {
    match parameter {
        HeartRate | PulseRate | EtCo2 | AbpSys | AbpDia | AbpMap => 10,
        Spo2 | RespRate => 15,
        Temp => 30,
        _ => 0,
    }
}

/// How far inside the limit ends the condition (*ratify*).
const fn hysteresis(parameter: Parameter) -> Milli {
    match parameter {
        Spo2 | RespRate | EtCo2 => Milli::from_int(2),
        Temp => Milli::new(200),
        _ => Milli::from_int(5),
    }
}

/// A low arterial mean pressure is urgent (*ratify*).
const fn priority_low(parameter: Parameter) -> Priority {
    match parameter {
        AbpMap => Priority::High,
        _ => Priority::Medium,
    }
}

/// Where the delay becomes the shortest: the extreme rate, the desaturation limit, else the end of the plausible range, which
/// for mean pressures is that of the diastolic (*ratify*).
fn hard(parameter: Parameter, age: AgeGroup) -> (Milli, Milli) {
    let plausible = match parameter {
        HeartRate | PulseRate => {
            let rates = range(HeartRate, age);
            let (low, high) = (rates.map(|r| Milli::from_int(r.0)), rates.map(|r| Milli::from_int(r.1)));
            return extreme_rates(age, low, high);
        }
        Spo2 => return (Milli::from_int(DESATURATION), Milli::from_int(100)),
        AbpMap | NibpMap => AbpDia.plausible(age),
        other => other.plausible(age),
    };
    (Milli::new(plausible.0), Milli::new(plausible.1))
}

/// The extreme rates that belong to the limits of the heart rate; a limit that is switched off takes none away.
fn extreme_rates(age: AgeGroup, low: Option<Milli>, high: Option<Milli>) -> (Milli, Milli) {
    let (at_least, at_most) = extreme_clamp(age);
    let low = low.map_or(at_least, |low| (low.rounded() - EXTREME_STEP).max(at_least));
    let high = high.map_or(at_most, |high| (high.rounded() + EXTREME_STEP).min(at_most));
    (Milli::from_int(low), Milli::from_int(high))
}

/// Default high limit of the saturation in percent.
pub(super) const fn spo2_high(age: AgeGroup, on_oxygen: bool) -> Milli {
    match age {
        Neonate if on_oxygen => Milli::from_int(NEONATE_ON_OXYGEN_SPO2_HIGH),
        _ => Milli::from_int(100),
    }
}

/// Default limits of every parameter that has some.
pub(super) fn limits(age: AgeGroup) -> Vec<Limit> {
    Parameter::ALL
        .into_iter()
        .filter_map(|parameter| {
            let (low, high) = range(parameter, age)?;
            let (hard_low, hard_high) = hard(parameter, age);
            Some(Limit {
                parameter,
                low: Some(Milli::from_int(low)),
                high: Some(Milli::from_int(high)),
                hysteresis: hysteresis(parameter),
                max_delay: Duration::from_secs(max_delay_s(parameter)),
                hard_low: Some(hard_low),
                hard_high: Some(hard_high),
                priority_low: priority_low(parameter),
                priority_high: Priority::Medium,
            })
        })
        .collect()
}

/// Extreme rates: the limits less or plus [`EXTREME_STEP`], clamped; no delay.
pub(super) fn extreme_rate(age: AgeGroup, low: Option<Milli>, high: Option<Milli>) -> Limit {
    let (low, high) = extreme_rates(age, low, high);
    Limit {
        parameter: HeartRate,
        low: Some(low),
        high: Some(high),
        hysteresis: hysteresis(HeartRate),
        max_delay: Duration::ZERO,
        hard_low: None,
        hard_high: None,
        priority_low: Priority::High,
        priority_high: Priority::High,
    }
}

/// Desaturation: one delay, however deep.
pub(super) const fn desaturation() -> Limit {
    Limit {
        parameter: Spo2,
        low: Some(Milli::from_int(DESATURATION)),
        high: None,
        hysteresis: hysteresis(Spo2),
        max_delay: DESATURATION_DELAY,
        hard_low: None,
        hard_high: None,
        priority_low: Priority::High,
        priority_high: Priority::High,
    }
}
