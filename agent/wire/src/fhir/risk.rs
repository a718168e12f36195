//! A model's estimate as a `RiskAssessment`: what the model said and why, and never more certain than it was.

use serde_json::{Value, json};
use wardlight_core::event::{ModelScore, RiskBand};

use super::{Mapping, Resource, instant};

/// The bands of qualitative risk.
const BANDS: &str = "http://terminology.hl7.org/CodeSystem/risk-probability";

impl Mapping {
    /// The assessment of one answer of the model.
    pub fn risk(&self, score: &ModelScore) -> Resource {
        let body = json!({
            "status": "final",
            "subject": self.subject(score.stay),
            "occurrenceDateTime": instant(score.asked_at),
            "performer": self.agent_reference(),
            "method": {"text": score.model},
            "prediction": [{
                "outcome": {"text": "Clinical deterioration"},
                "probabilityDecimal": f64::from(score.permille) / 1000.0,
                "qualitativeRisk": {"coding": [{"system": BANDS, "code": band(score.band)}]},
                "rationale": rationale(score),
            }],
            "note": [note(score)],
        });
        let time = score.asked_at.as_millis().to_be_bytes();
        let parts: [&[u8]; 3] = [score.stay.as_bytes(), score.model.as_bytes(), &time];
        Resource::new("RiskAssessment", self.id("risk", &parts), body)
    }
}

const fn band(band: RiskBand) -> &'static str {
    match band {
        RiskBand::Low => "low",
        RiskBand::Raised => "moderate",
        RiskBand::High => "high",
    }
}

/// The effects in points of percent, in the model's order: its vitals, then the age.
fn rationale(score: &ModelScore) -> String {
    const INPUTS: [&str; wardlight_core::event::RISK_INPUTS] = [
        "heart rate",
        "respiration rate",
        "systolic pressure",
        "diastolic pressure",
        "mean pressure",
        "temperature",
        "age",
    ];
    let percent = |ppm: i32| f64::from(ppm) / 10_000.0;
    let effects = INPUTS.iter().zip(&score.reasons.effects);
    let effects = effects.map(|(name, effect)| format!("{name} {:+.1}", percent(effect.ppm)));
    let effects = effects.collect::<Vec<_>>().join(", ");
    format!("Base {:.1} %; points of percent: {effects}", percent(score.reasons.base_ppm))
}

fn note(score: &ModelScore) -> Value {
    let text = format!(
        "Advisory. {} % of the model's inputs were present. The bedside monitor stays the primary alarm.",
        score.completeness_percent
    );
    json!({"text": text})
}
