//! How a version that nobody hears answers beside the live one.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use wardlight_models::life::Counted;

/// What was counted since both were in their places.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Comparison {
    /// Version that answers.
    pub(crate) live: String,
    /// Version that nobody hears.
    pub(crate) unheard: String,
    /// Since when, in milliseconds since 1970.
    pub(crate) since_ms: i64,
    /// Windows, beats or patients that both judged.
    pub(crate) compared: u64,
    /// Of those, how many with the same decision: the same band, class of a beat, or side of the threshold.
    pub(crate) same: u64,
    /// What the live one judged and the other could not: too much at once.
    pub(crate) skipped: u64,
    /// Largest difference of a probability.
    pub(crate) largest_gap: f32,
    /// Batches of the unheard one.
    pub(crate) batches: u64,
    /// Their time together, in microseconds.
    pub(crate) took_us: u64,
    /// The longest, in microseconds.
    pub(crate) slowest_us: u64,
}

impl Comparison {
    /// One batch: for each row whether the decision was the same, and how far the probabilities were apart.
    pub(crate) fn add(&mut self, rows: &[(bool, f32)], took: Duration) {
        self.compared += rows.len() as u64;
        self.same += rows.iter().filter(|(same, _)| *same).count() as u64;
        self.largest_gap = rows.iter().fold(self.largest_gap, |most, (_, gap)| most.max(*gap));
        let took = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        self.batches += 1;
        self.took_us = self.took_us.saturating_add(took);
        self.slowest_us = self.slowest_us.max(took);
    }

    /// Share of the decisions that differed; 0 where nothing was compared.
    pub(crate) fn differed(&self) -> f64 {
        if self.compared == 0 {
            return 0.0;
        }
        (self.compared - self.same) as f64 / self.compared as f64
    }

    /// In a sentence.
    pub(crate) fn summary(&self) -> String {
        let mean_ms = self.took_us as f64 / 1000.0 / self.batches.max(1) as f64;
        format!(
            "{} beside {}, unheard: {} compared, {:.2} % the same decision, largest gap {:.3}, {mean_ms:.2} ms a batch, {:.2} ms the slowest, {} skipped",
            self.unheard,
            self.live,
            self.compared,
            100.0 * (1.0 - self.differed()),
            self.largest_gap,
            self.slowest_us as f64 / 1000.0,
            self.skipped
        )
    }
}

/// The comparison of each model, as the inference thread counts it and the loader writes it down.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ledger(Arc<Mutex<Accounts>>);

#[derive(Debug, Default)]
struct Accounts {
    comparisons: BTreeMap<String, Comparison>,
    /// Version and counts of what is live.
    counted: BTreeMap<String, (String, Counted)>,
}

impl Ledger {
    /// Puts down how a model stands; `None` if nothing of it is compared any more.
    pub(crate) fn put(&self, model: &str, comparison: Option<Comparison>) {
        let all = &mut self.lock().comparisons;
        match comparison {
            Some(comparison) => all.insert(model.to_owned(), comparison),
            None => all.remove(model),
        };
    }

    /// Puts down what was counted of the live versions.
    pub(crate) fn count(&self, counted: BTreeMap<String, (String, Counted)>) {
        self.lock().counted = counted;
    }

    /// What was counted of `live` since it went live or for the last while, with the decisions of `predecessor` beside it. Nothing of
    /// another version.
    pub(crate) fn counted(&self, model: &str, live: &str, predecessor: &str) -> Counted {
        let accounts = self.lock();
        let counted = accounts.counted.get(model).filter(|(version, _)| version == live);
        let mut counted = counted.map(|(_, counted)| counted.clone()).unwrap_or_default();
        let beside = |one: &&Comparison| one.live == live && one.unheard == predecessor;
        if let Some(comparison) = accounts.comparisons.get(model).filter(beside) {
            counted.compared = comparison.compared;
            counted.different = comparison.compared - comparison.same;
        }
        counted
    }

    /// All comparisons as they stand.
    pub(crate) fn all(&self) -> BTreeMap<String, Comparison> {
        self.lock().comparisons.clone()
    }

    fn lock(&self) -> MutexGuard<'_, Accounts> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
