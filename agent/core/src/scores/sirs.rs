//! SIRS (systemic inflammatory response syndrome, ACCP/SCCM consensus 1992), as far as it can be observed.
//!
//! A bedside without a laboratory sees three of the four criteria, so the report is "x of 3", never the full score.

use serde::{Deserialize, Serialize};

use super::cuts::reaches;

// ACCP/SCCM 1992. Every comparison is strict.

/// Temperature in tenths of a degree Celsius: below or above is a criterion.
const TEMPERATURE_TENTHS: (i32, i32) = (360, 380);
/// Heart rate per minute: above is a criterion.
const HEART_RATE: i32 = 90;
/// Respiration rate per minute: above is a criterion.
const RESP_RATE: i32 = 20;
/// Arterial carbon dioxide in tenths of a mmHg: below is a criterion.
const PACO2_TENTHS: i32 = 320;
/// White cells in tenths of 10⁹ per litre: below or above is a criterion.
const WHITE_CELLS_TENTHS: (i32, i32) = (40, 120);
/// Immature white cells in percent: above is a criterion.
const IMMATURE_PERCENT: i32 = 10;
/// Criteria from which it is positive.
const POSITIVE: u8 = 2;
/// All criteria.
const CRITERIA: u8 = 4;

/// What SIRS is computed from; laboratory values are optional.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SirsInput {
    /// Temperature in tenths of a degree Celsius.
    pub temperature_tenths: Option<i32>,
    /// Heart rate per minute.
    pub heart_rate: Option<i32>,
    /// Respiration rate per minute.
    pub resp_rate: Option<i32>,
    /// Arterial carbon dioxide in tenths of a mmHg.
    pub paco2_tenths: Option<i32>,
    /// White cells in tenths of 10⁹ per litre.
    pub white_cells_tenths: Option<i32>,
    /// Immature forms in percent of the white cells.
    pub immature_percent: Option<i32>,
}

/// Criteria met or not; `None` where they could not be observed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SirsParts {
    /// Temperature.
    pub temperature: Option<bool>,
    /// Heart rate.
    pub heart_rate: Option<bool>,
    /// Respiration rate, or carbon dioxide where it was measured.
    pub respiration: Option<bool>,
    /// White cells, or their immature forms.
    pub white_cells: Option<bool>,
}

/// The score: `met` of `observable`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sirs {
    /// Criteria met.
    pub met: u8,
    /// Criteria that could be observed, 0 to 4.
    pub observable: u8,
    /// All criteria.
    pub parts: SirsParts,
    /// Whether two or more are met; `None` while the criteria that were not observed could decide it.
    pub positive: Option<bool>,
}

impl Sirs {
    /// Counts what can be observed.
    pub fn of(input: &SirsInput) -> Self {
        let outside = |(low, high): (i32, i32)| move |v: i32| v < low || v > high;
        let parts = SirsParts {
            temperature: input.temperature_tenths.map(outside(TEMPERATURE_TENTHS)),
            heart_rate: input.heart_rate.map(|v| v > HEART_RATE),
            respiration: either(
                input.resp_rate.map(|v| v > RESP_RATE),
                input.paco2_tenths.map(|v| v < PACO2_TENTHS),
            ),
            white_cells: either(
                input.white_cells_tenths.map(outside(WHITE_CELLS_TENTHS)),
                input.immature_percent.map(|v| v > IMMATURE_PERCENT),
            ),
        };
        let criteria = [parts.temperature, parts.heart_rate, parts.respiration, parts.white_cells];
        let met = criteria.iter().filter(|c| **c == Some(true)).count() as u8;
        let observable = criteria.iter().flatten().count() as u8;
        Self {
            met,
            observable,
            parts,
            positive: reaches(met, CRITERIA - observable, POSITIVE),
        }
    }
}

/// The leading measurement decides alone; the other can only add to it, so that without the leading one it can confirm but
/// not exclude.
fn either(leading: Option<bool>, other: Option<bool>) -> Option<bool> {
    if other == Some(true) { other } else { leading }
}
