//! Irregular irregularity: what the intervals of atrial fibrillation look like.
//!
//! Dash S. et al., "Automatic real time detection of atrial fibrillation", Ann Biomed Eng 2009: over 128 intervals the changes are large, every
//! length occurs, and turning points come as they do by chance. Our bound for the changes is higher than theirs, so that early beats of
//! the atria are not taken for it.

use std::collections::VecDeque;

use super::definitions as d;

/// Shares of the shortest and of the longest intervals that the entropy passes over, as in the source: 8 of 128.
const OUTLIERS: usize = d::AF_INTERVALS / 16;
/// Lengths that are told apart.
const BINS: usize = 16;

/// The last intervals between beats that do not come from the ventricles.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Irregularity {
    /// Cells.
    intervals: VecDeque<i64>,
    /// Beats in a row at which the intervals were irregular.
    pub(super) irregular: u32,
    /// Beats in a row at which they were not.
    pub(super) regular: u32,
}

impl Irregularity {
    /// Takes an interval.
    pub(super) fn push(&mut self, cells: i64) {
        if self.intervals.len() >= d::AF_INTERVALS {
            self.intervals.pop_front();
        }
        self.intervals.push_back(cells);
        if self.intervals.len() < d::AF_INTERVALS {
            return;
        }
        if self.is_irregular() {
            self.irregular = self.irregular.saturating_add(1);
            self.regular = 0;
        } else {
            self.regular = self.regular.saturating_add(1);
            self.irregular = 0;
        }
    }

    fn is_irregular(&self) -> bool {
        let values: Vec<f64> = self.intervals.iter().map(|cells| *cells as f64).collect();
        let (least, most) = d::AF_TURNING_POINTS;
        changes(&values) > d::AF_CHANGES && entropy(&values) > d::AF_ENTROPY && (least..most).contains(&turning_points(&values))
    }
}

/// Root mean square of the changes from one interval to the next, in terms of the mean interval.
fn changes(values: &[f64]) -> f64 {
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    let squares = values.iter().zip(values.iter().skip(1)).map(|(a, b)| (b - a) * (b - a));
    (squares.sum::<f64>() / (values.len() as f64 - 1.0)).sqrt() / mean.max(1.0)
}

/// Shannon's entropy of the lengths without outliers, 0 to 1.
fn entropy(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    let kept = sorted
        .get(OUTLIERS..sorted.len().saturating_sub(OUTLIERS))
        .unwrap_or_default();
    let (Some(low), Some(high)) = (kept.first(), kept.last()) else {
        return 0.0;
    };
    let width = (high - low) / BINS as f64;
    let mut counts = [0.0_f64; BINS];
    for value in kept {
        let bin = if width > 0.0 { ((value - low) / width) as usize } else { 0 };
        if let Some(count) = counts.get_mut(bin.min(BINS - 1)) {
            *count += 1.0;
        }
    }
    let shares = counts
        .iter()
        .map(|count| count / kept.len() as f64)
        .filter(|share| *share > 0.0);
    -shares.map(|share| share * share.ln()).sum::<f64>() / (BINS as f64).ln()
}

/// Share of the intervals that are shorter or longer than both beside them; by chance two thirds.
fn turning_points(values: &[f64]) -> f64 {
    let turns = values.windows(3).filter(|three| match three {
        [a, b, c] => (b > a && b > c) || (b < a && b < c),
        _ => false,
    });
    turns.count() as f64 / (values.len() as f64 - 2.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Numbers below `range` that look like chance.
    fn chance(range: i64) -> impl FnMut() -> i64 {
        let mut state = 12_345_u64;
        move || {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            ((state >> 33) % range as u64) as i64
        }
    }

    fn irregular(mut interval: impl FnMut(i64) -> i64) -> bool {
        let mut found = Irregularity::default();
        for i in 0..200 {
            found.push(interval(i));
        }
        found.irregular > 60
    }

    #[test]
    fn chance_is_irregular_and_what_a_sinus_node_does_is_not() {
        let mut any = chance(70);
        assert!(irregular(|_| 60 + any()));
        let mut little = chance(6);
        assert!(!irregular(|_| 95 + little()), "a steady rhythm");
        let mut little = chance(6);
        assert!(
            !irregular(|i| 95 + little() + (20.0 * (i as f64 / 3.0).sin()) as i64),
            "breathing"
        );
        let mut little = chance(6);
        assert!(
            !irregular(|i| little() + if i % 2 == 0 { 70 } else { 130 }),
            "every second beat early"
        );
        let (mut little, mut seldom) = (chance(6), chance(12));
        assert!(
            !irregular(|_| little() + if seldom() == 0 { 70 } else { 100 }),
            "some beats early"
        );
    }

    #[test]
    fn too_few_intervals_say_nothing() {
        let mut found = Irregularity::default();
        let mut any = chance(70);
        for _ in 1..d::AF_INTERVALS {
            found.push(60 + any());
        }
        assert_eq!((found.irregular, found.regular), (0, 0));
    }
}
