//! One connection to the broker: it publishes what comes through its queue and hears commands to its devices.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use rumqttc_v5::{
    AsyncClient, ClientError, Event, EventLoop, Incoming, LastWill, MqttOptions, Outgoing, PublishOptions, PublishProperties,
    QoS, SessionMode,
};
use tokio::sync::mpsc;
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
/// How long to wait for the broker's answer.
const ANSWER: Duration = Duration::from_secs(5);
/// How long a connection that was told to stop waits for the last acknowledgements.
const DRAIN: Duration = Duration::from_secs(3);

/// A connection under way.
pub(super) struct Connection {
    pub(super) options: MqttOptions,
    pub(super) will: Option<Publication>,
    /// Devices whose commands are heard here.
    pub(super) command_topics: Vec<String>,
    pub(super) queue: mpsc::Receiver<Publication>,
    pub(super) commands: mpsc::Sender<DeviceId>,
    pub(super) counters: Arc<Counters>,
}

/// What the connection still owes.
#[derive(Default)]
struct Progress {
    unsent: Option<Publication>,
    sent: u64,
    acknowledged: u64,
    closed: bool,
}

impl Connection {
    /// Runs until the queue is closed and everything in it is acknowledged, or nothing more came for three seconds.
    pub(super) async fn run(mut self) {
        let mut wait = FIRST_WAIT;
        while let Err(failure) = self.forget_old_session().await {
            self.counters.note_failure(&failure);
            if self.queue.is_closed() {
                return;
            }
            tokio::time::sleep(wait).await;
            wait = (wait * 2).min(LAST_WAIT);
        }
        let (client, mut network) = self.open();
        let mut progress = Progress::default();
        while !(progress.closed && progress.settled()) {
            self.offer(&client, &mut progress);
            tokio::select! {
                polled = network.poll() => match polled {
                    Ok(event) => {
                        wait = FIRST_WAIT;
                        self.note(&client, event, &mut progress);
                    }
                    Err(error) => {
                        self.counters.note_failure(&error.to_string());
                        if progress.closed {
                            break;
                        }
                        tokio::time::sleep(wait).await;
                        wait = (wait * 2).min(LAST_WAIT);
                    }
                },
                next = self.queue.recv(), if progress.unsent.is_none() && !progress.closed => match next {
                    Some(publication) => progress.unsent = Some(publication),
                    None => progress.closed = true,
                },
                () = tokio::time::sleep(DRAIN), if progress.closed => break,
            }
        }
        leave(&client, &mut network).await;
    }

    /// A device that was just switched on has no session. One that the broker kept from an earlier run is ended here: the client
    /// library refuses to number messages in a session whose state it does not know.
    async fn forget_old_session(&self) -> Result<(), String> {
        let mut options = self.options.clone();
        options.set_session_mode(SessionMode::Clean);
        let (client, mut network) = AsyncClient::builder(options).capacity(1).build();
        let connected = async {
            loop {
                match network.poll().await {
                    Ok(Event::Incoming(Incoming::ConnAck(_))) => return Ok(()),
                    Ok(_) => {}
                    Err(error) => return Err(error.to_string()),
                }
            }
        };
        let answered = tokio::time::timeout(ANSWER, connected).await;
        answered.map_err(|_elapsed| "no answer to CONNECT".to_owned())??;
        leave(&client, &mut network).await;
        Ok(())
    }

    fn open(&mut self) -> (AsyncClient, EventLoop) {
        self.options.set_keep_alive(10);
        self.options.set_session_mode(SessionMode::Persistent);
        self.options.set_session_expiry_interval(Some(SESSION_EXPIRY_S));
        if let Some(will) = self.will.take() {
            let qos = quality(will.qos);
            self.options
                .set_last_will(LastWill::new(will.topic, will.payload, qos, will.retain, None));
        }
        AsyncClient::builder(self.options.clone()).capacity(CLIENT_QUEUE).build()
    }

    /// Hands the waiting message to the client, if it has room.
    fn offer(&self, client: &AsyncClient, progress: &mut Progress) {
        let Some(publication) = progress.unsent.take() else { return };
        let properties = PublishProperties {
            content_type: Some(publication.content_type.to_owned()),
            ..PublishProperties::default()
        };
        let options = PublishOptions::new(quality(publication.qos))
            .retain(publication.retain)
            .properties(properties);
        match client.try_publish(publication.topic.clone(), publication.payload.clone(), options) {
            Ok(()) => {
                let of_quality = if publication.qos == 1 {
                    &self.counters.published
                } else {
                    &self.counters.waves
                };
                of_quality.fetch_add(1, Ordering::Relaxed);
                progress.sent += u64::from(publication.qos);
            }
            Err(ClientError::RequestChannelFull(_)) => progress.unsent = Some(publication),
            Err(error) => self.counters.note_failure(&error.to_string()),
        }
    }

    fn note(&self, client: &AsyncClient, event: Event, progress: &mut Progress) {
        match event {
            Event::Incoming(Incoming::ConnAck(_)) => {
                self.counters.connections.fetch_add(1, Ordering::Relaxed);
                for topic in &self.command_topics {
                    if let Err(error) = client.try_subscribe(topic.clone(), QoS::AtLeastOnce) {
                        self.counters.note_failure(&error.to_string());
                    }
                }
            }
            Event::Incoming(Incoming::PubAck(_)) => {
                progress.acknowledged += 1;
                self.counters.acknowledged.fetch_add(1, Ordering::Relaxed);
            }
            Event::Incoming(Incoming::Publish(publish)) => {
                let topic = String::from_utf8_lossy(&publish.topic).into_owned();
                if let (
                    Ok(Topic::Device {
                        device,
                        kind: DeviceTopic::Cmd,
                        ..
                    }),
                    Ok(Cmd::Rebirth),
                ) = (topic.parse(), Cmd::from_json(&publish.payload))
                {
                    // When many ask at once, the first ones do for all: a device that was missed is asked again.
                    let _asked = self.commands.try_send(device);
                }
            }
            Event::Incoming(_) | Event::Outgoing(_) | Event::Auth(_) => {}
        }
    }
}

impl Progress {
    const fn settled(&self) -> bool {
        self.unsent.is_none() && self.acknowledged >= self.sent
    }
}

/// Disconnects, so that the broker does not send the will.
async fn leave(client: &AsyncClient, network: &mut EventLoop) {
    if client.try_disconnect().is_err() {
        return;
    }
    let gone = async { while !matches!(network.poll().await, Ok(Event::Outgoing(Outgoing::Disconnect)) | Err(_)) {} };
    let _in_time = tokio::time::timeout(Duration::from_secs(1), gone).await;
}

const fn quality(qos: u8) -> QoS {
    match qos {
        0 => QoS::AtMostOnce,
        _ => QoS::AtLeastOnce,
    }
}
