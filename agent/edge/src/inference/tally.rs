//! What is counted of the live versions, so that one that does badly is taken back.

use std::collections::{BTreeMap, HashMap};
use std::time::{Duration, Instant};

use wardlight_core::event::InferRequest;
use wardlight_core::ids::BedId;
use wardlight_core::rhythm::{Rhythm, RhythmFinding};
use wardlight_core::time::Timestamp;
use wardlight_models::deterioration::VITALS;
use wardlight_models::ecg_beat::ReadyBeat;
use wardlight_models::ecg_vf::{self, ReadyWindow};
use wardlight_models::life::{Counted, Input};
use wardlight_models::manifest::WaveformManifest;

use super::beds::Place;
use crate::certified::ECG_PARTS;

/// Alarms and latency are counted over so long, then anew. *ratify*
const WINDOW: Duration = Duration::from_hours(1);
/// Inputs of the risk model, of which a bed gives one value an hour. *ratify*
const INPUTS: Duration = Duration::from_hours(7 * 24);
/// Inputs of the ECG models, of which a bed gives one value … *ratify*
const ECG_INPUTS: Duration = Duration::from_hours(24);
/// … in so long: a fast heart weighs no more than another. *ratify*
const ECG_APART: Duration = Duration::from_mins(1);
/// A bed was asked for no longer than this since it was asked for last; else it was empty meanwhile.
const LONGEST: Duration = Duration::from_hours(1);

/// One part.
#[derive(Debug)]
struct Part {
    version: String,
    began: Instant,
    inputs_began: Instant,
    /// Its inputs are counted over so long.
    inputs_for: Duration,
    /// When each bed gave a value of each input last.
    gave: HashMap<BedId, Instant>,
    counted: Counted,
}

/// A bed of the risk model.
#[derive(Debug)]
struct AtRisk {
    asked_at: Timestamp,
    counted_at: Timestamp,
    high: bool,
}

/// See the [module](self).
#[derive(Debug, Default)]
pub(super) struct Tally {
    parts: BTreeMap<&'static str, Part>,
    beds: HashMap<BedId, AtRisk>,
}

impl Tally {
    /// A version is live from now on.
    pub(super) fn live(&mut self, part: &'static str, version: &str, now: Instant) {
        let fresh = Part {
            version: version.to_owned(),
            began: now,
            inputs_began: now,
            inputs_for: if part == RISK { INPUTS } else { ECG_INPUTS },
            gave: HashMap::new(),
            counted: Counted::default(),
        };
        self.parts.insert(part, fresh);
        if part == RISK {
            self.beds.clear();
        }
    }

    /// These inputs of the live version are watched.
    pub(super) fn watch(&mut self, part: &str, inputs: Vec<Input>) {
        if let Some(part) = self.parts.get_mut(part) {
            part.counted.inputs = inputs;
        }
    }

    /// A batch took so long.
    pub(super) fn batch(&mut self, part: &str, took: Duration, deadline: Duration, now: Instant) {
        let Some(part) = self.parts.get_mut(part) else { return };
        part.turn(now);
        part.counted.batches += 1;
        part.counted.late += u64::from(took > deadline);
    }

    /// The ECG of one bed was looked at for so many seconds, or of many beds for one.
    pub(super) fn looked(&mut self, seconds: usize) {
        for part in ECG_PARTS {
            if let Some(part) = self.parts.get_mut(part) {
                part.counted.bed_seconds += seconds as u64;
            }
        }
    }

    /// What began by the word of an ECG model.
    pub(super) fn found(&mut self, findings: &[RhythmFinding]) {
        for finding in findings.iter().filter(|finding| finding.present) {
            let part = if finding.rhythm == Rhythm::VentricularFibrillation {
                "ecg-vf"
            } else {
                "ecg-beat"
            };
            if let Some(part) = self.parts.get_mut(part) {
                part.counted.alarms += 1;
            }
        }
    }

    /// The windows that `ecg-vf` gets. One of each bed's first lead counts in a minute.
    pub(super) fn windows(&mut self, waiting: &[(Place, Vec<ReadyWindow>)], now: Instant) {
        let Some(part) = self.parts.get_mut("ecg-vf") else { return };
        for ((bed, _), leads) in waiting {
            part.ecg(bed, now, |name| Some(ecg_vf::measure(name)?(&leads.first()?.values)));
        }
    }

    /// The same for the beats that `ecg-beat` gets: columns of their rows, as the manifest names them.
    pub(super) fn beats(&mut self, waiting: &[(Place, ReadyBeat)], manifest: &WaveformManifest, now: Instant) {
        let Some(part) = self.parts.get_mut("ecg-beat") else { return };
        for ((bed, _), beat) in waiting {
            part.ecg(bed, now, |name| {
                let value = beat.rows.first()?.rhythm.get(manifest.column(name)?)?;
                Some(f64::from(*value))
            });
        }
    }

    /// A risk was estimated: one that becomes high is an alarm, and the newest hour is counted once an hour.
    pub(super) fn risk(&mut self, request: &InferRequest, high: bool, at: Instant) {
        let Some(part) = self.parts.get_mut(RISK) else { return };
        let now = request.asked_at;
        let bed = self.beds.entry(request.bed.clone()).or_insert_with(|| AtRisk {
            asked_at: now,
            counted_at: Timestamp::from_millis(i64::MIN / 2),
            high: false,
        });
        part.counted.bed_seconds += now.since(bed.asked_at).min(LONGEST).as_secs();
        part.counted.alarms += u64::from(high && !bed.high);
        bed.asked_at = now;
        bed.high = high;
        if now.since(bed.counted_at) < Duration::from_hours(1) {
            return;
        }
        bed.counted_at = now;
        let newest = request.window.last();
        part.give(&request.bed, at, |name| {
            let column = VITALS.iter().position(|vital| vital.name == name)?;
            newest?.get(column).copied().flatten().map(f64::from)
        });
    }

    /// Version and counts of each part.
    pub(super) fn all(&self) -> BTreeMap<String, (String, Counted)> {
        let all = self.parts.iter();
        all.map(|(part, one)| ((*part).to_owned(), (one.version.clone(), one.counted.clone())))
            .collect()
    }
}

const RISK: &str = "deterioration";

impl Part {
    /// A row of an ECG model: too soon after the last one of this bed it does not count.
    fn ecg(&mut self, bed: &BedId, now: Instant, value: impl Fn(&str) -> Option<f64>) {
        let gave = self.gave.get(bed);
        if gave.is_none_or(|gave| now.saturating_duration_since(*gave) >= ECG_APART) {
            self.give(bed, now, value);
        }
    }

    /// Counts a value of each input that has one.
    fn give(&mut self, bed: &BedId, now: Instant, value: impl Fn(&str) -> Option<f64>) {
        self.gave.insert(bed.clone(), now);
        self.counted.beds = self.gave.len() as u64;
        for input in &mut self.counted.inputs {
            if let Some(value) = value(&input.name) {
                input.count(value);
            }
        }
    }

    /// Begins anew what was counted for long enough.
    fn turn(&mut self, now: Instant) {
        if now.saturating_duration_since(self.inputs_began) >= self.inputs_for {
            self.inputs_began = now;
            self.gave.clear();
            self.counted.beds = 0;
            for input in &mut self.counted.inputs {
                input.current.fill(0);
            }
        }
        if now.saturating_duration_since(self.began) >= WINDOW {
            self.began = now;
            self.counted = Counted {
                inputs: std::mem::take(&mut self.counted.inputs),
                beds: self.counted.beds,
                ..Counted::default()
            };
        }
    }
}

#[cfg(test)]
mod tests;
