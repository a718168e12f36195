//! NEWS2 (Royal College of Physicians 2017, charts 1 and 4).

use serde::{Deserialize, Serialize};

use crate::patient::{Consciousness, Spo2Scale};

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
