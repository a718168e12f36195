//! Measures the station alone: how long an alarm takes to reach open pages, and what publishing costs the caller.
//!
//! `cargo run --release -p wardlight-station --example latency -- [beds] [pages]`
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    clippy::indexing_slicing,
    missing_docs,
    reason = "a measurement, not a product"
)]

#[path = "../tests/support/mod.rs"]
mod support;

use std::time::{Duration, Instant};

use support::{NOW, Page, alarm, bed, station, ward};
use tokio::sync::mpsc;
use wardlight_core::alarms::AlarmState;
use wardlight_core::codes::Waveform;
use wardlight_core::vitals::Quality;
use wardlight_station::WaveView;

const ROUNDS: u32 = 200;

#[tokio::main]
async fn main() {
    let mut args = std::env::args().skip(1).map(|a| a.parse::<usize>().expect("a number"));
    let beds = args.next().unwrap_or(200);
    let pages = args.next().unwrap_or(4);
    let f = station().await;
    let (sender, mut seen) = mpsc::channel(1024);
    for _ in 0..pages {
        let mut page = Page::open(&f.address).await;
        page.frame_of("snapshot").await;
        let sender = sender.clone();
        tokio::spawn(async move {
            loop {
                let frame = page.frame_of("alarm").await;
                let at = Instant::now();
                let revision = frame["alarm"]["revision"].as_u64().unwrap();
                sender.send((revision, at)).await.unwrap();
            }
        });
    }
    let wave = WaveView {
        waveform: Waveform::Ecg(131_330),
        rate_hz: 250.0,
        t0: NOW,
        scale: 0.005,
        offset: 0,
        samples: vec![0; 125],
        quality: Quality::VALID,
    };
    let mut alarms = Vec::new();
    let mut publishing = Vec::new();
    for revision in 1..=ROUNDS {
        let views: Vec<_> = (0..beds).map(|_| bed("b1", 97)).collect();
        let started = Instant::now();
        f.station.publish_beds(views, ward(), NOW);
        publishing.push(started.elapsed());
        for _ in 0..20 {
            f.station.publish_wave(&support::bed_id("b1"), &wave);
        }
        // Right behind the whole ward: the worst place for an alarm to be.
        let raised = Instant::now();
        f.station.publish_alarm(&alarm("b1", revision, AlarmState::Active), NOW);
        for _ in 0..pages {
            let (heard, at) = seen.recv().await.unwrap();
            assert_eq!(heard, u64::from(revision), "an alarm was lost");
            alarms.push(at - raised);
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    eprintln!("{beds} beds, {pages} pages, {ROUNDS} alarms, each right behind all beds and 20 waves");
    report("publish_alarm to each page", &mut alarms);
    report("publish_beds on the caller", &mut publishing);
    eprintln!("{:?}", f.station.counters());
}

fn report(what: &str, times: &mut [Duration]) {
    times.sort_unstable();
    let at = |share: usize| times[(times.len() * share / 100).min(times.len() - 1)];
    eprintln!("{what}: p50 {:?}, p99 {:?}, max {:?}", at(50), at(99), times[times.len() - 1]);
}
