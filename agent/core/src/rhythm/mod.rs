//! The rhythm of one bed, from its waveforms: heart rate, and the arrhythmias that kill.
//!
//! [`BedRhythm`] takes blocks of samples and says which conditions begin and end. Every ECG lead is brought to a common grid
//! (`grid`), judged for its quality first (`quality`), searched for QRS complexes (`qrs`), whose beats are told apart by their
//! shape (`morphology`), and measured for fibrillation (`fibrillation`). The bed follows one lead (`select`), hears the pleth as a
//! second witness (`pulse`) and applies the definitions (`rules`, with the numbers in `definitions`).
//!
//! The result depends on the samples and their times only: not on how they are cut into blocks, and not on when they arrive.

mod definitions;
mod fibrillation;
mod filter;
mod grid;
mod irregular;
mod lead;
mod modelled;
mod morphology;
mod present;
mod pulse;
mod qrs;
mod quality;
mod rate;
mod rules;
mod select;
#[cfg(test)]
mod tests;

use std::time::Duration;

use serde::{Deserialize, Serialize};

pub use modelled::{ModelledRhythm, Opinion};
pub use quality::EcgSignal;

use crate::codes::Waveform;
use crate::message::WaveBlock;
use crate::time::Timestamp;
use crate::vitals::{Milli, Quality};
use grid::CELL_MS;
use lead::{EcgLead, FRAME, LeadBeat};
use pulse::Pleth;
use rate::HeartRate;
use rules::{Rules, Step};
use select::Selection;

/// A condition of the heart's rhythm.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Rhythm {
    /// No QRS for 4 s.
    Asystole,
    /// Ventricular fibrillation or flutter for 4 s.
    VentricularFibrillation,
    /// Five ventricular beats at more than 100 a minute.
    VentricularTachycardia,
    /// Below 40 a minute over 5 beats.
    ExtremeBradycardia,
    /// Above 140 a minute over 17 beats.
    ExtremeTachycardia,
    /// One interval of more than 3 s.
    Pause,
    /// Irregularly irregular intervals over two minutes, without the beats that a model takes for ventricular.
    AtrialFibrillation,
}

impl Rhythm {
    /// All, gravest first.
    pub const ALL: [Self; 7] = [
        Self::Asystole,
        Self::VentricularFibrillation,
        Self::VentricularTachycardia,
        Self::ExtremeBradycardia,
        Self::ExtremeTachycardia,
        Self::Pause,
        Self::AtrialFibrillation,
    ];

    /// Machine name: `asystole`, `vf`, `vt`, …
    pub const fn name(self) -> &'static str {
        match self {
            Self::Asystole => "asystole",
            Self::VentricularFibrillation => "vf",
            Self::VentricularTachycardia => "vt",
            Self::ExtremeBradycardia => "extreme_brady",
            Self::ExtremeTachycardia => "extreme_tachy",
            Self::Pause => "pause",
            Self::AtrialFibrillation => "af",
        }
    }
}

/// A condition begins or ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RhythmFinding {
    /// Which.
    pub rhythm: Rhythm,
    /// Whether it begins (true) or ends.
    pub present: bool,
    /// Device clock: when it began, or ended. From the samples alone.
    pub onset_at: Timestamp,
}

/// A beat of the lead that is followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Beat {
    /// Device clock: its QRS.
    pub at: Timestamp,
    /// The lead.
    pub lead: Waveform,
    /// Milliseconds since the beat before it in this lead, if nothing was missing between.
    pub interval_ms: Option<u32>,
    /// By its shape, wide and unlike the patient's own beats.
    pub ventricular: bool,
    /// By its shape, one of the patient's own beats.
    pub usual: bool,
}

/// What is heard of a bed while its waveforms are analysed, for whoever looks at the beats more closely.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Heard {
    /// The next cell of the common grid of 125 Hz of a lead, in order for each lead.
    Sample {
        /// The lead.
        lead: Waveform,
        /// Device clock divided by [`GRID_MS`].
        cell: i64,
        /// Mean over the cell, if all of it is there and the device believes in it.
        microvolts: Option<f32>,
    },
    /// A beat of the lead that is followed, at most some seconds after its QRS.
    Beat(Beat),
    /// A part of the signal has been judged.
    Judged(Judged),
}

/// How a part of the signal was judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Judged {
    /// All beats in the samples before this cell have been told.
    pub until: i64,
    /// The lead that is followed can be believed.
    pub good: bool,
    /// The pleth shows a regular pulse, slower than a ventricular tachycardia.
    pub pulse: bool,
}

