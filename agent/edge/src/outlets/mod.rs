//! Where alarms leave the agent for other systems: an MQTT topic and webhooks, so that pagers can listen.
//!
//! Handing an alert over never waits: each outlet has a bounded queue of its own. When one is full, the oldest of the least
//! urgent alerts in it is dropped, counted and logged.

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

use crate::config::WebhookConfig;
use crate::metrics as m;
use crate::session::Outgoing;
use queue::QueueSender;
use webhook::Webhook;

/// Alerts that may wait for the broker.
const MQTT_QUEUE: usize = 1024;

/// Why an outlet cannot start.
#[derive(Debug, thiserror::Error)]
pub(crate) enum OutletError {
    /// The key of the signature cannot be read.
    #[error("webhook {url}: {problem}")]
    Secret {
        /// Which receiver.
        url: String,
        /// What is wrong, with the path.
        problem: String,
    },
    /// The authority of the receiver cannot be used.
    #[error("webhook {url}: {}: {problem}", path.display())]
    Authority {
        /// Which receiver.
        url: String,
        /// Which file.
        path: PathBuf,
        /// What is wrong.
        problem: String,
    },
    /// No HTTP client can be made.
    #[error("webhook {url}: {source}")]
    Client {
        /// Which receiver.
        url: String,
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
    pub(crate) fn command(&self, site: &SiteId, device: &DeviceId, command: Cmd) {
        let message = Outgoing {
            topic: format!("vitals/v1/{site}/{device}/cmd"),
            payload: Bytes::from_static(command.to_json()),
            content_type: "application/json",
            at_least_once: true,
            retain: false,
            expiry_s: Some(60),
        };
        if self.commands.try_send(message).is_err() {
            warn!(%device, "The broker is behind: a command to a device was dropped.");
        }
    }
}

fn count(outlet: &'static str, outcome: &'static str) {
    counter!(m::DELIVERIES, "outlet" => outlet, "outcome" => outcome).increment(1);
}
