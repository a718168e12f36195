//! What a page gets over its WebSocket.
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
use support::{NOW, Page, alarm, bed, bed_id, golden, station, ward};
use tokio_tungstenite::tungstenite::Message;
use wardlight_core::alarms::AlarmState;
use wardlight_core::codes::Waveform;
use wardlight_core::vitals::Quality;
use wardlight_station::WaveView;

#[tokio::test]
async fn a_page_gets_the_whole_state_first() {
    let f = station().await;
    f.station.publish_beds(vec![bed("b2", 97), bed("b1", 95)], ward(), NOW);
    let snapshot = Page::open(&f.address).await.frame().await;
    golden("snapshot.json", &snapshot);
    let shown = serde_json::to_string(&snapshot).unwrap();
    assert!(
        !shown.contains("stay_token") && !shown.contains("0909"),
        "the stay's token left the agent"
    );
}

#[tokio::test]
async fn a_bed_that_the_configuration_does_not_name_has_no_place() {
    let f = station().await;
    f.station.publish_beds(vec![bed("stray", 97)], ward(), NOW);
    let snapshot = Page::open(&f.address).await.frame().await;
    assert_eq!(snapshot["beds"], json!([]));
}

#[tokio::test]
async fn an_alarm_reaches_the_page_as_the_protocol_says() {
    let f = station().await;
    let mut page = Page::open(&f.address).await;
    page.frame_of("snapshot").await;
    f.station.publish_alarm(&alarm("b1", 1, AlarmState::Active), NOW);
    golden("alarm.json", &page.frame().await);
}

#[tokio::test]
async fn an_alarm_is_in_the_snapshot_before_its_bed_is_published_again() {
    let f = station().await;
    f.station.publish_beds(vec![bed("b1", 97)], ward(), NOW);
    f.station.publish_alarm(&alarm("b1", 1, AlarmState::Active), NOW);
    let snapshot = Page::open(&f.address).await.frame().await;
    assert_eq!(snapshot["beds"][0]["alarms"][0]["kind"], "desaturation");

    f.station.publish_alarm(&alarm("b1", 2, AlarmState::Cleared), NOW);
    let snapshot = Page::open(&f.address).await.frame().await;
    assert_eq!(snapshot["beds"][0]["alarms"], json!([]));
}

#[tokio::test]
async fn beds_come_in_small_frames_and_end_with_a_heartbeat() {
    let f = station().await;
    let mut page = Page::open(&f.address).await;
    page.frame_of("snapshot").await;
    let beds = (0..20).map(|_| bed("b1", 97)).collect();
    f.station.publish_beds(beds, ward(), NOW);
    assert_eq!(page.frame().await["beds"].as_array().unwrap().len(), 16);
    assert_eq!(page.frame().await["beds"].as_array().unwrap().len(), 4);
    golden("heartbeat.json", &page.frame().await);
}

#[tokio::test]
async fn a_clock_that_is_set_back_does_not_stop_the_heartbeat() {
    let f = station().await;
    let mut page = Page::open(&f.address).await;
    page.frame_of("snapshot").await;
    for back_s in [0, 3600, 3599] {
        let now = NOW.minus(std::time::Duration::from_secs(back_s));
        f.station.publish_beds(Vec::new(), ward(), now);
        assert_eq!(page.frame().await["now"], now.as_millis());
    }
}

#[tokio::test]
async fn values_are_rounded_as_alarms_round_them() {
    let f = station().await;
    // 89.6 beside a limit of 90 must read 90, because it does not alarm.
    f.station.publish_beds(vec![bed("b1", 90)], ward(), NOW);
    let snapshot = Page::open(&f.address).await.frame().await;
    assert_eq!(snapshot["beds"][0]["numerics"]["spo2"]["value"], json!(90.0));
}

