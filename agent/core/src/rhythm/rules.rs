//! From frames to conditions that begin and end.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use super::definitions as d;
use super::lead::{FRAME, LeadBeat};
use super::present::Present;
use super::pulse::PulseFrame;
use super::{Rhythm, RhythmFinding};

/// What one frame says, over all waveforms.
#[derive(Clone, Copy, Debug)]
pub(super) struct Step {
    /// Cell after the frame.
    pub now: i64,
    /// The lead that is followed can be believed.
    pub good: bool,
    /// Latest beat that any believed lead shows.
    pub any_beat: Option<i64>,
    /// Beats of the lead that is followed.
    pub beats: [Option<LeadBeat>; 2],
    /// Its last four seconds oscillate.
    pub oscillates: bool,
    /// The pleth, if there is one.
    pub pulse: Option<PulseFrame>,
}

impl Step {
    /// The pleth contradicts a ventricular tachycardia or fibrillation of the last four seconds.
    pub(super) fn shows_slow_pulse(&self) -> bool {
        contradicted(self, d::ASYSTOLE, d::PULSE_INTERVAL)
    }
}

/// The state of the rules.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Rules {
    present: Present,
    /// Since when the signal can be believed without a break.
    good_since: Option<i64>,
    good_until: i64,
    last_beat: Option<i64>,
    /// The last beats of the lead that is followed, each with an interval except the first.
    beats: VecDeque<LeadBeat>,
    oscillating: u32,
    calm: u32,
}

/// A signal that is not believed for so short keeps the count of what was seen.
const SHORT: i64 = 2 * FRAME as i64;

impl Rules {
    pub(super) fn step(&mut self, step: &Step, out: &mut Vec<RhythmFinding>) {
        self.believe(step, out);
        for beat in step.beats.iter().flatten() {
            self.beat(*beat);
        }
        self.last_beat = self.last_beat.max(step.any_beat);
        self.fibrillation(step, out);
        self.silence(step, out);
        self.rates(step, out);
    }

    /// Whether a condition is present.
    pub(super) fn has(&self, rhythm: Rhythm) -> bool {
        self.present.since(rhythm).is_some()
    }

    /// The stream breaks off: what was present is not known any more.
    pub(super) fn break_off(&mut self, out: &mut Vec<RhythmFinding>) {
        let at = self.good_until;
        self.present.end_all(at, out);
        *self = Self::default();
    }

    fn believe(&mut self, step: &Step, out: &mut Vec<RhythmFinding>) {
        let began = step.now - FRAME as i64;
        if step.good {
            if self.good_since.is_none() || began - self.good_until > SHORT {
                self.good_since = Some(began);
                self.oscillating = 0;
                self.beats.clear();
            }
            self.good_until = step.now;
        } else if self.good_since.is_some() && step.now - self.good_until > d::LOST {
            self.good_since = None;
            let at = self.good_until;
            self.present.end_all(at, out);
        }
    }

    fn beat(&mut self, beat: LeadBeat) {
        if beat.interval.is_none() {
            self.beats.clear();
        }
        if self.beats.len() >= d::TACHYCARDIA_BEATS {
            self.beats.pop_front();
        }
        self.beats.push_back(beat);
    }

    fn fibrillation(&mut self, step: &Step, out: &mut Vec<RhythmFinding>) {
        if !step.good {
            return;
        }
        let oscillates = step.oscillates && !self.own_beats(step.now);
        self.oscillating = if oscillates { self.oscillating + 1 } else { 0 };
        self.calm = if oscillates { 0 } else { self.calm.saturating_add(1) };
        if self.oscillating >= d::FIBRILLATION_FRAMES && !step.shows_slow_pulse() {
            let onset = step.now - i64::from(d::FIBRILLATION_FRAMES) * FRAME as i64 - d::ASYSTOLE;
            self.present.begin(Rhythm::VentricularFibrillation, onset, out);
        }
        if self.calm >= d::FIBRILLATION_END_FRAMES {
            self.present.end(
                Rhythm::VentricularFibrillation,
                step.now - i64::from(self.calm) * FRAME as i64,
                out,
            );
        }
    }

    /// The patient's own beats go on at an ordinary rate.
    fn own_beats(&self, now: i64) -> bool {
        let recent = self.beats.iter().filter(|b| now - b.cell <= d::ASYSTOLE + d::LATENCY);
        let own = recent.filter(|b| b.usual && b.interval.is_none_or(|i| i64::from(i) >= d::OWN_INTERVAL));
        own.count() >= d::OWN_BEATS
    }

