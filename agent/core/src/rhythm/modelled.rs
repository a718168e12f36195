//! What models say of the beats and of the waves of a bed, made into conditions that begin and end.
//!
//! Beside the rules and never instead of them: [`crate::bed_rhythms::BedRhythms`] holds a condition for present when either says so.
//! An opinion counts only where the signal was believed, and a slow regular pulse contradicts it, as it does the rules.

use std::collections::VecDeque;

use super::definitions as d;
use super::grid::CELL_MS;
use super::irregular::Irregularity;
use super::lead::FRAME;
use super::present::Present;
use super::{Judged, Rhythm, RhythmFinding};
use crate::time::Timestamp;

/// What a model says of a part of an ECG. Probabilities are 0 to 1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Opinion {
    /// Of a beat, all leads together.
    Beat {
        /// Device clock of its QRS.
        at: Timestamp,
        /// That it comes from the ventricles.
        ventricular: f32,
    },
    /// Of four seconds, all leads together.
    Window {
        /// Device clock of the first sample.
        from: Timestamp,
        /// That the rhythm calls for a shock.
        shockable: f32,
    },
}

impl Opinion {
    /// Whether it speaks for its condition.
    pub const fn counts(&self) -> bool {
        match self {
            Self::Beat { ventricular, .. } => *ventricular >= d::MODEL_VENTRICULAR,
            Self::Window { shockable, .. } => *shockable >= d::MODEL_SHOCKABLE,
        }
    }

    /// Cells that it is about.
    fn span(&self) -> (i64, i64) {
        match self {
            Self::Beat { at, .. } => (cell(*at), cell(*at)),
            Self::Window { from, .. } => (cell(*from), cell(*from) + d::ASYSTOLE),
        }
    }
}

/// Parts of the signal whose judgement is remembered: twice what an opinion may take.
const REMEMBERED: usize = 128;
/// Opinions that may wait for the judgement of their signal.
const MOST_WAITING: usize = 64;

/// The state of one bed.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ModelledRhythm {
    judged: VecDeque<Judged>,
    waiting: VecDeque<Opinion>,
    /// The last beats, each with its cell and whether it is ventricular.
    beats: VecDeque<(i64, bool)>,
    irregularity: Irregularity,
    /// Where the last window began.
    window: Option<i64>,
    /// Where the run of shockable windows began, and how many there are.
    shockable: Option<(i64, u32)>,
    /// Windows in a row that are not.
    calm: u32,
    present: Present,
}

impl ModelledRhythm {
    /// Takes a judgement of the signal, in order, and appends what begins and ends by it.
    pub fn judged(&mut self, judged: Judged, out: &mut Vec<RhythmFinding>) {
        if let Some(last) = self.judged.back() {
            let apart = judged.until - last.until;
            if !(0..d::LOST).contains(&apart) {
                self.break_off(last.until, out);
            }
        }
        if self.judged.len() >= REMEMBERED {
            self.judged.pop_front();
        }
        self.judged.push_back(judged);
        let believed = self.judged.iter().rev().find(|part| part.good).map(|part| part.until);
        let oldest = self.judged.front().map_or(judged.until, |part| part.until);
        if judged.until - believed.unwrap_or(oldest) > d::LOST {
            self.break_off(believed.unwrap_or(oldest), out);
        }
        self.weigh(out);
    }

    /// Takes an opinion, in the order of its kind, and appends what begins and ends by it.
    pub fn hear(&mut self, opinion: Opinion, out: &mut Vec<RhythmFinding>) {
        if self.waiting.len() >= MOST_WAITING {
            self.waiting.pop_front();
        }
        self.waiting.push_back(opinion);
        self.weigh(out);
    }

    /// Weighs the opinions whose signal has been judged.
    fn weigh(&mut self, out: &mut Vec<RhythmFinding>) {
        let Some(until) = self.judged.back().map(|part| part.until) else {
            return;
        };
        let waiting = std::mem::take(&mut self.waiting);
        for opinion in waiting {
            let (from, to) = opinion.span();
            if to > until {
                self.waiting.push_back(opinion);
                continue;
            }
            if self.judged.front().is_none_or(|oldest| from < oldest.until - FRAME as i64) {
                // Nobody knows any more whether its signal was believed.
                continue;
            }
            // The parts that overlap what it is about.
            let good = self.parts(from, to).all(|part| part.good);
            let pulse = self.parts(from, to).last().is_some_and(|part| part.pulse);
            match opinion {
                Opinion::Beat { .. } => self.beat(from, opinion.counts(), good, pulse, out),
                Opinion::Window { .. } => self.window(from, opinion.counts(), good, pulse, out),
            }
        }
    }

    fn parts(&self, from: i64, to: i64) -> impl Iterator<Item = &Judged> {
        let first = self.judged.partition_point(|part| part.until <= from);
        let until = self.judged.partition_point(|part| part.until <= to);
        self.judged.range(first..(until + 1).min(self.judged.len()).max(first))
    }

