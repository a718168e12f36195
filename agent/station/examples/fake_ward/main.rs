//! Serves the page with made-up beds, alarms and waves, to look at it without an agent.
//!
//! `cargo run -p wardlight-station --example fake_ward -- [beds] [port]`
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    missing_docs,
    reason = "a picture book, not a product"
)]

mod beds;
mod stories;
mod waves;

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use axum::serve::ListenerExt;
use tokio::sync::mpsc;
use wardlight_core::event::ModelStatus;
use wardlight_core::time::Timestamp;
use wardlight_core::view::WardView;
use wardlight_station::{Health, Link, Request, Station, StationCommand, StationInfo};

/// Waves come in blocks of this length.
const BLOCK: Duration = Duration::from_millis(250);

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let mut args = std::env::args().skip(1).map(|a| a.parse::<u16>().expect("a number"));
    let count = args.next().unwrap_or(12);
    let port = args.next().unwrap_or(8099);

    let mut ward = beds::Ward::new(count, now());
    let (sender, mut commands) = mpsc::channel(64);
    let info = StationInfo {
        site: wardlight_core::ids::SiteId::new("demo").unwrap(),
        site_name: "Riverside General".into(),
        units: vec![ward.unit()],
        version: env!("CARGO_PKG_VERSION").into(),
        simulated: true,
        role: "Secondary display: the bedside monitor stays the primary alarm".into(),
        hosts: Vec::new(),
    };
    let station = Station::new(info, sender);
    station.publish_health(Health {
        broker: Link::Up,
        journal: Link::Up,
    });
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", port)).await.expect("a free port");
    let listener = listener.tap_io(|socket| {
        socket.set_nodelay(true).ok();
    });
    eprintln!("{count} made-up beds at http://127.0.0.1:{port}/ (Ctrl-C ends)");
    let server = tokio::spawn(axum::serve(listener, station.router()).into_future());

    let mut tick = tokio::time::interval(BLOCK);
    for n in 0_u32.. {
        tokio::select! {
            _ = tick.tick() => step(&station, &mut ward, n),
            Some(command) = commands.recv() => obey(&station, &mut ward, command),
        }
        if server.is_finished() {
            return;
        }
    }
}

fn step(station: &Station, ward: &mut beds::Ward, n: u32) {
    let now = now();
    for bed in &ward.beds {
        for wave in waves::blocks(bed, now, BLOCK) {
            station.publish_wave(&bed.id, &wave);
        }
    }
    for change in ward.progress(now) {
        station.publish_alarm(&change);
    }
    if n.is_multiple_of(4) {
        let views: Vec<_> = ward.beds.iter().map(|bed| bed.view(now)).collect();
        station.publish_beds(views, line(ward, now), now);
    }
}

fn line(ward: &beds::Ward, now: Timestamp) -> WardView {
    WardView {
        unacknowledged: ward.unacknowledged(),
        model: ModelStatus::Live,
        unassigned: beds::Ward::unassigned(now),
    }
}

fn obey(station: &Station, ward: &mut beds::Ward, command: StationCommand) {
    let StationCommand::Request { request, by, reply, .. } = command else {
        return;
    };
    let outcome = match request {
        Request::Acknowledge { alarm } => ward
            .acknowledge(&alarm, by.name, now())
            .map(|change| station.publish_alarm(&change)),
        other => {
            eprintln!("not played here: {other:?}");
            Ok(())
        }
    };
    reply.send(outcome.map_err(Into::into)).ok();
}

fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock after 1970");
    Timestamp::from_millis(i64::try_from(since.as_millis()).unwrap())
}
