//! Where the embedded broker hands a message over before it stores or confirms it: the PUBACK that a device gets then
//! means that the journal has the message, and nothing that was acknowledged dies with the process.

use std::sync::Arc;

use bytes::Bytes;
use tokio::sync::{mpsc, watch};

use super::acks::Acker;
use super::{Inbound, Phase, SessionCounters, SessionEvent, SkipReason, Skipped};

/// What became of a message at the door.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Passage {
    /// The Ward has it, and at QoS 1 the journal too.
    Safe,
    /// Not for us: another topic.
    NotOurs,
    /// The Ward has it, but the journal cannot commit: it must not be confirmed. The device sends it again after its next
    /// connect, and does not wait meanwhile.
    Unconfirmed,
    /// Nobody takes messages any more; it must not be confirmed.
    Shut,
}

/// One end is the broker's, the other the session's.
#[derive(Clone, Debug)]
pub(crate) struct Door {
    inside: Arc<watch::Sender<Option<Arc<Inside>>>>,
    /// Whether the journal cannot commit. Then no message waits at the door: a broker takes one message of a device at a
    /// time, so the one that waits would keep all that follow from the Ward.
    stuck: watch::Receiver<bool>,
}

/// Every device's topic, of whatever site or group.
const OURS: [&str; 2] = ["vitals/v1/", "spBv1.0/"];

#[derive(Debug)]
struct Inside {
    prefixes: Vec<String>,
    max_payload_bytes: usize,
    acker: Acker,
    counters: Arc<SessionCounters>,
    events: mpsc::Sender<SessionEvent>,
}

/// Messages that may wait between the door and the inbox; behind them each device waits with its own.
const QUEUE: usize = 64;

impl Door {
    /// A door that nobody has opened yet; `stuck` says when the journal cannot commit.
    pub(crate) fn new(stuck: watch::Receiver<bool>) -> Self {
        Self {
            inside: Arc::default(),
            stuck,
        }
    }

    /// Takes every message under one of `prefixes` from now on.
    pub(super) fn open(
        &self,
        prefixes: Vec<String>,
        max_payload_bytes: usize,
        acker: Acker,
        counters: Arc<SessionCounters>,
    ) -> mpsc::Receiver<SessionEvent> {
        let (events, receiver) = mpsc::channel(QUEUE);
        self.inside.send_replace(Some(Arc::new(Inside {
            prefixes,
            max_payload_bytes,
            acker,
            counters,
            events,
        })));
        receiver
    }

    /// Hands a message over. At QoS 1 this returns when the message is safe, and the device waits for its PUBACK; or, if
    /// the journal cannot commit, when the Ward has it. Devices that come before the session wait for it.
    pub(crate) async fn pass(&self, topic: &str, payload: &Bytes, at_least_once: bool) -> Passage {
        let ours = OURS.iter().any(|ours| topic.starts_with(ours));
        if !ours || topic.ends_with("/cmd") {
            return Passage::NotOurs;
        }
        let mut opened = self.inside.subscribe();
        let inside = match opened.wait_for(Option::is_some).await {
            Ok(inside) => inside.clone(),
            Err(_nobody_left_to_open) => return Passage::Shut,
        };
        match inside {
            Some(inside) if inside.hears(topic) && at_least_once => inside.take(topic, payload, self.stuck.clone()).await,
            Some(inside) if inside.hears(topic) => inside.take_qos0(topic, payload),
            _ => Passage::NotOurs,
        }
    }
}

impl Inside {
    fn hears(&self, topic: &str) -> bool {
        self.prefixes.iter().any(|prefix| topic.starts_with(prefix))
    }

    async fn take(&self, topic: &str, payload: &Bytes, mut stuck: watch::Receiver<bool>) -> Passage {
        if *stuck.borrow() {
            let live = self.event(topic, payload, None, true);
            return match self.events.send(live).await {
                Ok(()) => Passage::Unconfirmed,
                Err(_nobody_left) => Passage::Shut,
            };
        }
        let (ticket, safe) = self.acker.direct_ticket();
        if self
            .events
            .send(self.event(topic, payload, Some(ticket), false))
            .await
            .is_err()
        {
            return Passage::Shut;
        }
        let told = tokio::select! {
            biased;
            told = safe => told,
            () = becomes_stuck(&mut stuck) => return Passage::Unconfirmed,
        };
        match told {
            Ok(()) => {
                SessionCounters::add(&self.counters.acknowledged, 1);
                Passage::Safe
            }
            Err(_nobody_left_to_tell) => Passage::Shut,
        }
    }

