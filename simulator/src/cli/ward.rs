//! `wardlight-sim ward` and `wardlight-sim scenarios`.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result};
use clap::Args;
use serde_json::json;
use wardlight_simulator::scenario::{self, BUILTIN, Scenario};
use wardlight_simulator::ward::{SimulatedWard, WardSettings};

use super::common;

/// Run a simulated ward that follows a scenario.
#[derive(Debug, Args)]
pub(super) struct WardArguments {
    #[command(flatten)]
    broker: common::BrokerArguments,
    /// A built-in scenario (see `wardlight-sim scenarios`) or a TOML file
    #[arg(long, default_value = "demo", value_name = "NAME|FILE")]
    scenario: String,
    /// Number of beds instead of the scenario's
    #[arg(long)]
    beds: Option<usize>,
    /// Fixes every patient, device and fault
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Folder of recordings: beds without a script play its MIT-BIH records and CinC 2012 stays
    #[arg(long, value_name = "DIR")]
    recordings: Option<PathBuf>,
    /// How long, such as 60s; by default as long as the scenario
    #[arg(long = "for", value_parser = common::duration, value_name = "TIME")]
    duration: Option<Duration>,
    /// Write devices, expected alarms and counts as JSON to a file instead of standard output
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
}

/// Runs the ward and writes the report.
pub(super) fn run(arguments: &WardArguments) -> Result<()> {
    let scenario = load(&arguments.scenario)?;
    let settings = WardSettings {
        site: arguments.broker.site.clone(),
        seed: arguments.seed,
        beds: arguments.beds,
        recordings: arguments.recordings.clone(),
        start: common::now(),
    };
    let ward = SimulatedWard::new(&settings, &scenario)?;
    let duration = arguments.duration.unwrap_or(scenario.duration);
    let broker = arguments.broker.broker();
    eprintln!("{}: {}", scenario.name, scenario.about);
    eprintln!(
        "{} beds to {broker} for {} s; Ctrl-C ends it.",
        ward.beds().len(),
        duration.as_secs()
    );
    let about = about(&ward, &settings);
    let messages = common::run_ward(ward, &broker, common::end(Some(duration)))?;
    common::report(
        &json!({"scenario": scenario.name, "ward": about, "messages": messages}),
        arguments.report.as_deref(),
    )
}

fn load(name: &str) -> Result<Scenario> {
    let path = Path::new(name);
    if path.extension().is_some_and(|e| e == "toml") {
        let text = std::fs::read_to_string(path).with_context(|| format!("scenario {name}"))?;
        return Ok(scenario::parse(name, &text)?);
    }
    Ok(scenario::builtin(name)?)
}

fn about(ward: &SimulatedWard, settings: &WardSettings) -> serde_json::Value {
    let attachments = ward.attachments();
    let devices: Vec<_> = attachments
        .iter()
        .map(|a| json!({"device": a.device.as_str(), "bed": a.bed.as_str()}))
        .collect();
    let seconds = |at: wardlight_core::time::Timestamp| at.millis_after(settings.start) as f64 / 1000.0;
    let expected = ward.expected().iter().map(|e| {
        let (from_s, by_s) = (seconds(e.from), seconds(e.by));
        json!({"bed": e.bed.as_str(), "kind": e.kind, "from_s": from_s, "by_s": by_s, "required": e.required})
    });
    let expected: Vec<_> = expected.collect();
    let recorded: Vec<&str> = ward.recorded_beds().iter().map(wardlight_core::ids::BedId::as_str).collect();
    json!({"devices": devices, "expected_alarms": expected, "recorded_beds": recorded})
}

/// Lists the built-in scenarios.
pub(super) fn list() -> Result<()> {
    for (name, _) in BUILTIN {
        let scenario = scenario::builtin(name)?;
        writeln!(std::io::stdout(), "{name:12} {}", scenario.about)?;
    }
    Ok(())
}
