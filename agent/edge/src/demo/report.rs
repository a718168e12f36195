//! What was expected, what was alarmed, what was lost, and how long it took.

use std::collections::BTreeSet;
use std::fmt;
use std::path::Path;
use std::sync::atomic::Ordering;

use serde::Serialize;
use wardlight_core::ids::BedId;
use wardlight_core::message::Body;
use wardlight_core::time::Timestamp;
use wardlight_journal::{Filter, Kind, Reader, SiteKey};
use wardlight_simulator::mqtt::Counters;
use wardlight_simulator::ward::ExpectedAlarm;

use super::Change;
use crate::record::Stored;

/// What the demo saw.
pub(super) struct Seen {
    pub(super) changes: Vec<Change>,
    pub(super) expected: Vec<ExpectedAlarm>,
    pub(super) recorded: Vec<BedId>,
    pub(super) ended_at: Timestamp,
}

/// The report.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    /// Alarms that the script demands, as far as their time came.
    expected_alarms: Vec<Expected>,
    /// Alarms raised.
    alarms: Vec<Raised>,
    /// Expected and not raised in time.
    missed: Vec<Expected>,
    /// Raised and neither demanded nor allowed by the script. Beds that play a recording are not judged.
    unexpected: Vec<Raised>,
    messages: Messages,
    /// From the arrival of the message that led to an alarm (at the embedded broker, or from the other one) to the alarm's
    /// frame on the page's WebSocket. The simulated devices' own clocks are off on purpose, so they cannot measure.
    latency_ms: Option<Latency>,
}

#[derive(Clone, Debug, Serialize)]
struct Expected {
    bed: String,
    kind: String,
    from: i64,
    by: i64,
}

#[derive(Clone, Debug, Serialize)]
struct Raised {
    bed: String,
    kind: String,
    priority: String,
    #[serde(rename = "raised_at")]
    at: i64,
}

#[derive(Debug, Serialize)]
struct Messages {
    /// QoS 1 messages handed to the network.
    published: u64,
    /// Of those, confirmed by the broker to the device.
    acknowledged: u64,
    /// Messages in the journal, read back after the stop.
    journaled: u64,
    /// Confirmed, and neither in the journal nor recognised as a copy nor in quarantine.
    lost: u64,
    /// Waveform blocks (QoS 0), which are kept around alarms only.
    waves: u64,
    /// Copies that the faulty device of the script sent on purpose: recognised and not journaled again.
    duplicates: u64,
    /// Undecodable QoS 1 payloads in quarantine.
    quarantined: u64,
}

#[derive(Debug, Serialize)]
struct Latency {
    p50: f64,
    p99: f64,
    max: f64,
    count: usize,
}

/// What became of the messages that the agent took, after the stop.
pub(super) struct Taken {
    /// Messages in the journal, read back from disk.
    pub(super) journaled: u64,
    /// Copies recognised and dropped, as the agent counted them.
    pub(super) duplicates: u64,
    /// QoS 1 payloads refused and quarantined, as the agent counted them.
    pub(super) quarantined: u64,
}

impl Taken {
    pub(super) fn count(dir: &Path, key: &SiteKey, duplicates: u64, quarantined: u64) -> anyhow::Result<Self> {
        let mut reader = Reader::open(dir, key)?;
        let mut journaled = 0;
        for item in reader.entries(0, Filter::of_kinds(&[Kind::Message])) {
            let stored = item?;
            if let Ok(Stored::Message(raw)) = Stored::read(&stored.entry.body) {
                let at = Timestamp::from_millis(stored.entry.at_ms);
                let decoded = wardlight_wire::decode(raw.topic, raw.payload, raw.content_type, at);
                journaled += u64::from(decoded.is_ok_and(|d| !matches!(d.message.body, Body::Wave(_))));
            }
        }
        Ok(Self {
            journaled,
            duplicates,
            quarantined,
        })
    }
}

