//! Why a window is called shockable: the effect of each half second.

use super::{CLASSES, ReadyWindow, WINDOW, probability};
use crate::strip::{PLAYERS, StripExplanation, occluded};
use crate::{ModelError, WaveformModel};

/// Explains the probability of a shockable rhythm in the windows of one instant, one a lead; a half second that is occluded is flat
/// in all of them. One batch of 256 rows a lead.
/// # Errors
/// As [`WaveformModel::logits`]; [`ModelError::Engine`] if the effects do not add up to the probability.
pub fn explain(model: &WaveformModel, windows: &[ReadyWindow]) -> Result<StripExplanation, ModelError> {
    let coalitions = 0..1_usize << PLAYERS;
    let leads = windows.len();
    let mut rows = Vec::with_capacity(coalitions.len() * leads * WINDOW);
    for coalition in coalitions.clone() {
        for window in windows {
            rows.extend(occluded(&window.values, |_| 0.0, coalition, PLAYERS));
        }
    }
    let logits = model.logits(&[&rows], coalitions.len() * leads)?;
    let of_one = logits.chunks_exact((CLASSES * leads).max(1));
    let worth: Vec<f64> = of_one.map(|logits| f64::from(probability(logits))).collect();
    StripExplanation::of(model, &worth, false)
}
