//! How classified beats agree with annotated ones.

use std::fmt::Write as _;

use wardlight_models::ecg_beat::Class;

/// Beats match within this time (ANSI/AAMI EC57).
const WINDOW_S: f64 = 0.15;
/// Beats are counted from here on (ANSI/AAMI EC57).
const LEARNING_S: f64 = 300.0;
const CLASSES: usize = Class::ALL.len();

/// A beat and its class.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Beat {
    pub(super) at_s: f64,
    pub(super) class: Class,
}

/// Counts of annotated against found classes.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Agreement {
    /// By annotated, then found class.
    matched: [[u32; CLASSES]; CLASSES],
    /// Annotated and not found, by annotated class.
    missed: [u32; CLASSES],
    /// Found and not annotated, by found class.
    made_up: [u32; CLASSES],
}

/// Pairs the beats, nearest first within what is left, each once. Both are in order of time.
pub(super) fn compare(truth: &[Beat], found: &[Beat], flutter: &[(f64, f64)]) -> Agreement {
    let counted = |beat: &&Beat| {
        let outside = |(from, to): &(f64, f64)| beat.at_s < from - WINDOW_S || beat.at_s > to + WINDOW_S;
        beat.at_s >= LEARNING_S && flutter.iter().all(outside)
    };
    let truth: Vec<&Beat> = truth.iter().filter(counted).collect();
    let found: Vec<&Beat> = found.iter().filter(counted).collect();
    let mut agreement = Agreement::default();
    let (mut truth, mut found) = (truth.into_iter().peekable(), found.into_iter().peekable());
    loop {
        match (truth.peek().copied(), found.peek().copied()) {
            (Some(t), Some(f)) if (t.at_s - f.at_s).abs() <= WINDOW_S => {
                agreement.count(Some(t.class), Some(f.class));
                truth.next();
                found.next();
            }
            (Some(t), Some(f)) if t.at_s > f.at_s => {
                agreement.count(None, Some(f.class));
                found.next();
            }
            (Some(t), _) => {
                agreement.count(Some(t.class), None);
                truth.next();
            }
            (None, Some(f)) => {
                agreement.count(None, Some(f.class));
                found.next();
            }
            (None, None) => return agreement,
        }
    }
}

/// Figures of one class against all others.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Figures {
    sensitivity: f64,
    precision: f64,
    false_positive_rate: f64,
}

impl Agreement {
    pub(super) const HEADER: &str =
        "record   beats missed false |   acc      κ      j     jκ |  S: Se    PPV    FPR |  V: Se    PPV    FPR";

    fn count(&mut self, truth: Option<Class>, found: Option<Class>) {
        let slot = match (truth, found) {
            (Some(t), Some(f)) => self.matched.get_mut(t.index()).and_then(|row| row.get_mut(f.index())),
            (Some(t), None) => self.missed.get_mut(t.index()),
            (None, Some(f)) => self.made_up.get_mut(f.index()),
            (None, None) => None,
        };
        if let Some(slot) = slot {
            *slot += 1;
        }
    }

    pub(super) fn add(&mut self, other: &Self) {
        let own = self.matched.as_flattened_mut().iter_mut();
        own.zip(other.matched.as_flattened()).for_each(|(a, b)| *a += b);
        self.missed.iter_mut().zip(other.missed).for_each(|(a, b)| *a += b);
        self.made_up.iter_mut().zip(other.made_up).for_each(|(a, b)| *a += b);
    }

    fn total(&self) -> f64 {
        self.matched.as_flattened().iter().copied().map(f64::from).sum()
    }

    fn at(&self, truth: Class, found: Class) -> f64 {
        let row = self.matched.get(truth.index());
        row.and_then(|row| row.get(found.index())).copied().map_or(0.0, f64::from)
    }

    fn annotated(&self, class: Class) -> f64 {
        Class::ALL.iter().map(|found| self.at(class, *found)).sum()
    }

    fn told(&self, class: Class) -> f64 {
        Class::ALL.iter().map(|truth| self.at(*truth, class)).sum()
    }

    fn accuracy(&self) -> f64 {
        Class::ALL.iter().map(|c| self.at(*c, *c)).sum::<f64>() / self.total()
    }

    /// Cohen's kappa.
    fn kappa(&self) -> f64 {
        let by_chance = Class::ALL.iter().map(|c| self.annotated(*c) * self.told(*c)).sum::<f64>() / self.total().powi(2);
        (self.accuracy() - by_chance) / (1.0 - by_chance)
    }

    /// Of the beats that were found.
    fn figures(&self, class: Class) -> Figures {
        let (hit, annotated, told) = (self.at(class, class), self.annotated(class), self.told(class));
        Figures {
            sensitivity: hit / annotated,
            precision: hit / told,
            false_positive_rate: (told - hit) / (self.total() - annotated),
        }
    }

