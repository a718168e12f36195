//! A bed with everything that only its own view shows.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;
use wardlight_core::blind::BlindInterval;
use wardlight_core::handover::Handover;
use wardlight_core::view::{BedView, LimitView};
use wardlight_core::vitals::Milli;

use super::bed::{BedJson, shown};
use super::sighting::SightingJson;

/// Twin of the whole [`BedView`].
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "BedDetail")]
pub(crate) struct DetailJson<'a> {
    #[serde(flatten)]
    bed: BedJson<'a>,
    limits: Vec<LimitJson<'a>>,
    blind_by_cause: BTreeMap<&'static str, u64>,
    blind_recent: Vec<BlindJson>,
    handover: Option<HandoverJson<'a>>,
    sighting: Option<SightingJson<'a>>,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Limit")]
struct LimitJson<'a> {
    parameter: &'static str,
    low: Option<f64>,
    high: Option<f64>,
    delay_s: u64,
    default_low: Option<f64>,
    default_high: Option<f64>,
    proposed_low: Option<f64>,
    proposed_high: Option<f64>,
    changed_by: Option<&'a str>,
    changed_at: Option<i64>,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Blind")]
struct BlindJson {
    cause: &'static str,
    from: i64,
    until: i64,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Handover")]
struct HandoverJson<'a> {
    severity: &'static str,
    summary: &'a str,
    actions: &'a str,
    contingency: &'a str,
    by: &'a str,
    at: i64,
    read_back_by: Option<&'a str>,
    read_back_at: Option<i64>,
}

impl<'a> DetailJson<'a> {
    /// The bed; without `names` neither the patient's name nor what is written about them.
    pub(crate) fn shown(view: &'a BedView, names: bool) -> Self {
        Self {
            bed: BedJson::shown(view, names),
            limits: view.limits.iter().map(Into::into).collect(),
            blind_by_cause: view.blind_by_cause.iter().map(|(cause, ms)| (cause.name(), *ms)).collect(),
            blind_recent: view.blind_recent.iter().map(Into::into).collect(),
            handover: view.handover.as_ref().filter(|_| names).map(Into::into),
            sighting: view.sighting.as_ref().map(Into::into),
        }
    }
}

impl<'a> From<&'a LimitView> for LimitJson<'a> {
    fn from(limit: &'a LimitView) -> Self {
        let number = |value: Option<Milli>| value.map(|value| shown(limit.parameter, value));
        let changed = limit.changed.as_ref();
        Self {
            parameter: limit.parameter.name(),
            low: number(limit.low),
            high: number(limit.high),
            delay_s: limit.delay.as_secs(),
            default_low: number(limit.default.0),
            default_high: number(limit.default.1),
            proposed_low: number(limit.proposed.map(|p| p.0)),
            proposed_high: number(limit.proposed.map(|p| p.1)),
            changed_by: changed.map(|(by, _)| by.as_str()),
            changed_at: changed.map(|(_, at)| at.as_millis()),
        }
    }
}

impl From<&BlindInterval> for BlindJson {
    fn from(interval: &BlindInterval) -> Self {
        Self {
            cause: interval.cause.name(),
            from: interval.from.as_millis(),
            until: interval.until.as_millis(),
        }
    }
}

impl<'a> From<&'a Handover> for HandoverJson<'a> {
    fn from(handover: &'a Handover) -> Self {
        let note = &handover.note;
        let read_back = handover.read_back.as_ref();
        Self {
            severity: note.severity.name(),
            summary: &note.summary,
            actions: &note.actions,
            contingency: &note.contingency,
            by: &handover.by,
            at: handover.at.as_millis(),
            read_back_by: read_back.map(|(by, _)| by.as_str()),
            read_back_at: read_back.map(|(_, at)| at.as_millis()),
        }
    }
}
