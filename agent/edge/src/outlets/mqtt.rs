//! Alerts on `ward/v1/{site}/{unit}/{bed}/alert`, QoS 1, not retained.

use tokio::sync::mpsc;

use super::queue::QueueReceiver;
use super::{Notice, count};
use crate::session::Outgoing;

/// Name of this outlet in metrics and logs.
pub(super) const NAME: &str = "mqtt";
/// An alert that waited longer for its receiver is history; the page and the journal have it.
const EXPIRY_S: u32 = 3600;

/// Gives alerts to the session, the most urgent first, until the queue is closed or the session is gone.
pub(super) async fn publish(queue: QueueReceiver<Notice>, outgoing: mpsc::Sender<Outgoing>) {
    // The place in the session's channel first: an alert that still waits here can be overtaken by a more urgent one.
    while let Ok(place) = outgoing.reserve().await {
        let Some(queued) = queue.pop().await else { return };
        place.send(Outgoing {
            topic: queued.item.topic,
            payload: queued.item.body,
            content_type: "application/json",
            at_least_once: true,
            retain: false,
            expiry_s: Some(EXPIRY_S),
        });
        count(NAME, "published");
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use wardlight_core::message::Priority;

    use super::super::queue::queue;
    use super::*;

    fn notice(body: &'static str) -> Notice {
        Notice {
            topic: "ward/v1/s/icu/B01/alert".into(),
            body: Bytes::from_static(body.as_bytes()),
            delivery_id: body.into(),
        }
    }

    #[tokio::test]
    async fn while_the_broker_is_away_urgent_alerts_overtake() {
        let (sender, receiver) = queue(8);
        let (outgoing, mut session) = mpsc::channel(1);
        let publishing = tokio::spawn(publish(receiver, outgoing));
        sender.push(notice("first"), Priority::Low);
        tokio::task::yield_now().await;
        sender.push(notice("low"), Priority::Low);
        sender.push(notice("high"), Priority::High);
        drop(sender);
        let mut sent = Vec::new();
        while let Some(message) = session.recv().await {
            assert!(message.at_least_once && !message.retain);
            sent.push(message.payload);
        }
        assert_eq!(sent, ["first", "high", "low"]);
        publishing.await.unwrap();
    }
}
