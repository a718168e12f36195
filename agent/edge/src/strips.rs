//! Waveforms around alarms: the last seconds of every bed are held in memory and kept when an alarm begins.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use bytes::Bytes;
use wardlight_core::ids::{BedId, StayToken};
use wardlight_core::time::Timestamp;
use wardlight_journal::{Entry, Kind};

use crate::record::{RawMessage, Stored};

/// Kept from before an alarm and after it.
const STRIP: Duration = Duration::from_secs(10);
/// Bytes held per bed at most; the oldest block goes first.
const MAX_HELD: usize = 256 * 1024;

/// One block as it came.
#[derive(Debug)]
struct Block {
    received_at: Timestamp,
    topic: String,
    payload: Bytes,
}

impl Block {
    fn entry(&self, stay: StayToken) -> Entry {
        let raw = RawMessage {
            topic: &self.topic,
            content_type: None,
            payload: &self.payload,
        };
        Stored::Message(raw).entry(Kind::Strip, Some(stay), self.received_at)
    }
}

#[derive(Debug, Default)]
struct Held {
    blocks: VecDeque<Block>,
    bytes: usize,
    keep_until: Timestamp,
}

/// The last seconds of waveform of each bed.
#[derive(Debug, Default)]
pub(crate) struct Strips {
    /// Keep everything, not only around alarms.
    keep_all: bool,
    beds: HashMap<BedId, Held>,
}

impl Strips {
    /// Keeps strips around alarms, or everything.
    pub(crate) fn new(keep_all: bool) -> Self {
        Self {
            keep_all,
            beds: HashMap::new(),
        }
    }

    /// Takes a block; returns what of it is to be journaled.
    pub(crate) fn take(&mut self, bed: &BedId, stay: StayToken, topic: String, payload: Bytes, now: Timestamp) -> Option<Entry> {
        let held = self.beds.entry(bed.clone()).or_default();
        let block = Block {
            received_at: now,
            topic,
            payload,
        };
        if self.keep_all || now < held.keep_until {
            return Some(block.entry(stay));
        }
        held.bytes += block.payload.len();
        held.blocks.push_back(block);
        while held.bytes > MAX_HELD || held.blocks.front().is_some_and(|b| now.since(b.received_at) > STRIP) {
            let Some(old) = held.blocks.pop_front() else { break };
            held.bytes -= old.payload.len();
        }
        None
    }

    /// An alarm began: returns what was held, and keeps what comes in the next seconds.
    pub(crate) fn keep(&mut self, bed: &BedId, stay: StayToken, now: Timestamp) -> Vec<Entry> {
        let Some(held) = self.beds.get_mut(bed) else {
            return Vec::new();
        };
        held.keep_until = now.plus(STRIP);
        held.bytes = 0;
        held.blocks.drain(..).map(|block| block.entry(stay)).collect()
    }

    /// The bed has another patient, or none: nothing of the last one is held.
    pub(crate) fn forget(&mut self, bed: &BedId) {
        self.beds.remove(bed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STAY: StayToken = StayToken::from_bytes([1; 16]);

    fn at(s: i64) -> Timestamp {
        Timestamp::from_millis(s * 1000)
    }

    fn take(strips: &mut Strips, s: i64) -> Option<Entry> {
        strips.take(
            &BedId::new("B1").unwrap(),
            STAY,
            "t".into(),
            Bytes::from_static(&[0; 100]),
            at(s),
        )
    }

    #[test]
    fn ten_seconds_before_an_alarm_and_ten_after_are_kept() {
        let mut strips = Strips::default();
        let bed = BedId::new("B1").unwrap();
        assert!((0..30).all(|s| take(&mut strips, s).is_none()));
        let before: Vec<_> = strips.keep(&bed, STAY, at(29)).iter().map(|e| e.at_ms / 1000).collect();
        assert_eq!(before, (19..30).collect::<Vec<_>>());
        let after = (30..60).filter(|s| take(&mut strips, *s).is_some()).count();
        assert_eq!(after, 9, "seconds 30 to 38");
    }

    #[test]
    fn memory_is_bounded_whatever_is_sent() {
        let mut strips = Strips::default();
        let bed = BedId::new("B1").unwrap();
        for _ in 0..100 {
            strips.take(&bed, STAY, "t".into(), Bytes::from(vec![0; 64 * 1024]), at(1));
        }
        assert!(strips.keep(&bed, STAY, at(1)).len() <= 4);
    }
}
