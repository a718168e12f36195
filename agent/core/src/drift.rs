//! Drift: fixed histograms of what the ward measures and scores, and how far two of them are apart.
//!
//! Histograms with fixed edges merge by addition and name nobody: they are the only thing of this kind that may leave a site.
//! Drift is a matter for the people who run the models; it never makes a bedside alarm.

mod edges;
mod histogram;
mod statistics;

pub use histogram::{Histogram, HistogramKind, Histograms};
pub use statistics::{
    DriftLevel, DriftReport, jensen_shannon_bits, jensen_shannon_distance, kolmogorov_smirnov, psi, psi_gate, wasserstein,
};

/// Why two histograms, or stored counts, do not fit.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DriftError {
    /// They measure different things.
    #[error("histogram of {found}: expected one of {expected}")]
    OtherKind {
        /// What was expected.
        expected: &'static str,
        /// What was found.
        found: &'static str,
    },
    /// The counts do not fit the edges.
    #[error("histogram of {kind}: {found} bins, expected {expected}")]
    Bins {
        /// Of what.
        kind: &'static str,
        /// How many the edges make.
        expected: usize,
        /// How many were found.
        found: usize,
    },
    /// Nothing was counted on one side, so there is nothing to compare.
    #[error("histogram of {kind}: empty; nothing to compare")]
    Empty {
        /// Of what.
        kind: &'static str,
    },
}
