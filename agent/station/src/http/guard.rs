//! Who may talk to the station at all, and the headers that every answer carries.

use std::net::IpAddr;

use axum::extract::{Request, State};
use axum::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use axum::http::{Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::body::ApiError;
use crate::counters::count;
use crate::station::Station;

/// The page loads nothing but its own files and talks to nobody else; nobody may frame it.
const CSP: &str = "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; form-action 'none'; \
                   frame-ancestors 'none'";

const HEADERS: [(HeaderName, &str); 5] = [
    (header::CONTENT_SECURITY_POLICY, CSP),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
];

/// Refuses foreign hosts and origins, and puts the headers on whatever comes out.
pub(super) async fn guard(State(station): State<Station>, request: Request, next: Next) -> Response {
    let mut response = match check(&station, &request) {
        Ok(()) => next.run(request).await,
        Err(error) => {
            count(&station.counting().foreign_requests);
            error.into_response()
        }
    };
    for (name, value) in HEADERS {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}

fn check(station: &Station, request: &Request) -> Result<(), ApiError> {
    let headers = request.headers();
    let host = host(headers).ok_or_else(|| ApiError::new(StatusCode::BAD_REQUEST, "header Host: missing"))?;
    if !known_host(&station.info().hosts, host) {
        let problem = format!("header Host {host:?}: not a name of this station; see `http.hosts` in the agent's configuration");
        return Err(ApiError::new(StatusCode::MISDIRECTED_REQUEST, &problem));
    }
    let changes = request.method() != Method::GET && request.method() != Method::HEAD;
    let opens_socket = headers.contains_key(header::UPGRADE);
    if (changes || opens_socket) && !same_origin(headers, host) {
        return Err(ApiError::new(
            StatusCode::FORBIDDEN,
            "header Origin: another site; only this station's own page may do that",
        ));
    }
    Ok(())
}

fn host(headers: &HeaderMap) -> Option<&str> {
    headers.get(header::HOST).and_then(|value| value.to_str().ok())
}

/// A program sends no Origin; a page always does, and it must be ours.
fn same_origin(headers: &HeaderMap, host: &str) -> bool {
    let Some(origin) = headers.get(header::ORIGIN) else {
        return true;
    };
    let origin = origin.to_str().unwrap_or_default();
    let rest = origin.strip_prefix("http://").or_else(|| origin.strip_prefix("https://"));
    rest.is_some_and(|rest| rest.eq_ignore_ascii_case(host))
}

/// Only a DNS name can be rebound to our address, so addresses are safe; names must be ours.
fn known_host(names: &[String], host: &str) -> bool {
    let name = without_port(host);
    let address = name.trim_start_matches('[').trim_end_matches(']');
    address.parse::<IpAddr>().is_ok()
        || name.eq_ignore_ascii_case("localhost")
        || names.iter().any(|known| known.eq_ignore_ascii_case(name))
}

fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) && !name.ends_with(':') => name,
        _ => host,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_and_our_names_are_known_and_others_are_not() {
        let names = ["ward.example".to_owned()];
        for good in [
            "localhost",
            "LOCALHOST:8080",
            "127.0.0.1:80",
            "[::1]:8080",
            "[::1]",
            "10.0.0.7",
            "ward.example:443",
        ] {
            assert!(known_host(&names, good), "{good} was refused");
        }
        for bad in [
            "evil.example",
            "localhost.evil.example",
            "ward.example.evil:80",
            "",
            ":80",
            "127.0.0.1.evil.example",
        ] {
            assert!(!known_host(&names, bad), "{bad:?} was taken");
        }
    }
}
