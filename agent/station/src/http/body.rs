//! Request bodies in, errors out.

use axum::Json;
use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use schemars::JsonSchema;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// Longest request body, in bytes.
const MAX_BODY: usize = 16 * 1024;

/// An error as the API tells it: what, which field, what was expected.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Error")]
pub(crate) struct ApiError {
    #[serde(skip)]
    status: StatusCode,
    error: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    field: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expected: Option<String>,
}

impl ApiError {
    pub(crate) fn new(status: StatusCode, error: &str) -> Self {
        Self {
            status,
            error: error.to_owned(),
            field: None,
            expected: None,
        }
    }

    /// The sentence alone.
    pub(crate) fn message(self) -> String {
        self.error
    }

    /// A field that does not hold what was expected.
    pub(super) fn field(field: &str, found: &str, expected: &str) -> Self {
        Self::sentence(field, format!("{field} {found}: expected {expected}"), expected)
    }

    /// The same, where the sentence is there already.
    pub(super) fn sentence(field: &str, error: String, expected: &str) -> Self {
        Self {
            status: StatusCode::UNPROCESSABLE_ENTITY,
            error,
            field: Some(field.to_owned()),
            expected: Some(expected.to_owned()),
        }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        (self.status, Json(self)).into_response()
    }
}

/// A JSON body, whose refusal names the field. The content type is demanded: a foreign page's form cannot send it.
pub(super) struct Body<T>(pub(super) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Body<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        if !is_json(&request) {
            let problem = "header Content-Type: expected application/json";
            return Err(ApiError::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, problem));
        }
        let bytes = Bytes::from_request(request, state)
            .await
            .map_err(|error| ApiError::new(error.status(), &error.body_text()))?;
        if bytes.len() > MAX_BODY {
            let problem = format!("body of {} bytes: at most {MAX_BODY} expected", bytes.len());
            return Err(ApiError::new(StatusCode::PAYLOAD_TOO_LARGE, &problem));
        }
        parse(&bytes).map(Self)
    }
}

fn is_json(request: &Request) -> bool {
    let value = request.headers().get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok());
    let kind = value.and_then(|v| v.split(';').next()).map(str::trim);
    kind.is_some_and(|kind| kind.eq_ignore_ascii_case("application/json"))
}

fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, ApiError> {
    // serde would also take the fields as a list, by position: nobody should.
    if bytes.trim_ascii_start().first() != Some(&b'{') {
        let problem = "body: expected a JSON object";
        return Err(ApiError::new(StatusCode::UNPROCESSABLE_ENTITY, problem));
    }
    let mut json = serde_json::Deserializer::from_slice(bytes);
    let value = serde_path_to_error::deserialize(&mut json).map_err(|error| {
        let path = error.path().to_string();
        ApiError {
            status: StatusCode::UNPROCESSABLE_ENTITY,
            error: format!("body: {}", error.inner()),
            field: (path != ".").then_some(path),
            expected: None,
        }
    })?;
    json.end()
        .map_err(|error| ApiError::new(StatusCode::UNPROCESSABLE_ENTITY, &format!("body: {error}")))?;
    Ok(value)
}
