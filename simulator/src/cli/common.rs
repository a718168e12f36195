//! What the commands share: options of the connection, times, the clock, the end.

use std::future::Future;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, bail};
use clap::Args;
use serde_json::json;
use wardlight_core::ids::SiteId;
use wardlight_core::time::Timestamp;
use wardlight_simulator::mqtt::{self, Broker, Counters, Tls};
use wardlight_simulator::ward::SimulatedWard;

/// Where to publish.
#[derive(Debug, Args)]
pub(super) struct BrokerArguments {
    /// The broker: mqtt://HOST or mqtt://HOST:PORT; mqtts:// for TLS
    #[arg(long, default_value = "mqtt://127.0.0.1:1883", value_name = "URL")]
    broker: Broker,
    /// PEM file of the authority that signed the broker's certificate (with mqtts://)
    #[arg(long, value_name = "FILE")]
    ca: Option<PathBuf>,
    /// Folder with DEVICE.crt and DEVICE.key of each device (with mqtts://)
    #[arg(long, value_name = "DIR", requires = "ca")]
    identities: Option<PathBuf>,
    /// Site, as in the topics vitals/v1/SITE/DEVICE/…
    #[arg(long, default_value = "demo", value_parser = site)]
    pub(super) site: SiteId,
}

fn site(text: &str) -> Result<SiteId, String> {
    SiteId::new(text).map_err(|e| e.to_string())
}

impl BrokerArguments {
    pub(super) fn broker(&self) -> Broker {
        let tls = self.ca.clone().map(|ca| Tls {
            ca,
            identities: self.identities.clone(),
        });
        Broker {
            tls,
            ..self.broker.clone()
        }
    }
}

/// Reads `90s`, `5m`, `2h`, `500ms`, or plain seconds.
pub(super) fn duration(text: &str) -> Result<Duration, String> {
    let digits = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let factor = match unit {
        "ms" => 0.001,
        "" | "s" => 1.0,
        "m" | "min" => 60.0,
        "h" => 3600.0,
        _ => return Err(format!("{text:?}: expected a time such as 90s, 5m or 2h")),
    };
    let seconds: f64 = number
        .parse()
        .map_err(|_e| format!("{text:?}: expected a time such as 90s, 5m or 2h"))?;
    Duration::try_from_secs_f64(seconds * factor).map_err(|e| format!("{text:?}: {e}"))
}

/// The clock.
#[expect(clippy::disallowed_methods, reason = "this is the binary's clock")]
pub(super) fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_millis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

/// A runtime on this thread: the simulator needs no more.
pub(super) fn runtime() -> Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("async runtime")
}

/// Ready at Ctrl-C or SIGTERM, or when the time is over.
pub(super) async fn end(after: Option<Duration>) {
    let over = async {
        match after {
            Some(duration) => tokio::time::sleep(duration).await,
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        () = over => {}
        () = interrupted() => {}
    }
}

async fn interrupted() {
    let terminated = async {
        match tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
            Ok(mut signal) => signal.recv().await,
            Err(_) => std::future::pending().await,
        }
    };
    tokio::select! {
        pressed = tokio::signal::ctrl_c() => if pressed.is_err() {
            std::future::pending::<()>().await;
        },
        _ = terminated => {}
    }
}

/// Writes a line of JSON to standard output, or to a file.
pub(super) fn report(value: &serde_json::Value, file: Option<&Path>) -> Result<()> {
    let text = format!("{value:#}\n");
    match file {
        Some(path) => std::fs::write(path, text).with_context(|| format!("report {}", path.display())),
        None => std::io::stdout().write_all(text.as_bytes()).context("standard output"),
    }
}

/// Runs a ward until `stop`, telling each second on standard error how far it is, and returns what was counted.
pub(super) fn run_ward(ward: SimulatedWard, broker: &Broker, stop: impl Future<Output = ()> + Send) -> Result<serde_json::Value> {
    let counters = Arc::new(Counters::default());
    let shown = Arc::clone(&counters);
    let outcome = runtime()?.block_on(async {
        let ticker = tokio::spawn(async move {
            let mut second = tokio::time::interval(Duration::from_secs(1));
            loop {
                second.tick().await;
                show(&shown);
            }
        });
        let outcome = mqtt::run(ward, broker, now, Arc::clone(&counters), stop).await;
        ticker.abort();
        outcome
    });
    eprintln!();
    outcome?;
    let get = |counter: &std::sync::atomic::AtomicU64| counter.load(Ordering::Relaxed);
    let (published, acknowledged) = (get(&counters.published), get(&counters.acknowledged));
    if acknowledged < published {
        eprintln!(
            "{} messages were not acknowledged: {}",
            published - acknowledged,
            failure(&counters)
        );
    }
    if get(&counters.connections) == 0 {
        bail!("{broker}: no connection: {}", failure(&counters));
    }
    Ok(json!({
        "published": published,
        "acknowledged": acknowledged,
        "waves": get(&counters.waves),
        "discarded": get(&counters.discarded),
        "connections": get(&counters.connections),
    }))
}

fn failure(counters: &Counters) -> String {
    counters.last_failure().unwrap_or_else(|| "the broker did not answer".into())
}

fn show(counters: &Counters) {
    let get = |counter: &std::sync::atomic::AtomicU64| counter.load(Ordering::Relaxed);
    eprint!(
        "\r{} messages, {} acknowledged, {} wave blocks, {} connections   ",
        get(&counters.published),
        get(&counters.acknowledged),
        get(&counters.waves),
        get(&counters.connections)
    );
}
