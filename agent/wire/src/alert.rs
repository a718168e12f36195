//! What leaves the agent when an alarm changes: the payload of `ward/v1/{site}/{unit}/{bed}/alert` and of the webhook.
//!
//! It holds no patient name, no identifier and no stay token.

use serde::{Deserialize, Serialize};
use wardlight_core::alarms::Roster;
use wardlight_core::codes::{NUMERICS, Parameter, Unit};
use wardlight_core::event::AlarmChange;
use wardlight_core::ids::{BedId, SiteId, UnitId};

use crate::topic::{Topic, WardTopic};

/// One change of one alarm, as JSON. A receiver that keeps the highest `revision` per `id` has the true state.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Alert {
    /// Version of this payload, 1.
    pub v: u32,
    /// Identity of the episode: the same for all its changes, and after a restart.
    pub id: String,
    /// 1 at the raise, one more with each change.
    pub revision: u32,
    /// Which site.
    pub site: SiteId,
    /// Which unit.
    pub unit: UnitId,
    /// Which bed.
    pub bed: BedId,
    /// Machine name of the kind: `spo2_low`, `apnoea`, …
    pub kind: String,
    /// Text for people.
    pub text: String,
    /// `low`, `medium` or `high`.
    pub priority: String,
    /// `active`, `acknowledged`, `latched` or `cleared`.
    pub state: String,
    /// Machine name of the parameter that crossed a limit: `spo2`, …
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parameter: Option<String>,
    /// Its value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<f64>,
    /// The limit it crossed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<f64>,
    /// UCUM unit of value and limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit_ucum: Option<String>,
    /// When the condition began, on the device's clock, in milliseconds since 1970-01-01 UTC.
    pub onset_at: i64,
    /// When the alarm was first declared, in milliseconds since 1970-01-01 UTC.
    pub raised_at: i64,
    /// When this change happened, in milliseconds since 1970-01-01 UTC.
    pub changed_at: i64,
    /// Who acknowledged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// What happened: `raised`, `acknowledged`, `ended`, `reminded`, `escalated`, `accepted`, `rejected`, `switched_off` or
    /// `announced`.
    #[serde(default)]
    pub transition: String,
    /// The `id` of the alarm that began the call: alarms of one call ring once and escalate together.
    #[serde(default)]
    pub call: String,
    /// Who is called: `primary`, `second` or `charge_nurse`.
    #[serde(default)]
    pub receiver: String,
    /// Those of that step by the names that the site's configuration gives them: people, telephones, pager groups.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub calling: Vec<String>,
    /// Who said "I am going".
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accepted_by: Option<String>,
}

/// Why an alert could not be read.
#[derive(Debug, thiserror::Error)]
pub enum AlertError {
    /// Not the JSON of an alert.
    #[error("alert: {0}")]
    Json(#[from] serde_json::Error),
    /// Of another version.
    #[error("alert: v = {0}: expected 1")]
    Version(u32),
}

impl Alert {
    /// The alert of one change; `roster` is the unit's.
    pub fn new(site: &SiteId, unit: &UnitId, roster: &Roster, change: &AlarmChange) -> Self {
        let cause = change.cause;
        Self {
            v: 1,
            id: change.id.to_string(),
            revision: change.revision,
            site: site.clone(),
            unit: unit.clone(),
            bed: change.bed.clone(),
            kind: change.kind.to_string(),
            text: change.kind.text(),
            priority: change.priority.name().into(),
            state: change.state.name().into(),
            parameter: cause.map(|c| c.parameter.name().into()),
            value: cause.map(|c| c.value.to_f64()),
            limit: cause.map(|c| c.limit.to_f64()),
            unit_ucum: cause.and_then(|c| unit_of(c.parameter)).map(|unit| unit.ucum().into()),
            onset_at: change.onset_at.as_millis(),
            raised_at: change.raised_at.as_millis(),
            changed_at: change.changed_at.as_millis(),
            by: change.by.clone(),
            transition: change.transition.name().into(),
            call: change.call.to_string(),
            receiver: change.receiver.name().into(),
            calling: roster.at(change.receiver).to_vec(),
            accepted_by: change.accepted_by.clone(),
        }
    }

    /// Its topic, `ward/v1/{site}/{unit}/{bed}/alert`.
    pub fn topic(&self) -> String {
        let (site, unit, bed) = (self.site.clone(), self.unit.clone(), self.bed.clone());
        let kind = WardTopic::Alert;
        Topic::Ward { site, unit, bed, kind }.to_string()
    }

