use tokio::net::TcpListener;
use wardlight_wire::decode;

use super::*;
use crate::test_broker::{self, Manners, Seen};

const NOW: Timestamp = Timestamp::from_millis(1_767_225_600_000);

fn settings(port: u16) -> LoadSettings {
    LoadSettings {
        broker: format!("mqtt://127.0.0.1:{port}").parse().unwrap(),
        site: SiteId::new("north").unwrap(),
        devices: 10,
        rate: 100_000.0,
        messages: 500,
        duration: Duration::from_mins(1),
        connections: 2,
        format: PayloadFormat::Json,
        boot: 7,
        births: true,
        list_acknowledged: true,
    }
}

async fn broker(window: u8, cut_after: Option<usize>) -> (u16, Seen) {
    let manners = Manners {
        window,
        cut_after,
        command: None,
    };
    test_broker::start(manners).await
}

async fn load(settings: LoadSettings) -> Result<LoadReport, SimulatorError> {
    run(settings, || NOW, Arc::default(), std::future::pending()).await
}

#[tokio::test]
async fn every_message_is_sent_once_numbered_and_acknowledged() {
    let (port, seen) = broker(20, None).await;
    let report = load(settings(port)).await.unwrap();
    assert_eq!(
        (report.sent, report.acknowledged, report.unacknowledged, report.unsent),
        (500, 500, 0, 0)
    );
    assert_eq!((report.refused, report.reconnects, report.failure), (0, 0, None));
    assert!((170.0..230.0).contains(&report.payload_bytes), "{}", report.payload_bytes);
    let mut numbers = Vec::new();
    for (topic, payload) in seen.lock().unwrap().iter() {
        let decoded = decode(topic, payload, None, NOW).unwrap();
        assert!(decoded.rejected.is_empty());
        numbers.push((decoded.message.device.to_string(), decoded.message.seq.unwrap()));
    }
    numbers.sort();
    let expected: Vec<(String, u32)> = (0..10)
        .flat_map(|d| (1..=51).map(move |seq| (format!("load-{d:05}"), seq)))
        .collect();
    assert_eq!(numbers, expected);
    let mut list = report.list;
    list.sort();
    assert_eq!(list.len(), 510);
    assert_eq!(
        (list[0], list[509]),
        (Acknowledged { device: 0, seq: 1 }, Acknowledged { device: 9, seq: 51 })
    );
}

#[tokio::test]
async fn after_a_lost_connection_what_was_not_acknowledged_comes_again() {
    let (port, seen) = broker(20, Some(60)).await;
    let report = load(LoadSettings {
        format: PayloadFormat::Cbor,
        ..settings(port)
    })
    .await
    .unwrap();
    assert_eq!((report.sent, report.acknowledged, report.unacknowledged), (500, 500, 0));
    assert_eq!(report.reconnects, 1);
    assert!(report.failure.is_some());
    let mut distinct: Vec<(String, Vec<u8>)> = seen.lock().unwrap().clone();
    distinct.sort();
    distinct.dedup();
    assert_eq!(distinct.len(), 510);
}

#[tokio::test]
async fn a_broker_that_is_not_there_is_named() {
    let free = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port();
    let error = load(settings(free)).await.unwrap_err().to_string();
    assert!(error.starts_with(&format!("broker mqtt://127.0.0.1:{free}: ")), "{error}");
}

#[tokio::test]
async fn settings_that_make_no_sense_are_refused() {
    let fault = async |change: fn(&mut LoadSettings)| {
        let mut settings = settings(1);
        change(&mut settings);
        load(settings).await.unwrap_err().to_string()
    };
    assert_eq!(fault(|s| s.devices = 0).await, "devices = 0: expected 1 to 100000");
    assert_eq!(fault(|s| s.connections = 11).await, "connections = 11: expected 1 to 10");
    assert!(fault(|s| s.rate = 0.0).await.starts_with("rate = 0: "));
    assert!(
        fault(|s| s.broker = "mqtts://x".parse().unwrap())
            .await
            .contains("without TLS only")
    );
}
