//! What people do to alarms and patients through the API, and what they look back at.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "tests fail by panicking"
)]

mod support;

use std::time::Duration;

use support::{NOW, Page, alarm, bed, bed_id, get, post, station, ward};
use wardlight_core::alarms::{AlarmId, AlarmKind, AlarmState, Inactivation, Side};
use wardlight_core::codes::Parameter;
use wardlight_core::event::{AlarmChange, Command, Transition};
use wardlight_core::time::Timestamp;
use wardlight_core::vitals::Milli;
use wardlight_station::{Receipt, Request, StationCommand};

fn after(seconds: i64) -> Timestamp {
    NOW.plus(Duration::from_secs(seconds.unsigned_abs()))
}

#[tokio::test]
async fn what_people_do_becomes_the_wards_commands() {
    let mut f = station().await;
    let b1 = bed_id("b1");
    let id = AlarmId::from_text("b1:spo2_low:5");
    let cases = [
        ("alarms/b1:spo2_low:5/escalate", "{}", Command::Escalate { alarm: id.clone() }),
        (
            "alarms/b1:spo2_low:5/respond",
            r#"{"accept":false}"#,
            Command::Respond {
                alarm: id,
                accept: false,
            },
        ),
        (
            "audio/pause",
            r#"{"bed":"b1","seconds":120}"#,
            Command::PauseAudio {
                bed: Some(b1.clone()),
                length: Duration::from_mins(2),
            },
        ),
        ("audio/resume", "{}", Command::ResumeAudio { bed: None }),
        (
            "beds/b1/alarms/spo2_low",
            r#"{"set":"audio_off"}"#,
            Command::SetAlarm {
                bed: b1.clone(),
                kind: AlarmKind::Limit(Parameter::Spo2, Side::Low),
                how: Some(Inactivation::AudioOff),
            },
        ),
        (
            "beds/b1/limits",
            r#"{"parameter":"temp","low":35.5,"high":null}"#,
            Command::SetLimits {
                bed: b1.clone(),
                parameter: Parameter::Temp,
                low: Some(Milli::new(35_500)),
                high: None,
                delay: None,
            },
        ),
        ("beds/b1/limits/reset", "{}", Command::ResetLimits { bed: b1.clone() }),
        (
            "beds/b1/transfer",
            r#"{"to":"b2","with_devices":true}"#,
            Command::Transfer {
                from: b1.clone(),
                to: bed_id("b2"),
                with_devices: true,
            },
        ),
        ("beds/b1/handover/read-back", "{}", Command::ReadBack { bed: b1 }),
    ];
    for (path, body, expected) in cases {
        let address = format!("/api/v1/{path}");
        let asked = post(&f.address, &address, body);
        let answered = async {
            let Some(StationCommand::Request { request, reply, .. }) = f.commands.recv().await else {
                panic!("{path}: nothing was asked");
            };
            assert_eq!(request, Request::Other(expected), "{path}");
            reply.send(Ok(())).unwrap();
        };
        let (answer, ()) = tokio::join!(asked, answered);
        assert_eq!(answer.status, 200, "{path}");
    }
}

