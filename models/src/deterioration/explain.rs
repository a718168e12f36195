//! Why the model says what it says: exact Shapley values of the six vitals and the age.
//!
//! A coalition knows some of the inputs; the others count as never measured, by the same way from vitals to features that
//! the model itself goes. Shapley L. "A value for n-person games", 1953; all 2^7 coalitions are computed, nothing is sampled.

use super::features::features;
use super::vitals::VITAL_COUNT;
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
    let explanation = shapley(&worth);
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

/// The feature row when only the inputs whose bits are set in `known` are known.
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

/// Shapley values of a game whose coalitions, as bit sets, are worth `worth`.
fn shapley(worth: &[f64]) -> Explanation {
    let worth_of = |coalition: usize| worth.get(coalition).copied().unwrap_or_default();
    let mut effects = [0.0; INPUTS];
    for (input, effect) in effects.iter_mut().enumerate() {
        let bit = 1 << input;
        *effect = (0..COALITIONS)
            .filter(|without| without & bit == 0)
            .map(|without| weight(without.count_ones()) * (worth_of(without | bit) - worth_of(without)))
            .sum();
    }
    Explanation {
        base: worth_of(0),
        effects,
    }
}

/// Share of the orders of arrival in which exactly the `before` inputs of a coalition come before an input: `s! (n-1-s)! / n!`.
fn weight(before: u32) -> f64 {
    let factorial = |n: u32| (1..=n).map(f64::from).product::<f64>();
    let inputs = INPUTS as u32;
    factorial(before) * factorial(inputs - 1 - before) / factorial(inputs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn in_a_game_that_adds_every_input_gets_what_it_adds() {
        let adds = [0.1, -0.2, 0.3, 0.0, 0.05, 0.4, -0.1];
        let worth: Vec<f64> = (0..COALITIONS)
            .map(|c| 0.2 + (0..INPUTS).filter(|i| c & (1 << i) != 0).map(|i| adds[i]).sum::<f64>())
            .collect();
        let found = shapley(&worth);
        assert!((found.base - 0.2).abs() < 1e-12);
        for (found, add) in found.effects.iter().zip(adds) {
            assert!((found - add).abs() < 1e-12, "{found} {add}");
        }
    }

    #[test]
    fn two_inputs_that_work_only_together_share_and_an_idle_one_gets_nothing() {
        let together = |c: usize| if c & 0b11 == 0b11 { 1.0 } else { 0.0 };
        let found = shapley(&(0..COALITIONS).map(together).collect::<Vec<f64>>());
        assert!((found.effects[0] - 0.5).abs() < 1e-12 && (found.effects[1] - 0.5).abs() < 1e-12);
        assert!(found.effects[2..].iter().all(|effect| effect.abs() < 1e-12));
    }
}