    fn take_qos0(&self, topic: &str, payload: &Bytes) -> Passage {
        match self.events.try_send(self.event(topic, payload, None, false)) {
            Ok(()) => Passage::Safe,
            Err(mpsc::error::TrySendError::Full(_)) => {
                SessionCounters::add(&self.counters.dropped_qos0, 1);
                Passage::Safe
            }
            Err(mpsc::error::TrySendError::Closed(_)) => Passage::Shut,
        }
    }

    fn event(&self, topic: &str, payload: &Bytes, ticket: Option<super::AckTicket>, live: bool) -> SessionEvent {
        SessionCounters::add(&self.counters.received, 1);
        SessionCounters::add(&self.counters.received_bytes, payload.len());
        if payload.len() > self.max_payload_bytes {
            SessionCounters::add(&self.counters.skipped, 1);
            let limit_bytes = self.max_payload_bytes;
            return SessionEvent::Skipped(Skipped {
                topic: topic.to_owned(),
                bytes: payload.len(),
                reason: SkipReason::Oversized { limit_bytes },
                ticket,
            });
        }
        SessionEvent::Message(Inbound {
            topic: topic.to_owned(),
            payload: payload.clone(),
            content_type: None,
            retained: false,
            dup: false,
            ticket,
            live,
        })
    }
}

/// Returns when the journal can no longer commit; never if nobody is left to say so.
async fn becomes_stuck(stuck: &mut watch::Receiver<bool>) {
    if stuck.wait_for(|stuck| *stuck).await.is_err() {
        std::future::pending::<()>().await;
    }
}

