use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use wardlight_core::ids::SiteId;
use wardlight_core::message::{Body, Message};
use wardlight_core::time::Timestamp;
use wardlight_wire::decode;

use super::*;
use crate::SimulatorError;
use crate::scenario::builtin;
use crate::test_broker::{self, Manners};
use crate::ward::{SimulatedWard, WardSettings};

const START: Timestamp = Timestamp::from_millis(1_767_225_600_000);

fn ward(beds: usize) -> SimulatedWard {
    let settings = WardSettings {
        site: SiteId::new("north").unwrap(),
        seed: 1,
        beds: Some(beds),
        recordings: None,
        start: START,
    };
    SimulatedWard::new(&settings, &builtin("quiet").unwrap()).unwrap()
}

/// Runs the ward on a clock that goes on by 250 ms whenever it is asked, until the broker acknowledged `enough` messages.
async fn play(beds: usize, port: u16, enough: u64) -> Result<Arc<Counters>, SimulatorError> {
    let counters = Arc::new(Counters::default());
    let watched = Arc::clone(&counters);
    let ticks = AtomicI64::new(START.as_millis());
    let clock = move || Timestamp::from_millis(ticks.fetch_add(250, Ordering::Relaxed));
    let stop = async move {
        while watched.acknowledged.load(Ordering::Relaxed) < enough {
            tokio::task::yield_now().await;
        }
    };
    let broker = format!("mqtt://127.0.0.1:{port}").parse::<Broker>()?;
    run(ward(beds), &broker, clock, Arc::clone(&counters), stop).await?;
    Ok(counters)
}

fn by_device(seen: &[(String, Vec<u8>)]) -> BTreeMap<String, Vec<Message>> {
    let mut messages: BTreeMap<String, Vec<Message>> = BTreeMap::new();
    for (topic, payload) in seen {
        let message = decode(topic, payload, None, START).unwrap().message;
        messages.entry(message.device.to_string()).or_default().push(message);
    }
    messages
}

#[tokio::test]
async fn everything_published_is_acknowledged_and_every_device_says_goodbye() {
    let (port, seen) = test_broker::start(Manners::default()).await;
    let counters = play(4, port, 200).await.unwrap();
    let get = |counter: &std::sync::atomic::AtomicU64| counter.load(Ordering::Relaxed);
    assert_eq!(get(&counters.published), get(&counters.acknowledged));
    assert_eq!((get(&counters.connections), get(&counters.discarded)), (7, 0));
    let seen = seen.lock().unwrap();
    let devices = by_device(&seen);
    assert_eq!(devices.len(), 7);
    for (device, messages) in devices {
        let numbered: Vec<&Message> = messages.iter().filter(|m| !matches!(m.body, Body::Wave(_))).collect();
        assert!(matches!(numbered.first().unwrap().body, Body::Birth(_)), "{device}");
        assert!(
            matches!(numbered.last().unwrap().body, Body::State { online: false, .. }),
            "{device}"
        );
        let numbers: Vec<u32> = numbered.iter().map(|m| m.seq.unwrap()).collect();
        assert_eq!(numbers, (1..=numbers.len() as u32).collect::<Vec<_>>(), "{device}");
    }
}

#[tokio::test]
async fn a_device_that_is_asked_describes_itself_again() {
    let manners = Manners {
        command: Some(br#"{"v":1,"cmd":"rebirth"}"#),
        ..Manners::default()
    };
    let (port, seen) = test_broker::start(manners).await;
    play(1, port, 20).await.unwrap();
    let seen = seen.lock().unwrap();
    for (device, messages) in by_device(&seen) {
        let births = messages.iter().filter(|m| matches!(m.body, Body::Birth(_))).count();
        assert_eq!(births, 2, "{device}");
    }
}

#[tokio::test]
async fn a_second_ward_is_not_silenced_by_the_sessions_of_the_first() {
    let (port, _) = test_broker::start(Manners::default()).await;
    for _ in 0..2 {
        let counters = play(1, port, 20).await.unwrap();
        let get = |counter: &std::sync::atomic::AtomicU64| counter.load(Ordering::Relaxed);
        assert!(get(&counters.published) >= 20);
        assert_eq!(get(&counters.published), get(&counters.acknowledged));
    }
}

#[tokio::test]
async fn a_broker_that_is_not_there_is_named() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let error = play(1, port, 1).await.unwrap_err().to_string();
    assert!(
        error.contains(&format!("broker mqtt://127.0.0.1:{port}: no connection within 15 s: ")),
        "{error}"
    );
}
