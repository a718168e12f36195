//! Who may use which route: decided here, once, before a handler runs.

use std::net::{IpAddr, SocketAddr};

use axum::extract::{ConnectInfo, FromRequestParts, Request, State};
use axum::http::header::HeaderName;
use axum::http::request::Parts;
use axum::http::{Extensions, HeaderMap, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use percent_encoding::percent_decode;
use wardlight_core::people::Role;

use super::body::ApiError;
use super::requests::person;
use crate::people::{Caller, MAX_COOKIES, Sight, Standing, Visitor};
use crate::station::Station;

/// A change that comes with our cookie must carry this header, with any value: another site's page cannot send it.
pub(crate) const OWN_PAGE: HeaderName = HeaderName::from_static("x-wardlight");
/// Who acts, as typed at a station without a login, percent-encoded UTF-8. With a login it says nothing.
pub(crate) const TYPED_NAME: HeaderName = HeaderName::from_static("x-wardlight-by");
/// The name of whoever acts at a station without a login and typed none.
const UNNAMED: &str = "somebody at the station";

/// Who may use a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    /// Whoever reaches the station.
    Open,
    /// Displays and people. Names of patients are for those who care for them only.
    Watch,
    /// People in one of these roles.
    Roles(&'static [Role]),
}

/// Those who care for patients.
pub(crate) const CARE: Access = Access::Roles(&[Role::Nurse, Role::ChargeNurse]);
/// Those who handle devices.
pub(crate) const DEVICES: Access = Access::Roles(&[Role::Nurse, Role::ChargeNurse, Role::Biomed]);
/// Everybody who is logged in.
pub(crate) const PEOPLE: Access = Access::Roles(&Role::ALL);
/// Those who may need a nurse's rights in an emergency.
pub(crate) const NOT_CARE: Access = Access::Roles(&[Role::Biomed, Role::Admin]);

impl Access {
    /// Who acts, if the visitor may.
    /// # Errors
    /// What to answer.
    pub(crate) fn caller(
        self,
        standing: &Standing,
        typed: Option<&str>,
        address: Option<IpAddr>,
    ) -> Result<Option<Caller>, ApiError> {
        let unproved = typed.unwrap_or(UNNAMED);
        match (self, standing) {
            (Self::Open, _) | (Self::Watch, Standing::Display) => Ok(None),
            (Self::Watch, Standing::Stranger) => Err(unauthorized("log in")),
            (Self::Roles(_), Standing::Stranger | Standing::Display) => Err(unauthorized("log in to act")),
            (Self::Watch, Standing::Person(person)) => Ok(Some(Caller::person(person, person.role, address))),
            (Self::Watch, Standing::Anybody) => Ok(Some(Caller::anybody(unproved, Role::ChargeNurse, address))),
            (Self::Roles(roles), Standing::Person(person)) => match person.acting(roles) {
                Some(role) => Ok(Some(Caller::person(person, role, address))),
                None => Err(denied(person.role)),
            },
            (Self::Roles(roles), Standing::Anybody) => {
                // The charge nurse does what a charge nurse may; the rest is for whoever looks after the machine.
                let all = [Role::ChargeNurse, Role::Biomed, Role::Admin];
                let role = all.into_iter().find(|role| roles.contains(role)).unwrap_or(Role::ChargeNurse);
                Ok(Some(Caller::anybody(unproved, role, address)))
            }
        }
    }

    /// The roles in words, for the contract.
    pub(crate) fn words(self) -> String {
        match self {
            Self::Open => "anybody".to_owned(),
            Self::Watch => "displays and people".to_owned(),
            Self::Roles(roles) => roles.iter().map(|role| role.name()).collect::<Vec<_>>().join(", "),
        }
    }
}

fn unauthorized(what: &str) -> ApiError {
    ApiError::new(StatusCode::UNAUTHORIZED, what)
}

fn denied(role: Role) -> ApiError {
    let problem = format!("not for the role {}", role.name());
    ApiError::new(StatusCode::FORBIDDEN, &problem)
}

/// A visit: who comes, and who acts if the route is for acting.
#[derive(Clone)]
pub(crate) struct Visit {
    pub(crate) visitor: Visitor,
    pub(crate) standing: Standing,
    pub(crate) caller: Option<Caller>,
}

impl Visit {
    /// Tells the audit trail that a patient's name is seen. At a station without a login nobody knows who looks.
    /// # Errors
    /// What to answer instead: without a record nobody sees a name.
    pub(super) fn tell(&self, station: &Station, sight: &Sight) -> Result<(), ApiError> {
        let Standing::Person(person) = &self.standing else {
            return Ok(());
        };
        let told = !person.sees_names() || station.desk().saw(person, self.visitor.address, sight, station.now());
        let busy = || ApiError::new(StatusCode::SERVICE_UNAVAILABLE, "the agent is busy: try again");
        told.then_some(()).ok_or_else(busy)
    }
}

/// What stands before a handler.
#[derive(Clone)]
pub(super) struct Gate {
    pub(super) station: Station,
    pub(super) access: Access,
    /// Path of the route as the table has it: what a person wrote into the path stays out of the audit trail.
    pub(super) path: &'static str,
}

/// Lets a request through to its handler, with the [`Visit`] in its extensions, or answers it.
pub(super) async fn gate(State(gate): State<Gate>, mut request: Request, next: Next) -> Response {
    match gate.examine(&request) {
        Ok(visit) => {
            if changes(request.method()) {
                gate.station.desk().gesture(&visit.visitor, gate.station.now());
            }
            request.extensions_mut().insert(visit);
            next.run(request).await
        }
        Err(error) => error.into_response(),
    }
}

impl Gate {
    fn examine(&self, request: &Request) -> Result<Visit, ApiError> {
        let desk = self.station.desk();
        let address = address(request.extensions());
        let Some(visitor) = desk.visitor(request.headers(), address) else {
            let problem = format!("header Cookie: at most {MAX_COOKIES} bytes expected");
            return Err(ApiError::new(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, &problem));
        };
        if changes(request.method()) && visitor.by_cookie && !request.headers().contains_key(OWN_PAGE) {
            let problem = format!("header {OWN_PAGE}: missing; a change that comes with a cookie must carry it");
            return Err(ApiError::new(StatusCode::FORBIDDEN, &problem));
        }
        let standing = desk.standing(&visitor, self.station.now());
        let typed = match &standing {
            Standing::Anybody => typed_name(request.headers())?,
            Standing::Person(_) | Standing::Display | Standing::Stranger => None,
        };
        match self.access.caller(&standing, typed.as_deref(), address) {
            Ok(caller) => Ok(Visit {
                visitor,
                standing,
                caller,
            }),
            Err(error) => {
                if let Standing::Person(person) = &standing {
                    let caller = Caller::person(person, person.role, address);
                    desk.denied(&caller, format!("{} {}", request.method(), self.path));
                }
                Err(error)
            }
        }
    }
}

/// The name in the header [`TYPED_NAME`].
/// # Errors
/// If it is no name.
fn typed_name(headers: &HeaderMap) -> Result<Option<String>, ApiError> {
    let Some(value) = headers.get(TYPED_NAME) else {
        return Ok(None);
    };
    let expected = "header x-wardlight-by: expected the name of a person, 1 to 64 characters, percent-encoded UTF-8";
    let refused = || ApiError::new(StatusCode::UNPROCESSABLE_ENTITY, expected);
    let name = percent_decode(value.as_bytes()).decode_utf8().ok();
    let name = name.and_then(|name| person(&name).ok()).ok_or_else(refused)?;
    Ok(Some(name))
}

fn changes(method: &Method) -> bool {
    method != Method::GET && method != Method::HEAD
}

fn address(extensions: &Extensions) -> Option<IpAddr> {
    let info = extensions.get::<ConnectInfo<SocketAddr>>()?;
    Some(info.0.ip().to_canonical())
}

impl<S: Send + Sync> FromRequestParts<S> for Visit {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, ApiError> {
        // Without a gate, or on a route that lets anybody in, nobody acts: a mistake in the table lets nobody in.
        parts.extensions.get().cloned().ok_or_else(|| unauthorized("log in"))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Caller {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let visit = Visit::from_request_parts(parts, state).await?;
        visit.caller.ok_or_else(|| unauthorized("log in to act"))
    }
}
