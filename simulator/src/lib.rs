//! Virtual patients and devices, replay of recordings, scenarios and load.
//!
//! The simulator meets the agent over MQTT, as a device would. Below the binary and the MQTT runner time is an argument, so a
//! simulated ward runs as fast as the processor allows.
#![cfg_attr(
    test,
    allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing,
        reason = "tests fail by panicking"
    )
)]

pub mod device;
pub mod error;
pub mod load;
pub mod mqtt;
pub mod patient;
pub mod random;
pub mod recordings;
pub mod scenario;
pub mod signal;
pub mod subject;
#[cfg(test)]
mod test_broker;
pub mod ward;

pub use error::SimulatorError;
