//! The API under `/api/v1`: what the page uses, and what integrators get.

use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{delete, get, post};
use axum::{Json, Router};
use schemars::JsonSchema;
use serde::Serialize;
use wardlight_core::alarms::AlarmId;
use wardlight_core::event::Refusal;
use wardlight_core::ids::{BedId, DeviceId};

use super::access::{Access, CARE, DEVICES, NOT_CARE, Visit};
use super::body::{ApiError, Body};
use super::care;
use super::contract;
use super::past;
use super::requests::{Acknowledge, Admit, Attach, Chart, Nothing};
use super::route::{self, Route};
use super::session::{self, BreakGlass, Login};
use crate::command::{CommandFailure, Request};
use crate::people::{Caller, Sight};
use crate::station::Station;
use crate::wire::{AlarmAtBedJson, BedJson, DeviceJson, HealthJson, InfoJson, SessionJson, WardJson};

/// Every route of the API, who may use it, and what goes in and out.
pub(super) fn routes() -> Vec<Route> {
    let all = [now(), care::routes(), past::routes()];
    all.into_iter().flatten().collect()
}

#[rustfmt::skip]
fn now() -> Vec<Route> {
    vec![
        Route::get("/openapi.json", Access::Open, "This contract", get(contract::serve)),
        Route::get("/session", Access::Open, "Who is logged in here", get(session::show)).answers::<SessionJson<'_>>(),
        Route::post("/session", Access::Open, "Log in", post(session::login)).takes::<Login>().answers::<Done>(),
        Route::delete("/session", Access::Open, "Log off; the page stays a display", delete(session::logoff)).answers::<Done>(),
        Route::post("/session/break-glass", NOT_CARE, "Take a nurse's rights for 15 minutes", post(session::break_glass))
            .takes::<BreakGlass>().answers::<SessionJson<'_>>(),
        Route::get("/beds", Access::Watch, "Every bed", get(beds)).answers::<Beds<'_>>(),
        Route::get("/alarms", Access::Watch, "Standing alarms", get(alarms)).answers::<Alarms<'_>>(),
        Route::get("/devices", Access::Watch, "Devices, attached or not", get(devices)).answers::<Devices<'_>>(),
        Route::get("/ward", Access::Watch, "The ward's line and the agent's health", get(ward)).answers::<Overview<'_>>(),
        Route::post("/beds/{bed}/admit", CARE, "A patient takes the bed", post(admit)).takes::<Admit>().answers::<Done>(),
        Route::post("/beds/{bed}/discharge", CARE, "The patient leaves", post(discharge)).takes::<Nothing>().answers::<Done>(),
        Route::post("/beds/{bed}/attach", DEVICES, "A device is put to the bed", post(attach)).takes::<Attach>().answers::<Done>(),
        Route::post("/beds/{bed}/chart", CARE, "What no device measures", post(chart)).takes::<Chart>().answers::<Done>(),
        Route::post("/devices/{device}/detach", DEVICES, "A device is taken from its bed", post(detach))
            .takes::<Nothing>().answers::<Done>(),
        Route::post("/alarms/{id}/acknowledge", CARE, "A nurse takes note of an alarm", post(acknowledge))
            .takes::<Acknowledge>().answers::<Done>(),
    ]
}

pub(super) fn router(station: &Station) -> Router<Station> {
    route::router(station, routes()).fallback(unknown)
}

#[derive(Serialize, JsonSchema)]
struct Beds<'a> {
    now: i64,
    beds: Vec<BedJson<'a>>,
}

#[derive(Serialize, JsonSchema)]
struct Alarms<'a> {
    now: i64,
    alarms: Vec<AlarmAtBedJson<'a>>,
}

#[derive(Serialize, JsonSchema)]
struct Devices<'a> {
    now: i64,
    devices: Vec<DeviceJson<'a>>,
}

#[derive(Serialize, JsonSchema)]
struct Overview<'a> {
    now: i64,
    info: InfoJson<'a>,
    ward: WardJson<'a>,
    health: HealthJson<'a>,
}

/// It was done.
#[derive(Serialize, JsonSchema)]
pub(super) struct Done {
    pub(super) ok: bool,
}

pub(super) type Outcome = Result<Response, ApiError>;

async fn beds(State(station): State<Station>, visit: Visit) -> Outcome {
    let names = visit.standing.sees_names();
    visit.tell(&station, &Sight::Ward)?;
    let board = station.state();
    Ok(fresh(&Beds {
        now: board.now.as_millis(),
        beds: board.seen().map(|view| BedJson::shown(view, names)).collect(),
    }))
}

