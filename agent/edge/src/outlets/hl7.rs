//! Alarms for an alarm manager: IHE PCD-04 over MLLP, each acknowledged, one connection that is made anew when it breaks.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};
use tracing::{error, warn};
use wardlight_wire::Alert;
use wardlight_wire::hl7::mllp::{self, Frame, Frames};
use wardlight_wire::hl7::{Ack, alarm};

use super::queue::QueueReceiver;
use super::{Notice, count};
use crate::config::Hl7AlarmsConfig;
use crate::session::Backoff;

/// Name of this outlet in metrics and logs.
pub(super) const NAME: &str = "hl7";
/// Longest acknowledgement that is read.
const MAX_ACK: usize = 64 * 1024;

/// One alarm manager.
pub(super) struct AlarmManager {
    config: Hl7AlarmsConfig,
    connection: Option<Connection>,
}

struct Connection {
    stream: TcpStream,
    answers: Frames,
}

impl AlarmManager {
    pub(super) fn new(config: &Hl7AlarmsConfig) -> Self {
        Self {
            config: config.clone(),
            connection: None,
        }
    }

    /// Delivers until the queue is closed and empty. Between two attempts a more urgent alarm may go first.
    pub(super) async fn run(mut self, queue: QueueReceiver<Notice>) {
        let mut backoff = Backoff::default();
        while let Some(queued) = queue.pop().await {
            let delivery = queued.item.delivery_id.clone();
            match self.attempt(&queued.item).await {
                Ok(ack) => {
                    backoff.reset();
                    if ack.accepted {
                        count(NAME, "delivered");
                    } else {
                        count(NAME, "refused");
                        error!(
                            manager = self.config.address,
                            delivery,
                            answer = ack.text,
                            "The alarm manager refuses an alarm."
                        );
                    }
                }
                Err(reason) => {
                    // Whatever comes on this connection now could be the answer to another message.
                    self.connection = None;
                    count(NAME, "failed");
                    let wait = backoff.next();
                    let wait_ms = wait.as_millis() as u64;
                    warn!(
                        manager = self.config.address,
                        reason, wait_ms, "The alarm manager does not answer."
                    );
                    if let Some(dropped) = queue.put_back(queued) {
                        count(NAME, "dropped");
                        let delivery = dropped.delivery_id;
                        error!(manager = self.config.address, delivery, "Queue full: an alarm was dropped.");
                    }
                    sleep(wait).await;
                }
            }
        }
    }

    /// Sends one alarm and waits for its acknowledgement.
    async fn attempt(&mut self, notice: &Notice) -> Result<Ack, String> {
        let alert = Alert::from_json(&notice.body).map_err(|error| error.to_string())?;
        let message = alarm(&alert);
        let within = self.config.timeout;
        let connection = match self.connection.take() {
            Some(connection) => connection,
            None => connect(&self.config.address, within).await?,
        };
        let mut connection = connection;
        let exchange = connection.exchange(message.text.as_bytes(), &message.control_id);
        let ack = timeout(within, exchange)
            .await
            .map_err(|_late| "no acknowledgement in time".to_owned())??;
        self.connection = Some(connection);
        Ok(ack)
    }
}

async fn connect(address: &str, within: Duration) -> Result<Connection, String> {
    let connected = timeout(within, TcpStream::connect(address)).await;
    let stream = connected.map_err(|_late| "no connection in time".to_owned())?;
    let stream = stream.map_err(|error| error.to_string())?;
    stream.set_nodelay(true).map_err(|error| error.to_string())?;
    Ok(Connection {
        stream,
        answers: Frames::new(MAX_ACK),
    })
}

impl Connection {
    async fn exchange(&mut self, message: &[u8], control_id: &str) -> Result<Ack, String> {
        let sent = self.stream.write_all(&mllp::frame(message)).await;
        sent.map_err(|error| error.to_string())?;
        loop {
            let mut bytes = [0; 4096];
            let read = self.stream.read(&mut bytes).await.map_err(|error| error.to_string())?;
            if read == 0 {
                return Err("closed the connection".to_owned());
            }
            // One answer to one message: what comes behind it belongs to nothing, and the next exchange would find it out.
            let (_taken, frame) = self.answers.take(bytes.get(..read).unwrap_or_default());
            match frame {
                None => {}
                Some(Frame::Message(answer)) => {
                    let ack = Ack::read(&answer).map_err(|error| error.to_string())?;
                    if ack.control_id == control_id {
                        return Ok(ack);
                    }
                    return Err("acknowledged another message".to_owned());
                }
                Some(Frame::Oversized { bytes } | Frame::Broken { bytes }) => {
                    return Err(format!("no acknowledgement: {bytes} bytes that are no whole message"));
                }
            }
        }
    }
}

#[cfg(test)]
#[path = "hl7_tests.rs"]
mod tests;
