//! The inference thread: gathers what all beds ask for into micro-batches and answers; it never holds anything else up.

use std::collections::VecDeque;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError};
use std::time::Duration;

use tokio::sync::mpsc::Sender;
use tracing::error;
use wardlight_core::event::{InferRequest, ModelScore, ModelStatus, RISK_INPUTS, RiskBand, RiskEffect, RiskReasons};
use wardlight_core::time::Timestamp;
use wardlight_models::deterioration::{self, Readiness};
use wardlight_models::{Band, Model, ModelError};

use crate::agent::Input;
use crate::clock;

/// Requests that may wait; the Ward drops and counts what does not fit, and asks again at its next interval.
pub(crate) const QUEUE: usize = 1024;
/// Windows in one micro-batch.
const BATCH: usize = 64;

/// The Ward's side of it: asks, and knows for how long no answer has come.
#[derive(Debug)]
pub(crate) struct Inference {
    requests: SyncSender<InferRequest>,
    /// When the requests without an answer were made, oldest first: answers come in that order. As many as may wait, and
    /// those of the batch in hand.
    unanswered: VecDeque<Timestamp>,
    gone: bool,
}

impl Inference {
    pub(crate) const fn new(requests: SyncSender<InferRequest>) -> Self {
        Self {
            requests,
            unanswered: VecDeque::new(),
            gone: false,
        }
    }

    /// Asks; `false` if there is no room, or nobody to answer.
    pub(crate) fn ask(&mut self, request: InferRequest) -> bool {
        let asked_at = request.asked_at;
        let sent = self.requests.try_send(request);
        self.gone = matches!(sent, Err(TrySendError::Disconnected(_)));
        if sent.is_ok() {
            self.unanswered.push_back(asked_at);
        }
        sent.is_ok()
    }

    /// So many requests have been answered; returns when the oldest of them was made.
    pub(crate) fn answered(&mut self, requests: usize) -> Option<Timestamp> {
        let requests = requests.min(self.unanswered.len());
        self.unanswered.drain(..requests).next()
    }

    /// Whether a request has waited for longer than `deadline`.
    pub(crate) fn is_overdue(&self, now: Timestamp, deadline: Duration) -> bool {
        self.unanswered
            .front()
            .is_some_and(|asked_at| now.since(*asked_at) > deadline)
    }

    /// Whether the thread has ended.
    pub(crate) const fn is_gone(&self) -> bool {
        self.gone
    }
}

/// Answers until the Ward's thread is gone. When the model fails, says that it is gone and ends: rules only.
pub(crate) fn run(model: &Model, requests: &Receiver<InferRequest>, answers: &Sender<Input>) {
    while let Ok(first) = requests.recv() {
        let asked = clock::instant();
        let batch: Vec<InferRequest> = std::iter::once(first).chain(requests.try_iter().take(BATCH - 1)).collect();
        let answer = match score(model, &batch) {
            Ok(scores) => Input::Scored {
                scores,
                requests: batch.len(),
                took: asked.elapsed(),
            },
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
    let answers = ready.into_iter().zip(probabilities).map(|(request, probability)| {
        Ok(ModelScore {
            bed: request.bed.clone(),
            stay: request.stay,
            asked_at: request.asked_at,
            model: name.clone(),
            permille: (probability.clamp(0.0, 1.0) * 1000.0).round() as u16,
            band: band(model.band(probability)),
            completeness_percent: completeness(request),
            reasons: reasons(model, request)?,
        })
    });
    answers.collect()
}

/// What made the estimate, now and, if the stay is long enough, without its newest hour.
fn reasons(model: &Model, request: &InferRequest) -> Result<RiskReasons, ModelError> {
    let age = request.age_years.map(f32::from);
    let now = deterioration::explain(model, age, &request.window)?;
    let earlier = request.window.split_last().map(|(_, earlier)| earlier);
    let hour_ago = match earlier.filter(|earlier| earlier.len() >= deterioration::MIN_HOURS) {
        Some(earlier) => Some(deterioration::explain(model, age, earlier)?),
        None => None,
    };
    let ppm = |probability: f64| (probability * 1e6).round() as i32;
    let mut effects = [RiskEffect::default(); RISK_INPUTS];
    for (input, (effect, now)) in effects.iter_mut().zip(now.effects).enumerate() {
        let before = hour_ago.as_ref().and_then(|before| before.effects.get(input));
        *effect = RiskEffect {
            ppm: ppm(now),
            hour_ago_ppm: before.copied().map(ppm),
        };
    }
    Ok(RiskReasons {
        base_ppm: ppm(now.base),
        effects,
    })
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

#[cfg(test)]
mod tests {
    use std::sync::mpsc::sync_channel;

    use wardlight_core::ids::{BedId, StayToken};

    use super::*;

    const DEADLINE: Duration = Duration::from_millis(500);

    fn at(ms: i64) -> Timestamp {
        Timestamp::from_millis(ms)
    }

    fn request(ms: i64) -> InferRequest {
        InferRequest {
            bed: BedId::new("B1").unwrap(),
            stay: StayToken::from_bytes([1; 16]),
            asked_at: at(ms),
            age_years: None,
            window: Vec::new(),
        }
    }

    #[test]
    fn the_oldest_request_without_an_answer_is_the_one_that_counts() {
        let (ask, _held) = sync_channel(8);
        let mut inference = Inference::new(ask);
        assert!(!inference.is_overdue(at(10_000), DEADLINE), "nothing was asked");
        for ms in [0, 250, 400] {
            assert!(inference.ask(request(ms)));
        }
        assert!(!inference.is_overdue(at(500), DEADLINE));
        assert!(inference.is_overdue(at(501), DEADLINE));
        assert_eq!(inference.answered(2), Some(at(0)));
        assert!(!inference.is_overdue(at(900), DEADLINE));
        assert!(inference.is_overdue(at(901), DEADLINE));
        assert_eq!(inference.answered(9), Some(at(400)));
        assert!(!inference.is_overdue(at(9000), DEADLINE));
    }

    #[test]
    fn a_full_queue_is_no_request_and_a_thread_that_ended_is_noticed() {
        let (ask, held) = sync_channel(1);
        let mut inference = Inference::new(ask);
        assert!(inference.ask(request(0)) && !inference.ask(request(1)));
        assert!(!inference.is_gone());
        assert_eq!((inference.answered(1), inference.answered(1)), (Some(at(0)), None));
        drop(held);
        assert!(!inference.ask(request(2)) && inference.is_gone());
        assert!(!inference.is_overdue(at(9000), DEADLINE));
    }
}
