//! Who lies in a bed: a virtual patient, or somebody who was recorded.

mod charted;
mod recorded;
mod simulated;
mod wrist;

use std::time::Duration;

pub use charted::Charted;
pub use recorded::Recorded;
pub use simulated::Simulated;
pub use wrist::Wrist;

use wardlight_core::codes::Waveform;

use crate::device::{MonitorOptions, Observation};

/// The patient in a bed.
#[derive(Clone, Debug)]
pub enum Subject {
    /// A virtual patient.
    Simulated(Box<Simulated>),
    /// Recorded waveforms (WFDB).
    Recorded(Box<Recorded>),
    /// Recorded values at irregular times (CinC 2012, hourly tables).
    Charted(Box<Charted>),
    /// A recorded wrist wearable (Empatica E4).
    Wrist(Box<Wrist>),
}

impl Subject {
    /// Lets `tick` pass and returns what sensors saw.
    pub fn advance(&mut self, tick: Duration) -> Observation {
        match self {
            Self::Simulated(subject) => subject.advance(tick),
            Self::Recorded(subject) => subject.advance(tick),
            Self::Charted(subject) => subject.advance(tick),
            Self::Wrist(subject) => subject.advance(tick),
        }
    }

    /// Waveforms that its sensors give, with their rates in Hz.
    pub fn waveforms(&self) -> Vec<(Waveform, f32)> {
        match self {
            Self::Simulated(_) => MonitorOptions::default().waveforms,
            Self::Recorded(subject) => subject.waveforms(),
            Self::Charted(_) => Vec::new(),
            Self::Wrist(subject) => vec![(Waveform::Pleth, subject.rate_hz())],
        }
    }

    /// The virtual patient, if it is one.
    pub fn simulated(&mut self) -> Option<&mut Simulated> {
        match self {
            Self::Simulated(subject) => Some(subject),
            Self::Recorded(_) | Self::Charted(_) | Self::Wrist(_) => None,
        }
    }
}
