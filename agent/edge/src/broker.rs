//! The embedded broker of the one-command default: loopback only, anybody on this machine may connect.
//!
//! It is `mqtt5`'s. Its queues reach the disk up to 250 ms after it has confirmed a message, and without fsync, so what it
//! confirms may be lost with the process. Devices therefore do not get their PUBACK from its queue: the session takes each
//! message at the [`Door`] before the broker stores or confirms it, and the broker waits there until the journal has it.
//! The broker takes one message of a connection at a time, so one device gets as many through as there are commits in a
//! second, about a hundred; devices do not wait for each other.
//!
//! While the journal cannot commit, nothing waits at the door and nothing is confirmed: the Ward hears every message that
//! a device sends, which is as many as the device sends unconfirmed. When the journal commits again those devices are
//! disconnected, because a device sends its unconfirmed messages again after a connect, and not before.

use std::collections::HashSet;
use std::io;
use std::mem;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use mqtt5::QoS;
use mqtt5::broker::config::{AuthConfig, BrokerConfig, StorageBackend, StorageConfig};
use mqtt5::broker::events::{BrokerEventHandler, ClientPublishEvent, PublishAction};
use mqtt5::broker::router::MessageRouter;
use mqtt5::broker::{BrokerShutdownHandle, MqttBroker};
use mqtt5::packet::publish::PublishPacket;
use tokio::sync::{Notify, watch};
use tokio::task::{AbortHandle, JoinHandle};
use tracing::{error, info};

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
    calling_back: AbortHandle,
}

impl Broker {
    /// Starts the broker; port 0 takes a free one. When this returns, clients are served. `stuck` says when the journal
    /// cannot commit.
    ///
    /// # Errors
    /// [`BrokerError`] if the address is taken, or the folder cannot be used.
    pub(crate) async fn start(config: &EmbeddedBroker, stuck: watch::Receiver<bool>) -> Result<Self, BrokerError> {
        probe(config.listen)?;
        make_private(&config.dir).map_err(|source| BrokerError::Folder {
            dir: config.dir.clone(),
            source,
        })?;
        let door = Door::new(stuck.clone());
        let unconfirmed = Arc::<Unconfirmed>::default();
        let mut broker = MqttBroker::with_config(settings(config, door.clone(), Arc::clone(&unconfirmed)))
            .await
            .map_err(|error| BrokerError::Broker(error.to_string()))?;
        let no_address = || BrokerError::Broker("it has no address".to_owned());
        let address = broker.local_addr().ok_or_else(no_address)?;
        let shutdown = broker.shutdown_handle();
        let mut ready = broker.ready_receiver();
        let calling_back = tokio::spawn(unconfirmed.call_back(broker.router(), stuck)).abort_handle();
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
            calling_back,
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
        self.calling_back.abort();
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

fn settings(config: &EmbeddedBroker, door: Door, unconfirmed: Arc<Unconfirmed>) -> BrokerConfig {
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
        .with_event_handler(Arc::new(AtTheDoor { door, unconfirmed }))
}

/// Stops each message at the door until it is safe.
struct AtTheDoor {
    door: Door,
    unconfirmed: Arc<Unconfirmed>,
}

impl BrokerEventHandler for AtTheDoor {
    fn on_client_publish<'a>(&'a self, event: ClientPublishEvent) -> Pin<Box<dyn Future<Output = PublishAction> + Send + 'a>> {
        Box::pin(async move {
            let at_least_once = event.qos != QoS::AtMostOnce;
            let passage = self.door.pass(&event.topic, &event.payload, at_least_once).await;
            if passage == Passage::Unconfirmed {
                self.unconfirmed.note(&event.client_id);
            }
            match passage {
                Passage::Safe | Passage::NotOurs => PublishAction::Continue,
                // The broker can withhold a PUBACK only from a message of QoS 0, so it becomes one. The device sends it again.
                Passage::Unconfirmed | Passage::Shut => {
                    PublishAction::Transform(PublishPacket::new(event.topic.to_string(), event.payload, QoS::AtMostOnce))
                }
            }
        })
    }
}

/// Devices that wait for a PUBACK which the broker can no longer give them; at most one entry for each connection.
#[derive(Default)]
struct Unconfirmed {
    clients: Mutex<HashSet<Arc<str>>>,
    noted: Notify,
}

impl Unconfirmed {
    fn note(&self, client: &Arc<str>) {
        let new = self.lock().insert(Arc::clone(client));
        if new {
            self.noted.notify_one();
        }
    }

    /// Disconnects them as soon as the journal commits again.
    async fn call_back(self: Arc<Self>, router: Arc<MessageRouter>, mut stuck: watch::Receiver<bool>) {
        loop {
            self.noted.notified().await;
            if stuck.wait_for(|stuck| !*stuck).await.is_err() {
                return;
            }
            let clients = mem::take(&mut *self.lock());
            info!(
                devices = clients.len(),
                "The journal commits again: disconnecting devices, so that they send again what was not confirmed."
            );
            for client in clients {
                router.disconnect_client(&client).await;
            }
        }
    }

    /// A panic cannot leave the set half changed.
    fn lock(&self) -> std::sync::MutexGuard<'_, HashSet<Arc<str>>> {
        self.clients.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
#[path = "broker_tests.rs"]
mod tests;