#[tokio::test]
async fn what_does_not_fit_is_refused_with_the_field_and_never_reaches_the_agent() {
    let mut f = station().await;
    for (path, body, status, said) in [
        ("beds/b1/alarms/nonsense", r#"{"set":"on"}"#, 404, "no such kind"),
        ("beds/b1/alarms/spo2_low", r#"{"set":"mute"}"#, 422, "audio_off"),
        ("beds/b1/limits", r#"{"parameter":"xx","low":1,"high":2}"#, 422, "parameter"),
        ("beds/b1/limits", r#"{"parameter":"hr","low":1}"#, 422, "high"),
        ("beds/b1/limits", r#"{"parameter":"hr","low":1e9,"high":2}"#, 422, "low"),
        ("beds/b1/transfer", r#"{"to":"","with_devices":true}"#, 422, "to"),
        ("audio/pause", r#"{"seconds":-1}"#, 422, "seconds"),
        (
            "beds/b1/handover",
            r#"{"severity":"bad","summary":"","actions":"","contingency":""}"#,
            422,
            "severity",
        ),
    ] {
        let answer = post(&f.address, &format!("/api/v1/{path}"), body).await;
        let body = answer.json().to_string();
        assert_eq!((answer.status, body.contains(said)), (status, true), "{path} {body}");
    }
    assert!(f.commands.try_recv().is_err());
}

#[tokio::test]
async fn the_history_holds_every_time_of_an_alarm() {
    let f = station().await;
    f.station.publish_beds(vec![bed("b1", 97)], ward(), after(10));
    let raised = alarm("b1", 1, AlarmState::Active);
    f.station.publish_alarm(&raised, after(6));
    assert!(f.station.confirm(&raised.id, Receipt::Displayed, after(7)).is_some());
    assert!(
        f.station.confirm(&raised.id, Receipt::Displayed, after(9)).is_none(),
        "the first counts"
    );
    f.station.confirm(&raised.id, Receipt::Seen, after(8));
    let acknowledged = AlarmChange {
        revision: 2,
        state: AlarmState::Acknowledged,
        transition: Transition::Acknowledged,
        changed_at: after(9),
        ..raised.clone()
    };
    f.station.publish_alarm(&acknowledged, after(9));
    let ended = AlarmChange {
        revision: 3,
        state: AlarmState::Cleared,
        transition: Transition::Ended,
        changed_at: after(10),
        ..acknowledged
    };
    f.station.publish_alarm(&ended, after(10));
    let history = get(&f.address, "/api/v1/history?hours=1&bed=b1").await.json();
    let episode = &history["episodes"][0];
    assert_eq!(
        (episode["kind"].as_str(), episode["state"].as_str()),
        (Some("desaturation"), Some("cleared"))
    );
    let ms = |seconds| after(seconds).as_millis();
    let expected = serde_json::json!({
        "sampled_at": ms(4) + 700, "received_at": ms(4) + 990, "decided_at": ms(5), "signalled_at": ms(6),
        "displayed_at": ms(7), "seen_at": ms(8), "acknowledged_at": ms(9), "ended_at": ms(10),
    });
    assert_eq!(episode["receipts"], expected);
    assert_eq!(get(&f.address, "/api/v1/history?hours=0").await.status, 422);
    assert_eq!(
        get(&f.address, "/api/v1/history?bed=b2").await.json()["episodes"],
        serde_json::json!([])
    );
}

#[tokio::test]
async fn the_burden_counts_calls_and_not_the_alarms_in_them() {
    let f = station().await;
    let mut page = Page::open(&f.address).await;
    page.frame_of("snapshot").await;
    let unseen = AlarmId::from_text("b1:hr_high:1");
    let first = alarm("b1", 1, AlarmState::Active);
    let joined = AlarmChange {
        id: AlarmId::from_text("b1:spo2_low:1"),
        kind: AlarmKind::Limit(Parameter::Spo2, Side::Low),
        ..first.clone()
    };
    f.station.publish_alarm(&first, after(5));
    f.station.publish_alarm(&joined, after(5));
    f.station.confirm(&first.id, Receipt::Displayed, after(6));
    assert!(
        f.station.confirm(&unseen, Receipt::Displayed, after(6)).is_none(),
        "no such alarm"
    );
    f.station.publish_beds(vec![bed("b1", 97)], ward(), after(5 + 86_400));
    let burden = get(&f.address, "/api/v1/burden?hours=72").await.json();
    assert_eq!(burden["beds"], 1);
    assert_eq!(burden["alarms_per_bed_day"]["high"], 2.0);
    assert_eq!(burden["audible_per_bed_day"], 1.0);
    assert_eq!(burden["display_latency_ms"]["p50"], 1010);
}

#[tokio::test]
async fn a_bed_shows_its_trend_and_its_limits() {
    let f = station().await;
    for second in 0..130 {
        f.station.publish_beds(vec![bed("b1", 97)], ward(), after(second));
    }
    let trend = get(&f.address, "/api/v1/beds/b1/trends").await.json();
    let spo2 = trend["parameters"]["spo2"].as_array().unwrap();
    assert_eq!(spo2[0], 96.6);
    assert_eq!(trend["step_s"], 60);
    let detail = get(&f.address, "/api/v1/beds/b1").await.json();
    assert_eq!(detail["bed"]["limits"], serde_json::json!([]));
    assert_eq!(get(&f.address, "/api/v1/beds/b9").await.status, 404);
}
