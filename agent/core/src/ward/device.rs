//! One device: its numbers, its clock, its state.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::clock::DeviceClock;
use super::sequence::{Arrival, Seen};
use crate::codes;
use crate::ids::{BedId, DeviceId};
use crate::message::{Birth, Body, Message};
use crate::time::Timestamp;
use crate::view::DeviceView;

/// A device is live while something came within this time.
const LIVE_FOR: Duration = Duration::from_secs(10);
/// A device that started anew owes a birth within this time.
const BIRTH_WITHIN: Duration = Duration::from_secs(5);

/// An unknown start that spoke up to so long before the newest did is an earlier one, held back on the way. One that spoke longer
/// before is new, and its clock began anew: devices store less.
const HELD_BACK: Duration = Duration::from_hours(1);
/// Starts remembered. What a broker held back may be of several, and may come after a word of the newest; of a start before these
/// a copy would be taken for a new message.
const BOOTS: usize = 8;

/// Battery in percent at which the nurse is told (product choice; *ratify*).
const LOW_BATTERY_PERCENT: u8 = 20;

/// What the Ward knows of a device.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Device {
    pub(crate) bed: Option<BedId>,
    pub(crate) model: String,
    pub(crate) online: Option<bool>,
    pub(crate) last_received_at: Option<Timestamp>,
    /// When values last came, on the device's own clock: the onset of "no data".
    pub(crate) last_sent_at: Timestamp,
    pub(crate) battery_percent: Option<u8>,
    /// Since when, by its own clock, its battery is low.
    pub(crate) battery_low_since: Option<Timestamp>,
    /// Since when, by its own clock, it is in demo mode.
    pub(crate) demo_since: Option<Timestamp>,
    pub(crate) clock: DeviceClock,
    /// Since when, by itself, its clock is wrong.
    pub(crate) skewed_since: Option<Timestamp>,
    pub(crate) missed: u64,
    /// How often it sends numerics: from its birth, else once a second.
    interval_ms: Option<u32>,
    birth_owed_since: Option<Timestamp>,
    /// The starts of the device, the newest first, at most [`BOOTS`].
    boots: Vec<Boot>,
}

/// Numbers of one start of a device, per topic that carries QoS 1 numbers. Messages without a start belong to the newest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Boot {
    id: Option<u32>,
    /// Device clock: the earliest message of it.
    since: Timestamp,
    streams: [Seen; 3],
    /// Numbers of births and states. The broker keeps and repeats these, so they fill gaps and never begin one.
    kept: Seen,
}

/// How a message stands to those before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// Not seen before; this many numbers before it are missing.
    New {
        /// How many.
        missed: u32,
        /// Whether it is the first of a new start of a known device.
        restarted: bool,
    },
    /// Seen before.
    Duplicate,
}

impl Device {
    /// Notes boot and sequence number.
    pub(crate) fn note_number(&mut self, message: &Message, now: Timestamp) -> Standing {
        let (at, restarted) = self.note_boot(message.boot, message.sent_at, now);
        if matches!(message.body, Body::Birth(_)) {
            self.birth_owed_since = None;
        }
        let (Some(seq), Some(boot)) = (message.seq, self.boots.get_mut(at)) else {
            return Standing::New { missed: 0, restarted };
        };
        if matches!(message.body, Body::Birth(_) | Body::State { .. }) {
            if boot.kept.note(seq) != Arrival::Duplicate && boot.spans(seq) {
                self.missed = self.missed.saturating_sub(1);
            }
            return Standing::New { missed: 0, restarted };
        }
        let Some(stream) = stream(&message.body) else {
            return Standing::New { missed: 0, restarted };
        };
        let last = boot.last_seen();
        let Some(seen) = boot.streams.get_mut(stream) else {
            return Standing::New { missed: 0, restarted };
        };
        if seen.note(seq) == Arrival::Duplicate {
            return Standing::Duplicate;
        }
        // The streams, births and states share one counter: a number is missing if none of them brought it.
        let missed = match last {
            Some(last) if seq > last => (seq - last - 1).saturating_sub(boot.kept.between(last, seq)),
            Some(_) => {
                self.missed = self.missed.saturating_sub(1);
                0
            }
            None => 0,
        };
        self.missed += u64::from(missed);
        Standing::New { missed, restarted }
    }

    /// Whether the device started anew and has not described itself in time; asked once per start.
    pub(crate) fn take_overdue_birth(&mut self, now: Timestamp) -> bool {
        let overdue = self.birth_owed_since.is_some_and(|since| now.since(since) >= BIRTH_WITHIN);
        if overdue {
            self.birth_owed_since = None;
        }
        overdue
    }