impl Report {
    pub(super) fn new(seen: &Seen, counters: &Counters, taken: &Taken) -> Self {
        let judged = |e: &&ExpectedAlarm| e.required && e.by <= seen.ended_at;
        let raised: Vec<&Change> = seen
            .changes
            .iter()
            .filter(|c| c.revision == 1 && c.state == "active")
            .collect();
        let in_time = |e: &ExpectedAlarm| {
            raised
                .iter()
                .any(|c| c.bed == e.bed && c.kind == e.kind && (e.from..=e.by).contains(&c.raised_at))
        };
        let missed = seen.expected.iter().filter(judged).filter(|e| !in_time(e));
        let allowed: BTreeSet<(&BedId, &str)> = seen.expected.iter().map(|e| (&e.bed, e.kind.as_str())).collect();
        let foreign = |c: &&&Change| !allowed.contains(&(&c.bed, c.kind.as_str())) && !seen.recorded.contains(&c.bed);
        Self {
            expected_alarms: seen.expected.iter().filter(judged).map(Expected::from).collect(),
            missed: missed.map(Expected::from).collect(),
            unexpected: raised.iter().filter(foreign).map(|c| Raised::from(*c)).collect(),
            messages: Messages::new(counters, taken),
            latency_ms: latency(&seen.changes),
            alarms: raised.into_iter().map(Raised::from).collect(),
        }
    }

    /// Whether every alarm that had to come came and nothing confirmed was lost.
    pub(super) fn passed(&self) -> bool {
        self.missed.is_empty() && self.messages.lost == 0
    }
}

impl Messages {
    fn new(counters: &Counters, taken: &Taken) -> Self {
        let acknowledged = counters.acknowledged.load(Ordering::Relaxed);
        Self {
            published: counters.published.load(Ordering::Relaxed),
            acknowledged,
            journaled: taken.journaled,
            lost: acknowledged.saturating_sub(taken.journaled + taken.duplicates + taken.quarantined),
            waves: counters.waves.load(Ordering::Relaxed),
            duplicates: taken.duplicates,
            quarantined: taken.quarantined,
        }
    }
}

/// Of the raises that a message led to; those of time (delays, silence) have no message to count from.
fn latency(changes: &[Change]) -> Option<Latency> {
    let measured = changes.iter().filter(|c| c.revision == 1 && !c.technical);
    let mut ms: Vec<i64> = measured
        .filter_map(|c| c.received_at.map(|at| c.arrived_at.millis_after(at)))
        .collect();
    ms.sort_unstable();
    let rank = |q: f64| {
        ms.get(((ms.len() as f64 * q).ceil() as usize).saturating_sub(1))
            .map(|v| *v as f64)
    };
    Some(Latency {
        p50: rank(0.50)?,
        p99: rank(0.99)?,
        max: rank(1.0)?,
        count: ms.len(),
    })
}

impl From<&ExpectedAlarm> for Expected {
    fn from(e: &ExpectedAlarm) -> Self {
        Self {
            bed: e.bed.to_string(),
            kind: e.kind.clone(),
            from: e.from.as_millis(),
            by: e.by.as_millis(),
        }
    }
}

impl From<&Change> for Raised {
    fn from(c: &Change) -> Self {
        Self {
            bed: c.bed.to_string(),
            kind: c.kind.clone(),
            priority: c.priority.clone(),
            at: c.raised_at.as_millis(),
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let in_time = self.expected_alarms.len() - self.missed.len();
        writeln!(
            f,
            "Alarms    {in_time} of {} expected raised in time, {} raised in all",
            self.expected_alarms.len(),
            self.alarms.len()
        )?;
        for e in &self.missed {
            writeln!(f, "  MISSED      {} {}", e.bed, e.kind)?;
        }
        for r in &self.unexpected {
            writeln!(f, "  unexpected  {} {} ({})", r.bed, r.kind, r.priority)?;
        }
        let m = &self.messages;
        writeln!(
            f,
            "Messages  {} published, {} acknowledged, {} in the journal, {} quarantined, {} copies dropped, {} LOST; {} waveform blocks",
            m.published, m.acknowledged, m.journaled, m.quarantined, m.duplicates, m.lost, m.waves
        )?;
        match &self.latency_ms {
            Some(l) => writeln!(
                f,
                "Latency   arrival → page: p50 {} ms, p99 {} ms, max {} ms over {} alarms",
                l.p50, l.p99, l.max, l.count
            ),
            None => writeln!(f, "Latency   no alarm to measure"),
        }
    }
}
