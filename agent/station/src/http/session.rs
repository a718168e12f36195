//! Logging in and off, and breaking the glass.

use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::{self, HeaderMap, HeaderValue};
use axum::response::{IntoResponse, Response};
use schemars::JsonSchema;
use serde::Deserialize;

use super::access::Visit;
use super::api::{Done, Outcome, fresh};
use super::body::{ApiError, Body};
use super::requests::person;
use crate::people::{Badge, Caller, DISPLAY, LoginFailure, MAX_REASON, MIN_REASON, SESSION, set};
use crate::station::Station;
use crate::wire::SessionJson;

/// Body of `POST /session`.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Login {
    /// Login name; at a station without a login, the name under which the person acts.
    name: String,
    /// Password; not looked at where there is no login.
    #[serde(default)]
    password: String,
}

/// Body of `POST /session/break-glass`.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct BreakGlass {
    /// Why, 8 to 200 characters, without a patient's name: it stands in the audit trail.
    #[schemars(length(min = 8, max = 200))]
    reason: String,
}

pub(super) async fn show(State(station): State<Station>, visit: Visit) -> Response {
    fresh(&SessionJson::new(
        station.desk().people(),
        &visit.visitor,
        &visit.standing,
        station.now(),
    ))
}

pub(super) async fn login(State(station): State<Station>, visit: Visit, headers: HeaderMap, Body(body): Body<Login>) -> Response {
    let name = match person(&body.name) {
        Ok(name) => name,
        Err(problem) => return ApiError::sentence("name", problem, "1 to 64 characters").into_response(),
    };
    let now = station.now();
    let badge = station
        .desk()
        .login(&name, &body.password, &headers, visit.visitor.address, now)
        .await;
    match badge {
        Ok(badge) => welcome(&badge, came_over_tls(&headers)),
        Err(failure) => refusal(failure),
    }
}

pub(super) async fn logoff(State(station): State<Station>, headers: HeaderMap) -> Response {
    station.desk().logoff(&headers);
    let mut response = fresh(&Done { ok: true });
    let gone = set(SESSION, "", std::time::Duration::ZERO, came_over_tls(&headers));
    put_cookie(&mut response, &gone);
    response
}

pub(super) async fn break_glass(
    State(station): State<Station>,
    visit: Visit,
    caller: Caller,
    Body(body): Body<BreakGlass>,
) -> Outcome {
    let reason = body.reason.trim();
    if !(MIN_REASON..=MAX_REASON).contains(&reason.chars().count()) || reason.chars().any(char::is_control) {
        let expected = "8 to 200 characters that say why, none of them a control character";
        return Err(ApiError::field("reason", "", expected));
    }
    let now = station.now();
    let visitor = visit.visitor;
    let Some(session) = visitor.session.as_ref() else {
        return Err(ApiError::new(
            StatusCode::CONFLICT,
            "there is no login here, so no glass to break",
        ));
    };
    if !station.desk().break_glass(session, &caller, reason.to_owned(), now) {
        return Err(busy());
    }
    let standing = station.desk().standing(&visitor, now);
    Ok(fresh(&SessionJson::new(station.desk().people(), &visitor, &standing, now)))
}

fn welcome(badge: &Badge, secure: bool) -> Response {
    let mut response = fresh(&Done { ok: true });
    put_cookie(&mut response, &set(SESSION, &badge.token, badge.lasts, secure));
    if let Some(display) = &badge.display {
        put_cookie(&mut response, &set(DISPLAY, display, badge.lasts, secure));
    }
    response
}

fn put_cookie(response: &mut Response, cookie: &str) {
    // Names, hex digits and dates: always a valid header.
    if let Ok(value) = HeaderValue::from_str(cookie) {
        response.headers_mut().append(header::SET_COOKIE, value);
    }
}

fn refusal(failure: LoginFailure) -> Response {
    match failure {
        LoginFailure::Wrong => ApiError::new(StatusCode::UNAUTHORIZED, "name or password is wrong").into_response(),
        LoginFailure::TooSoon(wait) => {
            let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
            let problem = format!("too many failed logins: try again in {seconds} s");
            let error = ApiError::new(StatusCode::TOO_MANY_REQUESTS, &problem);
            ([(header::RETRY_AFTER, seconds.to_string())], error).into_response()
        }
        LoginFailure::Busy => busy().into_response(),
    }
}

fn busy() -> ApiError {
    ApiError::new(StatusCode::SERVICE_UNAVAILABLE, "the agent is busy: not done, try again")
}

/// The browser says how the page came to it, also behind a proxy.
fn came_over_tls(headers: &HeaderMap) -> bool {
    let origin = headers.get(header::ORIGIN).and_then(|value| value.to_str().ok());
    origin.is_some_and(|origin| origin.starts_with("https://"))
}
