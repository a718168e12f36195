//! From the journal to resources: each entry becomes what it says, in the order in which it was recorded.

use std::collections::HashSet;
use std::time::Duration;

use wardlight_core::ids::StayToken;
use wardlight_core::message::{Body, DeviceEvent, Message};
use wardlight_core::time::Timestamp;
use wardlight_core::vitals::Reading;
use wardlight_journal::{Filter, JournalError, Kind, Reader};
use wardlight_wire::fhir::{Mapping, Resource, measured};

use super::position::Position;
use super::thinning::Thinning;
use crate::config::{FhirConfig, JournalConfig};
use crate::keys;
use crate::record::{self, RawMessage, Stored};

/// Reads on where the last batch ended.
pub(super) struct Feed {
    journal: JournalConfig,
    mapping: Mapping,
    thinning: Thinning,
    kinds: Vec<Kind>,
    batch: usize,
    keep: Duration,
    /// Something could not be read, by a reader that may have held a key from before a rotation.
    doubtful: bool,
}

/// The next resources, and the position behind them.
#[derive(Debug, PartialEq)]
pub(super) struct Batch {
    pub(super) resources: Vec<Resource>,
    pub(super) upto: Position,
    /// When the oldest entry in it was recorded.
    pub(super) oldest: Option<Timestamp>,
    /// Entries that had waited for longer than anything is kept.
    pub(super) too_old: u64,
}

impl Feed {
    pub(super) fn new(journal: &JournalConfig, mapping: Mapping, config: &FhirConfig) -> Self {
        let mut kinds = vec![Kind::Message, Kind::Command, Kind::Score, Kind::Alarm, Kind::Trend];
        if config.strips {
            kinds.push(Kind::Strip);
        }
        Self {
            journal: journal.clone(),
            mapping,
            thinning: Thinning::new(config.interval),
            kinds,
            batch: config.batch,
            keep: config.keep,
            doubtful: false,
        }
    }

    /// Opened anew for each look: the site key may have been rotated since the last.
    fn reader(&self) -> anyhow::Result<Reader> {
        keys::reader(&self.journal)
    }

    /// The end of the journal: where an outlet that never ran begins. It looks back as far as anything is kept.
    /// # Errors
    /// From the journal.
    pub(super) fn end(&self, now: Timestamp) -> anyhow::Result<Position> {
        Ok(Position {
            seq: self.reader()?.newest()?,
            at_ms: now.minus(self.keep).as_millis(),
            ..Position::default()
        })
    }

    /// Notes what was before a position: who is in which bed, which device is in demo mode, and what was sent, so that an interval in which
    /// the agent restarted has one value and not two.
    /// # Errors
    /// From the journal.
    pub(super) fn recall(&mut self, position: &mut Position) -> anyhow::Result<()> {
        self.replay(position.seq, Filter::of_kinds(&[Kind::Command]), |_, stored, _, at| {
            if let Stored::Order(order) = stored {
                position.follow(&order.command, at);
            }
        })?;
        let from = Timestamp::from_millis(position.at_ms).minus(self.thinning.interval());
        let recent = Filter {
            from_ms: from.as_millis(),
            ..Filter::of_kinds(&[Kind::Message])
        };
        let upto = position.seq;
        self.replay(upto, recent, |thinning, stored, stay, at| {
            let Stored::Message(raw) = stored else { return };
            let Some(message) = decoded(&raw, at) else { return };
            match (&message.body, stay) {
                (Body::Event(DeviceEvent::Demo { on }), _) => position.note_demo(&message.device, *on),
                (Body::Numerics(readings), Some(stay)) => {
                    for one in measured(readings) {
                        thinning.takes(stay, &message.device, one.code(), message.sent_at);
                    }
                }
                _ => {}
            }
        })
    }

