//! Fixed histograms.

use serde::{Deserialize, Serialize};

use super::{DriftError, edges};
use crate::scores::{News2, News2Input};
use crate::vitals::Milli;

/// What a histogram counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum HistogramKind {
    /// Heart rate, or pulse for want of it, per minute.
    HeartRate,
    /// Respiration rate per minute.
    RespRate,
    /// Oxygen saturation in percent.
    Spo2,
    /// Systolic pressure in mmHg.
    Systolic,
    /// Body temperature in degrees Celsius.
    Temperature,
    /// Total of NEWS2.
    News2,
}

impl HistogramKind {
    /// All, in the order of [`Histograms`].
    pub const ALL: [Self; 6] = [
        Self::HeartRate,
        Self::RespRate,
        Self::Spo2,
        Self::Systolic,
        Self::Temperature,
        Self::News2,
    ];

    /// Machine name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::HeartRate => "heart_rate",
            Self::RespRate => "resp_rate",
            Self::Spo2 => "spo2",
            Self::Systolic => "systolic",
            Self::Temperature => "temperature",
            Self::News2 => "news2",
        }
    }

    /// Edges in units: one more than there are bins.
    pub fn edges(self) -> Vec<f64> {
        self.raw_edges()
            .iter()
            .map(|edge| f64::from(*edge) / self.per_unit())
            .collect()
    }

    /// Number of bins.
    pub const fn bins(self) -> usize {
        self.raw_edges().len().saturating_sub(1)
    }

    /// Middle of each bin, in units.
    pub fn centres(self) -> Vec<f64> {
        let edges = self.edges();
        edges
            .iter()
            .zip(edges.iter().skip(1))
            .map(|(low, high)| f64::midpoint(*low, *high))
            .collect()
    }

    const fn raw_edges(self) -> &'static [i32] {
        match self {
            Self::HeartRate => edges::HEART_RATE,
            Self::RespRate => edges::RESP_RATE,
            Self::Spo2 => edges::SPO2,
            Self::Systolic => edges::SYSTOLIC,
            Self::Temperature => edges::TEMPERATURE_TENTHS,
            Self::News2 => edges::NEWS2,
        }
    }

    const fn per_unit(self) -> f64 {
        match self {
            Self::Temperature => 10.0,
            _ => 1.0,
        }
    }

    /// The number that the edges are compared with: as it is shown and scored.
    const fn rounded(self, value: Milli) -> i32 {
        match self {
            Self::Temperature => value.tenths(),
            _ => value.rounded(),
        }
    }
}

/// Counts between fixed edges. What lies outside them is counted apart.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Stored")]
pub struct Histogram {
    kind: HistogramKind,
    counts: Vec<u64>,
    underflow: u64,
    overflow: u64,
}

/// A histogram as it was stored, perhaps by another version with other edges.
#[derive(Deserialize)]
struct Stored {
    kind: HistogramKind,
    counts: Vec<u64>,
    underflow: u64,
    overflow: u64,
}

impl TryFrom<Stored> for Histogram {
    type Error = DriftError;

    fn try_from(stored: Stored) -> Result<Self, DriftError> {
        let Stored {
            kind,
            counts,
            underflow,
            overflow,
        } = stored;
        if counts.len() != kind.bins() {
            return Err(DriftError::Bins {
                kind: kind.name(),
                expected: kind.bins(),
                found: counts.len(),
            });
        }
        Ok(Self {
            kind,
            counts,
            underflow,
            overflow,
        })
    }
}

impl Histogram {
    /// An empty one.
    pub fn new(kind: HistogramKind) -> Self {
        Self {
            kind,
            counts: vec![0; kind.bins()],
            underflow: 0,
            overflow: 0,
        }
    }

    /// From counts that were received.
    /// # Errors
    /// [`DriftError::Bins`] if there are not as many as the edges make.
    pub fn from_counts(kind: HistogramKind, counts: Vec<u64>, underflow: u64, overflow: u64) -> Result<Self, DriftError> {
        Self::try_from(Stored {
            kind,
            counts,
            underflow,
            overflow,
        })
    }

