//! Store and forward: what a device keeps while it has no connection.

use std::collections::VecDeque;

use super::transmitter::Publication;

/// Messages kept while the link is down. When full, the oldest goes: the newest state matters most, and its number shows the gap.
const CAPACITY: usize = 600;
/// Stored messages sent with each live one after the link is back.
const BACKLOG_BATCH: usize = 20;

/// The link of one device.
#[derive(Clone, Debug)]
pub(super) struct Link {
    up: bool,
    stored: VecDeque<Publication>,
    dropped: u64,
}

impl Default for Link {
    fn default() -> Self {
        Self {
            up: true,
            stored: VecDeque::new(),
            dropped: 0,
        }
    }
}

impl Link {
    pub(super) const fn set(&mut self, up: bool) {
        self.up = up;
    }

    /// Messages that the full store let go.
    pub(super) const fn dropped(&self) -> u64 {
        self.dropped
    }

    /// Empties the store: a restart forgets what was kept in memory.
    pub(super) fn forget(&mut self) {
        self.dropped += self.stored.len() as u64;
        self.stored.clear();
    }

    /// Sends, or keeps what is of QoS 1; waves are not kept.
    pub(super) fn pass(&mut self, message: Publication, mut send: impl FnMut(Publication)) {
        if !self.up {
            if message.qos == 1 {
                self.store(message);
            }
            return;
        }
        for _ in 0..BACKLOG_BATCH {
            if let Some(stored) = self.stored.pop_front() {
                send(stored);
            }
        }
        // A live message does not overtake the backlog.
        if self.stored.is_empty() || message.qos == 0 {
            send(message);
        } else {
            self.store(message);
        }
    }

    fn store(&mut self, message: Publication) {
        if self.stored.len() >= CAPACITY {
            self.stored.pop_front();
            self.dropped += 1;
        }
        self.stored.push_back(message);
    }
}
