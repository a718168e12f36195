//! The contract says what the API does: it follows from the table of routes, and real answers fit it.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "tests fail by panicking"
)]

mod support;

use std::path::Path;

use serde_json::{Value, json};
use support::people::{Browser, answering, login_station};
use support::schema::check;
use support::{Answer, NOW, alarm, bed, get, http, station, ward};
use wardlight_core::alarms::AlarmState;

async fn document() -> Value {
    get(&station().await.address, "/api/v1/openapi.json").await.json()
}

/// Every operation: method, path, what it says.
fn operations(document: &Value) -> Vec<(String, String, Value)> {
    let paths = document["paths"].as_object().unwrap().iter();
    let all = paths.flat_map(|(path, methods)| {
        methods
            .as_object()
            .unwrap()
            .iter()
            .map(move |(method, operation)| (method, path, operation))
    });
    all.map(|(method, path, operation)| (method.to_uppercase(), path.clone(), operation.clone()))
        .collect()
}

fn schema(operation: &Value, at: &str) -> Value {
    operation
        .pointer(&format!("{at}/content/application~1json/schema"))
        .unwrap()
        .clone()
}

#[tokio::test]
async fn the_contract_in_the_repository_is_the_one_that_is_served() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/contract/api-v1.openapi.json");
    let served = serde_json::to_string_pretty(&document().await).unwrap() + "\n";
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&path, &served).unwrap();
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        served == kept,
        "docs/contract/api-v1.openapi.json differs: UPDATE_GOLDEN=1 rewrites it"
    );
}

#[tokio::test]
async fn every_operation_of_the_contract_is_there_and_guarded_as_it_says() {
    let f = login_station().await;
    let operations = operations(&document().await);
    assert!(operations.len() >= 16, "{}", operations.len());
    for (method, path, operation) in operations {
        let real = path
            .replace("{bed}", "b1")
            .replace("{device}", "d")
            .replace("{id}", "a")
            .replace("{kind}", "spo2_low");
        let headers = [("content-type", "application/json")];
        let answer = http(&f.address, &method, &format!("/api/v1{real}"), &headers, "{").await;
        assert!(!matches!(answer.status, 404 | 405), "{method} {path}: {}", answer.status);
        let needs_login = operation["security"] != json!([]);
        assert_eq!(
            answer.status == 401,
            needs_login,
            "{method} {path}: {} {}",
            answer.status,
            answer.body
        );
        let other = if method == "DELETE" { "PUT" } else { "PATCH" };
        assert_eq!(
            http(&f.address, other, &format!("/api/v1{real}"), &headers, "{}")
                .await
                .status,
            405,
            "{path}"
        );
    }
}

#[tokio::test]
async fn real_answers_fit_the_contract() {
    let f = login_station().await;
    let document = document().await;
    f.station.publish_beds(vec![bed("b1", 97), bed("b2", 95)], ward(), NOW);
    f.station.publish_alarm(&alarm("b1", 1, AlarmState::Active), NOW);
    let login = json!({ "name": "bauer", "password": "correct horse" });
    let biomed = Browser::login(&f.address, "bauer", "correct horse").await.unwrap();
    let nurse = Browser::login(&f.address, "klein", "correct horse").await.unwrap();
    let _requests = answering(f.commands);
    let bodies = |path: &str| match path {
        "/session" => login.clone(),
        "/session/break-glass" => json!({ "reason": "no nurse on the ward" }),
        "/beds/{bed}/admit" => json!({ "name": "X", "age_years": 71, "spo2_scale": 2, "age_group": "adult", "pregnant": false }),
        "/beds/{bed}/attach" => json!({ "device": "mon-1" }),
        "/beds/{bed}/chart" => json!({ "consciousness": "A", "oxygen": true }),
        "/alarms/{id}/acknowledge" => json!({ "by": "X" }),
        "/alarms/{id}/respond" => json!({ "accept": true }),
        "/audio/pause" => json!({ "bed": "b1", "seconds": 60 }),
        "/beds/{bed}/alarms/{kind}" => json!({ "set": "audio_off" }),
        "/beds/{bed}/limits" => json!({ "parameter": "spo2", "low": 88, "high": null, "delay_s": 10 }),
        "/beds/{bed}/transfer" => json!({ "to": "b3", "with_devices": true }),
        "/beds/{bed}/handover" => json!({ "severity": "watcher", "summary": "", "actions": "", "contingency": "" }),
        "/what-if" => json!({ "bed": null, "parameter": "spo2", "low": 88, "high": 100, "hours": 12 }),
        _ => json!({}),
    };
    // Logging in anew and logging off last: each ends the session that the others need.
    let mut all = operations(&document);
    all.sort_by_key(|(method, path, _)| (path == "/session" && method != "GET", method == "DELETE"));
    for (method, path, operation) in all {
        let real = format!("/api/v1{path}")
            .replace("{bed}", "b1")
            .replace("{device}", "d")
            .replace("{kind}", "spo2_low")
            .replace("{id}", "a");
        let browser = if path.contains("break-glass") { &biomed } else { &nurse };
        let body = bodies(&path);
        if let Some(schema) = operation.pointer("/requestBody/content/application~1json/schema") {
            check(&document, schema, &body).unwrap_or_else(|error| panic!("{method} {path}: {error}"));
            let mut odd = body.clone();
            odd["no_such_field"] = json!(1);
            assert!(check(&document, schema, &odd).is_err(), "{method} {path} takes any field");
        }
        let answer: Answer = match method.as_str() {
            "GET" => browser.get(&real).await,
            "POST" => browser.post(&real, &body.to_string()).await,
            _ => browser.delete(&real).await,
        };
        assert_eq!(answer.status, 200, "{method} {path}: {}", answer.body);
        let schema = schema(&operation, "/responses/200");
        check(&document, &schema, &answer.json()).unwrap_or_else(|error| panic!("{method} {path}: {error}\n{}", answer.body));
    }
    let refused = get(&f.address, "/api/v1/beds").await;
    check(
        &document,
        &schema(&document["components"]["responses"]["Error"], ""),
        &refused.json(),
    )
    .unwrap();
}

#[tokio::test]
async fn a_wrong_answer_would_not_fit_the_contract() {
    let document = document().await;
    let beds = schema(&document["paths"]["/beds"]["get"], "/responses/200");
    for wrong in [
        json!({}),
        json!({ "now": "soon", "beds": [] }),
        json!({ "now": 1, "beds": [{ "bed": "b1" }] }),
    ] {
        assert!(check(&document, &beds, &wrong).is_err(), "{wrong}");
    }
}
