//! Where alarms leave the agent for other systems: an MQTT topic and webhooks, so that pagers can listen, and a hospital's alarm manager.
//! What leaves for its record reads the journal and stands in nobody's way: `fhir`.
//!
//! Handing an alert over never waits: each outlet has a bounded queue of its own. When one is full, the oldest of the least
//! urgent alerts in it is dropped, counted and logged.

mod client;
pub(crate) mod fhir;
mod hl7;
mod mqtt;
mod queue;
mod signature;
mod webhook;

use std::path::PathBuf;

use bytes::Bytes;
use metrics::counter;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tracing::{error, warn};
use wardlight_core::ids::{DeviceId, SiteId};
use wardlight_core::message::Priority;
use wardlight_wire::{Alert, Cmd};

use crate::config::{Hl7AlarmsConfig, WebhookConfig};
use crate::metrics as m;
use crate::session::Outgoing;
use hl7::AlarmManager;
use queue::QueueSender;
use webhook::Webhook;

/// Alerts that may wait for the broker.
const MQTT_QUEUE: usize = 1024;

/// Why an outlet cannot start.
#[derive(Debug, thiserror::Error)]
pub(crate) enum OutletError {
    /// The key of the signature cannot be read.
    #[error("{outlet} {receiver}: {problem}")]
    Secret {
        /// Which kind.
        outlet: &'static str,
        /// Which receiver.
        receiver: String,
        /// What is wrong, with the path.
        problem: String,
    },
    /// The authority of the receiver cannot be used.
    #[error("{outlet} {receiver}: {}: {problem}", path.display())]
    Authority {
        /// Which kind.
        outlet: &'static str,
        /// Which receiver.
        receiver: String,
        /// Which file.
        path: PathBuf,
        /// What is wrong.
        problem: String,
    },
    /// No HTTP client can be made.
    #[error("{outlet} {receiver}: {source}")]
    Client {
        /// Which kind.
        outlet: &'static str,
        /// Which receiver.
        receiver: String,
        /// Why.
        source: reqwest::Error,
    },
}

/// One alert on its way out: the same bytes for every outlet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Notice {
    /// `ward/v1/{site}/{unit}/{bed}/alert`.
    pub(crate) topic: String,
    /// JSON.
    pub(crate) body: Bytes,
    /// Alarm id and revision: the same for every attempt, and after a restart.
    pub(crate) delivery_id: String,
}

/// All outlets but the page.
pub(crate) struct Outlets {
    queues: Vec<(&'static str, QueueSender<Notice>)>,
    commands: mpsc::Sender<Outgoing>,
}

impl Outlets {
    /// Starts a task per outlet. The tasks end after this is dropped, when their queues are empty.
    ///
    /// # Errors
    /// [`OutletError`] if a key or certificate cannot be used.
    pub(crate) fn start(
        webhooks: &[WebhookConfig],
        hl7_alarms: Option<&Hl7AlarmsConfig>,
        outgoing: mpsc::Sender<Outgoing>,
        tasks: &mut JoinSet<anyhow::Result<()>>,
    ) -> Result<Self, OutletError> {
        let commands = outgoing.clone();
        let (sender, receiver) = queue::queue(MQTT_QUEUE);
        let mut queues = vec![(mqtt::NAME, sender)];
        for config in webhooks {
            let webhook = Webhook::new(config)?;
            let (sender, receiver) = queue::queue(config.queue);
            queues.push((webhook::NAME, sender));
            tasks.spawn(async move {
                webhook.run(receiver).await;
                Ok(())
            });
        }
        if let Some(config) = hl7_alarms {
            let manager = AlarmManager::new(config);
            let (sender, receiver) = queue::queue(config.queue);
            queues.push((hl7::NAME, sender));
            tasks.spawn(async move {
                manager.run(receiver).await;
                Ok(())
            });
        }
        tasks.spawn(async move {
            mqtt::publish(receiver, outgoing).await;
            Ok(())
        });
        Ok(Self { queues, commands })
    }

