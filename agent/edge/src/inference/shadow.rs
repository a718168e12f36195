//! Versions that nobody hears: they get what the live ones got, after their answers were sent, and are compared with them.

use std::time::Duration;

use metrics::{counter, gauge, histogram};
use tracing::error;
use wardlight_core::rhythm::Opinion;
use wardlight_core::time::Timestamp;
use wardlight_models::ecg_beat::{Probabilities, ReadyBeat};
use wardlight_models::ecg_vf::ReadyWindow;
use wardlight_models::{Model, ModelError, WaveformModel, ecg_beat, ecg_vf};

use super::Loaded;
use crate::clock;
use crate::metrics as m;
use crate::packages::{Comparison, Ledger};

/// Rows that are kept of one turn; the live models must not wait for more …
const MOST: usize = 256;
/// … nor for longer: a slow version gets fewer.
const LONGEST: Duration = Duration::from_millis(20);

/// The windows of an instant with the live model's probability.
pub(super) type Instant = (Vec<ReadyWindow>, f32);
/// A beat with the live model's classes.
pub(super) type Beat = (ReadyBeat, Option<Probabilities>);
/// A row of features with the live model's probability and band.
pub(super) type Risk = (Vec<f32>, f32, wardlight_models::Band);

/// For each row whether the decision is the same, and how far the probabilities are apart.
type Compared = Result<Vec<(bool, f32)>, ModelError>;

/// A version with what the live one was given in this turn.
#[derive(Debug)]
pub(super) struct Shadow<M, K> {
    model: M,
    kept: Vec<K>,
    /// Rows that it gets of one turn.
    most: usize,
    comparison: Comparison,
}

impl<M, K> Shadow<M, K> {
    fn new(model: M, comparison: Comparison) -> Self {
        Self {
            model,
            kept: Vec::new(),
            most: 1,
            comparison,
        }
    }

    /// Keeps a row for later.
    pub(super) fn keep(&mut self, row: impl FnOnce() -> K) {
        if self.kept.len() < self.most {
            self.kept.push(row());
        } else {
            self.comparison.skipped += 1;
        }
    }
}

/// All that are unheard, each for its part.
#[derive(Debug, Default)]
pub(super) struct Shadows {
    pub(super) risk: Option<Shadow<Model, Risk>>,
    pub(super) beats: Option<Shadow<WaveformModel, Beat>>,
    pub(super) shockable: Option<Shadow<WaveformModel, Instant>>,
    pub(super) ledger: Ledger,
}

impl Shadows {
    /// `unheard` from now on gets what `live` gets.
    pub(super) fn put(&mut self, unheard: Loaded, live: String) {
        let part = unheard.part();
        let comparison = Comparison {
            live,
            unheard: unheard.version().to_owned(),
            since_ms: clock::wall().as_millis(),
            ..Comparison::default()
        };
        self.ledger.put(part, Some(comparison.clone()));
        match unheard {
            Loaded::Risk(model) => self.risk = Some(Shadow::new(model, comparison)),
            Loaded::Beats(model) => self.beats = Some(Shadow::new(model, comparison)),
            Loaded::Shockable(model) => self.shockable = Some(Shadow::new(model, comparison)),
        }
    }

    /// Nothing is compared for this part any more.
    pub(super) fn clear(&mut self, part: &str) {
        self.ledger.put(part, None);
        match part {
            "ecg-beat" => self.beats = None,
            "ecg-vf" => self.shockable = None,
            _ => self.risk = None,
        }
    }

    /// Lets them judge what was kept in this turn. One that fails is gone; nobody heard it.
    pub(super) fn compare(&mut self) {
        let ledger = &self.ledger;
        judge("ecg-vf", &mut self.shockable, ledger, windows);
        judge("ecg-beat", &mut self.beats, ledger, beats);
        judge("deterioration", &mut self.risk, ledger, risks);
    }
}

fn judge<M, K>(part: &'static str, place: &mut Option<Shadow<M, K>>, ledger: &Ledger, run: fn(&M, Vec<K>) -> Compared) {
    let Some(shadow) = place else { return };
    if shadow.kept.is_empty() {
        return;
    }
    let began = clock::instant();
    match run(&shadow.model, std::mem::take(&mut shadow.kept)) {
        Ok(rows) => {
            let took = began.elapsed();
            shadow.most = if took > LONGEST { shadow.most / 2 } else { shadow.most * 2 }.clamp(1, MOST);
            shadow.comparison.add(&rows, took);
            tell(part, &rows, took, &shadow.comparison);
            ledger.put(part, Some(shadow.comparison.clone()));
        }
        Err(failure) => {
            error!(model = part, error = %failure, "The version in the shadow failed: it is compared no more until the next start.");
            *place = None;
            ledger.put(part, None);
        }
    }
}

fn tell(part: &'static str, rows: &[(bool, f32)], took: Duration, comparison: &Comparison) {
    let different = rows.iter().filter(|(same, _)| !same).count();
    counter!(m::SHADOW_COMPARED, "model" => part).increment(rows.len() as u64);
    counter!(m::SHADOW_DIFFERENT, "model" => part).increment(different as u64);
    gauge!(m::SHADOW_GAP, "model" => part).set(f64::from(comparison.largest_gap));
    histogram!(m::SHADOW_LATENCY, "model" => part).record(took.as_secs_f64());
}

fn windows(model: &WaveformModel, kept: Vec<Instant>) -> Compared {
    let (windows, live): (Vec<_>, Vec<_>) = kept.into_iter().unzip();
    let counts = |shockable| {
        let from = Timestamp::default();
        Opinion::Window { from, shockable }.counts()
    };
    let ours = ecg_vf::shockable(model, &windows)?;
    let pairs = ours.into_iter().zip(live);
    Ok(pairs.map(|(a, b)| (counts(a) == counts(b), (a - b).abs())).collect())
}

fn beats(model: &WaveformModel, kept: Vec<Beat>) -> Compared {
    let (beats, live): (Vec<_>, Vec<_>) = kept.into_iter().unzip();
    let ours = ecg_beat::classify(model, &beats)?;
    // A beat that no lead shows is none for both.
    let pairs = ours.into_iter().zip(live).filter_map(|(a, b)| Some((a?, b?)));
    let compare = |(a, b): (Probabilities, Probabilities)| {
        let gaps = a.0.iter().zip(b.0).map(|(a, b)| (a - b).abs());
        (a.class() == b.class(), gaps.fold(0.0, f32::max))
    };
    Ok(pairs.map(compare).collect())
}

fn risks(model: &Model, kept: Vec<Risk>) -> Compared {
    let rows: Vec<Vec<f32>> = kept.iter().map(|(row, ..)| row.clone()).collect();
    let ours = model.predict(&rows)?;
    let pairs = ours.into_iter().zip(kept);
    Ok(pairs
        .map(|(ours, (_, live, band))| (model.band(ours) == band, (ours - live).abs()))
        .collect())
}