    /// Its payload.
    /// # Errors
    /// [`AlertError::Json`] if a value or limit is not finite, which [`Alert::new`] never makes.
    pub fn to_json(&self) -> Result<Vec<u8>, AlertError> {
        Ok(serde_json::to_vec(self)?)
    }

    /// Reads a payload; unknown fields are ignored, so that later versions may add some.
    /// # Errors
    /// [`AlertError`] if it is no alert, or one of another version.
    pub fn from_json(payload: &[u8]) -> Result<Self, AlertError> {
        let alert: Self = serde_json::from_slice(payload)?;
        if alert.v != 1 {
            return Err(AlertError::Version(alert.v));
        }
        Ok(alert)
    }
}

/// The unit that all codes of a parameter share.
fn unit_of(parameter: Parameter) -> Option<Unit> {
    NUMERICS.iter().find(|n| n.parameter == parameter).map(|n| n.unit)
}

#[cfg(test)]
mod tests {
    use wardlight_core::alarms::{AlarmId, AlarmKind, AlarmState, Audio, Receiver, Side};
    use wardlight_core::event::{Cause, Transition};
    use wardlight_core::ids::StayToken;
    use wardlight_core::message::Priority;
    use wardlight_core::time::Timestamp;
    use wardlight_core::vitals::Milli;

    use super::*;

    fn change() -> AlarmChange {
        let bed = BedId::new("bed-07").unwrap();
        let kind = AlarmKind::Limit(Parameter::Spo2, Side::Low);
        let onset_at = Timestamp::from_millis(1_767_225_600_000);
        let id = AlarmId::new(&bed, &kind, onset_at);
        AlarmChange {
            id: id.clone(),
            revision: 2,
            bed,
            stay: StayToken::from_bytes([0xAB; 16]),
            kind,
            priority: Priority::Medium,
            state: AlarmState::Acknowledged,
            transition: Transition::Acknowledged,
            cause: Some(Cause {
                parameter: Parameter::Spo2,
                value: Milli::from_int(87),
                limit: Milli::from_int(90),
            }),
            onset_at,
            raised_at: Timestamp::from_millis(1_767_225_615_000),
            changed_at: Timestamp::from_millis(1_767_225_620_000),
            trigger: None,
            by: Some("nurse-3".into()),
            call: id,
            receiver: Receiver::Second,
            accepted_by: None,
            audio: Audio::On,
            reminders: 0,
        }
    }

    fn alert() -> Alert {
        with_roster(&Roster::default())
    }

    fn with_roster(roster: &Roster) -> Alert {
        Alert::new(
            &SiteId::new("north").unwrap(),
            &UnitId::new("icu-2").unwrap(),
            roster,
            &change(),
        )
    }

    #[test]
    fn an_alert_says_what_where_and_when_and_not_whose() {
        let json = String::from_utf8(alert().to_json().unwrap()).unwrap();
        assert_eq!(
            json,
            r#"{"v":1,"id":"bed-07:spo2_low:1767225600000","revision":2,"site":"north","unit":"icu-2","bed":"bed-07","kind":"spo2_low","text":"SpO2 low","priority":"medium","state":"acknowledged","parameter":"spo2","value":87.0,"limit":90.0,"unit_ucum":"%","onset_at":1767225600000,"raised_at":1767225615000,"changed_at":1767225620000,"by":"nurse-3","transition":"acknowledged","call":"bed-07:spo2_low:1767225600000","receiver":"second"}"#
        );
        assert_eq!(alert().topic(), "ward/v1/north/icu-2/bed-07/alert");
    }

    #[test]
    fn an_alert_names_those_of_its_step_and_nobody_else() {
        let roster = Roster {
            primary: vec!["4101".into()],
            second: vec!["K. Brandt".into(), "4102".into()],
            charge_nurse: vec!["4100".into()],
        };
        let json = String::from_utf8(with_roster(&roster).to_json().unwrap()).unwrap();
        assert!(
            json.ends_with(r#""receiver":"second","calling":["K. Brandt","4102"]}"#),
            "{json}"
        );
    }

    #[test]
    fn an_alert_reads_back_as_it_was_written() {
        assert_eq!(Alert::from_json(&alert().to_json().unwrap()).unwrap(), alert());
    }

    #[test]
    fn an_alert_of_another_version_is_refused() {
        let later = Alert { v: 2, ..alert() };
        assert!(matches!(
            Alert::from_json(&later.to_json().unwrap()),
            Err(AlertError::Version(2))
        ));
    }
}
