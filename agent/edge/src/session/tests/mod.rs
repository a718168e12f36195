//! The session against a broker in a few lines (what exactly is sent, and when) and against a real Mosquitto.

mod fake;
pub(crate) mod mosquitto;
mod real;
mod tls;

use std::path::PathBuf;
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use wardlight_core::ids::SiteId;

use super::{AckTicket, Acker, LiveFeed, Outgoing, Phase, Session, SessionError, SessionEvent};
use crate::config::{MqttConfig, MqttVersion};

pub(super) fn config(port: u16, version: MqttVersion) -> MqttConfig {
    MqttConfig {
        host: "127.0.0.1".into(),
        port,
        tls: None,
        version,
        client_id: "wardlight-test".into(),
        login: None,
        receive_maximum: 8192,
        max_packet_bytes: 64 * 1024,
        keep_alive: Duration::from_secs(30),
        session_expiry: Duration::from_hours(1),
        embedded: None,
    }
}

/// A running session and both ends of it.
pub(super) struct Running {
    pub(super) events: mpsc::Receiver<SessionEvent>,
    pub(super) outgoing: mpsc::Sender<Outgoing>,
    pub(super) acker: Acker,
    pub(super) counters: std::sync::Arc<super::SessionCounters>,
    pub(super) phase: watch::Sender<Phase>,
    task: JoinHandle<Result<(), SessionError>>,
}

impl Running {
    pub(super) fn start(config: &MqttConfig, inbox: usize) -> Self {
        let session = Session::new(config, &SiteId::new("s").unwrap()).unwrap();
        let (inbox, events) = mpsc::channel(inbox);
        let (outgoing, from_outside) = mpsc::channel(1024);
        let (phase, told) = watch::channel(Phase::Run);
        let (acker, counters) = (session.acker(), session.counters());
        let task = tokio::spawn(session.run(inbox, from_outside, told));
        Self {
            events,
            outgoing,
            acker,
            counters,
            phase,
            task,
        }
    }

    pub(super) async fn event(&mut self) -> SessionEvent {
        self.events.recv().await.expect("the session ended")
    }

    /// The next message: its last topic level, its payload, its ticket.
    pub(super) async fn message(&mut self) -> (String, String, Option<AckTicket>) {
        match self.event().await {
            SessionEvent::Message(message) => {
                let leaf = message.topic.rsplit('/').next().unwrap().to_owned();
                (leaf, String::from_utf8(message.payload.to_vec()).unwrap(), message.ticket)
            }
            other => panic!("expected a message, got {other:?}"),
        }
    }

    pub(super) async fn payloads(&mut self, count: usize) -> (Vec<String>, Vec<AckTicket>) {
        let mut payloads = Vec::new();
        let mut tickets = Vec::new();
        for _ in 0..count {
            let (_, payload, ticket) = self.message().await;
            payloads.push(payload);
            tickets.extend(ticket);
        }
        (payloads, tickets)
    }

    /// As if the process died: nothing more is sent, not even DISCONNECT.
    pub(super) async fn vanish(self) {
        self.task.abort();
        assert!(self.task.await.unwrap_err().is_cancelled());
    }

    pub(super) async fn close(self) {
        self.phase.send(Phase::Close).unwrap();
        self.task.await.unwrap().unwrap();
    }
}

/// A live feed and both ends of it.
pub(super) struct Feed {
    pub(super) wanted: watch::Sender<bool>,
    pub(super) phase: watch::Sender<Phase>,
    pub(super) task: JoinHandle<Result<(), SessionError>>,
    events: mpsc::Receiver<SessionEvent>,
}

impl Feed {
    pub(super) fn start(config: &MqttConfig) -> Self {
        let feed = LiveFeed::new(config, &SiteId::new("s").unwrap()).unwrap();
        let (inbox, events) = mpsc::channel(64);
        let (wanted, want) = watch::channel(false);
        let (phase, told) = watch::channel(Phase::Run);
        let task = tokio::spawn(feed.run(inbox, want, told));
        Self {
            wanted,
            phase,
            task,
            events,
        }
    }

    pub(super) async fn event(&mut self) -> SessionEvent {
        self.events.recv().await.expect("the live feed ended")
    }
}

pub(super) fn alert(payload: &'static str, at_least_once: bool, retain: bool) -> Outgoing {
    Outgoing {
        topic: "ward/v1/s/icu/B01/alert".into(),
        payload: Bytes::from_static(payload.as_bytes()),
        content_type: "application/json",
        at_least_once,
        retain,
        expiry_s: Some(60),
    }
}

pub(super) fn numbers(range: std::ops::Range<usize>) -> Vec<String> {
    range.map(|number| number.to_string()).collect()
}

#[test]
fn a_missing_certificate_file_is_named() {
    let mut config = config(8883, MqttVersion::V5);
    config.tls = Some(crate::config::TlsFiles {
        ca_file: PathBuf::from("/nonexistent/ca.pem"),
        client: None,
        crl_file: None,
    });
    let error = Session::new(&config, &SiteId::new("s").unwrap()).err().unwrap();
    assert!(error.to_string().contains("/nonexistent/ca.pem"), "{error}");
}