/// Length in milliseconds of a cell of the common grid.
pub const GRID_MS: i64 = CELL_MS;

/// The newest state, for display.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RhythmState {
    /// Heart rate from the ECG; `None` while there is no rhythm to count.
    pub heart_rate: Option<Milli>,
    /// Whether the ECG can be believed.
    pub signal: EcgSignal,
    /// The lead that is followed.
    pub lead: Option<Waveform>,
    /// Device clock up to which all this is known.
    pub as_of: Timestamp,
}

/// Leads analysed at most: the preferred ones.
const MOST_LEADS: usize = 3;
/// How long the bed waits for a waveform that is behind, in frames: two seconds, as blocks last up to one.
const PATIENCE: i64 = 10;
/// Longer blocks are taken in parts of this many seconds; two waveforms in such blocks do not find together.
const LONGEST_BLOCK_S: f32 = 1.0;
/// A break of this many frames is the end of what was known.
const BREAK: i64 = 50;

/// Analyses the waveforms of one bed.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct BedRhythm {
    leads: Vec<(Waveform, EcgLead)>,
    pleth: Option<Pleth>,
    selection: Selection,
    rules: Rules,
    rate: HeartRate,
    state: RhythmState,
    /// The frame to be judged next.
    next: Option<i64>,
}

impl BedRhythm {
    /// Takes a block of any waveform of the bed, in order per waveform, and appends what begins and ends by it. Waveforms that say
    /// nothing about the rhythm, and blocks of a device in demo mode, are passed over.
    pub fn push(&mut self, block: &WaveBlock, sent_at: Timestamp, out: &mut Vec<RhythmFinding>) {
        self.push_with(block, sent_at, out, &mut |_| {});
    }

    /// As [`BedRhythm::push`], and hands every beat of the lead that is followed to `beat`, at most some seconds after its QRS.
    pub fn push_with(&mut self, block: &WaveBlock, sent_at: Timestamp, out: &mut Vec<RhythmFinding>, beat: &mut dyn FnMut(Beat)) {
        self.push_heard(block, sent_at, out, &mut |heard| {
            if let Heard::Beat(found) = heard {
                beat(found);
            }
        });
    }

    /// As [`BedRhythm::push`], and hands on what is heard on the way: the samples on the common grid and the beats.
    pub fn push_heard(
        &mut self,
        block: &WaveBlock,
        sent_at: Timestamp,
        out: &mut Vec<RhythmFinding>,
        sink: &mut dyn FnMut(Heard),
    ) {
        if block.quality.has(Quality::DEMO) || !(1.0..=2000.0).contains(&block.rate_hz) {
            return;
        }
        let most = (block.rate_hz * LONGEST_BLOCK_S).ceil() as usize;
        if block.samples.len() <= most {
            return self.push_part(block, sent_at, out, sink);
        }
        for (i, samples) in block.samples.chunks(most).enumerate() {
            let ms = (i * most) as f64 * 1000.0 / f64::from(block.rate_hz);
            let part = WaveBlock {
                samples: samples.to_vec(),
                waveform: block.waveform,
                rate_hz: block.rate_hz,
                scale: block.scale,
                offset: block.offset,
                quality: block.quality,
            };
            self.push_part(&part, sent_at.plus(Duration::from_millis(ms.round() as u64)), out, sink);
        }
    }

    fn push_part(&mut self, block: &WaveBlock, sent_at: Timestamp, out: &mut Vec<RhythmFinding>, sink: &mut dyn FnMut(Heard)) {
        match block.waveform {
            Waveform::Ecg(_) => self.push_ecg(block, sent_at, sink),
            Waveform::Pleth => self.pleth.get_or_insert_default().push(block, sent_at),
            Waveform::Resp | Waveform::Co2 | Waveform::Abp => return,
        }
        self.advance(out, sink);
    }

    /// Newest heart rate and state of the signal.
    pub const fn state(&self) -> RhythmState {
        self.state
    }

    fn push_ecg(&mut self, block: &WaveBlock, sent_at: Timestamp, sink: &mut dyn FnMut(Heard)) {
        let Some(lead) = self.lead(block.waveform) else { return };
        let mut sample = |cell, microvolts| {
            sink(Heard::Sample {
                lead: block.waveform,
                cell,
                microvolts,
            });
        };
        if lead.push(block, sent_at, &mut sample) {
            // The device's clock was set back: what the other leads have from the time before would hold this one up.
            let now = lead.produced();
            self.leads.retain(|(_, other)| other.produced() <= now + BREAK);
        }
    }

