//! Our own messages on their way: kept until the broker confirms them, sent again after a reconnect.

use std::collections::VecDeque;

use bytes::BytesMut;

use super::{OUTGOING_WINDOW, Outgoing, codec};
use crate::config::MqttVersion;

/// SUBSCRIBE takes identifier 1; our messages the others.
pub(super) const SUBSCRIBE_ID: u16 = 1;
const FIRST_ID: u16 = 2;

/// QoS 1 messages that the broker has not confirmed, oldest first.
#[derive(Debug)]
pub(super) struct InFlight {
    waiting: VecDeque<(u16, Outgoing)>,
    next_id: u16,
    /// The broker's receive maximum, at most [`OUTGOING_WINDOW`].
    window: usize,
    max_packet_bytes: usize,
}

impl InFlight {
    pub(super) fn new() -> Self {
        Self {
            waiting: VecDeque::new(),
            next_id: FIRST_ID,
            window: OUTGOING_WINDOW,
            max_packet_bytes: usize::MAX,
        }
    }

    /// Takes the limits of a broker that just accepted us.
    pub(super) fn set_limits(&mut self, receive_maximum: u16, max_packet_bytes: usize) {
        self.window = usize::from(receive_maximum).clamp(1, OUTGOING_WINDOW);
        self.max_packet_bytes = max_packet_bytes;
    }

    pub(super) fn has_room(&self) -> bool {
        self.waiting.len() < self.window
    }

    /// Appends a message to `out` and keeps it if it is QoS 1.
    ///
    /// # Errors
    /// Why it cannot be sent to this broker at all.
    pub(super) fn send(&mut self, version: MqttVersion, message: Outgoing, out: &mut BytesMut) -> Result<(), String> {
        let packet_id = if message.at_least_once { self.take_id() } else { 0 };
        let before = out.len();
        codec::publish(version, &message, packet_id, false, out)?;
        let size = out.len() - before;
        if size > self.max_packet_bytes {
            out.truncate(before);
            return Err(format!("{size} bytes, and the broker takes {}", self.max_packet_bytes));
        }
        if message.at_least_once {
            self.waiting.push_back((packet_id, message));
        }
        Ok(())
    }

    /// Appends everything unconfirmed again, flagged as duplicate, in the old order.
    pub(super) fn resend(&self, version: MqttVersion, out: &mut BytesMut) -> Result<(), String> {
        for (packet_id, message) in &self.waiting {
            codec::publish(version, message, *packet_id, true, out)?;
        }
        Ok(())
    }

    /// The broker answered for this identifier; unknown ones are ignored.
    pub(super) fn confirm(&mut self, packet_id: u16) -> Option<Outgoing> {
        let place = self.waiting.iter().position(|(id, _)| *id == packet_id)?;
        self.waiting.remove(place).map(|(_, message)| message)
    }

    /// An identifier that nothing in flight has: the window is far smaller than the number of identifiers.
    fn take_id(&mut self) -> u16 {
        loop {
            let id = self.next_id;
            self.next_id = id.checked_add(1).unwrap_or(FIRST_ID);
            if !self.waiting.iter().any(|(taken, _)| *taken == id) {
                return id;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;

    fn alert(at_least_once: bool) -> Outgoing {
        Outgoing {
            topic: "ward/v1/s/u/b/alert".into(),
            payload: Bytes::from_static(b"{}"),
            content_type: "application/json",
            at_least_once,
            retain: false,
            expiry_s: Some(60),
        }
    }

    #[test]
    fn unconfirmed_messages_fill_the_window_and_confirmed_ones_free_it() {
        let mut in_flight = InFlight::new();
        in_flight.set_limits(2, usize::MAX);
        let mut out = BytesMut::new();
        for _ in 0..2 {
            assert!(in_flight.has_room());
            in_flight.send(MqttVersion::V5, alert(true), &mut out).unwrap();
        }
        assert!(!in_flight.has_room());
        assert!(in_flight.confirm(FIRST_ID).is_some());
        assert!(in_flight.confirm(FIRST_ID).is_none());
        assert!(in_flight.has_room());
    }

    #[test]
    fn identifiers_skip_those_in_flight_when_they_wrap() {
        let mut in_flight = InFlight::new();
        let mut out = BytesMut::new();
        in_flight.send(MqttVersion::V5, alert(true), &mut out).unwrap();
        in_flight.next_id = u16::MAX;
        assert_eq!(in_flight.take_id(), u16::MAX);
        assert_eq!(in_flight.take_id(), FIRST_ID + 1);
    }

    #[test]
    fn what_the_broker_cannot_take_is_refused_and_leaves_no_bytes() {
        let mut in_flight = InFlight::new();
        in_flight.set_limits(10, 8);
        let mut out = BytesMut::new();
        assert!(in_flight.send(MqttVersion::V5, alert(true), &mut out).is_err());
        assert!(out.is_empty() && in_flight.waiting.is_empty());
    }

    #[test]
    fn qos_0_is_not_kept() {
        let mut in_flight = InFlight::new();
        let mut out = BytesMut::new();
        in_flight.send(MqttVersion::V311, alert(false), &mut out).unwrap();
        assert!(in_flight.waiting.is_empty() && !out.is_empty());
    }
}
