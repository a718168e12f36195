//! The classes of beats, and how the model's answers for the leads of a beat become one.

use super::ReadyBeat;
use crate::{ModelError, WaveformModel};

/// Class of a beat by ANSI/AAMI EC57.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum BeatClass {
    /// Normal, bundle branch block, atrial or junctional escape.
    N,
    /// Supraventricular premature.
    S,
    /// Ventricular.
    V,
    /// Fusion of a ventricular and a normal one.
    F,
    /// Paced, or not to be classified.
    Q,
}

impl BeatClass {
    /// All, in the order of the model's output.
    pub const ALL: [Self; 5] = [Self::N, Self::S, Self::V, Self::F, Self::Q];

    /// The letter by which EC57 names it.
    pub const fn letter(self) -> char {
        match self {
            Self::N => 'N',
            Self::S => 'S',
            Self::V => 'V',
            Self::F => 'F',
            Self::Q => 'Q',
        }
    }
}

/// Logits of a row.
pub(super) const CLASSES: usize = BeatClass::ALL.len();

/// Probability of each class, in the order of [`BeatClass::ALL`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Probabilities(pub [f32; 5]);

impl Probabilities {
    /// The likeliest class; the first of equals.
    pub fn class(&self) -> BeatClass {
        let mut best = (BeatClass::Q, f32::MIN);
        for (class, p) in BeatClass::ALL.into_iter().zip(self.0) {
            if p > best.1 {
                best = (class, p);
            }
        }
        best.0
    }

    /// That the beat comes from the ventricles.
    pub const fn ventricular(&self) -> f32 {
        let [_, _, ventricular, _, _] = self.0;
        ventricular
    }

    /// Softmax of the mean of the logits of the leads; nothing for no lead.
    pub(super) fn of(logits: &[f32]) -> Option<Self> {
        let leads = logits.chunks_exact(CLASSES);
        let count = leads.len() as f32;
        let mut mean = [0.0_f32; 5];
        for lead in leads {
            for (sum, logit) in mean.iter_mut().zip(lead) {
                *sum += logit / count;
            }
        }
        let highest = mean.iter().copied().fold(f32::MIN, f32::max);
        let powers = mean.map(|logit| (logit - highest).exp());
        let total: f32 = powers.iter().sum();
        (count > 0.0).then(|| Self(powers.map(|power| power / total)))
    }
}

/// Classifies beats in one batch: one answer for each, `None` for a beat that no lead shows.
/// # Errors
/// As [`WaveformModel::logits`], of a model that does not take the rows of an [`Extractor`](super::Extractor) too.
pub fn classify(model: &WaveformModel, beats: &[ReadyBeat]) -> Result<Vec<Option<Probabilities>>, ModelError> {
    let rows = || beats.iter().flat_map(|beat| &beat.rows);
    let windows: Vec<f32> = rows().flat_map(|row| row.window.iter().copied()).collect();
    let rhythm: Vec<f32> = rows().flat_map(|row| row.rhythm.iter().copied()).collect();
    let logits = model.logits(&[&windows, &rhythm], rows().count())?;
    let mut rest = logits.as_slice();
    let answers = beats.iter().map(|beat| {
        let (own, others) = rest.split_at_checked(CLASSES * beat.rows.len()).unwrap_or_default();
        rest = others;
        Probabilities::of(own)
    });
    Ok(answers.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn leads_that_disagree_meet_between_and_equal_logits_give_equal_chances() {
        let both = Probabilities::of(&[2.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 2.0, 0.0, 0.0]).unwrap();
        assert!((both.0[0] - both.0[2]).abs() < 1e-6);
        assert!(both.0[0] > both.0[1]);
        assert!((both.0.iter().sum::<f32>() - 1.0).abs() < 1e-6);
        assert_eq!(Probabilities::of(&[]), None);
        assert_eq!(Probabilities([0.2; 5]).class(), BeatClass::N);
        assert_eq!(Probabilities([0.1, 0.1, 0.6, 0.1, 0.1]).class(), BeatClass::V);
    }
}