    /// Asystole and pause.
    fn silence(&mut self, step: &Step, out: &mut Vec<RhythmFinding>) {
        if self.has(Rhythm::VentricularFibrillation) {
            return self.present.end(Rhythm::Pause, step.now, out);
        }
        if let Some([before, last]) = self.last_two()
            && self.present.since(Rhythm::Asystole).is_some_and(|onset| before.cell > onset)
            && last.cell - before.cell <= d::ASYSTOLE_END
        {
            self.present.end(Rhythm::Asystole, before.cell, out);
        }
        if let Some(last) = self.last_beat
            && self.present.since(Rhythm::Pause).is_some_and(|onset| last > onset)
        {
            self.present.end(Rhythm::Pause, last, out);
        }
        let Some(since) = self.good_since.filter(|_| step.good) else {
            return;
        };
        let quiet_since = self.last_beat.map_or(since, |beat| beat.max(since));
        let quiet = step.now - quiet_since - d::LATENCY;
        let pulsing = contradicted(step, step.now - quiet_since, 0);
        if quiet >= d::ASYSTOLE && !pulsing {
            self.present.begin(Rhythm::Asystole, quiet_since, out);
        }
        // A pause lies between two beats: it needs the first.
        if quiet > d::PAUSE && self.last_beat == Some(quiet_since) && !pulsing && !self.has(Rhythm::Asystole) {
            self.present.begin(Rhythm::Pause, quiet_since, out);
        }
    }

    fn last_two(&self) -> Option<[LeadBeat; 2]> {
        let mut newest = self.beats.iter().rev();
        let last = newest.next()?;
        let before = newest.next()?;
        Some([*before, *last])
    }

    /// The conditions that are told from the beats.
    fn rates(&mut self, step: &Step, out: &mut Vec<RhythmFinding>) {
        if step.beats.iter().all(Option::is_none) || !step.good {
            return;
        }
        if let Some((first, rate)) = self.rate(d::BRADYCARDIA_BEATS) {
            let slow = |limit: i64| rate.0 * d::MINUTE < limit * rate.1;
            if slow(d::BRADYCARDIA) && self.undisturbed() {
                self.present.begin(Rhythm::ExtremeBradycardia, first, out);
            } else if !slow(d::BRADYCARDIA + d::HYSTERESIS) {
                self.present.end(Rhythm::ExtremeBradycardia, first, out);
            }
        }
        if let Some((first, (intervals, sum))) = self.rate(d::TACHYCARDIA_BEATS) {
            let fast = |limit: i64| intervals * d::MINUTE > limit * sum;
            if fast(d::TACHYCARDIA) && self.undisturbed() && self.are_beats() {
                self.present.begin(Rhythm::ExtremeTachycardia, first, out);
            } else if !fast(d::TACHYCARDIA - d::HYSTERESIS) {
                self.present.end(Rhythm::ExtremeTachycardia, step.now, out);
            }
        }
        self.ventricular(step, out);
    }

    fn ventricular(&mut self, step: &Step, out: &mut Vec<RhythmFinding>) {
        let newest = |n: usize| self.beats.iter().rev().take(n);
        if newest(d::VT_END_BEATS).count() == d::VT_END_BEATS && newest(d::VT_END_BEATS).all(|b| !b.ventricular) {
            let onset = newest(d::VT_END_BEATS).next_back().map_or(step.now, |b| b.cell);
            return self.present.end(Rhythm::VentricularTachycardia, onset, out);
        }
        let alike = |n: usize, (least, percent): (usize, u8)| newest(n).filter(|b| b.likeness >= percent).count() >= least;
        let clear = newest(d::VT_BEATS).all(|b| b.surely) && alike(d::VT_BEATS, d::VT_ALIKE);
        let beats = if clear { d::VT_BEATS } else { d::VT_DOUBTFUL_BEATS };
        let Some((first, (intervals, sum))) = self.rate(beats) else {
            return;
        };
        let run = newest(beats).all(|b| b.ventricular) && (clear || alike(beats, d::VT_DOUBTFUL_ALIKE));
        if run && intervals * d::MINUTE > d::VT * sum && !contradicted(step, step.now - first, d::PULSE_INTERVAL) {
            self.present.begin(Rhythm::VentricularTachycardia, first, out);
        }
    }

    /// The first of the last `beats` beats, and how many intervals in how many cells.
    fn rate(&self, beats: usize) -> Option<(i64, (i64, i64))> {
        let last = self.beats.back()?;
        let first = self.beats.iter().rev().nth(beats - 1)?;
        Some((first.cell, (beats as i64 - 1, last.cell - first.cell)))
    }

    /// What is counted for a tachycardia are beats and not noise.
    fn are_beats(&self) -> bool {
        let (least, percent) = d::TACHYCARDIA_ALIKE;
        self.beats.iter().filter(|b| b.likeness >= percent).count() >= least
    }

    /// No condition in which beats mean little.
    fn undisturbed(&self) -> bool {
        !self.has(Rhythm::VentricularFibrillation)
    }
}

/// Whether the pleth shows a regular pulse in the last `cells`, no faster than `shortest`. No pleth contradicts nothing.
fn contradicted(step: &Step, cells: i64, shortest: i64) -> bool {
    step.pulse.is_some_and(|pulse| pulse.beats_on(d::PULSES, cells, shortest))
}
