//! The figures by which classifiers of beats are compared.

use super::BeatClass;

/// Beats by what they are (row) and what they were called (column), in the order of [`BeatClass::ALL`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Confusion(pub [[u64; 5]; 5]);

/// Figures of one class.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ClassFigures {
    /// Share found of the beats of the class; NaN if there is none.
    pub sensitivity: f64,
    /// Share that is right of the beats called so; NaN if there is none.
    pub precision: f64,
    /// Share called so of the beats of other classes.
    pub false_positive_rate: f64,
}

impl Confusion {
    /// Counts one beat.
    pub fn count(&mut self, truth: BeatClass, called: BeatClass) {
        if let Some(cell) = self.0.get_mut(truth as usize).and_then(|row| row.get_mut(called as usize)) {
            *cell += 1;
        }
    }

    /// Counts the beats of another table.
    pub fn add(&mut self, other: &Self) {
        for (sum, more) in self.0.as_flattened_mut().iter_mut().zip(other.0.as_flattened()) {
            *sum += more;
        }
    }

    /// All beats.
    pub fn total(&self) -> u64 {
        self.0.as_flattened().iter().sum()
    }

    /// Sensitivity, precision and false positive rate of a class.
    pub fn of(&self, class: BeatClass) -> ClassFigures {
        let (right, truth, called) = (self.right(class), self.truth(class), self.called(class));
        ClassFigures {
            sensitivity: right / truth,
            precision: right / called,
            false_positive_rate: (called - right) / (self.total() as f64 - truth),
        }
    }

    /// Share of the beats that were called what they are.
    pub fn accuracy(&self) -> f64 {
        BeatClass::ALL.map(|class| self.right(class)).iter().sum::<f64>() / self.total() as f64
    }

    /// Cohen's κ.
    pub fn kappa(&self) -> f64 {
        let total = self.total() as f64;
        let chance = BeatClass::ALL
            .map(|class| self.truth(class) * self.called(class))
            .iter()
            .sum::<f64>()
            / (total * total);
        (self.accuracy() - chance) / (1.0 - chance)
    }

    /// The j index: sensitivities and precisions of S and V, 0 to 4 (Mar et al. 2011). A class without beats counts 0.
    pub fn j(&self) -> f64 {
        let of = |class| {
            let figures = self.of(class);
            [figures.sensitivity, figures.precision]
                .map(|v| if v.is_nan() { 0.0 } else { v })
                .iter()
                .sum::<f64>()
        };
        of(BeatClass::S) + of(BeatClass::V)
    }

    /// jκ: κ / 2 + j / 8, 0 to 1 (Mar et al. 2011).
    pub fn j_kappa(&self) -> f64 {
        self.kappa() / 2.0 + self.j() / 8.0
    }

    fn right(&self, class: BeatClass) -> f64 {
        self.cell(class, class) as f64
    }

    fn truth(&self, class: BeatClass) -> f64 {
        BeatClass::ALL.map(|called| self.cell(class, called)).iter().sum::<u64>() as f64
    }

    fn called(&self, class: BeatClass) -> f64 {
        BeatClass::ALL.map(|truth| self.cell(truth, class)).iter().sum::<u64>() as f64
    }

    fn cell(&self, truth: BeatClass, called: BeatClass) -> u64 {
        self.0
            .get(truth as usize)
            .and_then(|row| row.get(called as usize))
            .copied()
            .unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Figures worked out by hand.
    #[test]
    fn figures_of_a_small_table() {
        let mut table = Confusion::default();
        for (truth, called, times) in [
            (BeatClass::N, BeatClass::N, 80),
            (BeatClass::N, BeatClass::S, 4),
            (BeatClass::S, BeatClass::S, 6),
            (BeatClass::S, BeatClass::N, 2),
            (BeatClass::V, BeatClass::V, 8),
        ] {
            for _ in 0..times {
                table.count(truth, called);
            }
        }
        let near = |a: f64, b: f64| assert!((a - b).abs() < 1e-9, "{a} {b}");
        near(table.accuracy(), 0.94);
        let s = table.of(BeatClass::S);
        near(s.sensitivity, 0.75);
        near(s.precision, 0.6);
        near(s.false_positive_rate, 4.0 / 92.0);
        near(table.j(), 0.75 + 0.6 + 2.0);
        let chance = (84.0 * 82.0 + 8.0 * 10.0 + 8.0 * 8.0) / 10_000.0;
        near(table.kappa(), (0.94 - chance) / (1.0 - chance));
        near(table.j_kappa(), table.kappa() / 2.0 + table.j() / 8.0);
        let mut twice = table;
        twice.add(&table);
        assert_eq!(twice.total(), 200);
        near(twice.accuracy(), 0.94);
    }
}