    /// The index of Mar et al. (IEEE Trans Biomed Eng 58(8), 2011): sensitivity and precision of S and V, added up.
    fn j(&self) -> f64 {
        let both = [Class::S, Class::V].map(|class| self.figures(class));
        both.iter().map(|f| f.sensitivity + f.precision).sum()
    }

    /// The same with kappa: κ/2 + j/8.
    fn j_kappa(&self) -> f64 {
        self.kappa() / 2.0 + self.j() / 8.0
    }

    pub(super) fn row(&self, name: &str) -> String {
        let (s, v) = (self.figures(Class::S), self.figures(Class::V));
        format!(
            "{name:7} {:6} {:6} {:5} | {} {} {} {} | {} {} {} | {} {} {}",
            self.total(),
            self.missed.iter().sum::<u32>(),
            self.made_up.iter().sum::<u32>(),
            figure(self.accuracy()),
            figure(self.kappa()),
            figure(self.j()),
            figure(self.j_kappa()),
            figure(s.sensitivity),
            figure(s.precision),
            figure(s.false_positive_rate),
            figure(v.sensitivity),
            figure(v.precision),
            figure(v.false_positive_rate),
        )
    }

    /// The confusion matrix and the figures of each class.
    pub(super) fn report(&self) -> String {
        let mut text = String::from("annotated \\ found");
        for class in Class::ALL {
            write!(text, "{:>8}", class.name()).ok();
        }
        text += "  missed |     Se    PPV    FPR\n";
        for class in Class::ALL {
            write!(text, "{:17}", class.name()).ok();
            for found in Class::ALL {
                write!(text, "{:8}", self.at(class, found)).ok();
            }
            let missed = self.missed.get(class.index()).copied().unwrap_or(0);
            let f = self.figures(class);
            let [se, ppv, fpr] = [f.sensitivity, f.precision, f.false_positive_rate].map(figure);
            writeln!(text, "{missed:8} | {se} {ppv} {fpr}").ok();
        }
        text += "not annotated    ";
        for count in self.made_up {
            write!(text, "{count:8}").ok();
        }
        text
    }
}

/// Three digits, or a dash if there is nothing to divide by.
fn figure(value: f64) -> String {
    if value.is_finite() {
        format!("{value:6.4}")
    } else {
        format!("{:>6}", "–")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn beats(list: &[(f64, Class)]) -> Vec<Beat> {
        list.iter()
            .map(|(at_s, class)| Beat {
                at_s: *at_s,
                class: *class,
            })
            .collect()
    }

    #[test]
    fn beats_match_within_150_ms_and_each_once() {
        let truth = beats(&[(301.0, Class::N), (302.0, Class::V), (303.0, Class::S)]);
        let found = beats(&[(301.14, Class::N), (302.16, Class::V), (303.0, Class::V), (303.1, Class::N)]);
        let agreement = compare(&truth, &found, &[]);
        assert_eq!(agreement.at(Class::N, Class::N), 1.0);
        assert_eq!(agreement.at(Class::S, Class::V), 1.0);
        assert_eq!(agreement.missed, [0, 0, 1, 0, 0]);
        assert_eq!(agreement.made_up, [1, 0, 1, 0, 0]);
    }

    #[test]
    fn the_first_five_minutes_and_flutter_are_left_out() {
        let truth = beats(&[(299.9, Class::N), (300.0, Class::N), (400.0, Class::V), (500.0, Class::N)]);
        let agreement = compare(&truth, &truth, &[(399.0, 410.0)]);
        assert_eq!(agreement.total(), 2.0);
        assert_eq!(agreement.figures(Class::V).sensitivity.is_nan(), true);
    }

    /// The gross table that Mar et al. (2011) publish for their classifier would need their matrix; this one is worked by hand.
    #[test]
    fn kappa_and_j_are_those_of_the_definitions() {
        let mut agreement = Agreement::default();
        for (truth, found, count) in [
            (Class::N, Class::N, 80),
            (Class::N, Class::S, 5),
            (Class::S, Class::S, 4),
            (Class::S, Class::N, 1),
            (Class::V, Class::V, 9),
            (Class::V, Class::N, 1),
        ] {
            for _ in 0..count {
                agreement.count(Some(truth), Some(found));
            }
        }
        // Accuracy .93; by chance (85·82 + 5·9 + 10·9) / 100² = .7105.
        assert!((agreement.accuracy() - 0.93).abs() < 1e-9);
        assert!((agreement.kappa() - (0.93 - 0.7105) / (1.0 - 0.7105)).abs() < 1e-9);
        assert!((agreement.j() - (0.8 + 4.0 / 9.0 + 0.9 + 1.0)).abs() < 1e-9);
        assert!((agreement.j_kappa() - (agreement.kappa() / 2.0 + agreement.j() / 8.0)).abs() < 1e-12);
        assert!((agreement.figures(Class::S).false_positive_rate - 5.0 / 95.0).abs() < 1e-9);
    }
}
