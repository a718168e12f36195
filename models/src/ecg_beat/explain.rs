//! Why a beat is called ventricular: the effect of each part of it, and of the numbers of the rhythm.

use super::{Probabilities, ReadyBeat, WINDOW, classes::CLASSES};
use crate::strip::{PLAYERS, StripExplanation, occluded};
use crate::{ModelError, WaveformModel};

/// Parts of the beat; the numbers of the rhythm are one more player.
const PARTS: usize = PLAYERS - 1;

/// Explains the probability that a beat is ventricular. A part that is occluded looks as in the patient's own beat; numbers of the
/// rhythm that are occluded are zero. One batch of 256 rows a lead.
/// # Errors
/// As [`WaveformModel::logits`]; [`ModelError::Engine`] if the effects do not add up to the probability.
pub fn explain(model: &WaveformModel, beat: &ReadyBeat) -> Result<StripExplanation, ModelError> {
    let coalitions = 0..1_usize << PLAYERS;
    let leads = beat.rows.len();
    let (mut windows, mut rhythm) = (Vec::new(), Vec::new());
    for coalition in coalitions.clone() {
        for row in &beat.rows {
            let (seen, others) = row.window.split_at_checked(WINDOW).unwrap_or_default();
            let own = |at: usize| others.get(at).copied().unwrap_or(0.0);
            windows.extend(occluded(seen, own, coalition, PARTS));
            windows.extend(others);
            let known = coalition & (1 << PARTS) != 0;
            rhythm.extend(row.rhythm.iter().map(|number| if known { *number } else { 0.0 }));
        }
    }
    let logits = model.logits(&[&windows, &rhythm], coalitions.len() * leads)?;
    let of_one = logits.chunks_exact((CLASSES * leads).max(1));
    let ventricular = |logits: &[f32]| Probabilities::of(logits).map_or(0.0, |p| p.ventricular());
    let worth: Vec<f64> = of_one.map(|logits| f64::from(ventricular(logits))).collect();
    StripExplanation::of(model, &worth, true)
}
