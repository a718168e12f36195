//! Virtual devices: what stands between a patient and the broker, with its clock, battery, memory and faults.

mod clock;
mod faults;
mod heart_rate;
mod link;
mod monitor;
mod observation;
mod readings;
mod settings;
#[cfg(test)]
mod tests;
mod transmitter;
mod wearable;

pub use clock::DriftingClock;
pub use faults::Faults;
pub use heart_rate::HeartRateMeter;
pub use monitor::{Monitor, MonitorOptions};
pub use observation::{Chunk, Measured, Observation, Pressure};
pub use transmitter::{Encoding, Publication, Transmitter};
pub use wearable::Wearable;
