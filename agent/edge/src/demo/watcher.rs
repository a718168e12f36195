//! An open page without eyes: connects to the WebSocket as a browser does and notes every alarm with its time of arrival.

use std::net::SocketAddr;

use anyhow::Context;
use futures_util::StreamExt;
use serde::Deserialize;
use tokio::task::JoinHandle;
use tokio_tungstenite::tungstenite::Message;
use wardlight_core::ids::BedId;
use wardlight_core::time::Timestamp;

use super::Change;
use crate::clock;

#[derive(Debug, Deserialize)]
struct Frame<'a> {
    #[serde(rename = "type", borrow)]
    kind: &'a str,
    alarm: Option<AlarmFrame>,
}

#[derive(Debug, Deserialize)]
struct AlarmFrame {
    bed: String,
    kind: String,
    priority: String,
    state: String,
    revision: u64,
    technical: bool,
    raised_at: i64,
    received_at: Option<i64>,
}

/// The watching task.
pub(super) struct Watcher {
    task: JoinHandle<Vec<Change>>,
}

impl Watcher {
    /// Connects to the page.
    pub(super) async fn connect(page: SocketAddr) -> anyhow::Result<Self> {
        let (socket, _) = tokio_tungstenite::connect_async_with_config(format!("ws://{page}/ws"), None, true)
            .await
            .context("the page's WebSocket")?;
        let task = tokio::spawn(async move {
            let mut changes = Vec::new();
            let mut frames = socket;
            while let Some(Ok(frame)) = frames.next().await {
                if let Message::Text(text) = frame {
                    changes.extend(change(&text, clock::wall()));
                }
            }
            changes
        });
        Ok(Self { task })
    }

    /// Everything seen until the page closed.
    pub(super) async fn finish(self) -> anyhow::Result<Vec<Change>> {
        self.task.await.context("the watcher died")
    }
}

fn change(text: &str, arrived_at: Timestamp) -> Option<Change> {
    let frame: Frame = serde_json::from_str(text).ok()?;
    let alarm = frame.alarm.filter(|_| frame.kind == "alarm")?;
    Some(Change {
        bed: BedId::new(&alarm.bed).ok()?,
        kind: alarm.kind,
        priority: alarm.priority,
        state: alarm.state,
        revision: alarm.revision,
        technical: alarm.technical,
        raised_at: Timestamp::from_millis(alarm.raised_at),
        received_at: alarm.received_at.map(Timestamp::from_millis),
        arrived_at,
    })
}