async fn alarms(State(station): State<Station>) -> Response {
    let board = station.state();
    let standing = board
        .seen()
        .flat_map(|view| view.alarms.iter().map(|alarm| AlarmAtBedJson::new(view.bed.as_str(), alarm)));
    fresh(&Alarms {
        now: board.now.as_millis(),
        alarms: standing.collect(),
    })
}

async fn devices(State(station): State<Station>) -> Response {
    let board = station.state();
    let attached = board.seen().flat_map(|view| &view.devices);
    fresh(&Devices {
        now: board.now.as_millis(),
        devices: attached.chain(&board.ward.unassigned).map(Into::into).collect(),
    })
}

async fn ward(State(station): State<Station>) -> Response {
    let board = station.state();
    fresh(&Overview {
        now: board.now.as_millis(),
        info: station.info().into(),
        ward: (&board.ward).into(),
        health: (&board.health).into(),
    })
}

async fn admit(State(station): State<Station>, caller: Caller, Path(bed): Path<String>, Body(body): Body<Admit>) -> Outcome {
    let bed = bed_id(&bed)?;
    let profile = body.profile()?;
    carry_out(&station, Request::Admit { bed, profile }, caller).await
}

async fn discharge(
    State(station): State<Station>,
    caller: Caller,
    Path(bed): Path<String>,
    Body(Nothing {}): Body<Nothing>,
) -> Outcome {
    carry_out(&station, Request::Discharge { bed: bed_id(&bed)? }, caller).await
}

async fn attach(State(station): State<Station>, caller: Caller, Path(bed): Path<String>, Body(body): Body<Attach>) -> Outcome {
    let bed = bed_id(&bed)?;
    let device = body.device()?;
    carry_out(&station, Request::Attach { device, bed }, caller).await
}

async fn chart(State(station): State<Station>, caller: Caller, Path(bed): Path<String>, Body(body): Body<Chart>) -> Outcome {
    let bed = bed_id(&bed)?;
    let (consciousness, oxygen) = body.parts()?;
    let request = Request::Chart {
        bed,
        consciousness,
        oxygen,
    };
    carry_out(&station, request, caller).await
}

async fn detach(
    State(station): State<Station>,
    caller: Caller,
    Path(device): Path<String>,
    Body(Nothing {}): Body<Nothing>,
) -> Outcome {
    let device = DeviceId::new(&device).map_err(|error| ApiError::new(StatusCode::NOT_FOUND, &error.to_string()))?;
    carry_out(&station, Request::Detach { device }, caller).await
}

async fn acknowledge(
    State(station): State<Station>,
    visit: Visit,
    caller: Caller,
    Path(id): Path<String>,
    Body(body): Body<Acknowledge>,
) -> Outcome {
    let caller = body.caller(caller, &visit.standing)?;
    let alarm = AlarmId::from_text(&id);
    carry_out(&station, Request::Acknowledge { alarm }, caller).await
}

async fn unknown() -> ApiError {
    ApiError::new(StatusCode::NOT_FOUND, "no such address in the API; see PROTOCOL.md")
}

pub(super) fn bed_id(text: &str) -> Result<BedId, ApiError> {
    BedId::new(text).map_err(|error| ApiError::new(StatusCode::NOT_FOUND, &error.to_string()))
}

pub(super) async fn carry_out(station: &Station, request: Request, caller: Caller) -> Outcome {
    match station.ask(request, caller).await {
        Ok(()) => Ok(fresh(&Done { ok: true })),
        Err(failure) => Err(failed(&failure)),
    }
}

pub(super) fn failed(failure: &CommandFailure) -> ApiError {
    ApiError::new(status(failure), &failure.to_string())
}

fn status(failure: &CommandFailure) -> StatusCode {
    match failure {
        CommandFailure::Refused(Refusal::UnknownBed(_) | Refusal::NoSuchAlarm(_)) => StatusCode::NOT_FOUND,
        CommandFailure::Refused(Refusal::NotAllowed(_)) => StatusCode::FORBIDDEN,
        CommandFailure::Refused(Refusal::Limits(_) | Refusal::PauseTooLong(_) | Refusal::TextTooLong(_)) => {
            StatusCode::UNPROCESSABLE_ENTITY
        }
        CommandFailure::Refused(_) => StatusCode::CONFLICT,
        CommandFailure::Busy => StatusCode::SERVICE_UNAVAILABLE,
        CommandFailure::Unconfirmed => StatusCode::GATEWAY_TIMEOUT,
        CommandFailure::Failed(_) => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

/// An answer that no cache may keep: it is true now only, and it is about patients.
pub(super) fn fresh(body: &impl Serialize) -> Response {
    ([(header::CACHE_CONTROL, "no-store")], Json(body)).into_response()
}
