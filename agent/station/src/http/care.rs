//! What people do to alarms and patients, beyond taking note.

use std::time::Duration;

use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::post;
use serde::Deserialize;
use wardlight_core::alarms::{AlarmId, AlarmKind, Inactivation};
use wardlight_core::codes::Parameter;
use wardlight_core::event::Command;
use wardlight_core::handover::{HandoverNote, Severity};
use wardlight_core::ids::BedId;
use wardlight_core::vitals::Milli;

use super::api::{Outcome, bed_id, carry_out};
use super::body::{ApiError, Body};
use super::requests::Nothing;
use crate::command::Request;
use crate::station::Station;

pub(super) fn routes() -> Router<Station> {
    Router::new()
        .route("/alarms/{id}/escalate", post(escalate))
        .route("/alarms/{id}/respond", post(respond))
        .route("/audio/pause", post(pause))
        .route("/audio/resume", post(resume))
        .route("/beds/{bed}/alarms/{kind}", post(set_alarm))
        .route("/beds/{bed}/limits", post(set_limits))
        .route("/beds/{bed}/limits/reset", post(reset_limits))
        .route("/beds/{bed}/transfer", post(transfer))
        .route("/beds/{bed}/handover", post(hand_over))
        .route("/beds/{bed}/handover/read-back", post(read_back))
}

/// Body of `POST /alarms/{id}/respond`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Respond {
    accept: bool,
}

/// Body of `POST /audio/pause`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Pause {
    bed: Option<String>,
    seconds: u64,
}

/// Body of `POST /audio/resume`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Resume {
    bed: Option<String>,
}

/// Body of `POST /beds/{bed}/alarms/{kind}`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct SetAlarm {
    set: Setting,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Setting {
    On,
    AudioOff,
    AlarmOff,
}

/// Body of `POST /beds/{bed}/limits`; `low` and `high` must be there, null switches a side off.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Limits {
    parameter: String,
    #[serde(deserialize_with = "Option::deserialize")]
    low: Option<f64>,
    #[serde(deserialize_with = "Option::deserialize")]
    high: Option<f64>,
    delay_s: Option<u64>,
}

/// Body of `POST /beds/{bed}/transfer`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Transfer {
    to: String,
    with_devices: bool,
}

/// Body of `POST /beds/{bed}/handover`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct HandOver {
    severity: String,
    summary: String,
    actions: String,
    contingency: String,
}

async fn escalate(State(station): State<Station>, Path(id): Path<String>, Body(Nothing {}): Body<Nothing>) -> Outcome {
    let alarm = AlarmId::from_text(&id);
    ask(&station, Command::Escalate { alarm }).await
}

async fn respond(State(station): State<Station>, Path(id): Path<String>, Body(body): Body<Respond>) -> Outcome {
    let alarm = AlarmId::from_text(&id);
    let accept = body.accept;
    ask(&station, Command::Respond { alarm, accept }).await
}

async fn pause(State(station): State<Station>, Body(body): Body<Pause>) -> Outcome {
    let bed = some_bed(body.bed.as_deref())?;
    let length = Duration::from_secs(body.seconds);
    ask(&station, Command::PauseAudio { bed, length }).await
}

async fn resume(State(station): State<Station>, Body(body): Body<Resume>) -> Outcome {
    let bed = some_bed(body.bed.as_deref())?;
    ask(&station, Command::ResumeAudio { bed }).await
}

async fn set_alarm(
    State(station): State<Station>,
    Path((bed, kind)): Path<(String, String)>,
    Body(body): Body<SetAlarm>,
) -> Outcome {
    let bed = bed_id(&bed)?;
    let kind = AlarmKind::from_name(&kind)
        .ok_or_else(|| ApiError::new(StatusCode::NOT_FOUND, &format!("alarm {kind:?}: no such kind of alarm")))?;
    let how = match body.set {
        Setting::On => None,
        Setting::AudioOff => Some(Inactivation::AudioOff),
        Setting::AlarmOff => Some(Inactivation::AlarmOff),
    };
    ask(&station, Command::SetAlarm { bed, kind, how }).await
}

async fn set_limits(State(station): State<Station>, Path(bed): Path<String>, Body(body): Body<Limits>) -> Outcome {
    let bed = bed_id(&bed)?;
    let (parameter, low, high) = body.checked()?;
    let command = Command::SetLimits {
        bed,
        parameter,
        low,
        high,
        delay: body.delay_s.map(Duration::from_secs),
    };
    ask(&station, command).await
}

async fn reset_limits(State(station): State<Station>, Path(bed): Path<String>, Body(Nothing {}): Body<Nothing>) -> Outcome {
    ask(&station, Command::ResetLimits { bed: bed_id(&bed)? }).await
}

async fn transfer(State(station): State<Station>, Path(bed): Path<String>, Body(body): Body<Transfer>) -> Outcome {
    let from = bed_id(&bed)?;
    let to = BedId::new(&body.to).map_err(|error| ApiError::sentence("to", error.to_string(), "the name of a bed"))?;
    let with_devices = body.with_devices;
    ask(&station, Command::Transfer { from, to, with_devices }).await
}

async fn hand_over(State(station): State<Station>, Path(bed): Path<String>, Body(body): Body<HandOver>) -> Outcome {
    let bed = bed_id(&bed)?;
    let severity = Severity::from_name(&body.severity)
        .ok_or_else(|| ApiError::field("severity", &format!("{:?}", body.severity), "stable, watcher or unstable"))?;
    let note = HandoverNote {
        severity,
        summary: body.summary,
        actions: body.actions,
        contingency: body.contingency,
    };
    ask(&station, Command::HandOver { bed, note }).await
}

async fn read_back(State(station): State<Station>, Path(bed): Path<String>, Body(Nothing {}): Body<Nothing>) -> Outcome {
    ask(&station, Command::ReadBack { bed: bed_id(&bed)? }).await
}

async fn ask(station: &Station, command: Command) -> Outcome {
    carry_out(station, Request::Other(command)).await
}

fn some_bed(bed: Option<&str>) -> Result<Option<BedId>, ApiError> {
    let id = |text| BedId::new(text).map_err(|error| ApiError::sentence("bed", error.to_string(), "the name of a bed"));
    bed.map(id).transpose()
}

impl Limits {
    fn checked(&self) -> Result<(Parameter, Option<Milli>, Option<Milli>), ApiError> {
        let parameter = Parameter::ALL.into_iter().find(|p| p.name() == self.parameter);
        let parameter = parameter
            .ok_or_else(|| ApiError::field("parameter", &format!("{:?}", self.parameter), "hr, spo2, rr, nibp_sys, …"))?;
        Ok((parameter, milli("low", self.low)?, milli("high", self.high)?))
    }
}

fn milli(field: &'static str, value: Option<f64>) -> Result<Option<Milli>, ApiError> {
    let Some(value) = value else { return Ok(None) };
    if !(-10_000.0..=10_000.0).contains(&value) {
        return Err(ApiError::field(field, &value.to_string(), "a number that can be measured"));
    }
    Ok(Some(Milli::new((value * 1000.0).round() as i32)))
}
