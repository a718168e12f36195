//! What people do to alarms and patients, beyond taking note.

use std::time::Duration;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::post;
use schemars::JsonSchema;
use serde::Deserialize;
use wardlight_core::alarms::{AlarmId, AlarmKind, Inactivation};
use wardlight_core::codes::Parameter;
use wardlight_core::event::Command;
use wardlight_core::handover::{HandoverNote, Severity};
use wardlight_core::ids::BedId;
use wardlight_core::vitals::Milli;

use super::access::CARE;
use super::api::{Done, Outcome, bed_id, carry_out, failed, fresh};
use super::body::{ApiError, Body};
use super::requests::Nothing;
use super::route::Route;
use crate::command::Request;
use crate::people::Caller;
use crate::station::Station;
use crate::what_if::{WhatIf, WhatIfAnswer};

/// Hours that a page may have replayed.
const MAX_HOURS: u32 = 24;

#[rustfmt::skip]
pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::post("/alarms/{id}/escalate", CARE, "Call the next receiver now", post(escalate)).takes::<Nothing>().answers::<Done>(),
        Route::post("/alarms/{id}/respond", CARE, "I am going, or not my bed", post(respond)).takes::<Respond>().answers::<Done>(),
        Route::post("/audio/pause", CARE, "Pause the audio of a bed or of all", post(pause)).takes::<Pause>().answers::<Done>(),
        Route::post("/audio/resume", CARE, "End the pause", post(resume)).takes::<Resume>().answers::<Done>(),
        Route::post("/beds/{bed}/alarms/{kind}", CARE, "Switch an alarm or its audio off or on", post(set_alarm))
            .takes::<SetAlarm>().answers::<Done>(),
        Route::post("/beds/{bed}/limits", CARE, "Change the limits of one parameter", post(set_limits)).takes::<Limits>().answers::<Done>(),
        Route::post("/beds/{bed}/limits/reset", CARE, "Back to the age group's limits", post(reset_limits))
            .takes::<Nothing>().answers::<Done>(),
        Route::post("/beds/{bed}/transfer", CARE, "The patient goes to another bed", post(transfer)).takes::<Transfer>().answers::<Done>(),
        Route::post("/beds/{bed}/handover", CARE, "Write the handover", post(hand_over)).takes::<HandOver>().answers::<Done>(),
        Route::post("/beds/{bed}/handover/read-back", CARE, "Read the handover back", post(read_back)).takes::<Nothing>().answers::<Done>(),
        Route::post("/what-if", CARE, "What other limits would have done", post(what_if)).takes::<WhatIfBody>().answers::<WhatIfAnswer>(),
    ]
}

/// Body of `POST /alarms/{id}/respond`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Respond {
    accept: bool,
}

/// Body of `POST /audio/pause`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Pause {
    bed: Option<String>,
    seconds: u64,
}

/// Body of `POST /audio/resume`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Resume {
    bed: Option<String>,
}

/// Body of `POST /beds/{bed}/alarms/{kind}`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct SetAlarm {
    set: Setting,
}

#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Setting {
    On,
    AudioOff,
    AlarmOff,
}

/// Body of `POST /beds/{bed}/limits`; `low` and `high` must be there, null switches a side off.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Limits {
    parameter: String,
    #[serde(deserialize_with = "Option::deserialize")]
    low: Option<f64>,
    #[serde(deserialize_with = "Option::deserialize")]
    high: Option<f64>,
    delay_s: Option<u64>,
}

/// Body of `POST /what-if`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct WhatIfBody {
    bed: Option<String>,
    parameter: String,
    #[serde(deserialize_with = "Option::deserialize")]
    low: Option<f64>,
    #[serde(deserialize_with = "Option::deserialize")]
    high: Option<f64>,
    delay_s: Option<u64>,
    hours: u32,
}

/// Body of `POST /beds/{bed}/transfer`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Transfer {
    to: String,
    with_devices: bool,
}

/// Body of `POST /beds/{bed}/handover`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct HandOver {
    severity: String,
    summary: String,
    actions: String,
    contingency: String,
}

async fn escalate(
    State(station): State<Station>,
    caller: Caller,
    Path(id): Path<String>,
    Body(Nothing {}): Body<Nothing>,
) -> Outcome {
    let alarm = AlarmId::from_text(&id);
    ask(&station, caller, Command::Escalate { alarm }).await
}

async fn respond(State(station): State<Station>, caller: Caller, Path(id): Path<String>, Body(body): Body<Respond>) -> Outcome {
    let alarm = AlarmId::from_text(&id);
    let accept = body.accept;
    ask(&station, caller, Command::Respond { alarm, accept }).await
}

