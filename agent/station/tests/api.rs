//! The API over HTTP: what it answers, and whom it refuses.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "tests fail by panicking"
)]

mod support;

use serde_json::json;
use support::{NOW, alarm, bed, get, golden, http, post, station, ward};
use tokio::sync::mpsc;
use wardlight_core::alarms::AlarmState;
use wardlight_core::codes::AgeGroup;
use wardlight_core::event::Refusal;
use wardlight_core::ids::{BedId, StayToken};
use wardlight_core::patient::{Consciousness, Spo2Scale};
use wardlight_core::people::{Actor, Role};
use wardlight_station::{CommandFailure, Request, StationCommand};

/// Answers every request with `outcome` and hands the requests on.
fn agent(mut commands: mpsc::Receiver<StationCommand>, outcome: Result<(), CommandFailure>) -> mpsc::Receiver<(Request, Actor)> {
    let (sender, seen) = mpsc::channel(8);
    tokio::spawn(async move {
        while let Some(StationCommand::Request { request, by, reply, .. }) = commands.recv().await {
            sender.send((request, by)).await.unwrap();
            reply.send(outcome.clone()).unwrap();
        }
    });
    seen
}

#[tokio::test]
async fn lists_hold_what_was_published() {
    let f = station().await;
    f.station.publish_beds(vec![bed("b1", 97)], ward(), NOW);
    f.station.publish_alarm(&alarm("b1", 1, AlarmState::Active), NOW);
    golden("api_beds.json", &get(&f.address, "/api/v1/beds").await.json());
    golden("api_alarms.json", &get(&f.address, "/api/v1/alarms").await.json());
    golden("api_devices.json", &get(&f.address, "/api/v1/devices").await.json());
    let overview = get(&f.address, "/api/v1/ward").await;
    golden("api_ward.json", &overview.json());
    assert_eq!(overview.header("cache-control").as_deref(), Some("no-store"));
}

