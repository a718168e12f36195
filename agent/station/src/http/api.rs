//! The API under `/api/v1`: what the page uses, and what integrators get.

use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::Serialize;
use wardlight_core::alarms::AlarmId;
use wardlight_core::event::Refusal;
use wardlight_core::ids::{BedId, DeviceId};
use wardlight_core::people::{Actor, Role};

use super::body::{ApiError, Body};
use super::requests::{Acknowledge, Admit, Attach, Chart, Nothing};
use crate::command::{CommandFailure, Request};
use crate::station::Station;
use crate::wire::{AlarmAtBedJson, BedJson, DeviceJson, HealthJson, InfoJson, WardJson};

pub(super) fn routes() -> Router<Station> {
    Router::new()
        .route("/beds", get(beds))
        .route("/alarms", get(alarms))
        .route("/devices", get(devices))
        .route("/ward", get(ward))
        .route("/beds/{bed}/admit", post(admit))
        .route("/beds/{bed}/discharge", post(discharge))
        .route("/beds/{bed}/attach", post(attach))
        .route("/beds/{bed}/chart", post(chart))
        .route("/devices/{device}/detach", post(detach))
        .route("/alarms/{id}/acknowledge", post(acknowledge))
        .fallback(unknown)
}

#[derive(Serialize)]
struct Beds<'a> {
    now: i64,
    beds: Vec<BedJson<'a>>,
}

#[derive(Serialize)]
struct Alarms<'a> {
    now: i64,
    alarms: Vec<AlarmAtBedJson<'a>>,
}

#[derive(Serialize)]
struct Devices<'a> {
    now: i64,
    devices: Vec<DeviceJson<'a>>,
}

#[derive(Serialize)]
struct Overview<'a> {
    now: i64,
    info: InfoJson<'a>,
    ward: WardJson<'a>,
    health: HealthJson<'a>,
}

#[derive(Serialize)]
struct Done {
    ok: bool,
}

pub(super) type Outcome = Result<Response, ApiError>;

async fn beds(State(station): State<Station>) -> Response {
    let board = station.state();
    fresh(&Beds {
        now: board.now.as_millis(),
        beds: board.seen().map(|view| view.as_ref().into()).collect(),
    })
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

async fn admit(State(station): State<Station>, Path(bed): Path<String>, Body(body): Body<Admit>) -> Outcome {
    let bed = bed_id(&bed)?;
    let profile = body.profile()?;
    carry_out(&station, Request::Admit { bed, profile }).await
}

async fn discharge(State(station): State<Station>, Path(bed): Path<String>, Body(Nothing {}): Body<Nothing>) -> Outcome {
    carry_out(&station, Request::Discharge { bed: bed_id(&bed)? }).await
}

async fn attach(State(station): State<Station>, Path(bed): Path<String>, Body(body): Body<Attach>) -> Outcome {
    let bed = bed_id(&bed)?;
    let device = body.device()?;
    carry_out(&station, Request::Attach { device, bed }).await
}

async fn chart(State(station): State<Station>, Path(bed): Path<String>, Body(body): Body<Chart>) -> Outcome {
    let bed = bed_id(&bed)?;
    let (consciousness, oxygen) = body.parts()?;
    let request = Request::Chart {
        bed,
        consciousness,
        oxygen,
    };
    carry_out(&station, request).await
}

async fn detach(State(station): State<Station>, Path(device): Path<String>, Body(Nothing {}): Body<Nothing>) -> Outcome {
    let device = DeviceId::new(&device).map_err(|error| ApiError::new(StatusCode::NOT_FOUND, &error.to_string()))?;
    carry_out(&station, Request::Detach { device }).await
}

async fn acknowledge(State(station): State<Station>, Path(id): Path<String>, Body(body): Body<Acknowledge>) -> Outcome {
    let by = body.by()?;
    let alarm = AlarmId::from_text(&id);
    answer(
        station
            .ask(Request::Acknowledge { alarm }, Actor::new(by, Role::ChargeNurse))
            .await,
    )
}

async fn unknown() -> ApiError {
    ApiError::new(StatusCode::NOT_FOUND, "no such address in the API; see PROTOCOL.md")
}

pub(super) fn bed_id(text: &str) -> Result<BedId, ApiError> {
    BedId::new(text).map_err(|error| ApiError::new(StatusCode::NOT_FOUND, &error.to_string()))
}

pub(super) async fn carry_out(station: &Station, request: Request) -> Outcome {
    answer(station.ask(request, Actor::new("the page", Role::ChargeNurse)).await)
}

fn answer(outcome: Result<(), CommandFailure>) -> Outcome {
    match outcome {
        Ok(()) => Ok(fresh(&Done { ok: true })),
        Err(failure) => Err(ApiError::new(status(&failure), &failure.to_string())),
    }
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
