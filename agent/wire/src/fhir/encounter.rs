//! A stay as an `Encounter`: which token was in which bed from when to when. It is what a hospital maps its patients by, without a name.

use serde_json::{Value, json};
use wardlight_core::ids::{BedId, StayToken};
use wardlight_core::time::Timestamp;

use super::{Mapping, Resource, Version, instant, set};

/// Classes of encounters.
const CLASSES: &str = "http://terminology.hl7.org/CodeSystem/v3-ActCode";

/// A stay as it is now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Occupancy {
    /// Which stay.
    pub stay: StayToken,
    /// In which bed.
    pub bed: BedId,
    /// Since when.
    pub admitted_at: Timestamp,
    /// Until when; `None` while the patient is there.
    pub discharged_at: Option<Timestamp>,
}

impl Mapping {
    /// The encounter of a stay; admission, transfers and discharge are one.
    pub fn encounter(&self, occupancy: &Occupancy) -> Resource {
        let Occupancy { stay, bed, .. } = occupancy;
        let mut period = json!({"start": instant(occupancy.admitted_at)});
        if let Some(end) = occupancy.discharged_at {
            set(&mut period, "end", instant(end.max(occupancy.admitted_at)));
        }
        let class = json!({"system": CLASSES, "code": "IMP"});
        let place = json!({"type": "Location", "identifier": {"system": self.system("bed"), "value": bed.as_str()}});
        let mut body = json!({
            "identifier": [self.stay_identifier(*stay)],
            "status": self.status(occupancy.discharged_at.is_some()),
            "subject": self.subject(*stay),
            "location": [{"location": place}],
        });
        match self.version {
            Version::R4 => {
                set(&mut body, "class", class);
                set(&mut body, "period", period);
            }
            Version::R5 => {
                set(&mut body, "class", json!([{"coding": [class]}]));
                set(&mut body, "actualPeriod", period);
            }
        }
        Resource::new("Encounter", self.id("encounter", &[stay.as_bytes()]), body)
    }

    fn status(&self, is_over: bool) -> Value {
        let word = match (is_over, self.version) {
            (false, _) => "in-progress",
            (true, Version::R4) => "finished",
            (true, Version::R5) => "completed",
        };
        word.into()
    }
}
