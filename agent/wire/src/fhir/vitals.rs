//! Observations of what was measured, by the vital signs profile of HL7.

use serde_json::{Value, json};
use wardlight_core::codes::Unit;
use wardlight_core::ids::{DeviceId, StayToken};
use wardlight_core::time::Timestamp;
use wardlight_core::vitals::{Milli, Quality, Reading};

use super::codes::{self, Category, Panel};
use super::{Mapping, Resource, decimal, instant, set};

/// The profile of every vital sign.
const PROFILE: &str = "http://hl7.org/fhir/StructureDefinition/vitalsigns";

/// What becomes one observation: a numeric, or the pressures of one group measured together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Measured {
    panel: Option<Panel>,
    readings: Vec<Reading>,
}

impl Measured {
    /// The MDC code under which it is told: the numeric's, or the group's.
    pub fn code(&self) -> u32 {
        let own = || self.readings.first().map_or(0, |reading| reading.numeric().code);
        self.panel.map_or_else(own, |panel| panel.code)
    }
}

/// What of a message is told: values that scores and limits may use, about the patient. A value that the device voids, and one from a
/// device in demo mode, is no observation.
pub fn measured(readings: &[Reading]) -> Vec<Measured> {
    let mut all: Vec<Measured> = Vec::new();
    let told = |reading: &&Reading| reading.usable().is_some() && codes::category(reading.numeric().code).is_some();
    for reading in readings.iter().filter(told) {
        let panel = Panel::of(reading.numeric().code);
        match all.iter_mut().find(|one| panel.is_some() && one.panel == panel) {
            Some(group) => group.readings.push(*reading),
            None => all.push(Measured {
                panel,
                readings: vec![*reading],
            }),
        }
    }
    all
}

impl Mapping {
    /// The observation of one measurement; `None` if nothing was measured.
    pub fn vital_sign(&self, stay: StayToken, device: &DeviceId, at: Timestamp, measured: &Measured) -> Option<Resource> {
        let first = measured.readings.first()?;
        let category = codes::category(first.numeric().code)?;
        let mut body = json!({
            "status": "final",
            "category": category.concept(),
            "subject": self.subject(stay),
            "effectiveDateTime": instant(at),
            "device": self.device_reference(device),
        });
        if category == Category::VitalSigns {
            set(&mut body, "meta", json!({"profile": [PROFILE]}));
        }
        if let Some(panel) = measured.panel {
            set(&mut body, "code", panel.concept());
            set(
                &mut body,
                "component",
                measured.readings.iter().filter_map(component).collect(),
            );
        } else {
            set(&mut body, "code", codes::numeric(first.numeric()));
            set(&mut body, "valueQuantity", quantity(first.usable()?, first.numeric().unit));
        }
        if measured
            .readings
            .iter()
            .any(|reading| reading.quality().has(Quality::QUESTIONABLE))
        {
            set(&mut body, "note", json!([{"text": "The device doubts this value."}]));
        }
        let (time, code) = (at.as_millis().to_be_bytes(), measured.code().to_be_bytes());
        let parts: [&[u8]; 4] = [stay.as_bytes(), device.as_str().as_bytes(), &code, &time];
        Some(Resource::new("Observation", self.id("vital-sign", &parts), body))
    }
}

fn component(reading: &Reading) -> Option<Value> {
    let numeric = reading.numeric();
    let value = quantity(reading.usable()?, numeric.unit);
    Some(json!({"code": codes::numeric(numeric), "valueQuantity": value}))
}

fn quantity(value: Milli, unit: Unit) -> Value {
    json!({"value": decimal(value), "unit": unit.ucum(), "system": codes::UCUM, "code": unit.ucum()})
}
