//! `wardlight model list`: what is carried, and what lies on this machine.

use std::io::Write;
use std::path::PathBuf;
use std::time::{Duration, UNIX_EPOCH};

use clap::Args;
use wardlight_models::life::{Life, State};
use wardlight_models::{Package, TrustedKeys};

use crate::packages::Packages;

#[derive(Debug, Args)]
pub(crate) struct ListArgs {
    /// Configuration file of the machine; without it only what this binary carries is shown
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

/// Prints one line for each version.
/// # Errors
/// If the configuration or the life of the packages cannot be read.
pub(super) fn run(args: &ListArgs, mut output: impl Write) -> anyhow::Result<()> {
    match &args.config {
        None => carried(&mut output)?,
        Some(file) => versions(&super::machine(file)?, &mut output)?,
    }
    output.flush()?;
    Ok(())
}

fn carried(output: &mut impl Write) -> anyhow::Result<()> {
    let keys = TrustedKeys::release()?;
    for id in Package::shipped_ids() {
        let package = Package::shipped(id, &keys)?;
        let manifest = package.manifest();
        writeln!(output, "{} {}\t{}", manifest.id(), manifest.version(), manifest.summary())?;
    }
    Ok(())
}

fn versions(packages: &Packages, output: &mut impl Write) -> anyhow::Result<()> {
    let life = packages.life()?;
    let mut row = |cells: [&str; 7]| {
        let [model, version, state, since, certificate, engine, why] = cells;
        writeln!(
            output,
            "{model:14} {version:9} {state:9} {since:21} {certificate:12} {engine:19} {why}"
        )
    };
    row(["model", "version", "state", "since", "certificate", "engine", "why"])?;
    for id in Package::shipped_ids() {
        let package = packages.carried(id);
        let name = package
            .as_ref()
            .map_or("?", |package| package.manifest().version())
            .to_owned();
        let (certificate, engine) = found(packages, &package);
        let state = state_of_the_carried(&life, id).name();
        row([id, &name, state, "", certificate, &engine, "carried by the software"])?;
        for version in life.versions(id) {
            let (certificate, engine) = found(packages, &packages.brought(&life, id, &version.version));
            let since = UNIX_EPOCH + Duration::from_millis(version.since_ms.unsigned_abs());
            let since = humantime::format_rfc3339_seconds(since).to_string();
            let cells = [
                id,
                &version.version,
                version.state.name(),
                &since,
                certificate,
                &engine,
                &version.why,
            ];
            row(cells)?;
        }
    }
    for (id, comparison) in packages.comparisons() {
        writeln!(output, "{id} {}", comparison.summary())?;
    }
    Ok(())
}

/// A carried package is live unless another version is.
fn state_of_the_carried(life: &Life, id: &str) -> State {
    if life.live(id).is_some() {
        State::Retired
    } else {
        State::Live
    }
}

/// Whether its certificate holds, and what runs it; or what is wrong with it.
fn found(packages: &Packages, package: &anyhow::Result<Package>) -> (&'static str, String) {
    let package = match package {
        Ok(package) => package,
        Err(error) => return ("no", format!("refused: {error:#}")),
    };
    let holds = packages.certificates().check(package).is_ok();
    let engine = package
        .try_out()
        .map_or_else(|error| format!("refused: {error}"), |engine| engine.to_string());
    (if holds { "yes" } else { "no" }, engine)
}
