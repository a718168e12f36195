//! Alerts posted to a receiver: signed, tried again with backoff and jitter, never blocking anything else.

use reqwest::header::CONTENT_TYPE;
use reqwest::{Client, StatusCode};
use tokio::time::sleep;
use tracing::{error, warn};

use super::queue::QueueReceiver;
use super::signature::Signer;
use super::{Notice, OutletError, client, count};
use crate::clock;
use crate::config::{WebhookConfig, secret};
use crate::session::Backoff;

/// Name of this outlet in metrics and logs.
pub(super) const NAME: &str = "webhook";

/// One receiver.
pub(super) struct Webhook {
    client: Client,
    config: WebhookConfig,
    signer: Signer,
    /// Host and port, for logs: a path may hold a token.
    receiver: String,
}

/// What an attempt came to.
#[derive(Debug, PartialEq, Eq)]
enum Attempt {
    Delivered,
    /// Another attempt may succeed.
    Failed(String),
    /// The receiver will never take it.
    Refused(StatusCode),
}

impl Webhook {
    pub(super) fn new(config: &WebhookConfig) -> Result<Self, OutletError> {
        let receiver = client::receiver(&config.url);
        let key = secret::read(&config.secret_file).map_err(|problem| OutletError::Secret {
            outlet: NAME,
            receiver: receiver.clone(),
            problem,
        })?;
        Ok(Self {
            client: client::client(NAME, &config.url, config.ca_file.as_deref(), config.timeout)?,
            config: config.clone(),
            signer: Signer::new(&key),
            receiver,
        })
    }

    /// Delivers until the queue is closed and empty. Between two attempts a more urgent alert may go first.
    pub(super) async fn run(self, queue: QueueReceiver<Notice>) {
        let mut backoff = Backoff::default();
        while let Some(queued) = queue.pop().await {
            match self.attempt(&queued.item).await {
                Attempt::Delivered => {
                    backoff.reset();
                    count(NAME, "delivered");
                }
                Attempt::Refused(status) => {
                    backoff.reset();
                    count(NAME, "refused");
                    error!(receiver = self.receiver, %status, delivery = queued.item.delivery_id, "The webhook refuses an alert.");
                }
                Attempt::Failed(reason) => {
                    count(NAME, "failed");
                    let wait = backoff.next();
                    warn!(
                        receiver = self.receiver,
                        reason,
                        wait_ms = wait.as_millis() as u64,
                        "The webhook does not answer."
                    );
                    if let Some(dropped) = queue.put_back(queued) {
                        count(NAME, "dropped");
                        error!(
                            receiver = self.receiver,
                            delivery = dropped.delivery_id,
                            "Queue full: an alert was dropped."
                        );
                    }
                    sleep(wait).await;
                }
            }
        }
    }

    async fn attempt(&self, notice: &Notice) -> Attempt {
        let timestamp_s = clock::wall().as_millis() / 1000;
        let sent = self
            .client
            .post(self.config.url.clone())
            .header(CONTENT_TYPE, "application/json")
            .header("X-Wardlight-Delivery", &notice.delivery_id)
            .header("X-Wardlight-Timestamp", timestamp_s)
            .header("X-Wardlight-Signature", self.signer.sign(timestamp_s, &notice.body))
            .body(notice.body.clone())
            .send()
            .await;
        match sent {
            Ok(answer) => judge(answer.status()),
            Err(error) => Attempt::Failed(client::reason(error)),
        }
    }
}

fn judge(status: StatusCode) -> Attempt {
    if status.is_success() {
        return Attempt::Delivered;
    }
    match status {
        _ if client::may_pass(status) => Attempt::Failed(status.to_string()),
        _ if status.is_client_error() || status.is_redirection() => Attempt::Refused(status),
        _ => Attempt::Failed(status.to_string()),
    }
}

#[cfg(test)]
#[path = "webhook_tests.rs"]
mod tests;
