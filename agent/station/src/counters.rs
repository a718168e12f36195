//! What was discarded, refused or resent: for the agent's metrics.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// Counts since start, and how many pages are open now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Pages open now.
    pub pages: u64,
    /// Pages refused because too many were open.
    pub pages_refused: u64,
    /// Pages closed because they took nothing for too long.
    pub pages_stuck: u64,
    /// Times a page was too slow and got a fresh snapshot.
    pub resyncs: u64,
    /// Alarm and bed frames that such pages did not get one by one (the snapshot holds their outcome).
    pub live_frames_skipped: u64,
    /// Wave frames that slow pages did not get.
    pub wave_frames_dropped: u64,
    /// Frames from pages that made no sense.
    pub bad_frames: u64,
    /// Requests refused for a foreign origin or host name.
    pub foreign_requests: u64,
    /// Requests turned away because the agent's queue was full.
    pub commands_refused: u64,
    /// Display receipts dropped because the agent's queue was half full.
    pub receipts_dropped: u64,
}

/// The same, counted.
#[derive(Debug, Default)]
pub(crate) struct Counting {
    pub(crate) pages: AtomicU64,
    pub(crate) pages_refused: AtomicU64,
    pub(crate) pages_stuck: AtomicU64,
    pub(crate) resyncs: AtomicU64,
    pub(crate) live_frames_skipped: AtomicU64,
    pub(crate) wave_frames_dropped: AtomicU64,
    pub(crate) bad_frames: AtomicU64,
    pub(crate) foreign_requests: AtomicU64,
    pub(crate) commands_refused: AtomicU64,
    pub(crate) receipts_dropped: AtomicU64,
}

/// Adds one.
pub(crate) fn count(counter: &AtomicU64) {
    counter.fetch_add(1, Relaxed);
}

impl Counting {
    pub(crate) fn read(&self) -> Counters {
        Counters {
            pages: self.pages.load(Relaxed),
            pages_refused: self.pages_refused.load(Relaxed),
            pages_stuck: self.pages_stuck.load(Relaxed),
            resyncs: self.resyncs.load(Relaxed),
            live_frames_skipped: self.live_frames_skipped.load(Relaxed),
            wave_frames_dropped: self.wave_frames_dropped.load(Relaxed),
            bad_frames: self.bad_frames.load(Relaxed),
            foreign_requests: self.foreign_requests.load(Relaxed),
            commands_refused: self.commands_refused.load(Relaxed),
            receipts_dropped: self.receipts_dropped.load(Relaxed),
        }
    }
}
