//! The API's contract as OpenAPI 3.1, from the table of routes and the types themselves.

use axum::http::header;
use axum::response::{IntoResponse, Response};
use schemars::generate::SchemaSettings;
use schemars::{Schema, SchemaGenerator};
use serde_json::{Map, Value, json};

use super::access::{Access, OWN_PAGE, TYPED_NAME};
use super::api;
use super::body::ApiError;
use super::route::Route;

/// What a request can come to besides what its route says.
const ERRORS: [(&str, &str); 11] = [
    ("401", "Nobody is logged in, or only a display."),
    ("403", "Not for this role, or asked for by another site's page."),
    ("404", "No such bed, device or alarm."),
    ("409", "Refused: nothing changed."),
    ("413", "The body is too long."),
    ("415", "The body is not application/json."),
    ("422", "A field does not hold what was expected."),
    ("429", "Too many failed logins; see Retry-After."),
    ("431", "The cookies are too long."),
    ("503", "The agent is busy: not done."),
    ("504", "Not confirmed within 5 s: look whether it happened."),
];

/// The contract as it is served.
pub(super) async fn serve() -> Response {
    let text = serde_json::to_string(&document()).unwrap_or_default();
    ([(header::CONTENT_TYPE, "application/json")], text).into_response()
}

/// The whole document.
pub(super) fn document() -> Value {
    let mut settings = SchemaSettings::draft2020_12();
    settings.definitions_path = "/components/schemas".into();
    settings.meta_schema = None;
    // What is read may leave fields out that have a default; what is written has them all.
    let mut generators = Generators {
        bodies: settings.clone().for_deserialize().into_generator(),
        answers: settings.for_serialize().into_generator(),
    };
    let mut paths = Map::new();
    for route in api::routes() {
        let operation = operation(&route, &mut generators);
        let path = paths.entry(route.path).or_insert_with(|| json!({}));
        if let Some(methods) = path.as_object_mut() {
            methods.insert(route.method.to_owned(), operation);
        }
    }
    let error = generators.answers.subschema_for::<ApiError>();
    let mut schemas = generators.bodies.take_definitions(true);
    schemas.extend(generators.answers.take_definitions(true));
    schemas.sort_keys();
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Wardlight station",
            "version": "1",
            "description": "What a nurse's page asks for. Times are milliseconds since 1970. See agent/station/PROTOCOL.md for the WebSocket and the meaning of the fields. A secondary information system: the bedside monitor stays the primary alarm.",
        },
        "servers": [{ "url": "/api/v1" }],
        "paths": paths,
        "components": {
            "schemas": schemas,
            "responses": { "Error": { "description": "An error, in a sentence.", "content": content(&error) } },
            "securitySchemes": {
                "person": { "type": "apiKey", "in": "cookie", "name": crate::people::SESSION },
                "display": { "type": "apiKey", "in": "cookie", "name": crate::people::DISPLAY },
            },
        },
    })
}

/// Makes the schemas of what goes in and of what comes out.
struct Generators {
    bodies: SchemaGenerator,
    answers: SchemaGenerator,
}

fn operation(route: &Route, generators: &mut Generators) -> Value {
    let mut responses = Map::new();
    let answer = route.answer.map_or_else(
        || json!({ "type": "object" }).try_into().unwrap_or_default(),
        |of| of(&mut generators.answers),
    );
    responses.insert(
        "200".to_owned(),
        json!({ "description": "Done.", "content": content(&answer) }),
    );
    for (status, _) in ERRORS {
        responses.insert(status.to_owned(), json!({ "$ref": "#/components/responses/Error" }));
    }
    let mut operation = json!({
        "summary": route.summary,
        "description": format!("For: {}.", route.access.words()),
        "parameters": parameters(route),
        "security": security(route.access),
        "responses": responses,
    });
    if let (Some(body), Some(fields)) = (route.body, operation.as_object_mut()) {
        let body = json!({ "required": true, "content": content(&body(&mut generators.bodies)) });
        fields.insert("requestBody".to_owned(), body);
    }
    operation
}

fn parameters(route: &Route) -> Vec<Value> {
    let names = route
        .path
        .split('/')
        .filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
    let in_path = names.map(|name| json!({ "name": name, "in": "path", "required": true, "schema": { "type": "string" } }));
    let mut all: Vec<Value> = in_path.collect();
    if route.method != "get" {
        all.push(json!({
            "name": OWN_PAGE.as_str(), "in": "header", "required": false, "schema": { "type": "string" },
            "description": "Any value; required where a cookie comes along.",
        }));
        all.push(json!({
            "name": TYPED_NAME.as_str(), "in": "header", "required": false, "schema": { "type": "string" },
            "description": "At a station without a login: the name of whoever acts, percent-encoded UTF-8, unproved.",
        }));
    }
    all
}

fn security(access: Access) -> Value {
    match access {
        Access::Open => json!([]),
        Access::Watch => json!([{ "display": [] }, { "person": [] }]),
        Access::Roles(_) => json!([{ "person": [] }]),
    }
}

fn content(schema: &Schema) -> Value {
    json!({ "application/json": { "schema": schema } })
}
