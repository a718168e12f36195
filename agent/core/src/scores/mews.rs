//! MEWS, the modified early warning score of Subbe, Kruger, Rutherford and Gemmel (QJM 2001).

use serde::{Deserialize, Serialize};

use super::cuts::{Cuts, reaches, sum};
use crate::patient::Consciousness;

// Table of Subbe et al. 2001.

/// Systolic pressure in mmHg.
const SYSTOLIC: Cuts = Cuts {
    up_to: &[(70, 3), (80, 2), (100, 1), (199, 0)],
    above: 2,
};
/// Heart rate per minute. The table says "<40" and "41–50": 40 itself scores as 41 does (*ratify*).
const HEART_RATE: Cuts = Cuts {
    up_to: &[(39, 2), (50, 1), (100, 0), (110, 1), (129, 2)],
    above: 3,
};
/// Respiration rate per minute.
const RESP_RATE: Cuts = Cuts {
    up_to: &[(8, 2), (14, 0), (20, 1), (29, 2)],
    above: 3,
};
/// Temperature in tenths of a degree Celsius.
const TEMPERATURE_TENTHS: Cuts = Cuts {
    up_to: &[(349, 2), (384, 0)],
    above: 2,
};
/// Highest points of systolic pressure, heart rate, respiration rate, temperature and consciousness.
const HIGHEST: [u8; 5] = [3, 3, 3, 2, 3];
/// Total from which the risk is raised (Subbe et al. 2001).
const RAISED: u8 = 5;

/// Which of the published tables: hospitals use several, so it is stored with every score.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum MewsVariant {
    /// Subbe et al. 2001.
    Subbe2001,
}

/// What MEWS is computed from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MewsInput {
    /// Systolic pressure in mmHg.
    pub systolic: Option<i32>,
    /// Heart rate per minute.
    pub heart_rate: Option<i32>,
    /// Respiration rate per minute.
    pub resp_rate: Option<i32>,
    /// Temperature in tenths of a degree Celsius.
    pub temperature_tenths: Option<i32>,
    /// Consciousness. The table knows AVPU only: new confusion leaves the part undetermined.
    pub consciousness: Option<Consciousness>,
}

/// Points per parameter; `None` where the input is missing or undetermined.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MewsParts {
    /// Systolic pressure.
    pub systolic: Option<u8>,
    /// Heart rate.
    pub heart_rate: Option<u8>,
    /// Respiration.
    pub resp_rate: Option<u8>,
    /// Temperature.
    pub temperature: Option<u8>,
    /// Consciousness.
    pub consciousness: Option<u8>,
}

/// The score, 0 to 14.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mews {
    /// Which table.
    pub variant: MewsVariant,
    /// Total, only when every input is there.
    pub total: Option<u8>,
    /// What the total is at least.
    pub at_least: u8,
    /// Points per parameter.
    pub parts: MewsParts,
    /// Whether it is 5 or more; `None` while the missing inputs could decide it.
    pub raised: Option<bool>,
}

impl Mews {
    /// Scores what is known.
    pub fn of(input: &MewsInput) -> Self {
        let parts = MewsParts {
            systolic: input.systolic.map(|v| SYSTOLIC.points(v)),
            heart_rate: input.heart_rate.map(|v| HEART_RATE.points(v)),
            resp_rate: input.resp_rate.map(|v| RESP_RATE.points(v)),
            temperature: input.temperature_tenths.map(|v| TEMPERATURE_TENTHS.points(v)),
            consciousness: input.consciousness.and_then(consciousness_points),
        };
        let points = [
            parts.systolic,
            parts.heart_rate,
            parts.resp_rate,
            parts.temperature,
            parts.consciousness,
        ];
        let (at_least, complete) = sum(&points);
        let missing = points
            .iter()
            .zip(HIGHEST)
            .filter(|(points, _)| points.is_none())
            .map(|(_, most)| most);
        Self {
            variant: MewsVariant::Subbe2001,
            total: complete.then_some(at_least),
            at_least,
            parts,
            raised: reaches(at_least, missing.sum(), RAISED),
        }
    }
}

const fn consciousness_points(level: Consciousness) -> Option<u8> {
    match level {
        Consciousness::Alert => Some(0),
        Consciousness::Voice => Some(1),
        Consciousness::Pain => Some(2),
        Consciousness::Unresponsive => Some(3),
        Consciousness::Confusion => None,
    }
}
