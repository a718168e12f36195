//! What the session counts, for whoever exports it.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// Counts since the start of the process. All are monotonic but `connected`.
#[derive(Debug, Default)]
pub(crate) struct SessionCounters {
    /// Whether the broker has us.
    pub(crate) connected: AtomicBool,
    /// Connections that the broker accepted.
    pub(crate) connections: AtomicU64,
    /// Messages read from the network, of every QoS.
    pub(crate) received: AtomicU64,
    /// Bytes of their payloads.
    pub(crate) received_bytes: AtomicU64,
    /// PUBACKs written.
    pub(crate) acknowledged: AtomicU64,
    /// Tickets given back after their connection was lost; the broker sends those messages again.
    pub(crate) stale_tickets: AtomicU64,
    /// QoS 0 messages dropped because the Ward was behind.
    pub(crate) dropped_qos0: AtomicU64,
    /// Messages skipped because they were too large or malformed.
    pub(crate) skipped: AtomicU64,
    /// Our own messages written.
    pub(crate) published: AtomicU64,
    /// Our own messages that the broker refused or that could not be encoded.
    pub(crate) publish_refused: AtomicU64,
}

impl SessionCounters {
    pub(super) fn add(counter: &AtomicU64, amount: usize) {
        counter.fetch_add(amount as u64, Ordering::Relaxed);
    }

    pub(super) fn set_connected(&self, connected: bool) {
        self.connected.store(connected, Ordering::Relaxed);
    }
}