    /// Hands an alert to every outlet.
    pub(crate) fn alert(&self, alert: &Alert, priority: Priority) {
        let body = match alert.to_json() {
            Ok(body) => Bytes::from(body),
            Err(error) => {
                error!(%error, alarm = alert.id, "An alert could not be written.");
                return;
            }
        };
        let notice = Notice {
            topic: alert.topic(),
            body,
            delivery_id: format!("{}#{}", alert.id, alert.revision),
        };
        for (outlet, queue) in &self.queues {
            if let Some(dropped) = queue.push(notice.clone(), priority) {
                count(outlet, "dropped");
                error!(outlet, delivery = dropped.delivery_id, "Queue full: an alert was dropped.");
            }
        }
    }

    /// Tells a device something. When the broker is behind, the command is dropped: it will be asked for again.
    pub(crate) fn command(&self, site: &SiteId, device: &DeviceId, command: &Cmd) {
        let message = Outgoing {
            topic: format!("vitals/v1/{site}/{device}/cmd"),
            payload: Bytes::from(command.to_json()),
            content_type: "application/json",
            at_least_once: true,
            retain: false,
            expiry_s: Some(60),
        };
        self.tell(message);
    }

    /// As [`Outlets::command`] for what has its own form.
    pub(crate) fn tell(&self, message: Outgoing) {
        let topic = message.topic.clone();
        if self.commands.try_send(message).is_err() {
            warn!(topic, "The broker is behind: a command to a device was dropped.");
        }
    }
}

fn count(outlet: &'static str, outcome: &'static str) {
    counter!(m::DELIVERIES, "outlet" => outlet, "outcome" => outcome).increment(1);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn alert() -> Alert {
        let json = r#"{"v":1,"id":"B01:spo2_low:7","revision":2,"site":"s","unit":"icu","bed":"B01","kind":"spo2_low",
            "text":"SpO2 low","priority":"high","state":"active","onset_at":7,"raised_at":8,"changed_at":9}"#;
        Alert::from_json(json.as_bytes()).unwrap()
    }

    #[tokio::test]
    async fn an_alert_leaves_on_its_topic_and_the_outlet_ends_with_its_owner() {
        let (outgoing, mut session) = mpsc::channel(8);
        let mut tasks = JoinSet::new();
        let outlets = Outlets::start(&[], None, outgoing, &mut tasks).unwrap();
        outlets.alert(&alert(), Priority::High);
        let message = session.recv().await.unwrap();
        assert_eq!(message.topic, "ward/v1/s/icu/B01/alert");
        assert!(message.at_least_once && !message.retain);
        assert_eq!(Alert::from_json(&message.payload).unwrap(), alert());
        drop(outlets);
        while let Some(ended) = tasks.join_next().await {
            ended.unwrap().unwrap();
        }
    }

    #[tokio::test]
    async fn handing_over_never_waits_even_when_nobody_takes_anything() {
        let (outgoing, _session_that_is_stuck) = mpsc::channel(1);
        let outlets = Outlets::start(&[], None, outgoing, &mut JoinSet::new()).unwrap();
        for _ in 0..2 * MQTT_QUEUE {
            outlets.alert(&alert(), Priority::Low);
            outlets.command(&SiteId::new("s").unwrap(), &DeviceId::new("mon-01").unwrap(), &Cmd::Rebirth);
        }
    }

    #[tokio::test]
    async fn a_webhook_without_its_key_is_named() {
        let config = WebhookConfig {
            url: "https://pager.example.org/secret-path".parse().unwrap(),
            secret_file: PathBuf::from("/nonexistent/key"),
            ca_file: None,
            timeout: std::time::Duration::from_secs(5),
            queue: 8,
        };
        let (outgoing, _session) = mpsc::channel(1);
        let error = Outlets::start(&[config], None, outgoing, &mut JoinSet::new())
            .err()
            .unwrap()
            .to_string();
        assert_eq!(
            error,
            "webhook pager.example.org:443: secret file /nonexistent/key: no such file"
        );
    }
}
