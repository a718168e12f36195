//! The demo raises what its script demands and loses nothing.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests fail by panicking"
)]

use serde_json::Value;
use wardlight_tests::agent::run;

#[test]
fn the_demo_misses_no_alarm_and_loses_no_message() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("report.json");
    let listen = format!("127.0.0.1:{}", wardlight_tests::free_port());
    let report = file.to_str().unwrap();
    let output = run(&[
        "demo",
        "--beds",
        "12",
        "--for",
        "100s",
        "--headless",
        "--listen",
        &listen,
        "--report",
        report,
    ]);
    let said = String::from_utf8_lossy(&output.stderr);
    let text = std::fs::read_to_string(&file).unwrap_or_else(|error| panic!("no report: {error}\n{said}"));
    let report: Value = serde_json::from_str(&text).unwrap();
    for field in ["expected_alarms", "alarms", "missed", "unexpected"] {
        assert!(report[field].is_array(), "{field} is missing: {report:#}");
    }
    for field in ["published", "journaled", "lost"] {
        assert!(report["messages"][field].is_u64(), "messages.{field} is missing: {report:#}");
    }
    for field in ["p50", "p99", "max"] {
        assert!(
            report["latency_ms"][field].is_number(),
            "latency_ms.{field} is missing: {report:#}"
        );
    }
    for alarm in report["alarms"].as_array().unwrap() {
        let named = ["bed", "kind", "priority"].iter().all(|field| alarm[*field].is_string());
        assert!(named && alarm["raised_at"].is_number(), "{alarm}");
    }
    assert!(!report["expected_alarms"].as_array().unwrap().is_empty());
    assert!(
        report["missed"].as_array().unwrap().is_empty(),
        "missed: {:#}",
        report["missed"]
    );
    assert!(
        report["unexpected"].as_array().unwrap().is_empty(),
        "unexpected: {:#}",
        report["unexpected"]
    );
    assert_eq!(report["messages"]["lost"], 0, "{:#}", report["messages"]);
    assert!(
        report["messages"]["journaled"].as_u64() > Some(1000),
        "{:#}",
        report["messages"]
    );
    assert!(output.status.success(), "{said}");
}
