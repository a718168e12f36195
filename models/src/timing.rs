//! How many rows a second a graph is computed for, on the thread that asks.

use std::hint::black_box;
use std::time::Duration;

use crate::manifest::Dimension;
use crate::package::Precision;
use crate::{Engine, Manifest, ModelError, Package};

/// Best of so many short rounds.
const ROUNDS: usize = 60;
/// Rows between two looks at the clock, which may cost as much as a row.
const READ_EVERY: usize = 64;
/// A round lasts at least so long.
const ROUND: Duration = Duration::from_millis(15);

impl Package {
    /// Rows (windows, or patients) a second of one graph on one engine, `batch` at a time: the best of short rounds that together take
    /// little more than `enough` by `clock`, which only grows.
    ///
    /// # Errors
    /// As [`Package::load_as`].
    pub fn rows_a_second(
        &self,
        (precision, engine): (Precision, Engine),
        batch: usize,
        enough: Duration,
        clock: &dyn Fn() -> Duration,
    ) -> Result<f64, ModelError> {
        match self.manifest() {
            Manifest::Risk(_) => {
                let model = self.load_as(precision, Some(engine))?;
                let rows: Vec<Vec<f32>> = (0..batch).map(|row| wave(row, model.width())).collect();
                best(batch, enough, clock, &|| model.predict(black_box(&rows)).map(drop))
            }
            Manifest::Waveform(manifest) => {
                let model = self.load_waveform_as(precision, Some(engine))?;
                let length = |axis: &Dimension| match axis {
                    Dimension::Fixed(length) => *length,
                    Dimension::Named(_) => batch,
                };
                let inputs = manifest.input.iter();
                let inputs: Vec<Vec<f32>> = inputs
                    .map(|input| wave(0, input.shape.iter().map(length).product()))
                    .collect();
                let inputs: Vec<&[f32]> = inputs.iter().map(Vec::as_slice).collect();
                best(batch, enough, clock, &|| model.logits(black_box(&inputs), batch).map(drop))
            }
        }
    }
}

/// Values between −1 and 1 that are not all the same.
fn wave(phase: usize, length: usize) -> Vec<f32> {
    (phase..phase + length).map(|i| (i as f32 * 0.7).sin()).collect()
}

fn best(
    batch: usize,
    enough: Duration,
    clock: &dyn Fn() -> Duration,
    run: &dyn Fn() -> Result<(), ModelError>,
) -> Result<f64, ModelError> {
    let mut best = 0.0_f64;
    let since = |start: Duration| clock().saturating_sub(start);
    let begin = clock();
    for _ in 0..ROUNDS {
        let start = clock();
        let mut calls = 0;
        while since(start) < ROUND {
            for _ in 0..READ_EVERY.div_ceil(batch) {
                run()?;
                calls += 1;
            }
        }
        best = best.max(f64::from(calls) * batch as f64 / since(start).as_secs_f64());
        // The slow ones need not be known to three digits.
        if since(begin) > enough {
            break;
        }
    }
    Ok(best)
}