    /// Everything readable that fits, up to a position.
    fn replay(
        &mut self,
        upto: u64,
        filter: Filter,
        mut each: impl FnMut(&mut Thinning, Stored<'_>, Option<StayToken>, Timestamp),
    ) -> anyhow::Result<()> {
        for item in self.reader()?.entries(0, filter) {
            let entry = match item {
                Ok(stored) if stored.seq > upto => break,
                Ok(stored) => stored.entry,
                Err(JournalError::Damaged(_)) => continue,
                Err(error) => return Err(error.into()),
            };
            if let Ok(stored) = Stored::read(&entry.body) {
                each(
                    &mut self.thinning,
                    stored,
                    record::stay_of_key(entry.stay),
                    Timestamp::from_millis(entry.at_ms),
                );
            }
        }
        Ok(())
    }

    /// What comes behind a position: at least one batch of resources, or all there is.
    /// # Errors
    /// From the journal, if it cannot be read at all; what is damaged is passed over, as everywhere.
    pub(super) fn next(&mut self, position: &Position, now: Timestamp) -> anyhow::Result<Batch> {
        let oldest = now.minus(self.keep);
        self.thinning.forget(oldest);
        let mut batch = Batch {
            resources: Vec::new(),
            upto: position.clone(),
            oldest: None,
            too_old: 0,
        };
        let filter = Filter::of_kinds(&self.kinds);
        let mut reader = self.reader()?;
        for item in reader.entries(position.seq + 1, filter) {
            let stored = match item {
                Ok(stored) => stored,
                // A key may have been rotated while this reader was open. One that was opened since is believed.
                Err(JournalError::Damaged(_)) if !self.doubtful => {
                    self.doubtful = true;
                    batch.resources = newest_of_each(batch.resources);
                    return Ok(batch);
                }
                Err(JournalError::Damaged(damage)) => {
                    batch.upto.seq = batch.upto.seq.max(damage.last);
                    continue;
                }
                Err(error) => return Err(error.into()),
            };
            let at = Timestamp::from_millis(stored.entry.at_ms);
            batch.upto.seq = stored.seq;
            batch.upto.at_ms = stored.entry.at_ms;
            if at < oldest {
                batch.too_old += 1;
                if let Ok(Stored::Order(order)) = Stored::read(&stored.entry.body) {
                    batch.upto.follow(&order.command, at);
                }
                continue;
            }
            let source = Source {
                mapping: &self.mapping,
                thinning: &mut self.thinning,
                position: &mut batch.upto,
            };
            let made = source.resources(record::stay_of_key(stored.entry.stay), &stored.entry.body, at);
            if !made.is_empty() {
                batch.oldest = batch.oldest.or(Some(at));
                batch.resources.extend(made);
            }
            if batch.resources.len() >= self.batch {
                break;
            }
        }
        self.doubtful = false;
        batch.resources = newest_of_each(batch.resources);
        Ok(batch)
    }
}

/// Makes the resources of one entry.
struct Source<'a> {
    mapping: &'a Mapping,
    thinning: &'a mut Thinning,
    position: &'a mut Position,
}

impl Source<'_> {
    fn resources(mut self, stay: Option<StayToken>, body: &[u8], at: Timestamp) -> Vec<Resource> {
        match (Stored::read(body), stay) {
            (Ok(Stored::Message(raw)), stay) => decoded(&raw, at).map_or_else(Vec::new, |message| self.message(&message, stay)),
            (Ok(Stored::Order(order)), _) => {
                let changed = self.position.follow(&order.command, at);
                changed
                    .map(|occupancy| self.mapping.encounter(&occupancy))
                    .into_iter()
                    .collect()
            }
            (Ok(Stored::Score(score)), _) => vec![self.mapping.risk(&score)],
            (Ok(Stored::Alarm(change)), _) => self.mapping.flag(&change).into_iter().collect(),
            (Ok(Stored::News2(_, score)), Some(stay)) if self.thinning.takes_score(stay, &score, at) => {
                vec![self.mapping.news2(stay, at, &score)]
            }
            _ => Vec::new(),
        }
    }

    fn message(&mut self, message: &Message, stay: Option<StayToken>) -> Vec<Resource> {
        let device = &message.device;
        match (&message.body, stay) {
            (Body::Birth(birth), _) => self.mapping.device(device, birth),
            (Body::Event(DeviceEvent::Demo { on }), _) => {
                self.position.note_demo(device, *on);
                Vec::new()
            }
            // What a device in demo mode says is about nobody.
            _ if self.position.demo.contains(device) => Vec::new(),
            (Body::Numerics(readings), Some(stay)) => self.vital_signs(stay, message, readings),
            (Body::Wave(block), Some(stay)) => self.mapping.strip(stay, device, message.sent_at, block).into_iter().collect(),
            _ => Vec::new(),
        }
    }

    fn vital_signs(&mut self, stay: StayToken, message: &Message, readings: &[Reading]) -> Vec<Resource> {
        let (device, at) = (&message.device, message.sent_at);
        let mut all = measured(readings);
        all.retain(|one| self.thinning.takes(stay, device, one.code(), at));
        let observations = all.iter().filter_map(|one| self.mapping.vital_sign(stay, device, at, one));
        observations.collect()
    }
}

/// The message as it was decoded when it came.
fn decoded(raw: &RawMessage<'_>, at: Timestamp) -> Option<Message> {
    let decoded = wardlight_wire::decode(raw.topic, raw.payload, raw.content_type, at);
    decoded.ok().map(|decoded| decoded.message)
}

/// A batch may say one thing of a resource: the newest.
fn newest_of_each(resources: Vec<Resource>) -> Vec<Resource> {
    let mut seen = HashSet::new();
    let mut kept: Vec<Resource> = resources
        .into_iter()
        .rev()
        .filter(|one| seen.insert(one.id.clone()))
        .collect();
    kept.reverse();
    kept
}
