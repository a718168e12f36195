//! From the journal back to the Ward as it was: the newest checkpoint, then every input after it.

use wardlight_core::event::Event;
use wardlight_core::time::Timestamp;
use wardlight_core::ward::{Ward, WardConfig};
use wardlight_journal::{Filter, JournalError, Kind, Reader};

use crate::record::{self, Stored};
use crate::ticks;

/// The Ward as it was, and what it took.
#[derive(Debug)]
pub(crate) struct Restored {
    /// The Ward after the last journaled input.
    pub(crate) ward: Ward,
    /// When the last message was judged live that the checkpoint's state holds.
    pub(crate) heard_live_at: Option<Timestamp>,
    /// Inputs replayed.
    pub(crate) replayed: u64,
    /// Inputs and checkpoints that could not be read: each is lost to the state, and counted.
    pub(crate) unreadable: u64,
}

/// Rebuilds the Ward. Effects of the replay are not said again: what stands is announced by the restart that follows.
/// # Errors
/// [`JournalError`] if the journal cannot be read at all; single damaged items are skipped and counted.
pub(crate) fn restore(reader: &mut Reader, config: WardConfig) -> Result<Restored, JournalError> {
    let found = reader.latest_checkpoint()?;
    let mut unreadable = found.skipped.len() as u64;
    let state = found.checkpoint.as_ref().map(record::read_checkpoint);
    let (mut ward, heard_live_at, from) = match state {
        Some(Some((state, heard_live_at))) => (Ward::restore(config, state), heard_live_at, found.covers + 1),
        Some(None) => {
            unreadable += 1;
            (Ward::new(config), None, 0)
        }
        None => (Ward::new(config), None, 0),
    };
    let inputs = Filter::of_kinds(&[Kind::Message, Kind::Command, Kind::Score, Kind::Restart]);
    let mut effects = Vec::new();
    let mut replayed = 0;
    for item in reader.entries(from, inputs) {
        let Ok(stored) = item else {
            unreadable += 1;
            continue;
        };
        let at = Timestamp::from_millis(stored.entry.at_ms);
        match input(&stored.entry.body, at) {
            Some(event) => {
                effects.clear();
                ticks::run_before(&mut ward, &event, at, &mut effects);
                ward.step(event, at, &mut effects);
                replayed += 1;
            }
            None => unreadable += 1,
        }
    }
    Ok(Restored {
        ward,
        heard_live_at,
        replayed,
        unreadable,
    })
}

/// The event that an entry's body stands for; `None` if it cannot be read.
pub(crate) fn input(body: &[u8], at: Timestamp) -> Option<Event> {
    match Stored::read(body).ok()? {
        Stored::Message(raw) => {
            let decoded = wardlight_wire::decode(raw.topic, raw.payload, raw.content_type, at).ok()?;
            Some(Event::Message(decoded.message))
        }
        Stored::Order(order) => Some(Event::Order(order)),
        Stored::Score(score) => Some(Event::Score(score)),
        Stored::Model(status) => Some(Event::Model(status)),
        Stored::Rhythm(report) => Some(Event::Rhythm(report)),
        Stored::Restart => Some(Event::Restart),
        Stored::Alarm(_) | Stored::Receipt(..) | Stored::Trend(..) | Stored::News2(..) => None,
    }
}