    fn beat(&mut self, at: i64, ventricular: bool, good: bool, pulse: bool, out: &mut Vec<RhythmFinding>) {
        if !good || self.beats.back().is_some_and(|(last, _)| at - last > d::ASYSTOLE) {
            self.beats.clear();
        }
        if !good {
            return;
        }
        if let Some((last, false)) = self.beats.back().filter(|_| !ventricular) {
            self.irregularity.push(at - last);
            self.atrial(at, out);
        }
        if self.beats.len() >= d::MODEL_VT_BEATS {
            self.beats.pop_front();
        }
        self.beats.push_back((at, ventricular));
        let newest = |n: usize| self.beats.iter().rev().take(n);
        if newest(d::VT_END_BEATS).filter(|(_, ventricular)| !ventricular).count() == d::VT_END_BEATS {
            let onset = newest(d::VT_END_BEATS).next_back().map_or(at, |(at, _)| *at);
            return self.present.end(Rhythm::VentricularTachycardia, onset, out);
        }
        let run = self.beats.len() == d::MODEL_VT_BEATS && self.beats.iter().all(|(_, ventricular)| *ventricular);
        let first = self.beats.front().map_or(at, |(first, _)| *first);
        let intervals = self.beats.len() as i64 - 1;
        if run && !pulse && intervals * d::MINUTE > d::VT * (at - first) {
            self.present.begin(Rhythm::VentricularTachycardia, first, out);
        }
    }

    fn atrial(&mut self, at: i64, out: &mut Vec<RhythmFinding>) {
        if self.irregularity.irregular >= d::AF_BEATS {
            self.present.begin(Rhythm::AtrialFibrillation, at, out);
        } else if self.irregularity.regular >= d::AF_BEATS {
            self.present.end(Rhythm::AtrialFibrillation, at, out);
        }
    }

    fn window(&mut self, from: i64, shockable: bool, good: bool, pulse: bool, out: &mut Vec<RhythmFinding>) {
        let follows = self
            .window
            .replace(from)
            .is_some_and(|last| from - last == d::MODEL_WINDOW_STEP);
        if !follows || !good {
            // Neither run spans what was not believed or not there.
            self.shockable = None;
            self.calm = 0;
        }
        if !good {
            return;
        }
        if pulse || !shockable {
            self.shockable = None;
            self.calm = if shockable { 0 } else { self.calm.saturating_add(1) };
            if self.calm >= d::MODEL_CALM_WINDOWS {
                self.present.end(Rhythm::VentricularFibrillation, from, out);
            }
            return;
        }
        self.calm = 0;
        let (onset, windows) = self.shockable.map_or((from, 1), |(onset, windows)| (onset, windows + 1));
        self.shockable = Some((onset, windows));
        if windows >= d::MODEL_SHOCKABLE_WINDOWS {
            self.present.begin(Rhythm::VentricularFibrillation, onset, out);
        }
    }

    /// The model of beats is gone or another: what it said no longer counts.
    pub fn forget_beats(&mut self, out: &mut Vec<RhythmFinding>) {
        let at = self.judged.back().map_or(0, |part| part.until);
        self.beats.clear();
        self.irregularity = Irregularity::default();
        self.waiting.retain(|opinion| !matches!(opinion, Opinion::Beat { .. }));
        self.present.end(Rhythm::VentricularTachycardia, at, out);
        self.present.end(Rhythm::AtrialFibrillation, at, out);
    }

    /// The model of windows is gone or another: what it said no longer counts.
    pub fn forget_windows(&mut self, out: &mut Vec<RhythmFinding>) {
        let at = self.judged.back().map_or(0, |part| part.until);
        (self.window, self.shockable, self.calm) = (None, None, 0);
        self.waiting.retain(|opinion| !matches!(opinion, Opinion::Window { .. }));
        self.present.end(Rhythm::VentricularFibrillation, at, out);
    }

    /// Nothing is known any more.
    fn break_off(&mut self, at: i64, out: &mut Vec<RhythmFinding>) {
        self.present.end_all(at, out);
        *self = Self::default();
    }
}