async fn pause(State(station): State<Station>, caller: Caller, Body(body): Body<Pause>) -> Outcome {
    let bed = some_bed(body.bed.as_deref())?;
    let length = Duration::from_secs(body.seconds);
    ask(&station, caller, Command::PauseAudio { bed, length }).await
}

async fn resume(State(station): State<Station>, caller: Caller, Body(body): Body<Resume>) -> Outcome {
    let bed = some_bed(body.bed.as_deref())?;
    ask(&station, caller, Command::ResumeAudio { bed }).await
}

async fn set_alarm(
    State(station): State<Station>,
    caller: Caller,
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
    ask(&station, caller, Command::SetAlarm { bed, kind, how }).await
}

async fn set_limits(
    State(station): State<Station>,
    caller: Caller,
    Path(bed): Path<String>,
    Body(body): Body<Limits>,
) -> Outcome {
    let bed = bed_id(&bed)?;
    let (parameter, low, high) = checked(&body.parameter, body.low, body.high)?;
    let command = Command::SetLimits {
        bed,
        parameter,
        low,
        high,
        delay: body.delay_s.map(Duration::from_secs),
    };
    ask(&station, caller, command).await
}

async fn reset_limits(
    State(station): State<Station>,
    caller: Caller,
    Path(bed): Path<String>,
    Body(Nothing {}): Body<Nothing>,
) -> Outcome {
    ask(&station, caller, Command::ResetLimits { bed: bed_id(&bed)? }).await
}

async fn transfer(
    State(station): State<Station>,
    caller: Caller,
    Path(bed): Path<String>,
    Body(body): Body<Transfer>,
) -> Outcome {
    let from = bed_id(&bed)?;
    let to = BedId::new(&body.to).map_err(|error| ApiError::sentence("to", error.to_string(), "the name of a bed"))?;
    let with_devices = body.with_devices;
    ask(&station, caller, Command::Transfer { from, to, with_devices }).await
}

async fn hand_over(
    State(station): State<Station>,
    caller: Caller,
    Path(bed): Path<String>,
    Body(body): Body<HandOver>,
) -> Outcome {
    let bed = bed_id(&bed)?;
    let severity = Severity::from_name(&body.severity)
        .ok_or_else(|| ApiError::field("severity", &format!("{:?}", body.severity), "stable, watcher or unstable"))?;
    let note = HandoverNote {
        severity,
        summary: body.summary,
        actions: body.actions,
        contingency: body.contingency,
    };
    ask(&station, caller, Command::HandOver { bed, note }).await
}

async fn read_back(
    State(station): State<Station>,
    caller: Caller,
    Path(bed): Path<String>,
    Body(Nothing {}): Body<Nothing>,
) -> Outcome {
    ask(&station, caller, Command::ReadBack { bed: bed_id(&bed)? }).await
}

async fn what_if(State(station): State<Station>, Body(body): Body<WhatIfBody>) -> Outcome {
    let (parameter, low, high) = checked(&body.parameter, body.low, body.high)?;
    if !(1..=MAX_HOURS).contains(&body.hours) {
        return Err(ApiError::field("hours", &body.hours.to_string(), "1 to 24"));
    }
    let question = WhatIf {
        bed: some_bed(body.bed.as_deref())?,
        parameter,
        low,
        high,
        delay: body.delay_s.map(Duration::from_secs),
        hours: body.hours,
    };
    match station.what_if(question).await {
        Ok(answer) => Ok(fresh(&answer)),
        Err(failure) => Err(failed(&failure)),
    }
}

async fn ask(station: &Station, caller: Caller, command: Command) -> Outcome {
    carry_out(station, Request::Other(command), caller).await
}

fn some_bed(bed: Option<&str>) -> Result<Option<BedId>, ApiError> {
    let id = |text| BedId::new(text).map_err(|error| ApiError::sentence("bed", error.to_string(), "the name of a bed"));
    bed.map(id).transpose()
}

type Checked = (Parameter, Option<Milli>, Option<Milli>);

fn checked(name: &str, low: Option<f64>, high: Option<f64>) -> Result<Checked, ApiError> {
    let parameter = Parameter::ALL.into_iter().find(|p| p.name() == name);
    let parameter = parameter.ok_or_else(|| ApiError::field("parameter", &format!("{name:?}"), "hr, spo2, rr, nibp_sys, …"))?;
    Ok((parameter, milli("low", low)?, milli("high", high)?))
}

fn milli(field: &'static str, value: Option<f64>) -> Result<Option<Milli>, ApiError> {
    let Some(value) = value else { return Ok(None) };
    if !(-10_000.0..=10_000.0).contains(&value) {
        return Err(ApiError::field(field, &value.to_string(), "a number that can be measured"));
    }
    Ok(Some(Milli::new((value * 1000.0).round() as i32)))
}
