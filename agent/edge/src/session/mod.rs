//! The session with the broker: MQTT 5 or 3.1.1, persistent, QoS 1, acknowledged only when told.
//!
//! The packets are `rumqttc`'s; the loop around them is ours, for four reasons. PUBACKs leave in batches, one write for
//! a whole group commit. A message that is larger than the limit is skipped and reported, not a reason to disconnect (a
//! persistent session would bring it again, for ever). An acknowledgement carries the connection it belongs to. And a
//! session that the broker kept while we were gone is resumed *and* subscribed again, which the event loop of
//! `rumqttc` 0.34 refuses, together with every QoS 1 publish.
//!
//! # Queues and what happens when they are full
//! - *Inbox* (to the Ward): when it is full the network is not read, so the broker keeps the messages and TCP slows it
//!   down. QoS 0 messages (waveforms) are dropped, and counted, once fewer than an eighth of its places are free.
//! - *Unacknowledged*: the broker sends at most `mqtt.receive_maximum` (MQTT 5) or its own window (3.1.1). While the
//!   journal cannot commit, alarms go on over the [live feed](LiveFeed).
//! - *Outgoing* (alerts): at most [`OUTGOING_WINDOW`] unconfirmed by the broker; the rest stays in the caller's channel.
//!   Alerts are written before anything else and do not wait for the inbox.

mod acks;
mod backoff;
mod broker_log;
mod codec;
mod connect;
mod connection;
mod counters;
mod door;
mod frames;
mod live;
mod outgoing;
mod subscription;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep};
use tracing::warn;
use wardlight_core::ids::SiteId;

pub(crate) use acks::{AckTicket, Acker};
pub(crate) use backoff::Backoff;
pub(crate) use broker_log::{BrokerLog, LOG_SUFFIX};
pub(crate) use connect::cut;
pub(crate) use counters::SessionCounters;
pub(crate) use door::{Door, Passage};
pub(crate) use live::{LIVE_SUFFIX, LiveFeed};

use crate::config::MqttConfig;
use crate::tls::{Connector, TlsFileError};
use connection::{Connection, Ending, Surroundings};
use outgoing::InFlight;
use subscription::Subscription;

/// How many of our own QoS 1 messages may be unconfirmed by the broker at once.
pub(crate) const OUTGOING_WINDOW: usize = 256;

/// What the session tells the Ward's thread.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum SessionEvent {
    /// The broker took us. Messages follow.
    Connected {
        /// Whether the broker had kept the session: what came meanwhile follows. `false`: it may be lost.
        resumed: bool,
    },
    /// The connection is lost, or the first attempt failed. Said once per loss; attempts go on.
    Disconnected {
        /// Why, for an operator.
        reason: String,
    },
    /// A message under our site.
    Message(Inbound),
    /// A message that nobody can read was skipped.
    Skipped(Skipped),
    /// The live feed is there, or no longer.
    LiveFeed {
        /// Whether it is there.
        up: bool,
    },
}

/// A message as it came.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Inbound {
    /// The topic.
    pub(crate) topic: String,
    /// The payload: a slice of the read buffer. Copy it if it is to be kept for long.
    pub(crate) payload: Bytes,
    /// The content type, where MQTT 5 brought one.
    pub(crate) content_type: Option<String>,
    /// The broker's retained copy, not news.
    pub(crate) retained: bool,
    /// The broker says that it sent this before; it does not always say so.
    pub(crate) dup: bool,
    /// To be given to [`Acker::ack`] when the message is safe; `None` at QoS 0.
    pub(crate) ticket: Option<AckTicket>,
    /// Heard only to be judged: another copy comes, when the journal can commit, to be recorded and acknowledged.
    pub(crate) live: bool,
}

/// What is known of a message that nobody can read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Skipped {
    /// The topic, at most 256 bytes of it.
    pub(crate) topic: String,
    /// Size of the whole packet, in bytes.
    pub(crate) bytes: usize,
    /// Why.
    pub(crate) reason: SkipReason,
    /// To be given to [`Acker::ack`] when the loss is on record; `None` at QoS 0.
    pub(crate) ticket: Option<AckTicket>,
}