    /// The lead, made room for if it is preferred to one that is there.
    fn lead(&mut self, waveform: Waveform) -> Option<&mut EcgLead> {
        if !self.leads.iter().any(|(known, _)| *known == waveform) {
            if self.leads.len() >= MOST_LEADS {
                let last = self
                    .leads
                    .pop_if(|(last, _)| select::preference(waveform) < select::preference(*last));
                last.as_ref()?;
            }
            self.leads.push((waveform, EcgLead::default()));
            self.leads.sort_by_key(|(known, _)| select::preference(*known));
        }
        self.leads
            .iter_mut()
            .find(|(known, _)| *known == waveform)
            .map(|(_, lead)| lead)
    }

    /// Judges every frame for which all waveforms are there, or have been waited for.
    fn advance(&mut self, out: &mut Vec<RhythmFinding>, sink: &mut dyn FnMut(Heard)) {
        let Some(newest) = self.leads.iter().map(|(_, lead)| lead.produced()).max() else {
            return;
        };
        let first = || {
            self.leads
                .iter()
                .filter_map(|(_, lead)| lead.frames.front())
                .map(|f| f.index)
                .min()
        };
        match self.next {
            Some(next) if newest < next - PATIENCE || newest > next + 2 * BREAK => {
                self.rules.break_off(out);
                self.rate.clear();
                self.next = first();
            }
            None => self.next = first(),
            Some(_) => {}
        }
        while let Some(next) = self.next.filter(|next| *next < newest) {
            let waits = |produced: i64| produced <= next && produced + PATIENCE > newest;
            let pleth_waits = self.pleth.as_ref().is_some_and(|p| waits(p.produced()));
            if pleth_waits || self.leads.iter().any(|(_, lead)| waits(lead.produced())) {
                return;
            }
            self.judge(next, out, sink);
            self.next = Some(next + 1);
        }
    }

    fn judge(&mut self, index: i64, out: &mut Vec<RhythmFinding>, sink: &mut dyn FnMut(Heard)) {
        let frames: Vec<_> = self.leads.iter_mut().map(|(w, lead)| (*w, lead.frame(index))).collect();
        let followed = self.selection.choose(&frames);
        let (signal, beats, oscillates) = followed.map_or((EcgSignal::None, [None; 2], false), |(_, f)| {
            (f.signal, f.beats, f.oscillates)
        });
        let believed = || frames.iter().filter_map(|(_, f)| *f).filter(|f| f.signal == EcgSignal::Good);
        let step = Step {
            now: (index + 1) * FRAME as i64,
            good: signal == EcgSignal::Good,
            any_beat: believed().flat_map(|f| f.beats).flatten().map(|b| b.cell).max(),
            beats,
            oscillates,
            pulse: self.pleth.as_mut().and_then(|pleth| pleth.frame(index)),
        };
        self.rules.step(&step, out);
        if let Some((lead, frame)) = followed {
            for beat in frame.beats.iter().flatten() {
                self.count(*beat);
                sink(Heard::Beat(public(*beat, lead)));
            }
        }
        sink(Heard::Judged(Judged {
            until: step.now,
            good: step.good,
            pulse: step.shows_slow_pulse(),
        }));
        self.show(signal, followed.map(|(lead, _)| lead), step.now);
    }

    fn count(&mut self, beat: LeadBeat) {
        match beat.interval {
            Some(cells) => self.rate.add(cells * CELL_MS as u32),
            None => self.rate.clear(),
        }
    }

    fn show(&mut self, signal: EcgSignal, lead: Option<Waveform>, now: i64) {
        let no_rhythm = self.rules.has(Rhythm::Asystole) || self.rules.has(Rhythm::VentricularFibrillation);
        self.state = RhythmState {
            heart_rate: self.rate.rate().filter(|_| signal == EcgSignal::Good && !no_rhythm),
            signal,
            lead,
            as_of: Timestamp::from_millis(now.saturating_mul(CELL_MS)),
        };
    }
}

fn public(beat: LeadBeat, lead: Waveform) -> Beat {
    Beat {
        at: Timestamp::from_millis(beat.cell.saturating_mul(CELL_MS)),
        lead,
        interval_ms: beat.interval.map(|cells| cells * CELL_MS as u32),
        ventricular: beat.ventricular,
        usual: beat.usual,
    }
}
