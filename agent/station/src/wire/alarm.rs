//! Alarms as the page and the API see them.

use schemars::JsonSchema;
use serde::Serialize;
use wardlight_core::event::{AlarmChange, Cause};
use wardlight_core::view::AlarmView;

use super::bed::shown;

/// What an alarm is about, in both twins.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "AlarmAbout")]
struct About<'a> {
    id: &'a str,
    kind: String,
    text: String,
    #[schemars(extend("enum" = ["high", "medium", "low"]))]
    priority: &'static str,
    state: &'static str,
    technical: bool,
    latching: bool,
    #[serde(flatten)]
    cause: CauseJson,
    onset_at: i64,
    raised_at: i64,
}

/// What crossed what, in the numbers that the tile shows.
#[derive(Default, Serialize, JsonSchema)]
#[schemars(rename = "AlarmCause")]
struct CauseJson {
    parameter: Option<&'static str>,
    value: Option<f64>,
    limit: Option<f64>,
}

/// One standing alarm of a bed.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "StandingAlarm")]
pub(crate) struct StandingJson<'a> {
    #[serde(flatten)]
    about: About<'a>,
    /// The bed, where the alarm stands outside its bed's object.
    #[serde(skip_serializing_if = "Option::is_none")]
    bed: Option<&'a str>,
    acknowledged_by: Option<&'a str>,
}

/// One change of an alarm.
#[derive(Serialize)]
pub(crate) struct ChangeJson<'a> {
    #[serde(flatten)]
    about: About<'a>,
    bed: &'a str,
    revision: u32,
    changed_at: i64,
    /// When the message that led to this change was sampled, on the device's clock.
    sampled_at: Option<i64>,
    /// When it was received.
    received_at: Option<i64>,
    acknowledged_by: Option<&'a str>,
}

impl<'a> StandingJson<'a> {
    /// With the name of its bed.
    pub(crate) fn at(bed: &'a str, view: &'a AlarmView) -> Self {
        Self {
            bed: Some(bed),
            ..view.into()
        }
    }
}

impl<'a> From<&'a AlarmView> for StandingJson<'a> {
    fn from(a: &'a AlarmView) -> Self {
        Self {
            about: About {
                id: a.id.as_str(),
                kind: a.kind.to_string(),
                text: a.kind.text(),
                priority: a.priority.name(),
                state: a.state.name(),
                technical: a.kind.is_technical(),
                latching: a.kind.latches(),
                cause: a.cause.into(),
                onset_at: a.onset_at.as_millis(),
                raised_at: a.raised_at.as_millis(),
            },
            bed: None,
            acknowledged_by: a.acknowledged_by.as_deref(),
        }
    }
}

impl<'a> From<&'a AlarmChange> for ChangeJson<'a> {
    fn from(a: &'a AlarmChange) -> Self {
        Self {
            about: About {
                id: a.id.as_str(),
                kind: a.kind.to_string(),
                text: a.kind.text(),
                priority: a.priority.name(),
                state: a.state.name(),
                technical: a.kind.is_technical(),
                latching: a.kind.latches(),
                cause: a.cause.into(),
                onset_at: a.onset_at.as_millis(),
                raised_at: a.raised_at.as_millis(),
            },
            bed: a.bed.as_str(),
            revision: a.revision,
            changed_at: a.changed_at.as_millis(),
            sampled_at: a.trigger.map(|t| t.sampled_at.as_millis()),
            received_at: a.trigger.map(|t| t.received_at.as_millis()),
            acknowledged_by: a.by.as_deref(),
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
