//! Why an ECG model says what it says: the effect of each part of the strip that it was given.
//!
//! Parts are occluded in all combinations, so the effects are exact Shapley values and add up.

use crate::shapley::Values;
use crate::{ModelError, WaveformModel};

/// Players: seven or eight parts of the strip, and perhaps what is known beside it.
pub(crate) const PLAYERS: usize = 8;
/// How far the sum of the effects may be from the probability that they explain.
const ADDS_UP_WITHIN: f64 = 1e-6;

/// The effects of the parts of a strip on one probability. They add up: `base`, all `parts` and `beside` are the probability.
#[derive(Clone, Debug, PartialEq)]
pub struct StripExplanation {
    /// Probability, 0 to 1, when everything is occluded.
    pub base: f64,
    /// What each part of the strip adds to it, -1 to 1, from its beginning to its end; parts are equally long.
    pub parts: Vec<f64>,
    /// What the numbers beside the strip add, if the model has any.
    pub beside: Option<f64>,
}

impl StripExplanation {
    /// The probability that is explained.
    pub fn probability(&self) -> f64 {
        self.base + self.parts.iter().sum::<f64>() + self.beside.unwrap_or(0.0)
    }

    /// From the probability of every coalition of players, `[256]`: the last player is beside the strip, if `has_beside`.
    /// # Errors
    /// [`ModelError::Engine`] if the effects do not add up.
    pub(crate) fn of(model: &WaveformModel, worth: &[f64], has_beside: bool) -> Result<Self, ModelError> {
        let values = Values::<PLAYERS>::of(worth);
        let whole = worth.last().copied().unwrap_or_default();
        if (values.whole() - whole).abs() > ADDS_UP_WITHIN {
            return Err(ModelError::Engine {
                model: model.manifest().id.clone(),
                action: "explain",
                reason: format!("the effects add up to {}, must add up to {whole}", values.whole()),
            });
        }
        let mut parts = values.effects.to_vec();
        let beside = if has_beside { parts.pop() } else { None };
        Ok(Self {
            base: values.base,
            parts,
            beside,
        })
    }
}

/// `seen` in the parts that the coalition has, `hidden` in the others; of `parts` equal parts, the last takes the rest.
pub(crate) fn occluded(seen: &[f32], hidden: impl Fn(usize) -> f32, coalition: usize, parts: usize) -> Vec<f32> {
    let length = seen.len().div_ceil(parts).max(1);
    let part = |at: usize| at / length;
    let value = |(at, value): (usize, &f32)| {
        if coalition & (1 << part(at)) != 0 {
            *value
        } else {
            hidden(at)
        }
    };
    seen.iter().enumerate().map(value).collect()
}