fn cell(at: Timestamp) -> i64 {
    at.as_millis().div_euclid(CELL_MS)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A quarter second of judged signal.
    const PART: i64 = 25;

    fn at(cell: i64) -> Timestamp {
        Timestamp::from_millis(cell * CELL_MS)
    }

    fn beat(cell: i64, ventricular: f32) -> Opinion {
        Opinion::Beat {
            at: at(cell),
            ventricular,
        }
    }

    fn window(cell: i64, shockable: f32) -> Opinion {
        Opinion::Window {
            from: at(cell),
            shockable,
        }
    }

    /// Everything judged alike up to `cells`, the opinions told after the fact.
    fn play(cells: i64, (good, pulse): (bool, bool), opinions: &[Opinion]) -> Vec<(Rhythm, bool, i64)> {
        let mut rhythm = ModelledRhythm::default();
        let mut out = Vec::new();
        for until in (PART..=cells).step_by(PART as usize) {
            rhythm.judged(Judged { until, good, pulse }, &mut out);
        }
        for opinion in opinions {
            rhythm.hear(*opinion, &mut out);
        }
        out.iter()
            .map(|f| (f.rhythm, f.present, f.onset_at.as_millis() / CELL_MS))
            .collect()
    }

    const VT: Rhythm = Rhythm::VentricularTachycardia;
    const VF: Rhythm = Rhythm::VentricularFibrillation;

    #[test]
    fn five_ventricular_beats_faster_than_100_are_a_tachycardia_until_three_others_follow() {
        // 150 a minute.
        let beats: Vec<_> = (0..10)
            .map(|i| beat(100 + 50 * i, if (1..=5).contains(&i) { 0.9 } else { 0.1 }))
            .collect();
        assert_eq!(play(1000, (true, false), &beats), [(VT, true, 150), (VT, false, 400)]);
        let four: Vec<_> = (0..10)
            .map(|i| beat(100 + 50 * i, if (1..=4).contains(&i) { 0.9 } else { 0.1 }))
            .collect();
        assert_eq!(play(1000, (true, false), &four), []);
        // 94 a minute.
        let slow: Vec<_> = (0..10).map(|i| beat(100 + 80 * i, 0.9)).collect();
        assert_eq!(play(1000, (true, false), &slow), []);
    }

    #[test]
    fn three_shockable_windows_in_a_row_are_a_fibrillation_until_three_are_not() {
        let windows: Vec<_> = (0..8)
            .map(|i| window(125 * i, if (1..4).contains(&i) { 0.8 } else { 0.2 }))
            .collect();
        assert_eq!(play(2000, (true, false), &windows), [(VF, true, 125), (VF, false, 750)]);
        let broken: Vec<_> = (0..8).map(|i| window(125 * i, if i % 3 == 0 { 0.2 } else { 0.8 })).collect();
        assert_eq!(play(2000, (true, false), &broken), []);
    }

    #[test]
    fn no_opinion_counts_where_the_signal_is_not_believed_or_a_slow_pulse_goes_on() {
        let opinions: Vec<_> = (0..8).flat_map(|i| [window(125 * i, 1.0), beat(100 + 50 * i, 1.0)]).collect();
        assert_eq!(play(2000, (false, false), &opinions), []);
        assert_eq!(play(2000, (true, true), &opinions), []);
        assert_eq!(play(2000, (true, false), &opinions).len(), 2);
    }

    #[test]
    fn a_fibrillation_does_not_end_in_windows_that_nobody_believed_or_that_do_not_follow() {
        let mut rhythm = ModelledRhythm::default();
        let mut out = Vec::new();
        for until in (PART..=2000).step_by(PART as usize) {
            // From 1000 on it is noise.
            let good = until <= 1000;
            let part = Judged {
                until,
                good,
                pulse: false,
            };
            rhythm.judged(part, &mut out);
        }
        for i in 0..3 {
            rhythm.hear(window(125 * i, 0.9), &mut out);
        }
        assert_eq!(out.len(), 1);
        for i in 3..10 {
            rhythm.hear(window(125 * i, 0.1), &mut out);
        }
        assert_eq!(out.len(), 1, "two calm windows were believed, the others not");
        let gaps: Vec<_> = [0, 1, 3, 4, 6].map(|i| window(125 * i, 0.9)).to_vec();
        assert_eq!(play(2000, (true, false), &gaps), []);
    }

    #[test]
    fn an_opinion_waits_until_its_signal_has_been_judged() {
        let mut rhythm = ModelledRhythm::default();
        let mut out = Vec::new();
        for i in 0..3 {
            rhythm.hear(window(125 * i, 1.0), &mut out);
        }
        let mut begun_at = None;
        for until in (PART..=1000).step_by(PART as usize) {
            rhythm.judged(
                Judged {
                    until,
                    good: true,
                    pulse: false,
                },
                &mut out,
            );
            if !out.is_empty() {
                begun_at.get_or_insert(until);
            }
        }
        assert_eq!(begun_at, Some(750), "the third window ends there");
    }

    #[test]
    fn a_signal_that_is_lost_or_jumps_ends_what_was_present() {
        for (good, until) in [(false, 2000 + d::LOST + PART), (true, 2000 + 2 * d::LOST), (true, 100)] {
            let mut rhythm = ModelledRhythm::default();
            let mut out = Vec::new();
            let part = |until, good| Judged {
                until,
                good,
                pulse: false,
            };
            for until in (PART..=2000).step_by(PART as usize) {
                rhythm.judged(part(until, true), &mut out);
            }
            for i in 0..3 {
                rhythm.hear(window(125 * i + 1000, 1.0), &mut out);
            }
            assert_eq!(out.len(), 1);
            if !good {
                for until in (2000 + PART..until).step_by(PART as usize) {
                    rhythm.judged(part(until, false), &mut out);
                    assert_eq!(out.len(), 1);
                }
            }
            rhythm.judged(part(until, good), &mut out);
            let ended = out.get(1).map(|f| (f.present, f.onset_at));
            assert_eq!(ended, Some((false, at(2000))), "good {good} at {until}");
        }
    }
}