#[tokio::test]
async fn requests_become_commands() {
    let f = station().await;
    let mut seen = agent(f.commands, Ok(()));
    let b1 = BedId::new("b1").unwrap();

    let body = r#"{"name":" Okafor, B. ","age_years":71,"spo2_scale":2}"#;
    assert_eq!(post(&f.address, "/api/v1/beds/b1/admit", body).await.status, 200);
    let Some((Request::Admit { bed, profile }, _)) = seen.recv().await else {
        panic!("no admission");
    };
    assert_eq!((bed, profile.name.as_str()), (b1.clone(), "Okafor, B."));
    assert_eq!((profile.age_group, profile.spo2_scale), (AgeGroup::Adult, Spo2Scale::Two));

    assert_eq!(
        post(&f.address, "/api/v1/beds/b1/admit", r#"{"age_years":9}"#).await.status,
        200
    );
    let Some((Request::Admit { profile, .. }, _)) = seen.recv().await else {
        panic!("no admission");
    };
    assert_eq!(profile.age_group, AgeGroup::Paediatric);

    assert_eq!(
        post(&f.address, "/api/v1/beds/b1/attach", r#"{"device":"mon-1"}"#)
            .await
            .status,
        200
    );
    assert!(matches!(seen.recv().await, Some((Request::Attach { device, .. }, _)) if device.as_str() == "mon-1"));

    assert_eq!(post(&f.address, "/api/v1/devices/mon-1/detach", "{}").await.status, 200);
    assert!(matches!(seen.recv().await, Some((Request::Detach { device }, _)) if device.as_str() == "mon-1"));

    let body = r#"{"consciousness":"V","oxygen":true}"#;
    assert_eq!(post(&f.address, "/api/v1/beds/b1/chart", body).await.status, 200);
    let expected = Request::Chart {
        bed: b1.clone(),
        consciousness: Some(Consciousness::Voice),
        oxygen: Some(true),
    };
    assert_eq!(seen.recv().await.unwrap().0, expected);

    let path = "/api/v1/alarms/b1:desaturation:1700000000000/acknowledge";
    assert_eq!(post(&f.address, path, r#"{"by":"N. Klein"}"#).await.status, 200);
    let Some((Request::Acknowledge { alarm }, by)) = seen.recv().await else {
        panic!("no acknowledgement");
    };
    assert_eq!(
        (alarm.as_str(), by),
        ("b1:desaturation:1700000000000", Actor::new("N. Klein", Role::ChargeNurse))
    );

    assert_eq!(post(&f.address, "/api/v1/beds/b1/discharge", "{}").await.status, 200);
    assert_eq!(seen.recv().await.unwrap().0, Request::Discharge { bed: b1 });
}

#[tokio::test]
async fn a_request_becomes_the_wards_command_with_a_fresh_stay() {
    let stay = StayToken::from_bytes([3; 16]);
    let bed = BedId::new("b1").unwrap();
    let command = Request::Discharge { bed: bed.clone() }.into_command(stay);
    assert_eq!(command, wardlight_core::event::Command::Discharge { bed });
}

#[tokio::test]
async fn a_refused_command_shows_the_reason() {
    let f = station().await;
    let refusal = Refusal::Occupied(BedId::new("b1").unwrap());
    let _seen = agent(f.commands, Err(refusal.into()));
    let answer = post(&f.address, "/api/v1/beds/b1/admit", "{}").await;
    assert_eq!(answer.status, 409);
    assert_eq!(answer.json(), json!({"error": "bed b1: occupied; discharge first"}));
}

#[tokio::test]
async fn an_unknown_bed_is_not_found() {
    let f = station().await;
    let _seen = agent(f.commands, Err(Refusal::UnknownBed(BedId::new("b9").unwrap()).into()));
    assert_eq!(post(&f.address, "/api/v1/beds/b9/discharge", "{}").await.status, 404);
    assert_eq!(get(&f.address, "/api/v1/nothing").await.status, 404);
}

#[tokio::test]
async fn an_agent_that_does_not_answer_is_not_taken_for_a_yes() {
    let f = station().await;
    let mut commands = f.commands;
    tokio::spawn(async move { drop(commands.recv().await) });
    assert_eq!(post(&f.address, "/api/v1/beds/b1/discharge", "{}").await.status, 504);
}

#[tokio::test]
async fn a_bad_body_is_refused_with_the_field_and_what_was_expected() {
    let f = station().await;
    let cases = [
        ("beds/b1/admit", r#"{"age_years":131}"#, "age_years"),
        ("beds/b1/admit", r#"{"age_years":"old"}"#, "age_years"),
        ("beds/b1/admit", r#"{"nmae":"x"}"#, "nmae"),
        ("beds/b1/admit", r#"{"spo2_scale":3}"#, "spo2_scale"),
        ("beds/b1/admit", r#"{"age_group":"adult","age_years":9}"#, "age_group"),
        ("beds/b1/admit", "{\"name\":\"a\\u0007\"}", "name"),
        ("beds/b1/attach", r#"{"device":"a/b"}"#, "device"),
        ("beds/b1/chart", r#"{"consciousness":"X"}"#, "consciousness"),
        ("beds/b1/chart", "{}", "body"),
        ("alarms/a/acknowledge", r#"{"by":""}"#, "by"),
    ];
    for (path, body, field) in cases {
        let answer = post(&f.address, &format!("/api/v1/{path}"), body).await;
        assert_eq!(answer.status, 422, "{body}: {}", answer.body);
        assert_eq!(answer.json()["field"], field, "{body}: {}", answer.body);
    }
    for body in ["", "{", "[]", "{} {}"] {
        let answer = post(&f.address, "/api/v1/beds/b1/discharge", body).await;
        assert_eq!(answer.status, 422, "{body}: {}", answer.body);
        assert!(
            answer.json()["error"].as_str().unwrap().starts_with("body"),
            "{}",
            answer.body
        );
    }
    let long = format!(r#"{{"name":"{}"}}"#, "x".repeat(20_000));
    assert_eq!(post(&f.address, "/api/v1/beds/b1/admit", &long).await.status, 413);
}

#[tokio::test]
async fn a_request_that_a_foreign_page_could_send_is_refused() {
    let f = station().await;
    let json = ("content-type", "application/json");
    let own = format!("http://{}", f.address);
    let path = "/api/v1/beds/b1/discharge";
    let post = |headers: Vec<(&'static str, String)>| {
        let address = f.address.clone();
        async move {
            let headers: Vec<(&str, &str)> = headers.iter().map(|(k, v)| (*k, v.as_str())).collect();
            http(&address, "POST", path, &headers, "{}").await.status
        }
    };
    let json = (json.0, json.1.to_owned());
    assert_eq!(post(vec![json.clone(), ("origin", "https://evil.example".into())]).await, 403);
    assert_eq!(post(vec![json.clone(), ("origin", "null".into())]).await, 403);
    assert_eq!(post(vec![("content-type", "text/plain".into())]).await, 415);
    assert_eq!(post(vec![]).await, 415);
    assert_eq!(post(vec![json.clone(), ("host", "evil.example".into())]).await, 421);
    let _seen = agent(f.commands, Ok(()));
    assert_eq!(post(vec![json.clone(), ("origin", own)]).await, 200);
    assert_eq!(post(vec![json, ("host", "ward.example:8080".into())]).await, 200);
}

#[tokio::test]
async fn every_answer_carries_the_headers_that_keep_foreign_code_out() {
    let f = station().await;
    let refused = http(&f.address, "GET", "/", &[("host", "evil.example")], "").await;
    for answer in [get(&f.address, "/").await, get(&f.address, "/api/v1/beds").await, refused] {
        let csp = answer.header("content-security-policy").unwrap();
        assert!(csp.starts_with("default-src 'self';") && !csp.contains("unsafe"), "{csp}");
        assert_eq!(answer.header("x-content-type-options").as_deref(), Some("nosniff"));
        assert_eq!(answer.header("referrer-policy").as_deref(), Some("no-referrer"));
    }
}

#[tokio::test]
async fn files_of_the_page_are_served_and_revalidated() {
    let f = station().await;
    let page = get(&f.address, "/").await;
    assert_eq!(page.status, 200);
    assert!(page.body.contains("/js/main.js"));
    let tag = page.header("etag").unwrap();
    let again = http(&f.address, "GET", "/", &[("if-none-match", &tag)], "").await;
    assert_eq!((again.status, again.body.as_str()), (304, ""));
    let script = get(&f.address, "/js/main.js").await;
    assert_eq!(
        script.header("content-type").as_deref(),
        Some("text/javascript; charset=utf-8")
    );
}

/// A module that is not embedded would break the page for everybody.
#[tokio::test]
async fn every_file_of_the_page_is_embedded_and_every_import_resolves() {
    let f = station().await;
    let web = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("web");
    let mut checked = 0;
    for entry in std::fs::read_dir(web.join("js")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        if name.ends_with(".test.mjs") {
            continue;
        }
        let answer = get(&f.address, &format!("/js/{name}")).await;
        assert_eq!(answer.status, 200, "{name} is not embedded");
        for import in answer.body.split("from \"./").skip(1) {
            let target = import.split('"').next().unwrap();
            assert!(web.join("js").join(target).exists(), "{name} imports {target}");
            checked += 1;
        }
        assert!(!answer.body.contains("innerHTML"), "{name}: data must never become markup");
    }
    assert!(checked > 20, "only {checked} imports found");
}
