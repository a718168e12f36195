//! From the beats of a bed to the rows that the model `ecg-beat` classifies, the same in training and in service.
//!
//! [`Extractor`] hears what `wardlight_core::rhythm` makes of the samples: the common grid of 125 Hz and the beats of the lead that
//! is followed. A beat is ready when the next one is known, two seconds after it at the latest. Every lead gives a row of its own:
//! - `window`, `[3, 128]`: the beat, the patient's own beat and the beat before, from 480 ms before the QRS to 544 ms after it,
//!   without baseline, by the height of the patient's own QRS, small waves magnified;
//! - `rhythm`, `[50]`: how the intervals around it compare with those before, and how its shape compares with the patient's own.
//!
//! Nothing in a row has a unit of voltage, so gain and lead do not matter. Deliberately absent: what other patients look like;
//! that is the model's part.

mod classes;
mod confusion;
mod explain;
mod intervals;
mod lead;
mod measure;
mod shapes;
mod strip;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;

use wardlight_core::codes::Waveform;
use wardlight_core::rhythm::{GRID_MS, Heard};

pub use classes::{BeatClass, Probabilities, classify};
pub use confusion::{ClassFigures, Confusion};
pub use explain::explain;

use intervals::Intervals;
use lead::{Lead, View};

/// Values of a window.
pub const WINDOW: usize = 128;
/// Windows of a row.
pub const CHANNELS: usize = lead::CHANNELS;
/// Numbers beside the windows.
pub const RHYTHM: usize = intervals::FEATURES + lead::FEATURES;

/// Cells of a window before the middle of the QRS.
const BEFORE: usize = 60;
/// The same in milliseconds.
pub const BEFORE_MS: i64 = BEFORE as i64 * GRID_MS;
/// Cells that a beat may lie beside where the detector says.
const PLAY: usize = 6;
/// Cells after a beat that its window needs, with what the baseline takes.
const AFTER: i64 = (WINDOW - BEFORE + PLAY + 49) as i64;
/// Cells after a beat after which no next beat is waited for.
const PATIENCE: i64 = 250;
/// Two beats are at least this many cells apart; a nearer one is the same, seen in another lead.
const REFRACTORY: i64 = 20;
/// Share of a window that must be there.
const ENOUGH: f32 = 0.9;
/// Leads that are looked at.
const MOST_LEADS: usize = 3;
/// Beats that wait at most.
const MOST_WAITING: usize = 32;

/// The row of one lead.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// The lead.
    pub lead: Waveform,
    /// `[CHANNELS × WINDOW]`, channel by channel.
    pub window: Vec<f32>,
    /// `[RHYTHM]`.
    pub rhythm: Vec<f32>,
}

/// A beat to be classified, with a row of each lead in which it can be seen.
#[derive(Clone, Debug, PartialEq)]
pub struct ReadyBeat {
    /// Device clock of its QRS, in milliseconds.
    pub at_ms: i64,
    /// One row a lead; empty if no lead is whole around it.
    pub rows: Vec<Row>,
}

/// Makes the rows of one bed.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Extractor {
    leads: Vec<(Waveform, Lead)>,
    intervals: Intervals,
    waiting: VecDeque<i64>,
    last: Option<i64>,
}

impl Extractor {
    /// Takes what is heard, in the order in which it is heard, and hands on the beats that are ready.
    pub fn hear(&mut self, heard: &Heard, ready: &mut dyn FnMut(ReadyBeat)) {
        match heard {
            Heard::Sample { lead, cell, microvolts } => self.sample(*lead, *cell, *microvolts),
            Heard::Beat(beat) => self.beat(beat.at.as_millis().div_euclid(GRID_MS)),
            Heard::Judged(judged) => self.until(judged.until, ready),
        }
    }

    /// Hands on the beats that wait: there will be no more.
    pub fn finish(&mut self, ready: &mut dyn FnMut(ReadyBeat)) {
        while let Some(cell) = self.waiting.pop_front() {
            let next = self.waiting.front().copied();
            ready(self.ready(cell, next));
        }
    }

    fn sample(&mut self, waveform: Waveform, cell: i64, microvolts: Option<f32>) {
        if let Some((_, lead)) = self.leads.iter_mut().find(|(known, _)| *known == waveform) {
            lead.strip.push(cell, microvolts);
        } else if self.leads.len() < MOST_LEADS {
            let mut lead = Lead::default();
            lead.strip.push(cell, microvolts);
            self.leads.push((waveform, lead));
        }
    }

    fn beat(&mut self, cell: i64) {
        let newest = self.waiting.back().copied().or(self.last);
        let follows = newest.is_none_or(|newest| cell >= newest + REFRACTORY);
        if follows && self.waiting.len() < MOST_WAITING {
            self.waiting.push_back(cell);
        } else if newest.is_some_and(|newest| cell < newest - PATIENCE) {
            // The clock of the device was set back.
            self.waiting.clear();
            self.last = None;
            self.waiting.push_back(cell);
        }
    }

    fn until(&mut self, now: i64, ready: &mut dyn FnMut(ReadyBeat)) {
        while let Some(cell) = self.waiting.front().copied() {
            let next = self.waiting.get(1).copied();
            if now < cell + AFTER || (next.is_none() && now < cell + PATIENCE) {
                return;
            }
            self.waiting.pop_front();
            ready(self.ready(cell, next));
        }
    }

    fn ready(&mut self, cell: i64, next: Option<i64>) -> ReadyBeat {
        self.intervals.push(self.last.map(|last| cell - last));
        self.last = Some(cell);
        let timing = self.intervals.features(next.map(|next| next - cell));
        let earliness = self.intervals.earliness();
        let rows = self.leads.iter_mut().filter_map(|(waveform, lead)| {
            let View {
                windows,
                features,
                there,
            } = lead.take(cell, earliness);
            (there >= ENOUGH).then(|| Row {
                lead: *waveform,
                window: windows,
                rhythm: timing.iter().chain(&features).copied().collect(),
            })
        });
        ReadyBeat {
            at_ms: cell * GRID_MS,
            rows: rows.collect(),
        }
    }
}
