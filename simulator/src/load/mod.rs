//! Load: many devices at a fixed rate, open loop.
//!
//! The k-th message is due at start + k / rate, whatever the broker does, and its latency is measured from when it was *due* to
//! when the broker acknowledged it. A broker that stalls therefore shows the whole stall (no coordinated omission).
//!
//! The connections speak MQTT 5 over plain TCP by themselves: they must know exactly which message was acknowledged, also across
//! a reconnect, and cost little beside what is measured.
//!
//! At low rates Mosquitto holds small answers back until earlier ones are acknowledged by TCP (Nagle's algorithm): measure latency
//! with `set_tcp_nodelay true` in its configuration.

mod connection;
mod handshake;
mod histogram;
mod message;
mod outcome;
mod packet;
mod report;
#[cfg(test)]
mod tests;

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::Instant;
use wardlight_core::ids::SiteId;
use wardlight_core::time::Timestamp;

pub use histogram::Histogram;
pub use message::PayloadFormat;
pub use report::{Latency, LoadReport};

use crate::SimulatorError;
use crate::mqtt::Broker;
use connection::Connection;
use outcome::Outcome;

/// What to send.
#[derive(Clone, Debug)]
pub struct LoadSettings {
    /// Where to.
    pub broker: Broker,
    /// Site, as in the topics.
    pub site: SiteId,
    /// Number of devices, named `load-00000` and on.
    pub devices: usize,
    /// Messages per second, all devices together.
    pub rate: f64,
    /// How many messages at most; the duration may end before.
    pub messages: u64,
    /// How long at most.
    pub duration: Duration,
    /// Connections to the broker.
    pub connections: usize,
    /// How payloads are written.
    pub format: PayloadFormat,
    /// Boot id of all devices; another one each run, so that the agent does not take the numbers for repetitions.
    pub boot: u32,
    /// Whether each device begins with a birth (not retained, and not counted in the rate).
    pub births: bool,
    /// Whether the report lists every acknowledged message.
    pub list_acknowledged: bool,
}

/// An acknowledged message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Acknowledged {
    /// Number of the device.
    pub device: u32,
    /// Sequence number.
    pub seq: u32,
}

/// How far the load is; may be read at any time.
#[derive(Debug, Default)]
pub struct LoadProgress {
    /// Messages written to a connection.
    pub sent: AtomicU64,
    /// Messages acknowledged.
    pub acknowledged: AtomicU64,
    stopping: AtomicBool,
}

/// Sends, until the messages or the time are used up or `stop` is ready, and waits up to ten seconds for what is under way.
///
/// `clock` gives the time that stands in the messages.
/// # Errors
/// [`SimulatorError`] when the settings make no sense or a connection cannot be established at all.
pub async fn run<S>(
    settings: LoadSettings,
    clock: fn() -> Timestamp,
    progress: Arc<LoadProgress>,
    stop: S,
) -> Result<LoadReport, SimulatorError>
where
    S: Future<Output = ()> + Send,
{
    check(&settings)?;
    let settings = Arc::new(settings);
    let mut sockets = Vec::with_capacity(settings.connections);
    for index in 0..settings.connections {
        sockets.push(Connection::open(Arc::clone(&settings), index, clock, Arc::clone(&progress)).await?);
    }
    let start = Instant::now();
    let mut connections = JoinSet::new();
    for socket in sockets {
        connections.spawn(socket.run(start));
    }
    let mut outcome = Outcome::default();
    tokio::pin!(stop);
    loop {
        tokio::select! {
            () = &mut stop, if !progress.stopping.load(Ordering::Relaxed) => progress.stopping.store(true, Ordering::Relaxed),
            ended = connections.join_next() => match ended {
                Some(Ok(part)) => outcome.merge(part),
                Some(Err(error)) => return Err(settings.broker.fault(format!("a connection's task ended: {error}"))),
                None => break,
            },
        }
    }
    Ok(LoadReport::new(&settings, outcome, start.elapsed()))
}

fn check(settings: &LoadSettings) -> Result<(), SimulatorError> {
    let wrong = |what: String| Err(SimulatorError::Setting(what));
    if !(1..=100_000).contains(&settings.devices) {
        return wrong(format!("devices = {}: expected 1 to 100000", settings.devices));
    }
    if !(1..=settings.devices.min(1000)).contains(&settings.connections) {
        let most = settings.devices.min(1000);
        return wrong(format!("connections = {}: expected 1 to {most}", settings.connections));
    }
    if !(0.01..=1_000_000.0).contains(&settings.rate) {
        return wrong(format!(
            "rate = {}: expected 0.01 to 1000000 messages per second",
            settings.rate
        ));
    }
    if settings.broker.encrypted {
        return wrong(format!("broker {}: load is sent without TLS only", settings.broker));
    }
    Ok(())
}
