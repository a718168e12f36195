//! The `deterioration` model's way from hourly vitals to a row of values.
//!
//! `models/training/wardlight_training/features.py` computes the same rows in the same order of operations; the golden
//! vectors of the package hold the two together bit for bit.

mod explain;
mod features;
mod series;
mod vitals;

pub use explain::{Explanation, INPUTS, explain};
pub use features::{Features, HOURLY_VALUES, Readiness, feature_names, features};
pub use vitals::{MAX_HOURS, MIN_HOURS, VITAL_COUNT, VITALS, Vital};

use crate::ModelError;
use crate::manifest::{Channel, RiskManifest};

/// Refuses a package that was made for other vitals or other features than this software computes.
pub(crate) fn check(manifest: &RiskManifest) -> Result<(), ModelError> {
    let differs = |field, found: &dyn std::fmt::Debug| ModelError::Field {
        field,
        found: format!("{found:?}"),
        expected: "must be what this software computes; package and software are of different versions",
    };
    let channels = VITALS.iter().map(|v| Channel {
        name: v.name.into(),
        unit: v.unit.into(),
        low: v.low,
        high: v.high,
    });
    if !channels.eq(manifest.vitals.channel.iter().cloned()) {
        return Err(differs("vitals.channel", &manifest.vitals.channel));
    }
    let hours = (manifest.vitals.min_hours, manifest.vitals.max_hours);
    if hours != (MIN_HOURS, MAX_HOURS) {
        return Err(differs("vitals.min_hours, vitals.max_hours", &hours));
    }
    if manifest.input.features != feature_names() {
        return Err(differs("input.features", &manifest.input.features));
    }
    Ok(())
}
