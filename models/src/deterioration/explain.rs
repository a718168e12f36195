//! Why the model says what it says: exact Shapley values of the six vitals and the age.
//!
//! A coalition knows some of the inputs; the others count as never measured, by the same way from vitals to features that
//! the model itself goes.

use super::features::features;
use super::vitals::VITAL_COUNT;
use crate::shapley::Values;
use crate::{Model, ModelError};

/// The six vitals in the order of [`super::VITALS`], then the age.
pub const INPUTS: usize = VITAL_COUNT + 1;
const COALITIONS: usize = 1 << INPUTS;
/// How far the sum of the effects may be from the probability that they explain.
const ADDS_UP_WITHIN: f64 = 1e-6;

/// The effects of the inputs on one probability. They add up: `base` and all `effects` are the probability.
#[derive(Clone, Debug, PartialEq)]
pub struct Explanation {
    /// Probability, 0 to 1, of a patient of whom only the length of the stay is known.
    pub base: f64,
    /// What each input adds to it, -1 to 1. Of an input that was never measured 0.
    pub effects: [f64; INPUTS],
}

impl Explanation {
    /// The probability that is explained.
    pub fn probability(&self) -> f64 {
        self.base + self.effects.iter().sum::<f64>()
    }
}

/// Explains the probability of a patient of `age_years` with hourly means `[hours][vital]` as [`features`] takes them. One batch
/// of 128 rows.
///
/// # Errors
/// As [`Model::predict`]; [`ModelError::Engine`] if the effects do not add up to the probability.
pub fn explain(model: &Model, age_years: Option<f32>, hours: &[[Option<f32>; VITAL_COUNT]]) -> Result<Explanation, ModelError> {
    let rows: Vec<Vec<f32>> = (0..COALITIONS).map(|known| row(known, age_years, hours)).collect();
    let worth: Vec<f64> = model.predict(&rows)?.into_iter().map(f64::from).collect();
    let Values { base, effects } = Values::of(&worth);
    let explanation = Explanation { base, effects };
    let whole = worth.last().copied().unwrap_or_default();
    let gap = (explanation.probability() - whole).abs();
    if gap <= ADDS_UP_WITHIN {
        return Ok(explanation);
    }
    Err(ModelError::Engine {
        model: model.id().to_owned(),
        action: "explain",
        reason: format!("the effects add up to {}, must add up to {whole}", explanation.probability()),
    })
}

/// The row when only the inputs whose bits are set in `known` are known.
fn row(known: usize, age_years: Option<f32>, hours: &[[Option<f32>; VITAL_COUNT]]) -> Vec<f32> {
    let is_known = |input: usize| known & (1 << input) != 0;
    let seen: Vec<[Option<f32>; VITAL_COUNT]> = hours
        .iter()
        .map(|hour| {
            let mut hour = *hour;
            for (vital, value) in hour.iter_mut().enumerate() {
                *value = value.filter(|_| is_known(vital));
            }
            hour
        })
        .collect();
    features(age_years.filter(|_| is_known(VITAL_COUNT)), &seen).into_row()
}
