//! `wardlight-sim load`.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use clap::{Args, ValueEnum};
use wardlight_simulator::load::{self, LoadProgress, LoadReport, LoadSettings, PayloadFormat};

use super::{bar, common};

/// Send vitals of many devices at a fixed rate and measure the broker's acknowledgements.
///
/// The rate does not wait for the broker: each message has its time, and its latency counts from that time to the PUBACK.
#[derive(Debug, Args)]
pub(super) struct LoadArguments {
    #[command(flatten)]
    broker: common::BrokerArguments,
    /// Number of devices
    #[arg(long, default_value_t = 200)]
    devices: usize,
    /// Messages per second, all devices together
    #[arg(long, default_value_t = 1000.0)]
    rate: f64,
    /// How long, such as 30s or 5m
    #[arg(long = "for", default_value = "30s", value_parser = common::duration, value_name = "TIME")]
    duration: Duration,
    /// How many messages at most
    #[arg(long, default_value_t = u64::MAX, hide_default_value = true)]
    messages: u64,
    /// Connections to the broker (at most one per device)
    #[arg(long, default_value_t = 8)]
    connections: usize,
    /// How payloads are written: json has about 200 bytes
    #[arg(long, default_value = "json")]
    format: Format,
    /// Boot id of the devices; by default it comes from the clock
    #[arg(long)]
    boot: Option<u32>,
    /// Do not begin with a birth of each device
    #[arg(long)]
    no_births: bool,
    /// Write the report as JSON to a file instead of standard output
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
    /// Write every acknowledged message to a file, one `DEVICE BOOT SEQ` a line
    #[arg(long, value_name = "FILE")]
    acknowledged: Option<PathBuf>,
    /// Draw no progress bar
    #[arg(long)]
    quiet: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Format {
    Json,
    Cbor,
}

/// Sends the load and writes the report.
pub(super) fn run(arguments: &LoadArguments) -> Result<()> {
    let settings = LoadSettings {
        broker: arguments.broker.broker(),
        site: arguments.broker.site.clone(),
        devices: arguments.devices,
        rate: arguments.rate,
        messages: arguments.messages,
        duration: arguments.duration,
        connections: arguments.connections.min(arguments.devices),
        format: match arguments.format {
            Format::Json => PayloadFormat::Json,
            Format::Cbor => PayloadFormat::Cbor,
        },
        boot: arguments
            .boot
            .unwrap_or_else(|| (common::now().as_millis() / 1000 % i64::from(u32::MAX)) as u32),
        births: !arguments.no_births,
        list_acknowledged: arguments.acknowledged.is_some(),
    };
    let expected = (settings.rate * settings.duration.as_secs_f64()).min(settings.messages as f64);
    let progress = Arc::new(LoadProgress::default());
    let report = common::runtime()?.block_on(async {
        let shown = Arc::clone(&progress);
        let drawing = tokio::spawn(async move {
            let mut interval = tokio::time::interval(Duration::from_millis(500));
            loop {
                interval.tick().await;
                draw(&shown, expected);
            }
        });
        if arguments.quiet {
            drawing.abort();
        }
        let report = load::run(settings, common::now, Arc::clone(&progress), common::end(None)).await;
        drawing.abort();
        report
    })?;
    if !arguments.quiet {
        draw(&progress, expected);
        eprintln!();
    }
    if let Some(path) = &arguments.acknowledged {
        write_acknowledged(&report, path)?;
    }
    common::report(&serde_json::to_value(&report)?, arguments.report.as_deref())?;
    if report.acknowledged == 0 {
        let why = report.failure.as_deref().unwrap_or("the broker did not answer");
        bail!("no message was acknowledged: {why}");
    }
    Ok(())
}

fn draw(progress: &LoadProgress, expected: f64) {
    let (sent, acknowledged) = (
        progress.sent.load(Ordering::Relaxed),
        progress.acknowledged.load(Ordering::Relaxed),
    );
    bar::draw(
        acknowledged as f64 / expected.max(1.0),
        &format!("{sent} sent, {acknowledged} acknowledged"),
    );
}

fn write_acknowledged(report: &LoadReport, path: &Path) -> Result<()> {
    let mut text = String::new();
    for message in &report.list {
        writeln!(text, "load-{:05} {} {}", message.device, report.boot, message.seq)?;
    }
    std::fs::write(path, text).with_context(|| format!("list of acknowledged messages {}", path.display()))
}
