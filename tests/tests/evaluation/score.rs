//! Counts of what was found, missed and made up.

use wardlight_core::rhythm::{Beat, Rhythm};

use super::truth::{Event, TrueBeat};
use super::{Reported, seconds};

/// Beats match within this time (ANSI/AAMI EC57).
const WINDOW_S: f64 = 0.15;
/// Beats are counted from here on (ANSI/AAMI EC57).
pub(crate) const LEARNING_S: f64 = 300.0;
/// A report belongs to an event that it overlaps, or misses by no more.
const NEAR_S: f64 = 5.0;

/// Found, missed, made up.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Counts {
    pub(crate) found: usize,
    pub(crate) missed: usize,
    pub(crate) false_: usize,
}

impl Counts {
    pub(crate) fn add(&mut self, other: Self) {
        self.found += other.found;
        self.missed += other.missed;
        self.false_ += other.false_;
    }

    pub(crate) fn sensitivity(&self) -> f64 {
        self.found as f64 / (self.found + self.missed) as f64
    }

    pub(crate) fn precision(&self) -> f64 {
        self.found as f64 / (self.found + self.false_) as f64
    }
}

/// QRS complexes from 5 minutes on, outside the segments of flutter.
pub(crate) fn qrs(truth: &[TrueBeat], found: &[Beat], flutter: &[(f64, f64)]) -> Counts {
    let counted = |at: &f64| {
        let outside = |(from, to): &(f64, f64)| *at < from - WINDOW_S || *at > to + WINDOW_S;
        *at >= LEARNING_S && flutter.iter().all(outside)
    };
    let truth: Vec<f64> = truth.iter().map(|b| b.at_s).filter(counted).collect();
    let found: Vec<f64> = found.iter().map(|b| seconds(b.at)).filter(counted).collect();
    let mut counts = Counts::default();
    let (mut t, mut f) = (0, 0);
    while t < truth.len() && f < found.len() {
        let gap = found[f] - truth[t];
        if gap.abs() <= WINDOW_S {
            counts.found += 1;
            t += 1;
            f += 1;
        } else if gap < 0.0 {
            counts.false_ += 1;
            f += 1;
        } else {
            counts.missed += 1;
            t += 1;
        }
    }
    counts.missed += truth.len() - t;
    counts.false_ += found.len() - f;
    counts
}

/// Ventricular beats by the rule against the annotations, of the beats that were found.
pub(crate) fn ventricular(truth: &[TrueBeat], found: &[Beat]) -> Counts {
    let mut counts = Counts::default();
    for beat in found.iter().filter(|b| seconds(b.at) >= LEARNING_S) {
        let at = seconds(beat.at);
        let next = truth.partition_point(|b| b.at_s < at - WINDOW_S);
        let Some(really) = truth.get(next).filter(|b| b.at_s <= at + WINDOW_S) else {
            continue;
        };
        match (really.ventricular, beat.ventricular) {
            (true, true) => counts.found += 1,
            (true, false) => counts.missed += 1,
            (false, true) => counts.false_ += 1,
            (false, false) => {}
        }
    }
    counts
}

/// Whether a report may stand for an event: tachycardia and fibrillation of the ventricles call for the same, and their rate is
/// a tachycardia.
fn stands_for(reported: Rhythm, event: Rhythm) -> bool {
    let lethal = |r| matches!(r, Rhythm::VentricularTachycardia | Rhythm::VentricularFibrillation);
    reported == event || lethal(event) && (lethal(reported) || reported == Rhythm::ExtremeTachycardia)
}

fn near(event: &Event, reported: &Reported) -> bool {
    stands_for(reported.rhythm, event.rhythm)
        && reported.onset_s <= event.to_s + NEAR_S
        && reported.end_s >= event.from_s - NEAR_S
}

/// Events found and missed, reports without an event.
pub(crate) fn conditions(rhythm: Rhythm, events: &[Event], reported: &[Reported]) -> Counts {
    let mut counts = Counts::default();
    for event in events.iter().filter(|e| e.rhythm == rhythm) {
        let met = |r: &Reported| near(event, r) && (r.rhythm != Rhythm::ExtremeTachycardia || rhythm == r.rhythm);
        if reported.iter().any(met) {
            counts.found += 1;
        } else {
            counts.missed += 1;
        }
    }
    let made_up = |r: &&Reported| r.rhythm == rhythm && !events.iter().any(|e| near(e, r));
    counts.false_ = reported.iter().filter(made_up).count();
    counts
}
