//! qSOFA (quick sequential organ failure assessment, Sepsis-3, 2016).

use serde::{Deserialize, Serialize};

use super::cuts::{reaches, sum};
use crate::patient::Consciousness;

/// Respiration rate per minute that scores, and above (Sepsis-3).
const RESP_RATE_FROM: i32 = 22;
/// Systolic pressure in mmHg that scores, and below (Sepsis-3).
const SYSTOLIC_UP_TO: i32 = 100;
/// Glasgow coma scale of a patient whose mentation is not altered (general knowledge: *ratify*).
const GCS_NORMAL: u8 = 15;
/// Points from which the score is positive (Sepsis-3).
const POSITIVE: u8 = 2;

/// What qSOFA is computed from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct QsofaInput {
    /// Respiration rate per minute.
    pub resp_rate: Option<i32>,
    /// Systolic pressure in mmHg.
    pub systolic: Option<i32>,
    /// Glasgow coma scale, 3 to 15; goes before `consciousness`.
    pub gcs: Option<u8>,
    /// ACVPU, for want of a coma scale: anything but alert is altered.
    pub consciousness: Option<Consciousness>,
}

/// Points per criterion, 0 or 1; `None` where the input is missing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct QsofaParts {
    /// Respiration.
    pub resp_rate: Option<u8>,
    /// Systolic pressure.
    pub systolic: Option<u8>,
    /// Mentation.
    pub mentation: Option<u8>,
}

/// The score, 0 to 3.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Qsofa {
    /// Total, only when every input is there.
    pub total: Option<u8>,
    /// What the total is at least.
    pub at_least: u8,
    /// Points per criterion.
    pub parts: QsofaParts,
    /// Whether it is 2 or more; `None` while the missing inputs could decide it.
    pub positive: Option<bool>,
}

impl Qsofa {
    /// Scores what is known.
    pub fn of(input: &QsofaInput) -> Self {
        let altered = match (input.gcs, input.consciousness) {
            (Some(gcs), _) => Some(gcs < GCS_NORMAL),
            (None, level) => level.map(|level| level != Consciousness::Alert),
        };
        let parts = QsofaParts {
            resp_rate: input.resp_rate.map(|v| u8::from(v >= RESP_RATE_FROM)),
            systolic: input.systolic.map(|v| u8::from(v <= SYSTOLIC_UP_TO)),
            mentation: altered.map(u8::from),
        };
        let points = [parts.resp_rate, parts.systolic, parts.mentation];
        let (at_least, complete) = sum(&points);
        let missing = points.iter().filter(|points| points.is_none()).count() as u8;
        Self {
            total: complete.then_some(at_least),
            at_least,
            parts,
            positive: reaches(at_least, missing, POSITIVE),
        }
    }
}
