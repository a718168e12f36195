//! NEWS2 as an observation with a component for each part of chart 1.

use serde_json::{Value, json};
use wardlight_core::ids::StayToken;
use wardlight_core::scores::News2;
use wardlight_core::time::Timestamp;

use super::codes::{Category, SNOMED};
use super::{Mapping, Resource, absent, instant, set};

/// SNOMED CT: the score. (*ratify*)
const NEWS2: &str = "1104051000000101";

impl Mapping {
    /// The score of a stay at a time. Where an input is missing there is no total, and the note says what it is at least.
    pub fn news2(&self, stay: StayToken, at: Timestamp, score: &News2) -> Resource {
        let named = score.parts.named();
        let parts = named.map(|(name, points)| self.part(name, points));
        let mut body = json!({
            "status": "final",
            "category": Category::Survey.concept(),
            "code": {"coding": [{"system": SNOMED, "code": NEWS2}], "text": "National Early Warning Score 2"},
            "subject": self.subject(stay),
            "effectiveDateTime": instant(at),
            "device": self.agent_reference(),
            "interpretation": [{
                "coding": [{"system": self.system("news2-band"), "code": score.band.name()}],
                "text": score.band.name(),
            }],
            "component": parts,
        });
        if let Some(total) = score.total {
            set(&mut body, "valueInteger", json!(total));
        } else {
            let missing = named.iter().filter(|(_, points)| points.is_none()).map(|(name, _)| *name);
            let missing = missing.collect::<Vec<_>>().join(", ").replace('_', " ");
            set(&mut body, "dataAbsentReason", absent("unknown"));
            set(
                &mut body,
                "note",
                json!([{"text": format!("At least {}; missing: {missing}.", score.at_least)}]),
            );
        }
        let id = self.id("news2", &[stay.as_bytes(), &at.as_millis().to_be_bytes()]);
        Resource::new("Observation", id, body)
    }

    fn part(&self, name: &str, points: Option<u8>) -> Value {
        let code = json!({
            "coding": [{"system": self.system("news2-part"), "code": name}],
            "text": format!("NEWS2 points: {}", name.replace('_', " ")),
        });
        match points {
            Some(points) => json!({"code": code, "valueInteger": points}),
            None => json!({"code": code, "dataAbsentReason": absent("unknown")}),
        }
    }
}
