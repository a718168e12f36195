//! What is normal for one patient.

use crate::random::Random;

/// Vitals at rest, in a clinically quiet range.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Baseline {
    /// Beats per minute.
    pub heart_rate: f64,
    /// Percent.
    pub spo2: f64,
    /// Breaths per minute.
    pub resp_rate: f64,
    /// mmHg.
    pub systolic: f64,
    /// mmHg.
    pub diastolic: f64,
    /// °C.
    pub temp_core: f64,
    /// Ventricular ectopic beats an hour.
    pub ectopics_per_hour: f64,
}

impl Baseline {
    /// An adult whose vitals all score 0 in NEWS2 and lie well inside the default limits.
    pub fn adult(seed: u64) -> Self {
        let mut random = Random::named(seed, "baseline");
        Self {
            heart_rate: random.between(62.0, 76.0),
            spo2: random.between(97.0, 98.6),
            resp_rate: random.between(13.5, 17.0),
            systolic: random.between(116.0, 136.0),
            diastolic: random.between(66.0, 80.0),
            temp_core: random.between(36.6, 37.2),
            // Most have few, some up to the 30 an hour that are called frequent.
            ectopics_per_hour: 30.0 * random.unit().powi(3),
        }
    }
}
