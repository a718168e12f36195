//! Latencies in buckets whose width grows with the value: at most 1.6 % off, in constant space.

use std::time::Duration;

/// Buckets of each power of two.
const PER_OCTAVE: usize = 64;
/// Octaves above the first, which is exact: up to 2^41 ns, 36 minutes.
const OCTAVES: usize = 36;

/// A histogram of durations.
#[derive(Clone, Debug)]
pub struct Histogram {
    counts: Vec<u64>,
    count: u64,
    sum_ns: u128,
    max_ns: u64,
}

impl Default for Histogram {
    fn default() -> Self {
        Self {
            counts: vec![0; PER_OCTAVE * (OCTAVES + 1)],
            count: 0,
            sum_ns: 0,
            max_ns: 0,
        }
    }
}

impl Histogram {
    /// Adds one duration; what is longer than 36 minutes counts in the last bucket.
    pub fn add(&mut self, duration: Duration) {
        let ns = u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
        let last = self.counts.len() - 1;
        if let Some(count) = self.counts.get_mut(bucket(ns).min(last)) {
            *count += 1;
        }
        self.count += 1;
        self.sum_ns += u128::from(ns);
        self.max_ns = self.max_ns.max(ns);
    }

    /// Adds all of another one.
    pub fn merge(&mut self, other: &Self) {
        for (mine, theirs) in self.counts.iter_mut().zip(&other.counts) {
            *mine += theirs;
        }
        self.count += other.count;
        self.sum_ns += other.sum_ns;
        self.max_ns = self.max_ns.max(other.max_ns);
    }

    /// How many were added.
    pub const fn count(&self) -> u64 {
        self.count
    }

    /// The duration that a share (0 to 1) of all does not exceed, in milliseconds: the upper end of its bucket.
    pub fn quantile_ms(&self, share: f64) -> f64 {
        let rank = ((share * self.count as f64).ceil() as u64).max(1);
        let mut seen = 0;
        for (index, count) in self.counts.iter().enumerate() {
            seen += count;
            if seen >= rank {
                return upper_end(index).min(self.max_ns) as f64 / 1e6;
            }
        }
        0.0
    }

    /// The longest, in milliseconds.
    pub const fn max_ms(&self) -> f64 {
        self.max_ns as f64 / 1e6
    }

    /// The mean, in milliseconds; 0 of none.
    pub fn mean_ms(&self) -> f64 {
        if self.count == 0 {
            0.0
        } else {
            self.sum_ns as f64 / self.count as f64 / 1e6
        }
    }
}

/// Exact below 64 ns; above, six bits after the leading one.
const fn bucket(ns: u64) -> usize {
    if ns < PER_OCTAVE as u64 {
        return ns as usize;
    }
    let octave = (ns.ilog2() - PER_OCTAVE.ilog2()) as usize;
    (octave + 1) * PER_OCTAVE + ((ns >> octave) as usize - PER_OCTAVE)
}

/// The largest value that falls into the bucket.
const fn upper_end(index: usize) -> u64 {
    if index < PER_OCTAVE {
        return index as u64;
    }
    let octave = index / PER_OCTAVE - 1;
    (((index % PER_OCTAVE + PER_OCTAVE + 1) as u64) << octave) - 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_lies_in_its_bucket() {
        let mut last = 0;
        for ns in (0..2000).chain([1 << 20, (1 << 20) + 12_345, 1 << 40]) {
            let index = bucket(ns);
            assert!(index >= last && upper_end(index) >= ns, "{ns}");
            assert!(upper_end(index) as f64 <= ns as f64 * 1.016 + 1.0, "{ns}");
            last = index;
        }
    }

    #[test]
    fn quantiles_are_those_of_the_sorted_values() {
        let mut histogram = Histogram::default();
        for us in 1..=1000 {
            histogram.add(Duration::from_micros(us));
        }
        for (share, ms) in [(0.5, 0.5), (0.99, 0.99), (1.0, 1.0)] {
            assert!((histogram.quantile_ms(share) / ms - 1.0).abs() < 0.016, "{share}");
        }
        assert!((histogram.mean_ms() - 0.5005).abs() < 1e-9);
        assert!(Histogram::default().quantile_ms(0.5).abs() < f64::EPSILON);
        histogram.merge(&histogram.clone());
        assert_eq!(histogram.count(), 2000);
        histogram.add(Duration::from_hours(10));
        assert!((histogram.max_ms() - 36_000_000.0).abs() < 1.0);
    }
}
