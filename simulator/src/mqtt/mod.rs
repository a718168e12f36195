//! The door to the broker: a ward's devices over real MQTT 5. Here, and only here and in [`crate::load`], real time passes.

mod broker;
mod connection;
mod runner;
#[cfg(test)]
mod tests;

pub use broker::{Broker, Tls};
pub use runner::{Counters, run};
