//! The risk of every bed from its vitals, and what makes it.

use wardlight_core::event::{InferRequest, ModelScore, RISK_INPUTS, RiskBand, RiskEffect, RiskReasons};
use wardlight_models::deterioration::{self, Readiness};
use wardlight_models::{Band, Model, ModelError};

use super::shadow::{Risk, Shadow};

/// The estimate with what makes it; `None` for a stay that has too little history.
pub(super) fn score(
    model: &Model,
    request: &InferRequest,
    shadow: Option<&mut Shadow<Model, Risk>>,
) -> Result<Option<ModelScore>, ModelError> {
    let features = deterioration::features(request.age_years.map(f32::from), &request.window);
    if features.readiness() != Readiness::Ready {
        return Ok(None);
    }
    let row = features.into_row();
    let answer = model.predict(std::slice::from_ref(&row))?;
    let Some(probability) = answer.first().copied() else {
        return Ok(None);
    };
    if let Some(shadow) = shadow {
        shadow.keep(|| (row, probability, model.band(probability)));
    }
    Ok(Some(ModelScore {
        bed: request.bed.clone(),
        stay: request.stay,
        asked_at: request.asked_at,
        model: format!("{} {}", model.id(), model.version()),
        permille: (probability.clamp(0.0, 1.0) * 1000.0).round() as u16,
        band: band(model.band(probability)),
        completeness_percent: completeness(request),
        reasons: reasons(model, request)?,
    }))
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
