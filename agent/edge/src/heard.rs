//! Messages that were judged live and are not on record: what the Ward's thread knows of them while the journal cannot
//! commit, and after.
//!
//! The Ward calls the copy that comes later a duplicate. It is recorded all the same, or the broker would be told that a
//! message is safe which no disk holds.

use std::collections::HashMap;
use std::time::Duration;

use wardlight_core::ids::DeviceId;
use wardlight_core::message::{Body, Message};
use wardlight_core::time::Timestamp;

/// A copy that comes within this time after its message was heard live is on time.
const ON_TIME: Duration = Duration::from_secs(1);
/// Both feeds bring messages in the order of the broker, give or take this much.
const SAME_ORDER: Duration = Duration::from_secs(10);
/// Devices watched for how far their copies are behind. More only mean that the live feed may end too early.
const MAX_DEVICES: usize = 16_384;

/// Which message of a device: its start, and its number in it.
pub(crate) type Number = (Option<u32>, u32);

/// See the [module](self).
#[derive(Debug)]
pub(crate) struct HeardLive {
    /// When the last message was judged live.
    last: Option<Timestamp>,
    /// Copies may come for this long.
    owed_for: Duration,
    behind: HashMap<DeviceId, Behind>,
    /// When the newest message whose copy has come was heard live.
    reached: Timestamp,
}

/// A device of which more was heard live than came as copies.
#[derive(Debug)]
struct Behind {
    number: Number,
    /// Since when this has been so.
    since: Timestamp,
    /// When that number was heard.
    heard_at: Timestamp,
}

impl HeardLive {
    /// Goes on from a checkpoint, in which the last message was judged live at that time. A broker may bring the copies for
    /// as long as it keeps our session.
    pub(crate) fn restored(last: Option<Timestamp>, session_expiry: Duration) -> Self {
        Self {
            last,
            owed_for: session_expiry,
            behind: HashMap::new(),
            reached: Timestamp::default(),
        }
    }

    /// When the last message was judged live, for a checkpoint of the state that it led to.
    pub(crate) const fn last(&self) -> Option<Timestamp> {
        self.last
    }

    /// A message that had not been seen before was judged live.
    pub(crate) fn judged(&mut self, device: &DeviceId, number: Option<Number>, now: Timestamp) {
        self.last = Some(now);
        let Some(number) = number else { return };
        if self.behind.len() >= MAX_DEVICES && !self.behind.contains_key(device) {
            return;
        }
        let behind = self.behind.entry(device.clone()).or_insert(Behind {
            number,
            since: now,
            heard_at: now,
        });
        behind.number = number;
        behind.heard_at = now;
    }

    /// A message came that is recorded and acknowledged.
    pub(crate) fn came(&mut self, device: &DeviceId, number: Option<Number>) {
        let (Some(behind), Some((boot, seq))) = (self.behind.get(device), number) else {
            return;
        };
        let (newest_boot, newest_seq) = behind.number;
        if boot == newest_boot && seq >= newest_seq {
            self.reached = self.reached.max(behind.heard_at);
            self.behind.remove(device);
        }
    }

    /// Whether a message that has been seen before may still have to be recorded.
    pub(crate) fn owes_records(&self, now: Timestamp) -> bool {
        self.last.is_some_and(|last| now.since(last) < self.owed_for)
    }

    /// Whether the copies are so far behind that alarms would wait for those before them.
    pub(crate) fn is_behind(&mut self, now: Timestamp) -> bool {
        // What the broker passed over for good never comes: later messages have come instead.
        let passed_over = |behind: &Behind| behind.heard_at.plus(SAME_ORDER) < self.reached;
        self.behind.retain(|_, behind| !passed_over(behind));
        self.behind.values().any(|behind| now.since(behind.since) > ON_TIME)
    }
}

/// The number of a message; only what is numbered by one counter for the whole device, and never retained.
pub(crate) fn number(message: &Message) -> Option<Number> {
    match message.body {
        Body::Numerics(_) | Body::Alarm(_) | Body::Event(_) => message.seq.map(|seq| (message.boot, seq)),
        Body::Birth(_) | Body::State { .. } | Body::Wave(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WEEK: Duration = Duration::from_hours(7 * 24);

    fn at(s: i64) -> Timestamp {
        Timestamp::from_millis(s * 1000)
    }

    fn device(name: &str) -> DeviceId {
        DeviceId::new(name).unwrap()
    }

    #[test]
    fn duplicates_are_recorded_for_as_long_as_a_copy_may_come_also_after_a_restart() {
        let mut heard = HeardLive::restored(None, WEEK);
        assert!(!heard.owes_records(at(0)));
        heard.judged(&device("a"), None, at(10));
        assert!(heard.owes_records(at(11)));
        let heard = HeardLive::restored(heard.last(), WEEK);
        assert!(heard.owes_records(at(10 + 7 * 86_400 - 1)));
        assert!(!heard.owes_records(at(10 + 7 * 86_400)));
    }

    #[test]
    fn copies_have_caught_up_when_every_device_got_the_newest_one_in_time() {
        let mut heard = HeardLive::restored(None, WEEK);
        let (a, b) = (device("a"), device("b"));
        for s in 0..100 {
            heard.judged(&a, Some((Some(1), s)), at(i64::from(s)));
            heard.judged(&b, Some((Some(1), s)), at(i64::from(s)));
        }
        assert!(heard.is_behind(at(100)));
        for s in 0..100 {
            heard.came(&a, Some((Some(1), s)));
        }
        assert!(heard.is_behind(at(100)), "the other device waits");
        heard.came(&b, Some((Some(1), 98)));
        assert!(heard.is_behind(at(100)));
        heard.came(&b, Some((Some(1), 99)));
        assert!(!heard.is_behind(at(100)));
        heard.judged(&b, Some((Some(1), 100)), at(100));
        assert!(!heard.is_behind(at(101)), "its copy is on the way");
        assert!(heard.is_behind(at(102)));
    }

    #[test]
    fn what_the_broker_dropped_is_not_waited_for_once_later_messages_have_come() {
        let mut heard = HeardLive::restored(None, WEEK);
        let (gone, there) = (device("gone"), device("there"));
        heard.judged(&gone, Some((Some(1), 7)), at(0));
        heard.judged(&there, Some((Some(1), 1)), at(10));
        heard.came(&there, Some((Some(1), 1)));
        assert!(heard.is_behind(at(100)), "ten seconds are within the order of the two feeds");
        heard.judged(&there, Some((Some(1), 2)), at(11));
        heard.came(&there, Some((Some(1), 2)));
        assert!(!heard.is_behind(at(100)));
    }

    #[test]
    fn an_earlier_start_of_the_device_is_not_the_newest_copy() {
        let mut heard = HeardLive::restored(None, WEEK);
        let device = device("a");
        heard.judged(&device, Some((Some(2), 1)), at(0));
        heard.came(&device, Some((Some(1), 500)));
        assert!(heard.is_behind(at(10)));
        heard.came(&device, Some((Some(2), 1)));
        assert!(!heard.is_behind(at(10)));
    }
}