    /// Counts a value, rounded as it is shown and scored.
    pub fn add(&mut self, value: Milli) {
        let value = self.kind.rounded(value);
        let edges_up_to_value = self.kind.raw_edges().partition_point(|edge| *edge <= value);
        let bin = edges_up_to_value.checked_sub(1);
        let count = match bin {
            None => &mut self.underflow,
            Some(bin) => self.counts.get_mut(bin).unwrap_or(&mut self.overflow),
        };
        *count = count.saturating_add(1);
    }

    /// Adds the counts of another.
    /// # Errors
    /// [`DriftError::OtherKind`] if it counts something else; nothing changes then.
    pub fn merge(&mut self, other: &Self) -> Result<(), DriftError> {
        self.same_kind(other)?;
        self.add_counts(other);
        Ok(())
    }

    fn add_counts(&mut self, other: &Self) {
        for (count, more) in self.counts.iter_mut().zip(&other.counts) {
            *count = count.saturating_add(*more);
        }
        self.underflow = self.underflow.saturating_add(other.underflow);
        self.overflow = self.overflow.saturating_add(other.overflow);
    }

    pub(super) fn same_kind(&self, other: &Self) -> Result<(), DriftError> {
        if self.kind == other.kind {
            return Ok(());
        }
        Err(DriftError::OtherKind {
            expected: self.kind.name(),
            found: other.kind.name(),
        })
    }

    /// What it counts.
    pub const fn kind(&self) -> HistogramKind {
        self.kind
    }

    /// Counts by bin, lowest first.
    pub fn counts(&self) -> &[u64] {
        &self.counts
    }

    /// Values below the first edge.
    pub const fn underflow(&self) -> u64 {
        self.underflow
    }

    /// Values at or above the last edge.
    pub const fn overflow(&self) -> u64 {
        self.overflow
    }

    /// Values between the edges.
    pub fn total(&self) -> u64 {
        self.counts.iter().fold(0, |sum, count| sum.saturating_add(*count))
    }
}

/// One histogram of each kind.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Histograms(Vec<Histogram>);

impl Default for Histograms {
    fn default() -> Self {
        Self(HistogramKind::ALL.into_iter().map(Histogram::new).collect())
    }
}

impl Histograms {
    /// Counts a value.
    pub fn add(&mut self, kind: HistogramKind, value: Milli) {
        if let Some(histogram) = self.0.iter_mut().find(|histogram| histogram.kind == kind) {
            histogram.add(value);
        }
    }

    /// Counts what a score was computed from, and its total if it has one.
    pub fn add_news2(&mut self, input: &News2Input, score: &News2) {
        let tenths = |value: i32| Milli::new(value.saturating_mul(100));
        for (kind, value) in [
            (HistogramKind::HeartRate, input.pulse.map(Milli::from_int)),
            (HistogramKind::RespRate, input.resp_rate.map(Milli::from_int)),
            (HistogramKind::Spo2, input.spo2.map(Milli::from_int)),
            (HistogramKind::Systolic, input.systolic.map(Milli::from_int)),
            (HistogramKind::Temperature, input.temperature_tenths.map(tenths)),
            (HistogramKind::News2, score.total.map(|total| Milli::from_int(total.into()))),
        ] {
            if let Some(value) = value {
                self.add(kind, value);
            }
        }
    }

    /// Adds the counts of others.
    pub fn merge(&mut self, other: &Self) {
        for histogram in &mut self.0 {
            let kind = histogram.kind;
            let same_kind = other.0.iter().filter(|more| more.kind == kind);
            same_kind.for_each(|more| histogram.add_counts(more));
        }
    }

    /// The histograms, in the order of [`HistogramKind::ALL`].
    pub fn iter(&self) -> impl Iterator<Item = &Histogram> {
        self.0.iter()
    }
}
