//! How far two histograms are apart. Every function takes counts by bin, and returns `None` where the numbers of bins differ
//! or one side is empty.

use std::iter::zip;

use serde::{Deserialize, Serialize};

use super::{DriftError, Histogram};

/// Smallest share in the population stability index, so that an empty bin does not make it infinite (convention).
const PSI_FLOOR: f64 = 1e-4;
/// PSI from which drift is moderate (convention of credit scoring, not mathematics: *ratify*).
const PSI_MODERATE: f64 = 0.1;
/// PSI above which drift is major (as above).
const PSI_MAJOR: f64 = 0.25;

/// 95 % points of the chi-square distribution with 1, 2, … degrees of freedom.
const CHI_SQUARE_95: [f64; 20] = [
    3.841_5, 5.991_5, 7.814_7, 9.487_7, 11.070_5, 12.591_6, 14.067_1, 15.507_3, 16.919_0, 18.307_0, 19.675_1, 21.026_1, 22.362_0,
    23.684_8, 24.995_8, 26.296_2, 27.587_1, 28.869_3, 30.143_5, 31.410_4,
];
/// 95 % point of the normal distribution.
const NORMAL_95: f64 = 1.644_853_6;

/// Population stability index: Σ (c − r) · ln(c / r) over the bins' shares, each share at least 0.0001.
pub fn psi(reference: &[u64], current: &[u64]) -> Option<f64> {
    let (reference, current) = shares(reference, current)?;
    let term = |(r, c): (f64, f64)| {
        let (r, c) = (r.max(PSI_FLOOR), c.max(PSI_FLOOR));
        (c - r) * (c / r).ln()
    };
    Some(zip(reference, current).map(term).sum())
}

/// PSI below which nothing is said: 0.1, or the 95 % point without drift, χ²(0.95, bins − 1) · (1/n + 1/m), if samples are
/// so small that this is more. Some 2,000 values a side are wanted.
pub fn psi_gate(bins: usize, n: u64, m: u64) -> f64 {
    let by_chance = chi_square_95(bins.saturating_sub(1)) * ((n as f64).recip() + (m as f64).recip());
    by_chance.max(PSI_MODERATE)
}

fn chi_square_95(degrees: usize) -> f64 {
    let Some(index) = degrees.checked_sub(1) else { return 0.0 };
    CHI_SQUARE_95.get(index).copied().unwrap_or_else(|| {
        // Wilson and Hilferty 1931; within 0.05 % this far out.
        let k = degrees as f64;
        let spread = 2.0 / (9.0 * k);
        k * (1.0 - spread + NORMAL_95 * spread.sqrt()).powi(3)
    })
}

/// Jensen–Shannon divergence in bits, 0 to 1.
pub fn jensen_shannon_bits(reference: &[u64], current: &[u64]) -> Option<f64> {
    let (reference, current) = shares(reference, current)?;
    let towards = |share: f64, mean: f64| if share > 0.0 { share * (share / mean).log2() } else { 0.0 };
    let term = |(r, c): (f64, f64)| {
        let mean = f64::midpoint(r, c);
        f64::midpoint(towards(r, mean), towards(c, mean))
    };
    Some(zip(reference, current).map(term).sum::<f64>().max(0.0))
}

/// Jensen–Shannon distance, 0 to 1: the root of the divergence in bits.
pub fn jensen_shannon_distance(reference: &[u64], current: &[u64]) -> Option<f64> {
    jensen_shannon_bits(reference, current).map(f64::sqrt)
}

/// Kolmogorov–Smirnov statistic: the largest difference of the cumulated shares, 0 to 1.
pub fn kolmogorov_smirnov(reference: &[u64], current: &[u64]) -> Option<f64> {
    cumulated_differences(reference, current).map(|all| all.into_iter().fold(0.0, f64::max))
}