    /// Notes the battery.
    pub(crate) fn note_battery(&mut self, percent: u8, sent_at: Timestamp) {
        self.battery_percent = Some(percent);
        hold(&mut self.battery_low_since, percent <= LOW_BATTERY_PERCENT, sent_at);
    }

    /// Notes whether the device is in demo mode.
    pub(crate) fn note_demo(&mut self, on: bool, sent_at: Timestamp) {
        hold(&mut self.demo_since, on, sent_at);
    }

    /// Notes the time of a live message.
    pub(crate) fn note_clock(&mut self, sent_at: Timestamp, received_at: Timestamp) {
        self.clock.note(sent_at, received_at);
        hold(&mut self.skewed_since, self.clock.is_wrong(), sent_at);
    }

    /// Takes over what the device says of itself.
    pub(crate) fn describe(&mut self, birth: &Birth) {
        self.model.clone_from(&birth.model);
        let slow = |rate: f32| (rate > 0.0 && rate < 1.0).then(|| (1000.0 / rate).min(3_600_000.0) as u32);
        let numerics = birth.channels.iter().filter(|c| codes::numeric(c.code).is_some());
        self.interval_ms = numerics.filter_map(|c| c.rate_hz.and_then(slow)).min();
    }

    /// How often it sends numerics.
    pub(crate) fn interval(&self) -> Duration {
        Duration::from_millis(u64::from(self.interval_ms.unwrap_or(1000)))
    }

    /// Whether something came within the last ten seconds, or three of its intervals.
    pub(crate) fn is_live(&self, now: Timestamp) -> bool {
        self.last_received_at
            .is_some_and(|at| now.since(at) < LIVE_FOR.max(self.interval() * 3))
    }

    pub(crate) fn view(&self, id: &DeviceId, now: Timestamp) -> DeviceView {
        DeviceView {
            device: id.clone(),
            model: self.model.clone(),
            bed: self.bed.clone(),
            live: self.is_live(now),
            online: self.online,
            last_received_at: self.last_received_at,
            battery_percent: self.battery_percent,
            demo: self.demo_since.is_some(),
            skew_ms: self.clock.skew_ms(),
            missed: self.missed,
        }
    }

    /// The place of the message's start among those remembered, and whether a known device started anew by it. A start that is not
    /// known is an earlier one if it spoke, by the device's clock, a little before the newest did.
    fn note_boot(&mut self, id: Option<u32>, sent_at: Timestamp, now: Timestamp) -> (usize, bool) {
        let place = match id {
            Some(_) => self.boots.iter().position(|boot| boot.id == id),
            None => (!self.boots.is_empty()).then_some(0),
        };
        if let Some((at, boot)) = place.and_then(|at| Some((at, self.boots.get_mut(at)?))) {
            boot.since = boot.since.min(sent_at);
            return (at, false);
        }
        let known = self.boots.iter().any(|boot| boot.id.is_some());
        let at = self.place_of_new(sent_at);
        let new = Boot {
            id,
            since: sent_at,
            streams: <[Seen; 3]>::default(),
            kept: Seen::default(),
        };
        self.boots.insert(at, new);
        self.boots.truncate(BOOTS);
        let newest = at == 0 && id.is_some();
        if newest {
            self.birth_owed_since = Some(now);
        }
        (at, newest && known)
    }

    /// Where a start belongs that is not known and spoke then.
    fn place_of_new(&self, sent_at: Timestamp) -> usize {
        let Some(newest) = self.boots.first() else { return 0 };
        if sent_at.plus(HELD_BACK) < newest.since {
            return 0;
        }
        let older = self.boots.iter().position(|boot| boot.since <= sent_at);
        older.unwrap_or(self.boots.len()).min(BOOTS - 1)
    }
}

impl Boot {
    fn last_seen(&self) -> Option<u32> {
        self.streams.iter().filter_map(Seen::last).max()
    }

    /// Whether the number lies between those of two messages that came: if it was missing, it was counted.
    fn spans(&self, seq: u32) -> bool {
        let first = self.streams.iter().filter_map(Seen::first).min();
        first.is_some_and(|first| first < seq) && self.last_seen().is_some_and(|last| seq < last)
    }
}

/// Keeps the beginning of a condition while it lasts.
fn hold(since: &mut Option<Timestamp>, present: bool, at: Timestamp) {
    *since = present.then(|| since.unwrap_or(at));
}

/// Which numbered topic a message came on; wave blocks are QoS 0 and numbered apart, births and states are repeated.
const fn stream(body: &Body) -> Option<usize> {
    match body {
        Body::Numerics(_) => Some(0),
        Body::Alarm(_) => Some(1),
        Body::Event(_) => Some(2),
        Body::Birth(_) | Body::State { .. } | Body::Wave(_) => None,
    }
}
