//! Acknowledgements: given back by the journal's thread in batches, sent in the order of receipt, never across connections.

use std::collections::{HashMap, VecDeque};
use std::mem;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{Notify, oneshot};

/// Stands for the embedded broker's door, where each message waits by itself; connections count from 1.
const DIRECT: u32 = 0;

/// The right to acknowledge one QoS 1 message, on the connection that brought it and no other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct AckTicket {
    /// Which connection of this process, or [`DIRECT`].
    epoch: u32,
    /// Which QoS 1 message of that connection, from 0.
    index: u64,
}

/// Takes tickets from any thread. Cheap to clone; one lock and at most one wake-up per batch.
#[derive(Clone, Debug, Default)]
pub(crate) struct Acker {
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    /// Never longer than the tickets given out and not yet returned.
    given_back: Mutex<Vec<AckTicket>>,
    wake: Notify,
    direct: Mutex<Direct>,
}

/// Messages that wait at the embedded broker's door.
#[derive(Debug, Default)]
struct Direct {
    next: u64,
    waiting: HashMap<u64, oneshot::Sender<()>>,
}

impl Acker {
    /// Says that these messages are safe. Any order will do: PUBACKs leave in the order of receipt, each as soon as all
    /// before it have been given back too. Tickets of a lost connection are ignored, because the broker sends those
    /// messages again.
    pub(crate) fn ack(&self, tickets: impl IntoIterator<Item = AckTicket>) {
        let mut given_back = lock(&self.shared.given_back);
        let mut direct = None;
        let before = given_back.len();
        for ticket in tickets {
            if ticket.epoch == DIRECT {
                let direct = direct.get_or_insert_with(|| lock(&self.shared.direct));
                if let Some(safe) = direct.waiting.remove(&ticket.index) {
                    // The device may be gone; then it sends the message again.
                    safe.send(()).ok();
                }
            } else {
                given_back.push(ticket);
            }
        }
        let wake = before == 0 && !given_back.is_empty();
        drop(given_back);
        if wake {
            self.shared.wake.notify_one();
        }
    }

    /// A ticket for a message at the embedded broker's door, and what tells that it has been given back.
    pub(crate) fn direct_ticket(&self) -> (AckTicket, oneshot::Receiver<()>) {
        let (safe, told) = oneshot::channel();
        let mut direct = lock(&self.shared.direct);
        let index = direct.next;
        direct.next += 1;
        direct.waiting.insert(index, safe);
        (AckTicket { epoch: DIRECT, index }, told)
    }

    /// Tells everything that waits at the door that nobody is left to make it safe.
    pub(super) fn shut(&self) {
        lock(&self.shared.direct).waiting.clear();
    }

    /// Waits until tickets have been given back.
    pub(super) async fn given_back(&self) {
        self.shared.wake.notified().await;
    }

    /// Takes the tickets given back so far, leaving `spare`'s memory in their place.
    pub(super) fn take(&self, spare: &mut Vec<AckTicket>) {
        spare.clear();
        mem::swap(&mut *lock(&self.shared.given_back), spare);
    }
}

/// A panic cannot leave these collections half changed.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The unacknowledged messages of one connection, in the order of receipt.
#[derive(Debug)]
pub(super) struct Outstanding {
    epoch: u32,
    /// Index of the front of `waiting`.
    first: u64,
    /// Packet identifier, and whether its ticket has come back.
    waiting: VecDeque<(u16, bool)>,
}

impl Outstanding {
    pub(super) fn new(epoch: u32) -> Self {
        Self {
            epoch,
            first: 0,
            waiting: VecDeque::new(),
        }
    }

    /// A QoS 1 message came in.
    pub(super) fn admit(&mut self, packet_id: u16) -> AckTicket {
        let index = self.first + self.waiting.len() as u64;
        self.waiting.push_back((packet_id, false));
        AckTicket {
            epoch: self.epoch,
            index,
        }
    }

    /// Takes tickets back; returns how many belonged to this connection.
    pub(super) fn settle(&mut self, tickets: &[AckTicket]) -> usize {
        let mut ours = 0;
        for ticket in tickets.iter().filter(|ticket| ticket.epoch == self.epoch) {
            let offset = ticket.index.checked_sub(self.first).map(usize::try_from);
            if let Some(Ok(offset)) = offset
                && let Some((_, settled)) = self.waiting.get_mut(offset)
            {
                *settled = true;
                ours += 1;
            }
        }
        ours
    }

    /// The next packet identifier that may be acknowledged.
    pub(super) fn pop_settled(&mut self) -> Option<u16> {
        let (packet_id, settled) = *self.waiting.front()?;
        if !settled {
            return None;
        }
        self.waiting.pop_front();
        self.first += 1;
        Some(packet_id)
    }

    pub(super) fn len(&self) -> usize {
        self.waiting.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settled(outstanding: &mut Outstanding) -> Vec<u16> {
        std::iter::from_fn(|| outstanding.pop_settled()).collect()
    }

    #[test]
    fn acknowledgements_leave_in_the_order_of_receipt() {
        let mut outstanding = Outstanding::new(1);
        let tickets = [10, 11, 12, 13].map(|id| outstanding.admit(id));
        assert_eq!(outstanding.settle(&[tickets[2], tickets[1]]), 2);
        assert!(settled(&mut outstanding).is_empty());
        outstanding.settle(&[tickets[0]]);
        assert_eq!(settled(&mut outstanding), [10, 11, 12]);
        assert_eq!(outstanding.len(), 1);
        outstanding.settle(&[tickets[3]]);
        assert_eq!(settled(&mut outstanding), [13]);
    }

    #[test]
    fn a_ticket_of_a_lost_connection_settles_nothing() {
        let old = Outstanding::new(1).admit(7);
        let mut outstanding = Outstanding::new(2);
        outstanding.admit(7);
        assert_eq!(outstanding.settle(&[old]), 0);
        assert!(settled(&mut outstanding).is_empty());
    }

    #[test]
    fn a_ticket_given_back_twice_counts_once() {
        let mut outstanding = Outstanding::new(1);
        let first = outstanding.admit(7);
        outstanding.admit(7);
        outstanding.settle(&[first]);
        assert_eq!(settled(&mut outstanding), [7]);
        assert_eq!(outstanding.settle(&[first]), 0);
        assert!(settled(&mut outstanding).is_empty());
    }

    #[tokio::test]
    async fn a_batch_given_back_before_anybody_waits_is_not_missed() {
        let acker = Acker::default();
        let mut outstanding = Outstanding::new(1);
        acker.ack([outstanding.admit(1), outstanding.admit(2)]);
        acker.given_back().await;
        let mut tickets = Vec::new();
        acker.take(&mut tickets);
        assert_eq!(outstanding.settle(&tickets), 2);
    }
}
