//! From logits to the class of a beat.

use std::collections::BTreeMap;

/// Class of a beat by ANSI/AAMI EC57.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Class {
    /// Normal, bundle branch block, atrial or nodal escape.
    N,
    /// Supraventricular ectopic.
    S,
    /// Ventricular ectopic.
    V,
    /// Fusion of a ventricular and a normal beat.
    F,
    /// Paced, or not to be classified.
    Q,
}

impl Class {
    /// All, in the order of the model's logits.
    pub const ALL: [Self; 5] = [Self::N, Self::S, Self::V, Self::F, Self::Q];

    /// Its letter.
    pub const fn name(self) -> &'static str {
        match self {
            Self::N => "N",
            Self::S => "S",
            Self::V => "V",
            Self::F => "F",
            Self::Q => "Q",
        }
    }

    /// The class with this letter.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|class| class.name() == name)
    }

    /// Its place in [`Class::ALL`].
    pub const fn index(self) -> usize {
        self as usize
    }
}

/// Probabilities of the classes, from the logits of each lead in which the beat is seen: the leads' log probabilities averaged.
/// Without any lead nothing can be said: Q.
pub fn probabilities(leads: &[&[f32]]) -> [f32; 5] {
    if leads.is_empty() {
        return [0.0, 0.0, 0.0, 0.0, 1.0];
    }
    let mean = |class: usize| leads.iter().filter_map(|logits| logits.get(class)).sum::<f32>() / leads.len() as f32;
    let mean: [f32; 5] = std::array::from_fn(mean);
    let most = mean.iter().copied().fold(f32::MIN, f32::max);
    let powers = mean.map(|logit| (logit - most).exp());
    let sum: f32 = powers.iter().sum();
    powers.map(|power| power / sum)
}

/// The class whose probability is highest in terms of its threshold; a class without one has 0.5.
pub fn decide(probabilities: &[f32; 5], thresholds: &BTreeMap<String, f32>) -> Class {
    let score = |class: &Class| {
        let probability = probabilities.get(class.index()).copied().unwrap_or(0.0);
        probability / thresholds.get(class.name()).copied().unwrap_or(0.5)
    };
    Class::ALL
        .into_iter()
        .max_by(|a, b| score(a).total_cmp(&score(b)))
        .unwrap_or(Class::Q)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn leads_are_averaged_and_probabilities_add_up() {
        let p = probabilities(&[&[2.0, 0.0, 0.0, 0.0, 0.0], &[0.0, 4.0, 0.0, 0.0, 0.0]]);
        assert!((p.iter().sum::<f32>() - 1.0).abs() < 1e-6);
        assert_eq!(decide(&p, &BTreeMap::new()), Class::S);
        assert!((p[1] / p[0] - 1.0_f32.exp()).abs() < 1e-5);
    }

    #[test]
    fn a_lower_threshold_lets_a_class_win_earlier() {
        let p = [0.6, 0.4, 0.0, 0.0, 0.0];
        assert_eq!(decide(&p, &BTreeMap::new()), Class::N);
        assert_eq!(decide(&p, &BTreeMap::from([("S".to_owned(), 0.3)])), Class::S);
    }

    #[test]
    fn a_beat_seen_in_no_lead_is_unclassified() {
        assert_eq!(decide(&probabilities(&[]), &BTreeMap::new()), Class::Q);
    }
}
