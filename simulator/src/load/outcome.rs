//! What connections of a load did.

use super::Acknowledged;
use super::histogram::Histogram;

/// What one connection did.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    pub(super) sent: u64,
    pub(super) refused: u64,
    pub(super) unacknowledged: u64,
    pub(super) unsent: u64,
    pub(super) reconnects: u64,
    pub(super) bytes: u64,
    pub(super) latency: Histogram,
    pub(super) acknowledged: Vec<Acknowledged>,
    pub(super) failure: Option<String>,
}

impl Outcome {
    pub(super) fn merge(&mut self, other: Self) {
        self.sent += other.sent;
        self.refused += other.refused;
        self.unacknowledged += other.unacknowledged;
        self.unsent += other.unsent;
        self.reconnects += other.reconnects;
        self.bytes += other.bytes;
        self.latency.merge(&other.latency);
        self.acknowledged.extend(other.acknowledged);
        self.failure = self.failure.take().or(other.failure);
    }
}