/// Wasserstein-1 distance in the unit of `centres`: each bin's values are taken to lie at its centre.
pub fn wasserstein(reference: &[u64], current: &[u64], centres: &[f64]) -> Option<f64> {
    let differences = cumulated_differences(reference, current).filter(|all| all.len() == centres.len())?;
    let steps = zip(centres, centres.iter().skip(1)).map(|(left, right)| right - left);
    Some(zip(differences, steps).map(|(difference, step)| difference * step).sum())
}

/// Standard deviation of binned values that lie at their centres.
fn standard_deviation(counts: &[u64], centres: &[f64]) -> f64 {
    let total: f64 = counts.iter().map(|count| *count as f64).sum();
    let mean_of = |f: &dyn Fn(f64) -> f64| zip(counts, centres).map(|(n, x)| *n as f64 * f(*x)).sum::<f64>() / total;
    let mean = mean_of(&|x| x);
    mean_of(&|x| (x - mean).powi(2)).sqrt()
}

fn cumulated_differences(reference: &[u64], current: &[u64]) -> Option<Vec<f64>> {
    let (reference, current) = shares(reference, current)?;
    let mut difference = 0.0;
    let cumulated = zip(reference, current).map(|(r, c)| {
        difference += r - c;
        f64::abs(difference)
    });
    Some(cumulated.collect())
}

/// Shares of both sides.
fn shares(reference: &[u64], current: &[u64]) -> Option<(Vec<f64>, Vec<f64>)> {
    let share = |counts: &[u64]| {
        let total: f64 = counts.iter().map(|count| *count as f64).sum();
        (total > 0.0).then(|| counts.iter().map(|count| *count as f64 / total).collect())
    };
    if reference.len() != current.len() {
        return None;
    }
    Some((share(reference)?, share(current)?))
}

/// Verdict of the population stability index.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum DriftLevel {
    /// Below the gate: nothing, or nothing that chance does not explain.
    None,
    /// From the gate to 0.25.
    Moderate,
    /// Above 0.25 and the gate.
    Major,
}

impl DriftLevel {
    /// Judges a PSI against its gate.
    pub fn of(psi: f64, gate: f64) -> Self {
        if psi < gate {
            Self::None
        } else if psi <= PSI_MAJOR {
            Self::Moderate
        } else {
            Self::Major
        }
    }
}

/// All statistics of one pair of histograms.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct DriftReport {
    /// Population stability index.
    pub psi: f64,
    /// What it had to reach, given the sizes of the samples.
    pub psi_gate: f64,
    /// The verdict.
    pub level: DriftLevel,
    /// Kolmogorov–Smirnov statistic.
    pub kolmogorov_smirnov: f64,
    /// Wasserstein-1 distance in standard deviations of the reference; `None` if that has none.
    pub wasserstein_sd: Option<f64>,
    /// Jensen–Shannon distance.
    pub jensen_shannon: f64,
}

impl DriftReport {
    /// Compares what lies between the edges. Bins that are empty on both sides do not count as bins.
    /// # Errors
    /// [`DriftError`] if the two count different things, or one of them nothing.
    pub fn compare(reference: &Histogram, current: &Histogram) -> Result<Self, DriftError> {
        reference.same_kind(current)?;
        Self::of(reference, current).ok_or(DriftError::Empty {
            kind: reference.kind().name(),
        })
    }

    fn of(reference: &Histogram, current: &Histogram) -> Option<Self> {
        let (r, c) = (reference.counts(), current.counts());
        let centres = reference.kind().centres();
        let occupied = zip(r, c).filter(|(r, c)| **r > 0 || **c > 0).count();
        let psi = psi(r, c)?;
        let psi_gate = psi_gate(occupied, reference.total(), current.total());
        let deviation = standard_deviation(r, &centres);
        let distance = wasserstein(r, c, &centres)?;
        Some(Self {
            psi,
            psi_gate,
            level: DriftLevel::of(psi, psi_gate),
            kolmogorov_smirnov: kolmogorov_smirnov(r, c)?,
            wasserstein_sd: (deviation > 0.0).then(|| distance / deviation),
            jensen_shannon: jensen_shannon_distance(r, c)?,
        })
    }
}
