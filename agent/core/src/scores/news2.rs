//! NEWS2 (Royal College of Physicians 2017, charts 1 and 4).

use serde::{Deserialize, Serialize};

use super::cuts::{Cuts, sum};
use crate::patient::{Consciousness, Spo2Scale};

// Chart 1 of RCP 2017. The lower bound rests on every row having a 0.

/// Respiration rate per minute.
const RESP_RATE: Cuts = Cuts {
    up_to: &[(8, 3), (11, 1), (20, 0), (24, 2)],
    above: 3,
};
/// SpO2 in percent, scale 1.
const SPO2_SCALE_1: Cuts = Cuts {
    up_to: &[(91, 3), (93, 2), (95, 1)],
    above: 0,
};
/// SpO2 in percent, scale 2, on oxygen.
const SPO2_SCALE_2_OXYGEN: Cuts = Cuts {
    up_to: &[(83, 3), (85, 2), (87, 1), (92, 0), (94, 1), (96, 2)],
    above: 3,
};
/// SpO2 in percent, scale 2: up to here the points are the same on air and on oxygen; above, air scores 0.
const SCALE_2_TARGET_TOP: i32 = 92;
/// Being given oxygen.
const OXYGEN: u8 = 2;
/// Systolic pressure in mmHg.
const SYSTOLIC: Cuts = Cuts {
    up_to: &[(90, 3), (100, 2), (110, 1), (219, 0)],
    above: 3,
};
/// Pulse per minute.
const PULSE: Cuts = Cuts {
    up_to: &[(40, 3), (50, 1), (90, 0), (110, 1), (130, 2)],
    above: 3,
};
/// Any consciousness but alert.
const NOT_ALERT: u8 = 3;
/// Temperature in tenths of a degree Celsius.
const TEMPERATURE_TENTHS: Cuts = Cuts {
    up_to: &[(350, 3), (360, 1), (380, 0), (390, 1)],
    above: 2,
};

// Chart 4 of RCP 2017.

/// Urgent threshold.
const MEDIUM: u8 = 5;
/// Emergency threshold.
const HIGH: u8 = 7;
/// Points in one parameter that call for an urgent review by themselves. Oxygen's 2 never does.
const SINGLE: u8 = 3;

/// What NEWS2 is computed from: whole units, temperature in tenths, rounded half up beforehand. `None` is missing or too old.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct News2Input {
    /// Respiration rate per minute.
    pub resp_rate: Option<i32>,
    /// Oxygen saturation in percent.
    pub spo2: Option<i32>,
    /// Which SpO2 scale is prescribed.
    pub scale: Spo2Scale,
    /// Whether the patient is given oxygen.
    pub oxygen: Option<bool>,
    /// Systolic pressure in mmHg.
    pub systolic: Option<i32>,
    /// Pulse per minute.
    pub pulse: Option<i32>,
    /// Consciousness.
    pub consciousness: Option<Consciousness>,
    /// Temperature in tenths of a degree Celsius.
    pub temperature_tenths: Option<i32>,
}

/// Points per parameter; `None` where the input is missing or undetermined.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct News2Parts {
    /// Respiration.
    pub resp_rate: Option<u8>,
    /// Saturation.
    pub spo2: Option<u8>,
    /// Air or oxygen.
    pub oxygen: Option<u8>,
    /// Systolic pressure.
    pub systolic: Option<u8>,
    /// Pulse.
    pub pulse: Option<u8>,
    /// Consciousness.
    pub consciousness: Option<u8>,
    /// Temperature.
    pub temperature: Option<u8>,
}

impl News2Parts {
    /// All parts with their names, in the order of chart 1.
    pub const fn named(&self) -> [(&'static str, Option<u8>); 7] {
        [
            ("resp_rate", self.resp_rate),
            ("spo2", self.spo2),
            ("oxygen", self.oxygen),
            ("systolic", self.systolic),
            ("pulse", self.pulse),
            ("consciousness", self.consciousness),
            ("temperature", self.temperature),
        ]
    }
}

/// Band of chart 4.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Band {
    /// 0 to 4.
    Low,
    /// 3 in any one parameter, total below 5.
    LowMedium,
    /// 5 or 6: urgent threshold.
    Medium,
    /// 7 and more: emergency threshold.
    High,
}

impl Band {
    /// `low`, `low-medium`, `medium` or `high`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::LowMedium => "low-medium",
            Self::Medium => "medium",
            Self::High => "high",
        }
    }

    const fn of(points: u8, any_three: bool) -> Self {
        match points {
            HIGH.. => Self::High,
            MEDIUM.. => Self::Medium,
            _ if any_three => Self::LowMedium,
            _ => Self::Low,
        }
    }
}

/// The score.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct News2 {
    /// Total, only when every input is there.
    pub total: Option<u8>,
    /// What the total is at least, whatever the missing inputs are.
    pub at_least: u8,
    /// Points per parameter.
    pub parts: News2Parts,
    /// Whether any one parameter scores 3.
    pub any_three: bool,
    /// Band of what is known: of the total, else of the lower bound.
    pub band: Band,
}

impl News2 {
    /// Scores what is known. A missing input gives no total but a lower bound, never a 0 in disguise.
    pub fn of(input: &News2Input) -> Self {
        let parts = News2Parts {
            resp_rate: input.resp_rate.map(|v| RESP_RATE.points(v)),
            spo2: input.spo2.and_then(|v| spo2_points(v, input.scale, input.oxygen)),
            oxygen: input.oxygen.map(|given| if given { OXYGEN } else { 0 }),
            systolic: input.systolic.map(|v| SYSTOLIC.points(v)),
            pulse: input.pulse.map(|v| PULSE.points(v)),
            consciousness: input.consciousness.map(consciousness_points),
            temperature: input.temperature_tenths.map(|v| TEMPERATURE_TENTHS.points(v)),
        };
        let points = parts.named().map(|(_, points)| points);
        let (at_least, complete) = sum(&points);
        let any_three = points.contains(&Some(SINGLE));
        Self {
            total: complete.then_some(at_least),
            at_least,
            parts,
            any_three,
            band: Band::of(at_least, any_three),
        }
    }
}

/// Scale 2 above its target depends on oxygen: unknown oxygen leaves the points undetermined.
fn spo2_points(spo2: i32, scale: Spo2Scale, oxygen: Option<bool>) -> Option<u8> {
    match (scale, oxygen) {
        (Spo2Scale::One, _) => Some(SPO2_SCALE_1.points(spo2)),
        (Spo2Scale::Two, _) if spo2 <= SCALE_2_TARGET_TOP => Some(SPO2_SCALE_2_OXYGEN.points(spo2)),
        (Spo2Scale::Two, Some(true)) => Some(SPO2_SCALE_2_OXYGEN.points(spo2)),
        (Spo2Scale::Two, Some(false)) => Some(0),
        (Spo2Scale::Two, None) => None,
    }
}

const fn consciousness_points(level: Consciousness) -> u8 {
    match level {
        Consciousness::Alert => 0,
        Consciousness::Confusion | Consciousness::Voice | Consciousness::Pain | Consciousness::Unresponsive => NOT_ALERT,
    }
}
