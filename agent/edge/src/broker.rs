//! The embedded broker of the one-command default: loopback only, anybody on this machine may connect.
//!
//! It is `mqtt5`'s. Its queues reach the disk up to 250 ms after it has confirmed a message, and without fsync, so what it
//! confirms may be lost with the process. Devices therefore do not get their PUBACK from its queue: the session takes each
//! message at the [`Door`] before the broker stores or confirms it, and the broker waits there until the journal has it.
//! The broker takes one message of a connection at a time, so one device gets as many through as there are commits in a
//! second, about a hundred; devices do not wait for each other.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use mqtt5::QoS;
use mqtt5::broker::config::{AuthConfig, BrokerConfig, StorageBackend, StorageConfig};
use mqtt5::broker::events::{BrokerEventHandler, ClientPublishEvent, PublishAction};
use mqtt5::broker::{BrokerShutdownHandle, MqttBroker};
use mqtt5::packet::publish::PublishPacket;
use tokio::task::JoinHandle;
use tracing::error;

use crate::config::EmbeddedBroker;
use crate::session::{Door, Passage};

/// Unconfirmed messages to one client, and how many a client may have towards us.
const WINDOW: u16 = 8192;
/// Messages written to a client at once.
const DRAIN_BATCH: usize = 256;
/// Messages and bytes kept for a client that is away.
const QUEUED_MESSAGES: usize = 100_000;
const QUEUED_BYTES: usize = 256 * 1024 * 1024;
/// Largest packet; larger ones cost the client its connection. The session reports smaller ones that it cannot use.
const MAX_PACKET_BYTES: usize = 1024 * 1024;
/// Retained messages: a birth and a state for each of some ten thousand devices.
const MAX_RETAINED: usize = 20_000;
/// Sessions of clients that stay away are forgotten after this.
const SESSION_EXPIRY: Duration = Duration::from_hours(7 * 24);

/// Why there is no embedded broker.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BrokerError {
    /// The address cannot be had.
    #[error("embedded broker: {listen}: {source}; does another broker run there? See mqtt.embedded.listen")]
    Listen {
        /// Which address.
        listen: SocketAddr,
        /// Why.
        source: io::Error,
    },
    /// The folder cannot be made.
    #[error("embedded broker: {}: {source}", dir.display())]
    Folder {
        /// Which folder.
        dir: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The broker itself refuses.
    #[error("embedded broker: {0}")]
    Broker(String),
}

/// A running broker. It ends when this is dropped.
pub(crate) struct Broker {
    address: SocketAddr,
    shutdown: BrokerShutdownHandle,
    door: Door,
    task: JoinHandle<()>,
}

impl Broker {
    /// Starts the broker; port 0 takes a free one. When this returns, clients are served.
    ///
    /// # Errors
    /// [`BrokerError`] if the address is taken, or the folder cannot be used.
    pub(crate) async fn start(config: &EmbeddedBroker) -> Result<Self, BrokerError> {
        probe(config.listen)?;
        make_private(&config.dir).map_err(|source| BrokerError::Folder {
            dir: config.dir.clone(),
            source,
        })?;
        let door = Door::default();
        let mut broker = MqttBroker::with_config(settings(config, door.clone()))
            .await
            .map_err(|error| BrokerError::Broker(error.to_string()))?;
        let no_address = || BrokerError::Broker("it has no address".to_owned());
        let address = broker.local_addr().ok_or_else(no_address)?;
        let shutdown = broker.shutdown_handle();
        let mut ready = broker.ready_receiver();
        let task = tokio::spawn(async move {
            if let Err(error) = broker.run().await {
                error!(%error, "The embedded broker failed.");
            }
        });
        let started = ready.wait_for(|ready| *ready).await.map(drop);
        started.map_err(|_never_ready| BrokerError::Broker("it ended while starting".to_owned()))?;
        Ok(Self {
            address,
            shutdown,
            door,
            task,
        })
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where the session takes messages before the broker confirms them.
    pub(crate) fn door(&self) -> Door {
        self.door.clone()
    }

    /// Closes all connections and waits until everything is on disk.
    pub(crate) async fn stop(mut self) {
        self.shutdown.shutdown();
        if let Err(error) = (&mut self.task).await {
            error!(%error, "The embedded broker died.");
        }
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        self.shutdown.shutdown();
    }
}

/// `mqtt5` says of a taken port only that no listener is left; the system says why.
fn probe(listen: SocketAddr) -> Result<(), BrokerError> {
    TcpListener::bind(listen)
        .map(drop)
        .map_err(|source| BrokerError::Listen { listen, source })
}

fn make_private(dir: &Path) -> io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::DirBuilderExt;
        builder.mode(0o700);
    }
    builder.create(dir)
}

fn settings(config: &EmbeddedBroker, door: Door) -> BrokerConfig {
    let storage = StorageConfig::new()
        .with_backend(StorageBackend::File)
        .with_base_dir(config.dir.clone())
        .with_max_queued_messages_per_client(QUEUED_MESSAGES)
        .with_max_queued_bytes_per_client(QUEUED_BYTES);
    BrokerConfig::new()
        .with_bind_address(config.listen)
        .with_session_expiry(SESSION_EXPIRY)
        .with_max_packet_size(MAX_PACKET_BYTES)
        .with_max_retained_messages(MAX_RETAINED)
        .with_client_channel_capacity(usize::from(WINDOW))
        .with_max_outbound_inflight(WINDOW)
        .with_server_receive_maximum(WINDOW)
        .with_drain_batch(DRAIN_BATCH)
        .with_sys_topics_enabled(false)
        .with_auth(AuthConfig::new().with_allow_anonymous(true))
        .with_storage(storage)
        .with_event_handler(Arc::new(AtTheDoor(door)))
}

/// Stops each message at the door until it is safe.
struct AtTheDoor(Door);

impl BrokerEventHandler for AtTheDoor {
    fn on_client_publish<'a>(&'a self, event: ClientPublishEvent) -> Pin<Box<dyn Future<Output = PublishAction> + Send + 'a>> {
        Box::pin(async move {
            let at_least_once = event.qos != QoS::AtMostOnce;
            match self.0.pass(&event.topic, &event.payload, at_least_once).await {
                Passage::Safe | Passage::NotOurs => PublishAction::Continue,
                // The broker can withhold a PUBACK only from a message of QoS 0, so it becomes one. The device sends it again.
                Passage::Shut => {
                    PublishAction::Transform(PublishPacket::new(event.topic.to_string(), event.payload, QoS::AtMostOnce))
                }
            }
        })
    }
}

#[cfg(test)]
#[path = "broker_tests.rs"]
mod tests;