#[tokio::test]
async fn a_page_that_falls_behind_is_told_and_gets_the_whole_state() {
    let f = station().await;
    let mut page = Page::open(&f.address).await;
    page.frame_of("snapshot").await;
    f.station.publish_beds(vec![bed("b1", 97)], ward(), NOW);
    // The test's one thread does not let the page's task run between these.
    for revision in 1..=300 {
        f.station.publish_alarm(&alarm("b1", revision, AlarmState::Active), NOW);
    }
    let resync = page.frame_of("resync").await;
    assert_eq!(resync["skipped"], 300 + 2 - 256);
    let snapshot = page.frame().await;
    assert_eq!(snapshot["type"], "snapshot");
    assert_eq!(snapshot["beds"][0]["alarms"][0]["id"], "b1:desaturation:1700000000000");
    let counters = f.station.counters();
    assert_eq!((counters.resyncs, counters.live_frames_skipped), (1, 46));
}

#[tokio::test]
async fn waves_come_as_binary_frames_unless_the_page_asks_otherwise() {
    let f = station().await;
    let wave = WaveView {
        waveform: Waveform::Pleth,
        rate_hz: 100.0,
        t0: NOW,
        scale: 0.01,
        offset: 0,
        samples: vec![1, 2, 3],
        quality: Quality::VALID,
    };
    let mut page = Page::open(&f.address).await;
    page.frame_of("snapshot").await;
    f.station.publish_wave(&bed_id("b1"), &wave);
    let Message::Binary(bytes) = page.message().await else {
        panic!("not binary");
    };
    assert_eq!(bytes.len(), 36 + 2 + 6);
    assert_eq!(&bytes[36..38], b"b1");

    page.text(r#"{"type":"subscribe","waves":["b2"]}"#).await;
    // An error frame tells that the subscription before it has been read.
    page.text("?").await;
    page.frame_of("error").await;
    f.station.publish_wave(&bed_id("b1"), &wave);
    f.station.publish_wave(&bed_id("b2"), &wave);
    let Message::Binary(bytes) = page.message().await else {
        panic!("not binary");
    };
    assert_eq!(&bytes[36..38], b"b2");
}

#[tokio::test]
async fn waves_are_dropped_before_alarms_are() {
    let f = station().await;
    let wave = WaveView {
        waveform: Waveform::Pleth,
        rate_hz: 100.0,
        t0: NOW,
        scale: 0.01,
        offset: 0,
        samples: vec![0; 100],
        quality: Quality::VALID,
    };
    let mut page = Page::open(&f.address).await;
    page.frame_of("snapshot").await;
    for _ in 0..1500 {
        f.station.publish_wave(&bed_id("b1"), &wave);
    }
    f.station.publish_alarm(&alarm("b1", 1, AlarmState::Active), NOW);
    let first = page.message().await;
    assert!(first.is_text(), "a wave came before the alarm");
    page.message().await;
    assert_eq!(f.station.counters().wave_frames_dropped, 1500 - 1024);
    assert_eq!(f.station.counters().resyncs, 0);
}

#[tokio::test]
async fn too_many_pages_are_refused_and_a_place_is_free_again_when_one_leaves() {
    let f = station().await;
    let mut pages = Vec::new();
    for _ in 0..64 {
        pages.push(Page::open(&f.address).await);
    }
    assert_eq!(Page::with_origin(&f.address, None).await.err(), Some(503));
    assert_eq!(f.station.counters().pages_refused, 1);
    let mut leaving = pages.pop().unwrap();
    leaving.say(Message::Close(None)).await;
    while !leaving.message().await.is_close() {}
    let mut again = Page::open(&f.address).await;
    again.frame_of("snapshot").await;
}

#[tokio::test]
async fn a_foreign_page_cannot_open_the_socket() {
    let f = station().await;
    for origin in ["https://evil.example", "null", "http://127.0.0.1.evil.example"] {
        let refused = Page::with_origin(&f.address, Some(origin)).await;
        assert_eq!(refused.err(), Some(403), "{origin} was let in");
    }
    let own = format!("http://{}", f.address);
    assert!(Page::with_origin(&f.address, Some(&own)).await.is_ok());
    assert_eq!(f.station.counters().foreign_requests, 3);
}

#[tokio::test]
async fn a_stopping_agent_says_goodbye() {
    let f = station().await;
    let mut page = Page::open(&f.address).await;
    page.frame_of("snapshot").await;
    f.station.close();
    assert_eq!(page.frame().await["type"], "bye");
    let Message::Close(Some(close)) = page.message().await else {
        panic!("not closed");
    };
    assert_eq!(u16::from(close.code), 1001);
}
