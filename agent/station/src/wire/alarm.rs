//! Alarms as the page and the API see them.

use schemars::JsonSchema;
use serde::Serialize;
use wardlight_core::event::{AlarmChange, Cause};
use wardlight_core::view::AlarmView;

use super::bed::shown;

/// An alarm as it stands.
#[derive(Serialize, JsonSchema)]
pub(crate) struct AlarmJson {
    id: String,
    kind: String,
    text: String,
    #[schemars(extend("enum" = ["high", "medium", "low"]))]
    priority: &'static str,
    state: &'static str,
    technical: bool,
    latching: bool,
    /// It cannot be switched off.
    red: bool,
    #[serde(flatten)]
    cause: CauseJson,
    onset_at: i64,
    raised_at: i64,
    acknowledged_by: Option<String>,
    call: String,
    receiver: &'static str,
    accepted_by: Option<String>,
    audio: &'static str,
    reminders: u16,
}

/// What crossed what, in the numbers that the tile shows.
#[derive(Default, Serialize, JsonSchema)]
#[schemars(rename = "AlarmCause")]
struct CauseJson {
    parameter: Option<&'static str>,
    value: Option<f64>,
    limit: Option<f64>,
}

/// An alarm outside its bed's object.
#[derive(Serialize, JsonSchema)]
pub(crate) struct AlarmAtBedJson<'a> {
    bed: &'a str,
    #[serde(flatten)]
    alarm: AlarmJson,
}

/// One change of an alarm.
#[derive(Serialize)]
pub(crate) struct ChangeJson<'a> {
    #[serde(flatten)]
    alarm: AlarmJson,
    bed: &'a str,
    transition: &'static str,
    revision: u32,
    changed_at: i64,
    /// When the message that led to this change was sampled, on the device's clock.
    sampled_at: Option<i64>,
    /// When it was received.
    received_at: Option<i64>,
}

impl<'a> AlarmAtBedJson<'a> {
    pub(crate) fn new(bed: &'a str, view: &AlarmView) -> Self {
        Self { bed, alarm: view.into() }
    }
}

impl From<&AlarmView> for AlarmJson {
    fn from(a: &AlarmView) -> Self {
        Self {
            id: a.id.to_string(),
            kind: a.kind.to_string(),
            text: a.kind.text(),
            priority: a.priority.name(),
            state: a.state.name(),
            technical: a.kind.is_technical(),
            latching: a.kind.latches(),
            red: a.kind.is_red(),
            cause: a.cause.into(),
            onset_at: a.onset_at.as_millis(),
            raised_at: a.raised_at.as_millis(),
            acknowledged_by: a.acknowledged_by.clone(),
            call: a.call.to_string(),
            receiver: a.receiver.name(),
            accepted_by: a.accepted_by.clone(),
            audio: a.audio.name(),
            reminders: a.reminders,
        }
    }
}

impl<'a> From<&'a AlarmChange> for ChangeJson<'a> {
    fn from(a: &'a AlarmChange) -> Self {
        Self {
            alarm: (&AlarmView::from(a)).into(),
            bed: a.bed.as_str(),
            transition: a.transition.name(),
            revision: a.revision,
            changed_at: a.changed_at.as_millis(),
            sampled_at: a.trigger.map(|t| t.sampled_at.as_millis()),
            received_at: a.trigger.map(|t| t.received_at.as_millis()),
        }
    }
}

impl From<Option<Cause>> for CauseJson {
    fn from(cause: Option<Cause>) -> Self {
        cause.map_or_else(Self::default, |c| Self {
            parameter: Some(c.parameter.name()),
            value: Some(shown(c.parameter, c.value)),
            limit: Some(shown(c.parameter, c.limit)),
        })
    }
}
