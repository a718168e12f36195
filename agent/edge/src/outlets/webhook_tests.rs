//! A receiver on loopback that fails, refuses, or never answers.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::routing::post;
use bytes::Bytes;
use tokio::net::TcpListener;
use wardlight_core::message::Priority;

use super::super::queue::queue;
use super::*;

const SECRET: &[u8] = b"a secret of this test";

#[derive(Clone)]
struct Receiver {
    answers: Arc<Vec<StatusCode>>,
    asked: Arc<AtomicUsize>,
    seen: Arc<Mutex<Vec<(HeaderMap, Bytes)>>>,
}

async fn receive(State(receiver): State<Receiver>, headers: HeaderMap, body: Bytes) -> StatusCode {
    receiver.seen.lock().unwrap().push((headers, body));
    let turn = receiver.asked.fetch_add(1, Ordering::SeqCst);
    receiver.answers.get(turn).copied().unwrap_or(StatusCode::NO_CONTENT)
}

async fn serve(answers: Vec<StatusCode>) -> (Receiver, String) {
    let receiver = Receiver {
        answers: Arc::new(answers),
        asked: Arc::default(),
        seen: Arc::default(),
    };
    let app = Router::new().route("/alarms", post(receive)).with_state(receiver.clone());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/alarms", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, app).await });
    (receiver, url)
}

fn webhook(url: &str) -> (Webhook, tempfile::TempDir) {
    // The one provider of the process; another test may have installed it.
    rustls::crypto::ring::default_provider().install_default().ok();
    let folder = tempfile::tempdir().unwrap();
    let secret_file = folder.path().join("secret");
    fs::write(&secret_file, SECRET).unwrap();
    fs::set_permissions(&secret_file, fs::Permissions::from_mode(0o600)).unwrap();
    let config = WebhookConfig {
        url: url.parse().unwrap(),
        secret_file,
        ca_file: None,
        timeout: Duration::from_secs(5),
        queue: 8,
    };
    (Webhook::new(&config).unwrap(), folder)
}

fn notice(id: &str) -> Notice {
    Notice {
        topic: "ward/v1/s/icu/B01/alert".into(),
        body: Bytes::from(format!("{{\"id\":\"{id}\"}}")),
        delivery_id: id.into(),
    }
}

async fn deliver(url: &str, notices: &[(&str, Priority)]) {
    let (webhook, _folder) = webhook(url);
    let (sender, receiver) = queue(8);
    for (id, priority) in notices {
        assert!(sender.push(notice(id), *priority).is_none());
    }
    drop(sender);
    webhook.run(receiver).await;
}

fn ids(receiver: &Receiver) -> Vec<String> {
    let seen = receiver.seen.lock().unwrap();
    let id = |headers: &HeaderMap| headers["x-wardlight-delivery"].to_str().unwrap().to_owned();
    seen.iter().map(|(headers, _)| id(headers)).collect()
}

#[tokio::test]
async fn a_receiver_that_fails_twice_gets_the_same_signed_delivery_again() {
    let failures = vec![StatusCode::INTERNAL_SERVER_ERROR, StatusCode::SERVICE_UNAVAILABLE];
    let (receiver, url) = serve(failures).await;
    deliver(&url, &[("B01:spo2_low:7#1", Priority::High)]).await;
    assert_eq!(ids(&receiver), ["B01:spo2_low:7#1"; 3]);
    for (headers, body) in &*receiver.seen.lock().unwrap() {
        let timestamp: i64 = headers["x-wardlight-timestamp"].to_str().unwrap().parse().unwrap();
        let expected = Signer::new(SECRET).sign(timestamp, body);
        assert_eq!(headers["x-wardlight-signature"], expected);
        assert_eq!(headers["content-type"], "application/json");
        assert_ne!(Signer::new(b"another").sign(timestamp, body), expected);
    }
}

#[tokio::test]
async fn an_alert_that_is_refused_does_not_hold_up_the_next() {
    let (receiver, url) = serve(vec![StatusCode::BAD_REQUEST]).await;
    deliver(&url, &[("a#1", Priority::High), ("b#1", Priority::Low)]).await;
    assert_eq!(ids(&receiver), ["a#1", "b#1"]);
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let (receiver, url) = serve(vec![StatusCode::TEMPORARY_REDIRECT]).await;
    deliver(&url, &[("a#1", Priority::High)]).await;
    assert_eq!(ids(&receiver), ["a#1"]);
}

#[tokio::test(start_paused = true)]
async fn a_receiver_that_never_answers_times_out_and_is_tried_again() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/alarms", listener.local_addr().unwrap());
    let (webhook, _folder) = webhook(&url);
    let first = webhook.attempt(&notice("a#1")).await;
    assert!(
        matches!(&first, Attempt::Failed(reason) if reason.contains("timed out")),
        "{first:?}"
    );
    let second = webhook.attempt(&notice("a#1")).await;
    assert!(matches!(second, Attempt::Failed(_)));
    drop(listener);
}

#[test]
fn answers_are_judged_by_whether_another_attempt_can_help() {
    for (status, retried) in [
        (500, true),
        (503, true),
        (408, true),
        (425, true),
        (429, true),
        (301, false),
        (400, false),
        (404, false),
        (410, false),
    ] {
        let status = StatusCode::from_u16(status).unwrap();
        let judged = judge(status);
        assert_eq!(matches!(judged, Attempt::Failed(_)), retried, "{status}: {judged:?}");
    }
    assert_eq!(judge(StatusCode::ACCEPTED), Attempt::Delivered);
}
