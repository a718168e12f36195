//! One connection to the broker: it publishes what comes through its queue and hears commands to its devices.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use rumqttc_v5::{
    AsyncClient, ConnectionError, Event, EventLoop, Incoming, LastWill, MqttOptions, Outgoing, PublishOptions, PublishProperties,
    QoS,
};
use tokio::sync::{Notify, mpsc};
use wardlight_core::ids::DeviceId;
use wardlight_wire::cmd::Cmd;
use wardlight_wire::topic::{DeviceTopic, Topic};

use super::runner::Counters;
use crate::device::Publication;

/// Messages that the client may hold before the network takes them.
const CLIENT_QUEUE: usize = 256;
/// Wait after a failed connection: it doubles from the first to the last.
const FIRST_WAIT: Duration = Duration::from_millis(200);
const LAST_WAIT: Duration = Duration::from_secs(5);
/// The broker keeps an interrupted session this long, seconds.
const SESSION_EXPIRY_S: u32 = 300;
/// How long a connection whose queue has ended waits for the last acknowledgements, and then for the network to take DISCONNECT.
const DRAIN: Duration = Duration::from_secs(2);
const FAREWELL: Duration = Duration::from_secs(1);

/// A connection under way.
pub(super) struct Connection {
    pub(super) options: MqttOptions,
    pub(super) will: Option<Publication>,
    /// Devices whose commands are heard here.
    pub(super) command_topics: Vec<String>,
    pub(super) queue: mpsc::Receiver<Publication>,
    pub(super) commands: mpsc::Sender<(DeviceId, Cmd)>,
    pub(super) counters: Arc<Counters>,
}

/// What the connection still owes.
#[derive(Default)]
struct Progress {
    sent: AtomicU64,
    acknowledged: AtomicU64,
    acknowledgement: Notify,
}

/// The side of the connection that hears the broker.
struct Ear<'a> {
    client: &'a AsyncClient,
    command_topics: Vec<String>,
    commands: mpsc::Sender<(DeviceId, Cmd)>,
    counters: Arc<Counters>,
    progress: &'a Progress,
}

impl Connection {
    /// Runs until the queue has ended and everything in it is acknowledged, or two seconds passed after its end.
    ///
    /// The network's future is never dropped before: cut short within a connection attempt, the client library would forget a
    /// session that the broker has already begun, and refuse it from then on.
    pub(super) async fn run(mut self) {
        let (client, mut network) = self.open();
        let progress = Progress::default();
        let ear = Ear {
            client: &client,
            command_topics: self.command_topics,
            commands: self.commands,
            counters: Arc::clone(&self.counters),
            progress: &progress,
        };
        {
            let listening = ear.listen(&mut network);
            tokio::pin!(listening);
            tokio::select! {
                () = &mut listening => return,
                () = feed(&client, &mut self.queue, &self.counters, &progress) => {}
            }
            tokio::select! {
                () = &mut listening => return,
                () = progress.settled() => {}
                () = tokio::time::sleep(DRAIN) => {}
            }
        }
        leave(&client, &mut network).await;
    }

    fn open(&mut self) -> (AsyncClient, EventLoop) {
        self.options.set_keep_alive(10);
        // A device that was just switched on has no session; see `Ear::note` for what follows.
        self.options.set_clean_start(true);
        self.options.set_session_expiry_interval(Some(SESSION_EXPIRY_S));
        if let Some(will) = self.will.take() {
            let qos = quality(will.qos);
            self.options
                .set_last_will(LastWill::new(will.topic, will.payload, qos, will.retain, None));
        }
        AsyncClient::builder(self.options.clone()).capacity(CLIENT_QUEUE).build()
    }
}

impl Ear<'_> {
    /// Drives the network and connects again after each loss; ends only when the client can send no more.
    async fn listen(&self, network: &mut EventLoop) {
        let mut wait = FIRST_WAIT;
        loop {
            match network.poll().await {
                Ok(event) => {
                    wait = FIRST_WAIT;
                    self.note(event, network);
                }
                Err(ConnectionError::RequestsDone) => return,
                Err(error) => {
                    self.counters.note_failure(&error.to_string());
                    if let ConnectionError::SessionStateMismatch { .. } = error {
                        network.options.set_clean_start(true);
                    }
                    tokio::time::sleep(wait).await;
                    wait = (wait * 2).min(LAST_WAIT);
                }
            }
        }
    }

    fn note(&self, event: Event, network: &mut EventLoop) {
        match event {
            Event::Incoming(Incoming::ConnAck(_)) => {
                // From now on the session goes on: what is not acknowledged is sent again.
                network.options.set_clean_start(false);
                self.counters.connections.fetch_add(1, Ordering::Relaxed);
                for topic in &self.command_topics {
                    if let Err(error) = self.client.try_subscribe(topic.clone(), QoS::AtLeastOnce) {
                        self.counters.note_failure(&error.to_string());
                    }
                }
            }
            Event::Incoming(Incoming::PubAck(_)) => {
                self.counters.acknowledged.fetch_add(1, Ordering::Relaxed);
                self.progress.acknowledged.fetch_add(1, Ordering::Relaxed);
                self.progress.acknowledgement.notify_one();
            }
            Event::Incoming(Incoming::Publish(publish)) => self.obey(&String::from_utf8_lossy(&publish.topic), &publish.payload),
            Event::Incoming(_) | Event::Outgoing(_) | Event::Auth(_) => {}
        }
    }

    fn obey(&self, topic: &str, payload: &[u8]) {
        if let (Ok(Topic::Device { device, kind, .. }), Ok(cmd)) = (topic.parse(), Cmd::from_json(payload))
            && kind == DeviceTopic::Cmd
        {
            // When many come at once, the first ones do for all: a device that was missed is told again.
            let _told = self.commands.try_send((device, cmd));
        }
    }
}

impl Progress {
    /// Ready when everything sent is acknowledged.
    async fn settled(&self) {
        while self.acknowledged.load(Ordering::Relaxed) < self.sent.load(Ordering::Relaxed) {
            self.acknowledgement.notified().await;
        }
    }
}

/// Hands everything in the queue to the client, until the queue ends.
async fn feed(client: &AsyncClient, queue: &mut mpsc::Receiver<Publication>, counters: &Counters, progress: &Progress) {
    while let Some(publication) = queue.recv().await {
        let properties = PublishProperties {
            content_type: Some(publication.content_type.to_owned()),
            ..PublishProperties::default()
        };
        let options = PublishOptions::new(quality(publication.qos))
            .retain(publication.retain)
            .properties(properties);
        if let Err(error) = client.publish(publication.topic, publication.payload, options).await {
            counters.note_failure(&error.to_string());
            continue;
        }
        if publication.qos == 1 {
            counters.published.fetch_add(1, Ordering::Relaxed);
            progress.sent.fetch_add(1, Ordering::Relaxed);
        } else {
            counters.waves.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// Disconnects, so that the broker does not send the will.
async fn leave(client: &AsyncClient, network: &mut EventLoop) {
    if client.try_disconnect().is_err() {
        return;
    }
    let gone = async { while !matches!(network.poll().await, Ok(Event::Outgoing(Outgoing::Disconnect)) | Err(_)) {} };
    let _in_time = tokio::time::timeout(FAREWELL, gone).await;
}

const fn quality(qos: u8) -> QoS {
    match qos {
        0 => QoS::AtMostOnce,
        _ => QoS::AtLeastOnce,
    }
}
