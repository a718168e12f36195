//! An alarm as a `Flag` on the chart: what a nurse must have seen, open while it stands.
//!
//! It is a note for the record. Alarms go to people by the page, MQTT, webhooks and HL7 v2, which do not wait for a record.

use serde_json::json;
use wardlight_core::alarms::AlarmState;
use wardlight_core::event::AlarmChange;

use super::{Mapping, Resource, instant, set};

/// Categories of flags.
const CATEGORIES: &str = "http://terminology.hl7.org/CodeSystem/flag-category";

impl Mapping {
    /// The flag as it is after this change; `None` for what is wrong with devices and not with the patient. All changes of one alarm are
    /// one flag.
    pub fn flag(&self, change: &AlarmChange) -> Option<Resource> {
        if change.kind.is_technical() {
            return None;
        }
        let is_over = change.state == AlarmState::Cleared;
        let mut period = json!({"start": instant(change.onset_at)});
        if is_over {
            set(&mut period, "end", instant(change.changed_at.max(change.onset_at)));
        }
        let body = json!({
            "identifier": [{"system": self.system("alarm"), "value": change.id.to_string()}],
            "status": if is_over { "inactive" } else { "active" },
            "category": [
                {"coding": [{"system": CATEGORIES, "code": "clinical"}]},
                {"coding": [{"system": self.system("alarm-priority"), "code": change.priority.name()}]},
            ],
            "code": {
                "coding": [{"system": self.system("alarm-kind"), "code": change.kind.to_string()}],
                "text": text(change),
            },
            "subject": self.subject(change.stay),
            "period": period,
            "author": self.agent_reference(),
        });
        let id = self.id("alarm", &[change.stay.as_bytes(), change.id.to_string().as_bytes()]);
        Some(Resource::new("Flag", id, body))
    }
}

fn text(change: &AlarmChange) -> String {
    let kind = change.kind.text();
    match change.cause {
        Some(cause) => format!("{kind}: {}, limit {}", cause.value.to_f64(), cause.limit.to_f64()),
        None => kind,
    }
}
