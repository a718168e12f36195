//! The inference thread: gathers what all beds ask for into micro-batches and answers; it never holds anything else up.

use std::sync::mpsc::Receiver;

use tokio::sync::mpsc::Sender;
use tracing::error;
use wardlight_core::event::{InferRequest, ModelScore, ModelStatus, RiskBand};
use wardlight_models::deterioration::{self, Readiness};
use wardlight_models::{Band, Model, ModelError};

use crate::agent::Input;
use crate::clock;

/// Requests that may wait; the Ward drops and counts what does not fit, and asks again at its next interval.
pub(crate) const QUEUE: usize = 1024;
/// Windows in one micro-batch.
const BATCH: usize = 64;

/// Answers until the Ward's thread is gone. When the model fails, says that it is gone and ends: rules only.
pub(crate) fn run(model: &Model, requests: &Receiver<InferRequest>, answers: &Sender<Input>) {
    while let Ok(first) = requests.recv() {
        let asked = clock::instant();
        let batch: Vec<InferRequest> = std::iter::once(first).chain(requests.try_iter().take(BATCH - 1)).collect();
        let answer = match score(model, &batch) {
            Ok(scores) => Input::Scored(scores, asked.elapsed()),
            Err(failure) => {
                error!(error = %failure, "The model failed: no more risk estimates until the next start.");
                Input::Model(ModelStatus::Gone)
            }
        };
        let failed = matches!(answer, Input::Model(_));
        if answers.blocking_send(answer).is_err() || failed {
            return;
        }
    }
}

/// Scores those of the batch that have enough history; the others get no answer.
fn score(model: &Model, batch: &[InferRequest]) -> Result<Vec<ModelScore>, ModelError> {
    let mut ready = Vec::new();
    let mut rows = Vec::new();
    for request in batch {
        let features = deterioration::features(request.age_years.map(f32::from), &request.window);
        if features.readiness() == Readiness::Ready {
            ready.push(request);
            rows.push(features.into_row());
        }
    }
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    let probabilities = model.predict(&rows)?;
    let name = format!("{} {}", model.id(), model.version());
    let answers = ready.into_iter().zip(probabilities).map(|(request, probability)| ModelScore {
        bed: request.bed.clone(),
        stay: request.stay,
        asked_at: request.asked_at,
        model: name.clone(),
        permille: (probability.clamp(0.0, 1.0) * 1000.0).round() as u16,
        band: band(model.band(probability)),
        completeness_percent: completeness(request),
    });
    Ok(answers.collect())
}

const fn band(band: Band) -> RiskBand {
    match band {
        Band::Low => RiskBand::Low,
        Band::Raised => RiskBand::Raised,
        Band::High => RiskBand::High,
    }
}

/// Share of the vitals that were measured at least once in the newest six hours.
fn completeness(request: &InferRequest) -> u8 {
    let newest = request.window.iter().rev().take(6);
    let mut present = [false; wardlight_core::trend::VITALS];
    for row in newest {
        for (seen, value) in present.iter_mut().zip(row) {
            *seen |= value.is_some();
        }
    }
    let count = present.iter().filter(|seen| **seen).count();
    (count * 100 / present.len()) as u8
}
