//! `wardlight-sim replay`.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use clap::Args;
use serde_json::json;
use wardlight_core::ids::DeviceId;
use wardlight_simulator::recordings::{cinc2012, empatica, hourly};
use wardlight_simulator::subject::{Charted, Recorded, Subject, Wrist};
use wardlight_simulator::ward::{SimulatedWard, WardSettings};

use super::common;

/// Play a recording as one bedside monitor.
#[derive(Debug, Args)]
pub(super) struct ReplayArguments {
    /// A WFDB header (.hea), a folder of an Empatica E4, a CinC 2012 stay (.txt), folder or set-a.tar.gz, or an hourly table
    /// (.csv, .parquet)
    path: PathBuf,
    #[command(flatten)]
    broker: common::BrokerArguments,
    /// Name of the device
    #[arg(long, default_value = "mon-01", value_parser = device)]
    device: DeviceId,
    /// Which stay of a folder, archive or table; by default the first
    #[arg(long)]
    stay: Option<i64>,
    /// Hours of a stay in one hour of the clock; waveforms are never accelerated
    #[arg(long, default_value_t = 60.0)]
    speed: f64,
    /// How long, such as 60s; by default until Ctrl-C, and a recording that ends begins again
    #[arg(long = "for", value_parser = common::duration, value_name = "TIME")]
    duration: Option<Duration>,
    /// Write the counts as JSON to a file instead of standard output
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
}

fn device(text: &str) -> Result<DeviceId, String> {
    DeviceId::new(text).map_err(|e| e.to_string())
}

/// Plays the recording and writes what was counted.
pub(super) fn run(arguments: &ReplayArguments) -> Result<()> {
    if !(0.01..=100_000.0).contains(&arguments.speed) {
        bail!("--speed {}: expected 0.01 to 100000", arguments.speed);
    }
    let subject = open(arguments)?;
    let settings = WardSettings {
        site: arguments.broker.site.clone(),
        seed: 1,
        beds: Some(1),
        recordings: None,
        start: common::now(),
    };
    let ward = SimulatedWard::of_one(&settings, arguments.device.clone(), subject)?;
    let broker = arguments.broker.broker();
    eprintln!(
        "{} as {} to {broker}; Ctrl-C ends it.",
        arguments.path.display(),
        arguments.device
    );
    let messages = common::run_ward(ward, &broker, common::end(arguments.duration))?;
    common::report(
        &json!({"device": arguments.device.as_str(), "messages": messages}),
        arguments.report.as_deref(),
    )
}

fn open(arguments: &ReplayArguments) -> Result<Subject> {
    let path = arguments.path.as_path();
    let extension = path.extension().and_then(|e| e.to_str()).unwrap_or_default();
    Ok(match extension {
        "hea" => {
            let name = path.file_stem().and_then(|s| s.to_str()).context("name of the record")?;
            Subject::Recorded(Box::new(Recorded::open(path.parent().unwrap_or(Path::new(".")), name)?))
        }
        "csv" | "parquet" => hourly_stay(arguments)?,
        "txt" | "gz" => cinc_stay(arguments)?,
        _ if path.join("BVP.csv").is_file() => Subject::Wrist(Box::new(Wrist::new(empatica::read_session(path)?))),
        _ if path.is_dir() => cinc_stay(arguments)?,
        _ => bail!(
            "{}: expected .hea, .txt, .tar.gz, .csv, .parquet or a folder of an Empatica E4",
            path.display()
        ),
    })
}

fn cinc_stay(arguments: &ReplayArguments) -> Result<Subject> {
    let path = arguments.path.as_path();
    let stays = if path.extension().is_some_and(|e| e == "txt") {
        let text = std::fs::read_to_string(path).with_context(|| path.display().to_string())?;
        vec![cinc2012::parse(path, &text)?]
    } else {
        let most = if arguments.stay.is_some() { usize::MAX } else { 1 };
        cinc2012::read_stays(path, most)?
    };
    let wanted = |stay: &&cinc2012::Stay| arguments.stay.is_none_or(|id| id == i64::from(stay.id));
    let stay = stays.iter().find(wanted).with_context(|| missing(arguments))?;
    Ok(Subject::Charted(Box::new(Charted::from_cinc2012(stay, arguments.speed))))
}

fn hourly_stay(arguments: &ReplayArguments) -> Result<Subject> {
    let stays = hourly::read(&arguments.path)?.stays(usize::MAX);
    let wanted = |stay: &&hourly::HourlyStay| arguments.stay.is_none_or(|id| id == stay.id);
    let stay = stays.iter().find(wanted).with_context(|| missing(arguments))?;
    Ok(Subject::Charted(Box::new(Charted::from_hourly(stay, arguments.speed))))
}

fn missing(arguments: &ReplayArguments) -> String {
    let stay = arguments
        .stay
        .map_or_else(|| "any stay".to_owned(), |id| format!("stay {id}"));
    format!("{}: {stay}: not found", arguments.path.display())
}
