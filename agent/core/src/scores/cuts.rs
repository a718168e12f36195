//! Cut points of a scoring table.

/// Points by inclusive upper bound, in ascending order, and the points above the last bound.
pub(super) struct Cuts {
    /// `(value up to and including, points)`.
    pub up_to: &'static [(i32, u8)],
    /// Points above the last bound.
    pub above: u8,
}

impl Cuts {
    /// Points of a value.
    pub(super) fn points(&self, value: i32) -> u8 {
        self.up_to
            .iter()
            .find(|(bound, _)| value <= *bound)
            .map_or(self.above, |(_, points)| *points)
    }
}

/// Sum of the known parts, and whether all are known.
pub(super) fn sum(parts: &[Option<u8>]) -> (u8, bool) {
    let known = parts.iter().flatten().fold(0u8, |sum, points| sum.saturating_add(*points));
    (known, parts.iter().all(Option::is_some))
}

/// Whether a score of `at_least`, to which `missing` points could still come, reaches `threshold`; `None` while it is open.
pub(super) const fn reaches(at_least: u8, missing: u8, threshold: u8) -> Option<bool> {
    if at_least >= threshold {
        Some(true)
    } else if at_least.saturating_add(missing) < threshold {
        Some(false)
    } else {
        None
    }
}