/// Carries messages from the door to the inbox while the agent runs. Then the door shuts.
pub(super) async fn carry<T: From<SessionEvent>>(
    mut events: mpsc::Receiver<SessionEvent>,
    inbox: mpsc::Sender<T>,
    mut phase: watch::Receiver<Phase>,
) {
    loop {
        let event = tokio::select! {
            biased;
            () = super::left_run(&mut phase) => return,
            event = events.recv() => event,
        };
        let Some(event) = event else { return };
        let permit = tokio::select! {
            biased;
            () = super::left_run(&mut phase) => return,
            permit = inbox.reserve() => permit,
        };
        let Ok(permit) = permit else { return };
        permit.send(event.into());
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const PREFIX: &str = "vitals/v1/s/";
    const TOPIC: &str = "vitals/v1/s/mon-01/num";

    impl Default for Door {
        /// A door of a journal that always commits.
        fn default() -> Self {
            Self::new(watch::channel(false).1)
        }
    }

    fn opened() -> (Door, Acker, mpsc::Receiver<SessionEvent>) {
        let door = Door::default();
        let acker = Acker::default();
        let events = door.open(vec![PREFIX.into()], 1000, acker.clone(), Arc::default());
        (door, acker, events)
    }

    fn ticket(event: SessionEvent) -> Option<super::super::AckTicket> {
        match event {
            SessionEvent::Message(message) => message.ticket,
            SessionEvent::Skipped(skipped) => skipped.ticket,
            other => panic!("{other:?}"),
        }
    }

    #[tokio::test]
    async fn a_message_waits_at_the_door_until_it_is_safe() {
        let (door, acker, mut events) = opened();
        let payload = Bytes::from_static(b"{}");
        let passing = door.pass(TOPIC, &payload, true);
        tokio::pin!(passing);
        let event = tokio::select! {
            biased;
            passage = &mut passing => panic!("{passage:?} before the journal had it"),
            event = events.recv() => event.unwrap(),
        };
        acker.ack(ticket(event));
        assert_eq!(passing.await, Passage::Safe);
    }

    #[tokio::test]
    async fn messages_may_become_safe_in_any_order() {
        let (door, acker, mut events) = opened();
        let payload = Bytes::from_static(b"{}");
        let (first, second) = (door.pass(TOPIC, &payload, true), door.pass(TOPIC, &payload, true));
        let ward = async {
            let first = ticket(events.recv().await.unwrap());
            let second = ticket(events.recv().await.unwrap());
            acker.ack(second);
            acker.ack(first);
        };
        let (first, second, ()) = tokio::join!(first, second, ward);
        assert_eq!((first, second), (Passage::Safe, Passage::Safe));
    }

    #[tokio::test]
    async fn what_is_not_ours_passes_untouched() {
        let (door, _acker, mut events) = opened();
        let payload = Bytes::from_static(b"{}");
        for topic in [
            "ward/v1/s/icu/B01/alert",
            "vitals/v1/s/mon-01/cmd",
            "vitals/v1/other/mon-01/num",
        ] {
            assert_eq!(door.pass(topic, &payload, true).await, Passage::NotOurs);
        }
        assert!(events.try_recv().is_err());
    }

    #[tokio::test]
    async fn a_device_that_comes_before_the_session_waits_for_it() {
        let door = Door::default();
        let acker = Acker::default();
        let payload = Bytes::from_static(b"{}");
        let agent = async {
            tokio::task::yield_now().await;
            let mut events = door.open(vec![PREFIX.into()], 1000, acker.clone(), Arc::default());
            acker.ack(ticket(events.recv().await.unwrap()));
            events
        };
        let (passage, _events) = tokio::join!(door.pass(TOPIC, &payload, true), agent);
        assert_eq!(passage, Passage::Safe);
    }

    #[tokio::test]
    async fn a_shut_door_confirms_nothing() {
        let (door, _acker, events) = opened();
        drop(events);
        let payload = Bytes::from_static(b"{}");
        assert_eq!(door.pass(TOPIC, &payload, true).await, Passage::Shut);
        assert_eq!(door.pass(TOPIC, &payload, false).await, Passage::Shut);
    }

    #[tokio::test(start_paused = true)]
    async fn while_the_journal_cannot_commit_messages_reach_the_ward_and_are_not_confirmed() {
        let (stuck, told) = watch::channel(false);
        let door = Door::new(told);
        let acker = Acker::default();
        let mut events = door.open(vec![PREFIX.into()], 1000, acker.clone(), Arc::default());
        let payload = Bytes::from_static(b"{}");
        let pass = || tokio::time::timeout(Duration::from_secs(1), door.pass(TOPIC, &payload, true));
        let ward = async {
            let SessionEvent::Message(waiting) = events.recv().await.unwrap() else {
                panic!()
            };
            stuck.send_replace(true);
            waiting
        };
        let (passage, waiting) = tokio::join!(pass(), ward);
        assert_eq!(passage, Ok(Passage::Unconfirmed), "what waits lets the next one pass");
        assert!(waiting.ticket.is_some() && !waiting.live, "its record is on the way");
        for _ in 0..3 {
            assert_eq!(pass().await, Ok(Passage::Unconfirmed));
            let SessionEvent::Message(judged) = events.recv().await.unwrap() else {
                panic!()
            };
            assert!(judged.ticket.is_none() && judged.live);
        }
        stuck.send_replace(false);
        acker.ack(waiting.ticket);
        let ward = async { acker.ack(ticket(events.recv().await.unwrap())) };
        let (passage, ()) = tokio::join!(pass(), ward);
        assert_eq!(passage, Ok(Passage::Safe));
    }

    #[tokio::test]
    async fn waveforms_do_not_wait_and_are_dropped_when_there_is_no_room() {
        let door = Door::default();
        let counters = Arc::<SessionCounters>::default();
        let mut events = door.open(vec![PREFIX.into()], 1000, Acker::default(), Arc::clone(&counters));
        let payload = Bytes::from_static(b"w");
        for _ in 0..QUEUE + 3 {
            assert_eq!(door.pass(TOPIC, &payload, false).await, Passage::Safe);
        }
        assert_eq!(counters.dropped_qos0.load(std::sync::atomic::Ordering::Relaxed), 3);
        assert_eq!(ticket(events.recv().await.unwrap()), None);
    }

    #[tokio::test]
    async fn an_oversized_payload_is_reported_with_its_ticket() {
        let (door, acker, mut events) = opened();
        let payload = Bytes::from(vec![0; 1001]);
        let ward = async {
            let event = events.recv().await.unwrap();
            assert!(matches!(event, SessionEvent::Skipped(_)));
            acker.ack(ticket(event));
        };
        let (passage, ()) = tokio::join!(door.pass(TOPIC, &payload, true), ward);
        assert_eq!(passage, Passage::Safe);
    }
}
