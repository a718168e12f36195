//! Which sequence numbers of one stream have been seen: duplicates, gaps and late arrivals.

use serde::{Deserialize, Serialize};

/// Separate stretches remembered per stream. When more are needed the oldest is forgotten:
/// a very late duplicate may then be journaled twice, but nothing is ever dropped unseen.
const MAX_STRETCHES: usize = 32;

/// What a number meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Arrival {
    /// Higher than any before.
    New,
    /// Fills an earlier gap.
    Late,
    /// Seen before.
    Duplicate,
}

/// Seen numbers as inclusive stretches, ascending.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Seen {
    stretches: Vec<(u32, u32)>,
}

impl Seen {
    /// Notes a number and says what it meant.
    pub(crate) fn note(&mut self, seq: u32) -> Arrival {
        match self.stretches.last_mut() {
            Some((_, last)) if last.checked_add(1) == Some(seq) => {
                *last = seq;
                return Arrival::New;
            }
            Some(&mut (_, last)) if seq > last => {
                self.stretches.push((seq, seq));
                if self.stretches.len() > MAX_STRETCHES {
                    self.stretches.remove(0);
                }
                return Arrival::New;
            }
            None => {
                self.stretches.push((seq, seq));
                return Arrival::New;
            }
            Some(_) => {}
        }
        if self.contains(seq) {
            return Arrival::Duplicate;
        }
        self.fill(seq);
        Arrival::Late
    }

    /// Whether the number was seen and is still remembered.
    fn contains(&self, seq: u32) -> bool {
        self.stretches.iter().any(|(first, last)| (*first..=*last).contains(&seq))
    }

    /// The highest number seen.
    pub(crate) fn last(&self) -> Option<u32> {
        self.stretches.last().map(|&(_, last)| last)
    }

    /// The lowest number that is remembered.
    pub(crate) fn first(&self) -> Option<u32> {
        self.stretches.first().map(|&(first, _)| first)
    }

    /// How many numbers above `low` and below `high` were seen.
    pub(crate) fn between(&self, low: u32, high: u32) -> u32 {
        let inside = |&(first, last): &(u32, u32)| {
            last.min(high.saturating_sub(1))
                .saturating_sub(first.max(low.saturating_add(1)).saturating_sub(1))
        };
        self.stretches.iter().map(inside).sum()
    }

    fn fill(&mut self, seq: u32) {
        let at = self.stretches.partition_point(|&(_, last)| last < seq);
        self.stretches.insert(at, (seq, seq));
        let mut merged: Vec<(u32, u32)> = Vec::with_capacity(self.stretches.len());
        for &(first, last) in &self.stretches {
            match merged.last_mut() {
                Some((_, end)) if end.checked_add(1).is_none_or(|next| next >= first) => *end = last.max(*end),
                _ => merged.push((first, last)),
            }
        }
        while merged.len() > MAX_STRETCHES {
            merged.remove(0);
        }
        self.stretches = merged;
    }
}

#[cfg(test)]
mod tests {
    use super::Arrival::{Duplicate, Late, New};
    use super::*;

    #[test]
    fn late_arrivals_and_duplicates_are_told_apart() {
        let mut seen = Seen::default();
        let got: Vec<_> = [1, 2, 5, 3, 3, 4, 4, 6].map(|n| seen.note(n)).into();
        assert_eq!(got, [New, New, New, Late, Duplicate, Late, Duplicate, New]);
        assert_eq!(seen.stretches, [(1, 6)]);
    }

    #[test]
    fn any_order_of_delivery_loses_nothing_and_repeats_nothing() {
        let mut runner = proptest::test_runner::TestRunner::deterministic();
        runner
            .run(&proptest::collection::vec(0u32..40, 0..200), |order| {
                let mut seen = Seen::default();
                let mut model = std::collections::HashSet::new();
                for n in order {
                    let duplicate = seen.note(n) == Arrival::Duplicate;
                    proptest::prop_assert_eq!(duplicate, !model.insert(n));
                }
                Ok(())
            })
            .unwrap();
    }

    #[test]
    fn numbers_between_two_others_are_counted_without_these() {
        let mut seen = Seen::default();
        for n in [0, 1, 4, 5, 6, 9, u32::MAX] {
            seen.note(n);
        }
        let got =
            [(0, 1), (0, 2), (0, 6), (1, 4), (4, 6), (6, 20), (9, u32::MAX), (2, 3)].map(|(low, high)| seen.between(low, high));
        assert_eq!(got, [0, 1, 3, 0, 1, 1, 0, 0]);
    }

    #[test]
    fn the_end_of_the_numbers_is_no_trap() {
        let mut seen = Seen::default();
        assert_eq!(seen.note(u32::MAX - 1), Arrival::New);
        assert_eq!(seen.note(u32::MAX), Arrival::New);
        assert_eq!(seen.note(u32::MAX), Arrival::Duplicate);
        assert_eq!(seen.note(0), Arrival::Late);
    }

    #[test]
    fn memory_stays_bounded_under_endless_gaps() {
        let mut seen = Seen::default();
        for n in 0..10_000 {
            seen.note(n * 3);
        }
        assert_eq!(seen.stretches.len(), MAX_STRETCHES);
    }
}
