//! A recorded period once more: as it was, which must give the same alarms bit for bit, or with other limits.
//!
//! The Ward is rebuilt from every command since the journal's beginning and every other input from [`WARM_UP`] before the
//! period on. Nothing here touches the running Ward.

mod changes;
pub(crate) mod cli;
mod compare;

use std::time::Duration;

use wardlight_core::event::{AlarmChange, Command, Effect, Event, Order};
use wardlight_core::time::Timestamp;
use wardlight_core::ward::{Ward, WardConfig};
use wardlight_journal::{Filter, JournalError, Kind, Reader, Stored as StoredEntry};

pub(crate) use changes::Changes;
pub(crate) use compare::{Comparison, compare};

use crate::record::Stored;
use crate::restore::input;
use crate::ticks;

/// Inputs before the period that bring the Ward to where it was: values, delays, standing alarms.
const WARM_UP: Duration = Duration::from_hours(1);
/// Refused changes that are named.
const MOST_REFUSALS: usize = 16;

/// From one time up to, not including, another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Period {
    pub(crate) from: Timestamp,
    pub(crate) until: Timestamp,
}

/// What a replay gave.
#[derive(Debug, Default)]
pub(crate) struct Replayed {
    /// Alarm changes of the period.
    pub(crate) changes: Vec<AlarmChange>,
    /// Time with a patient in bed, over all beds.
    pub(crate) bed_ms: i64,
    /// Inputs stepped.
    pub(crate) inputs: u64,
    /// Entries that could not be read.
    pub(crate) unreadable: u64,
    /// Changes that the Ward refused, each once.
    pub(crate) refused: Vec<String>,
}

/// When the journal's inputs begin and end; `None` if it has none.
/// # Errors
/// [`JournalError`] if it cannot be read.
pub(crate) fn extent(reader: &mut Reader) -> Result<Option<Period>, JournalError> {
    let mut extent: Option<Period> = None;
    for item in reader.entries(0, inputs(i64::MIN)) {
        let Some(stored) = readable(item)? else { continue };
        let at = Timestamp::from_millis(stored.entry.at_ms);
        let until = at.plus(Duration::from_millis(1));
        extent = Some(extent.map_or(Period { from: at, until }, |known| Period { until, ..known }));
    }
    Ok(extent)
}

/// Steps a fresh Ward through the record.
/// # Errors
/// [`JournalError`] if the journal cannot be read at all; damaged entries are skipped and counted.
pub(crate) fn replay(
    reader: &mut Reader,
    config: WardConfig,
    period: Period,
    changes: &Changes,
) -> Result<Replayed, JournalError> {
    let mut run = Run {
        ward: Ward::new(config),
        period,
        changes,
        effects: Vec::new(),
        result: Replayed::default(),
    };
    let warm_from = period.from.minus(WARM_UP).as_millis();
    let commands = Filter {
        until_ms: warm_from,
        ..Filter::of_kinds(&[Kind::Command])
    };
    run.through(reader, commands)?;
    let rest = Filter {
        until_ms: period.until.as_millis(),
        ..inputs(warm_from)
    };
    run.through(reader, rest)?;
    Ok(run.result)
}

/// The alarm changes of the period as they were recorded.
/// # Errors
/// [`JournalError`] if the journal cannot be read at all.
pub(crate) fn recorded(reader: &mut Reader, period: Period) -> Result<Vec<AlarmChange>, JournalError> {
    let filter = Filter {
        from_ms: period.from.as_millis(),
        until_ms: period.until.as_millis(),
        ..Filter::of_kinds(&[Kind::Alarm])
    };
    let mut changes = Vec::new();
    for item in reader.entries(0, filter) {
        let Some(stored) = readable(item)? else { continue };
        if let Ok(Stored::Alarm(change)) = Stored::read(&stored.entry.body) {
            changes.push(change);
        }
    }
    Ok(changes)
}

/// A damaged entry costs only itself.
fn readable(item: Result<StoredEntry, JournalError>) -> Result<Option<StoredEntry>, JournalError> {
    match item {
        Ok(stored) => Ok(Some(stored)),
        Err(JournalError::Damaged(_)) => Ok(None),
        Err(error) => Err(error),
    }
}

fn inputs(from_ms: i64) -> Filter {
    Filter {
        from_ms,
        ..Filter::of_kinds(&[Kind::Message, Kind::Command, Kind::Score, Kind::Restart])
    }
}

struct Run<'a> {
    ward: Ward,
    period: Period,
    changes: &'a Changes,
    effects: Vec<Effect>,
    result: Replayed,
}

impl Run<'_> {
    fn through(&mut self, reader: &mut Reader, filter: Filter) -> Result<(), JournalError> {
        for item in reader.entries(0, filter) {
            let Some(stored) = readable(item)? else {
                self.result.unreadable += 1;
                continue;
            };
            let at = Timestamp::from_millis(stored.entry.at_ms);
            match input(&stored.entry.body, at) {
                Some(event) if self.changes.replaces(&event) => {}
                Some(event) => self.step(event, at),
                None => self.result.unreadable += 1,
            }
        }
        Ok(())
    }

    fn step(&mut self, event: Event, at: Timestamp) {
        let admitted = match &event {
            Event::Order(order) => match &order.command {
                Command::Admit { bed, .. } | Command::Transfer { to: bed, .. } | Command::ResetLimits { bed } => {
                    Some(bed.clone())
                }
                _ => None,
            },
            _ => None,
        };
        self.count_bed_time(at);
        ticks::run_before(&mut self.ward, &event, at, &mut self.effects);
        self.ward.step(event, at, &mut self.effects);
        self.result.inputs += 1;
        if let Some(bed) = admitted {
            for order in self.changes.orders(&bed, &self.ward) {
                self.order(order, at);
            }
        }
        self.take_effects();
    }

    /// Orders a change. A recorded order may be refused, because what it was about is not there any more; this one may not.
    fn order(&mut self, order: Order, at: Timestamp) {
        let before = self.effects.len();
        self.ward.step(Event::Order(order), at, &mut self.effects);
        let refusals = self.effects.iter().skip(before).filter_map(|effect| match effect {
            Effect::Refused(refusal) => Some(refusal.to_string()),
            _ => None,
        });
        for said in refusals {
            if !self.result.refused.contains(&said) && self.result.refused.len() < MOST_REFUSALS {
                self.result.refused.push(said);
            }
        }
    }

    fn count_bed_time(&mut self, at: Timestamp) {
        let within = |t: Timestamp| t.max(self.period.from).min(self.period.until);
        let passed = within(at).millis_after(within(self.ward.now()));
        self.result.bed_ms += passed.max(0) * i64::try_from(self.ward.occupied()).unwrap_or(0);
    }

    fn take_effects(&mut self) {
        for effect in self.effects.drain(..) {
            match effect {
                Effect::Alarm(change) if change.changed_at >= self.period.from && change.changed_at < self.period.until => {
                    self.result.changes.push(change);
                }
                _ => {}
            }
        }
    }
}