/// Why a message was skipped.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum SkipReason {
    /// Larger than `mqtt.max_packet_kib`.
    #[error("larger than the limit of {limit_bytes} bytes")]
    Oversized {
        /// The limit.
        limit_bytes: usize,
    },
    /// Not a PUBLISH as MQTT defines it, though the broker passed it on.
    #[error("malformed: {0}")]
    Malformed(String),
}

/// A message of ours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Outgoing {
    /// The topic.
    pub(crate) topic: String,
    /// The payload.
    pub(crate) payload: Bytes,
    /// Its type, as MQTT 5 says it.
    pub(crate) content_type: &'static str,
    /// `true`: QoS 1, sent again after a reconnect until the broker confirms it. `false`: QoS 0.
    pub(crate) at_least_once: bool,
    /// Whether the broker keeps it for later subscribers.
    pub(crate) retain: bool,
    /// Seconds after which it is worthless (MQTT 5); `None`: never.
    pub(crate) expiry_s: Option<u32>,
}

/// How far the agent is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    /// Messages are read.
    Run,
    /// No message is read any more; acknowledgements and alerts still leave.
    Drain,
    /// What is ready is sent, then DISCONNECT; [`Session::run`] returns.
    Close,
}

/// Why there is no session, or no more.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SessionError {
    /// A certificate or key cannot be used.
    #[error(transparent)]
    Tls(#[from] TlsFileError),
    /// The receiver of the inbox is gone.
    #[error("nobody takes messages any more: the Ward's thread is gone")]
    InboxClosed,
}

/// A connection that held this long was a good one: the next loss is retried at once.
const STABLE: Duration = Duration::from_secs(10);

/// The session, ready to run.
pub(crate) struct Session {
    config: MqttConfig,
    /// `vitals/v1/{site}/`, and what else is heard.
    prefixes: Vec<String>,
    subscription: Subscription,
    acker: Acker,
    counters: Arc<SessionCounters>,
    /// Where messages come from instead of a subscription.
    door: Option<Door>,
}

impl Session {
    /// Prepares a session for everything under `vitals/v1/{site}`.
    ///
    /// # Errors
    /// [`SessionError`] if a certificate, a key or the broker's name cannot be used.
    pub(crate) fn new(config: &MqttConfig, site: &SiteId) -> Result<Self, SessionError> {
        if let Some(files) = &config.tls {
            Connector::new(files, &config.host)?;
        }
        let prefix = prefix(site);
        Ok(Self {
            config: config.clone(),
            subscription: Subscription::kept(&prefix),
            prefixes: vec![prefix],
            acker: Acker::default(),
            counters: Arc::default(),
            door: None,
        })
    }

    /// Hears a group of Sparkplug B nodes as well.
    #[must_use]
    pub(crate) fn hearing(mut self, group: &str) -> Self {
        self.prefixes.push(format!("spBv1.0/{group}/"));
        self.subscription.add(wardlight_wire::sparkplug::subscriptions(group));
        self
    }

    /// Takes messages at the embedded broker's door instead of subscribing: the broker then confirms a message to its
    /// device only when the ticket has come back. Alerts still go over MQTT.
    #[must_use]
    pub(crate) fn through(mut self, door: Door) -> Self {
        self.door = Some(door);
        self.subscription = Subscription::None;
        self
    }

    /// Where tickets are given back, from any thread.
    pub(crate) fn acker(&self) -> Acker {
        self.acker.clone()
    }

    /// What is counted.
    pub(crate) fn counters(&self) -> Arc<SessionCounters> {
        Arc::clone(&self.counters)
    }

    /// Keeps the session until `phase` says [`Phase::Close`] or its sender is gone. A lost connection is made again after
    /// 100 ms to 10 s.
    ///
    /// # Errors
    /// [`SessionError::InboxClosed`] when the receiver of `inbox` is gone.
    pub(crate) async fn run<T: From<SessionEvent>>(
        self,
        inbox: mpsc::Sender<T>,
        outgoing: mpsc::Receiver<Outgoing>,
        phase: watch::Receiver<Phase>,
    ) -> Result<(), SessionError> {
        let Some(door) = &self.door else {
            return self.keep(inbox, outgoing, phase).await;
        };
        let limit = self.config.max_packet_bytes;
        let events = door.open(self.prefixes.clone(), limit, self.acker(), self.counters());
        let carrying = door::carry(events, inbox.clone(), phase.clone());
        let keeping = self.keep(inbox, outgoing, phase);
        tokio::pin!(keeping);
        let kept = tokio::select! {
            kept = &mut keeping => kept,
            () = carrying => keeping.await,
        };
        // Whoever still waits at the door gets no PUBACK, and sends again after the next start.
        self.acker.shut();
        kept
    }

