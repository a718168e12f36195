//! Blind time: how long a bed could not have alarmed, and why.
//!
//! Causes overlap; the total counts every instant once. Memory is bounded: totals, one open interval per cause, and the
//! last [`RECENT`] closed ones. A time before the newest one seen counts as the newest, so no total ever falls.

use std::collections::VecDeque;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::time::Timestamp;

/// Closed intervals that are kept.
pub const RECENT: usize = 32;

/// Why a bed is blind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum BlindCause {
    /// Nothing is measured.
    NoData,
    /// A sensor is off.
    LeadOff,
    /// The signal is too disturbed to be used.
    Artefact,
    /// The device's clock is too wrong to place its values.
    ClockSkew,
    /// Only a device in demo mode speaks.
    DemoDevice,
    /// The agent was not running.
    AgentDown,
    /// Messages are missing.
    Gap,
}

impl BlindCause {
    /// All causes.
    pub const ALL: [Self; 7] = [
        Self::NoData,
        Self::LeadOff,
        Self::Artefact,
        Self::ClockSkew,
        Self::DemoDevice,
        Self::AgentDown,
        Self::Gap,
    ];

    /// Machine name: `no_data`, `lead_off`, …
    pub const fn name(self) -> &'static str {
        match self {
            Self::NoData => "no_data",
            Self::LeadOff => "lead_off",
            Self::Artefact => "artefact",
            Self::ClockSkew => "clock_skew",
            Self::DemoDevice => "demo_device",
            Self::AgentDown => "agent_down",
            Self::Gap => "gap",
        }
    }
}

/// From one time up to, not including, another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BlindInterval {
    /// Why.
    pub cause: BlindCause,
    /// Since when.
    pub from: Timestamp,
    /// Until when.
    pub until: Timestamp,
}

/// The ledger of one stay.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BlindLedger {
    /// Newest time seen.
    latest: Timestamp,
    open: Vec<(BlindCause, Timestamp)>,
    /// Closed time of each cause, in the order of first closing.
    closed_by_cause: Vec<(BlindCause, Duration)>,
    /// Blind stretches that ended, but for `stretch`.
    closed: Duration,
    /// The newest stretch without sight, whatever its causes: it grows while any cause is open.
    stretch: Option<(Timestamp, Timestamp)>,
    recent: VecDeque<BlindInterval>,
}

impl BlindLedger {
    /// A cause begins; nothing changes if it has begun already.
    pub fn open(&mut self, cause: BlindCause, at: Timestamp) {
        let at = self.advance(at);
        if self.since(cause).is_some() {
            return;
        }
        if self.open.is_empty() {
            self.begin_stretch(at);
        }
        self.open.push((cause, at));
    }

    /// A cause ends; nothing changes if it has not begun.
    pub fn close(&mut self, cause: BlindCause, at: Timestamp) {
        let until = self.advance(at);
        let Some(from) = self.since(cause) else { return };
        self.open.retain(|(other, _)| *other != cause);
        if until == from {
            return;
        }
        self.add_closed(cause, until.since(from));
        if self.recent.len() == RECENT {
            self.recent.pop_front();
        }
        self.recent.push_back(BlindInterval { cause, from, until });
    }

    /// Since when the bed has been blind without a break, whatever the causes; `None` if it is not blind now.
    pub fn blind_since(&self) -> Option<Timestamp> {
        let (from, _) = self.stretch.filter(|_| !self.open.is_empty())?;
        Some(from)
    }

    /// Since when a cause lasts, if it does.
    pub fn since(&self, cause: BlindCause) -> Option<Timestamp> {
        self.open.iter().find(|(open, _)| *open == cause).map(|(_, since)| *since)
    }

    /// Blind time up to `now`, each instant counted once.
    pub fn total(&self, now: Timestamp) -> Duration {
        let stretch = self.stretch.map_or(Duration::ZERO, |(from, until)| {
            let until = if self.open.is_empty() { until } else { now.max(self.latest) };
            until.since(from)
        });
        self.closed.saturating_add(stretch)
    }

    /// Time that one cause lasted up to `now`. Causes overlap, so these can add up to more than the total.
    pub fn total_of(&self, cause: BlindCause, now: Timestamp) -> Duration {
        let closed = self.closed_by_cause.iter().find(|(other, _)| *other == cause);
        let open = self.since(cause).map(|since| now.max(self.latest).since(since));
        closed
            .map_or(Duration::ZERO, |(_, total)| *total)
            .saturating_add(open.unwrap_or_default())
    }

    /// The last closed intervals, oldest first, at most [`RECENT`].
    pub fn recent(&self) -> impl Iterator<Item = &BlindInterval> {
        self.recent.iter()
    }

    /// Takes note of the time; what is blind stays blind until then.
    fn advance(&mut self, at: Timestamp) -> Timestamp {
        self.latest = self.latest.max(at);
        if let Some((_, until)) = self.stretch.as_mut().filter(|_| !self.open.is_empty()) {
            *until = self.latest;
        }
        self.latest
    }

    /// One cause taking over from another at the same instant continues the stretch.
    fn begin_stretch(&mut self, at: Timestamp) {
        match self.stretch {
            Some((_, until)) if until == at => {}
            ended => {
                let length = ended.map_or(Duration::ZERO, |(from, until)| until.since(from));
                self.closed = self.closed.saturating_add(length);
                self.stretch = Some((at, at));
            }
        }
    }

    fn add_closed(&mut self, cause: BlindCause, length: Duration) {
        match self.closed_by_cause.iter_mut().find(|(other, _)| *other == cause) {
            Some((_, total)) => *total = total.saturating_add(length),
            None => self.closed_by_cause.push((cause, length)),
        }
    }
}
