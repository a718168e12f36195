//! What the station makes of what a page says over its WebSocket.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "tests fail by panicking"
)]

mod support;

use support::{NOW, Page, alarm, golden, station};
use tokio_tungstenite::tungstenite::Message;
use wardlight_core::alarms::AlarmState;
use wardlight_core::event::Refusal;
use wardlight_station::{Receipt, Request, StationCommand};

#[tokio::test]
async fn an_acknowledgement_goes_through_and_is_answered() {
    let mut f = station().await;
    let mut page = Page::open(&f.address).await;
    page.text(r#"{"type":"ack","alarm":"b1:desaturation:5","by":" N. Klein "}"#)
        .await;
    let StationCommand::Request { request, by, reply, .. } = f.commands.recv().await.unwrap() else {
        panic!("not a request");
    };
    let Request::Acknowledge { alarm } = request else {
        panic!("{request:?}");
    };
    assert_eq!((alarm.as_str(), by.name.as_str()), ("b1:desaturation:5", "N. Klein"));
    reply.send(Ok(())).unwrap();
    let result = page.frame_of("ack_result").await;
    assert_eq!(result["ok"], true);
    assert_eq!(result["alarm"], "b1:desaturation:5");
}

#[tokio::test]
async fn a_refused_acknowledgement_says_why() {
    let mut f = station().await;
    let mut page = Page::open(&f.address).await;
    page.text(r#"{"type":"ack","alarm":"gone","by":"N. Klein"}"#).await;
    let StationCommand::Request { request, reply, .. } = f.commands.recv().await.unwrap() else {
        panic!("not a request");
    };
    let Request::Acknowledge { alarm } = request else {
        panic!("{request:?}");
    };
    reply.send(Err(Refusal::NoSuchAlarm(alarm).into())).unwrap();
    golden("ack_refused.json", &page.frame_of("ack_result").await);
}

#[tokio::test]
async fn an_acknowledgement_without_a_name_never_reaches_the_agent() {
    let mut f = station().await;
    let mut page = Page::open(&f.address).await;
    page.text(r#"{"type":"ack","alarm":"a","by":"  "}"#).await;
    let result = page.frame_of("ack_result").await;
    assert_eq!(result["ok"], false);
    assert!(f.commands.try_recv().is_err());
}

#[tokio::test]
async fn an_agent_that_is_gone_is_not_taken_for_a_yes() {
    let f = station().await;
    let mut page = Page::open(&f.address).await;
    drop(f.commands);
    page.text(r#"{"type":"ack","alarm":"a","by":"N"}"#).await;
    assert_eq!(page.frame_of("ack_result").await["ok"], false);
    assert_eq!(f.station.counters().commands_refused, 1);
}

#[tokio::test]
async fn a_full_queue_refuses_requests_and_drops_receipts_first() {
    let f = station().await;
    let mut page = Page::open(&f.address).await;
    for n in 0..6 {
        page.text(&format!(r#"{{"type":"displayed","alarm":"a","revision":{n},"at":5}}"#))
            .await;
    }
    for n in 0..4 {
        page.text(&format!(r#"{{"type":"ack","alarm":"{n}","by":"N"}}"#)).await;
    }
    let refused = page.frame_of("ack_result").await;
    assert_eq!(refused["ok"], false, "{refused}");
    let counters = f.station.counters();
    assert_eq!((counters.receipts_dropped, counters.commands_refused), (3, 3));
}

#[tokio::test]
async fn a_receipt_reaches_the_agent() {
    let mut f = station().await;
    let mut page = Page::open(&f.address).await;
    page.text(r#"{"type":"displayed","alarm":"a","revision":3,"at":1700000000123}"#)
        .await;
    page.text(r#"{"type":"seen","alarm":"a","at":1700000000456}"#).await;
    for (expected, ms) in [(Receipt::Displayed, 1_700_000_000_123), (Receipt::Seen, 1_700_000_000_456)] {
        let Some(StationCommand::Receipt { alarm, receipt, at }) = f.commands.recv().await else {
            panic!("not a receipt");
        };
        assert_eq!((alarm.as_str(), receipt, at.as_millis()), ("a", expected, ms));
    }
}

#[tokio::test]
async fn nonsense_gets_an_error_frame_and_disturbs_nothing() {
    let f = station().await;
    let mut other = Page::open(&f.address).await;
    other.frame_of("snapshot").await;
    let mut page = Page::open(&f.address).await;
    page.frame_of("snapshot").await;
    let long = format!(r#"{{"type":"ack","alarm":"{}","by":"N"}}"#, "x".repeat(5000));
    let nonsense = [
        "",
        "{",
        "[]",
        "null",
        r#"{"type":"ack"}"#,
        r#"{"type":"gesture","extra":1}"#,
        r#"{"type":"ack","alarm":"a","by":"N","extra":1}"#,
        r#"{"type":"shutdown"}"#,
        r#"{"type":"displayed","alarm":"a","revision":-1,"at":0}"#,
        long.as_str(),
    ];
    for text in nonsense {
        page.text(text).await;
        let error = page.frame().await;
        assert_eq!(error["type"], "error", "{text:?} got {error}");
    }
    page.say(Message::binary(vec![1, 2, 3])).await;
    assert_eq!(page.frame().await["type"], "error");
    assert_eq!(f.station.counters().bad_frames, 11);

    f.station.publish_alarm(&alarm("b1", 1, AlarmState::Active), NOW);
    assert_eq!(page.frame().await["type"], "alarm");
    assert_eq!(other.frame().await["type"], "alarm");
}

#[tokio::test]
async fn a_page_that_talks_nonsense_without_end_is_closed() {
    let f = station().await;
    let mut page = Page::open(&f.address).await;
    for _ in 0..20 {
        page.text("nonsense").await;
    }
    let close = loop {
        if let Message::Close(frame) = page.message().await {
            break frame.unwrap();
        }
    };
    assert_eq!(u16::from(close.code), 1008);
}