    async fn keep<T: From<SessionEvent>>(
        &self,
        inbox: mpsc::Sender<T>,
        mut outgoing: mpsc::Receiver<Outgoing>,
        mut phase: watch::Receiver<Phase>,
    ) -> Result<(), SessionError> {
        let around = Surroundings {
            version: self.config.version,
            subscription: self.subscription.clone(),
            acker: self.acker.clone(),
            counters: Arc::clone(&self.counters),
            inbox,
        };
        let mut in_flight = InFlight::new();
        let mut backoff = Backoff::default();
        let mut epoch = 0;
        let mut told = false;
        while wait_for_run(&mut phase).await {
            let started = Instant::now();
            let attempt = tokio::select! {
                biased;
                () = left_run(&mut phase) => continue,
                attempt = connect::connect(&self.config, self.subscription.is_live()) => attempt,
            };
            let reason = match attempt {
                Err(reason) => reason,
                Ok(link) => {
                    epoch += 1;
                    in_flight.set_limits(link.connack.receive_maximum, link.connack.max_packet_bytes);
                    let mut connection = Connection::new(&around, link, epoch, self.config.keep_alive);
                    let opened = connection.open(&in_flight, epoch == 1);
                    let ending = match opened {
                        Ok(()) => connection.serve(&mut in_flight, &mut outgoing, &mut phase).await,
                        Err(reason) => Ending::Lost(reason),
                    };
                    self.counters.set_connected(false);
                    told &= !connection.was_announced();
                    match ending {
                        Ending::Closed => return Ok(()),
                        Ending::InboxClosed => return Err(SessionError::InboxClosed),
                        Ending::Lost(reason) => reason,
                    }
                }
            };
            if started.elapsed() >= STABLE {
                backoff.reset();
            }
            let wait = backoff.next();
            let wait_ms = wait.as_millis() as u64;
            let lost = match self.subscription {
                Subscription::Live(_) => {
                    warn!(reason, wait_ms, "No live feed from the broker.");
                    SessionEvent::LiveFeed { up: false }
                }
                Subscription::Log(_) => {
                    warn!(reason, wait_ms, "The broker's log is not heard.");
                    SessionEvent::Disconnected { reason }
                }
                Subscription::Kept(_) | Subscription::None => {
                    warn!(reason, wait_ms, "No connection to the broker.");
                    SessionEvent::Disconnected { reason }
                }
            };
            if !told {
                tell(&around, lost, &mut phase).await?;
                told = true;
            }
            tokio::select! {
                () = left_run(&mut phase) => {}
                () = sleep(wait) => {}
            }
        }
        Ok(())
    }
}

/// What every topic of the site's devices begins with.
fn prefix(site: &SiteId) -> String {
    format!("vitals/v1/{site}/")
}

/// Waits out [`Phase::Drain`]; `false` when it is time to close.
async fn wait_for_run(phase: &mut watch::Receiver<Phase>) -> bool {
    match phase.wait_for(|phase| *phase != Phase::Drain).await {
        Ok(phase) => *phase == Phase::Run,
        Err(_owner_is_gone) => false,
    }
}

/// Returns when messages are no longer wanted.
async fn left_run(phase: &mut watch::Receiver<Phase>) {
    // An error means that the owner is gone, which ends the session as well.
    drop(phase.wait_for(|phase| *phase != Phase::Run).await);
}

async fn tell<T: From<SessionEvent>>(
    around: &Surroundings<T>,
    event: SessionEvent,
    phase: &mut watch::Receiver<Phase>,
) -> Result<(), SessionError> {
    tokio::select! {
        biased;
        sent = around.inbox.send(event.into()) => sent.map_err(|_lost| SessionError::InboxClosed),
        () = left_run(phase) => Ok(()),
    }
}
