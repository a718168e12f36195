//! `wardlight model …`: what the binary carries, and what this machine makes of it.

mod annotate;
mod charted;
mod evaluate;
mod figures;
mod predict;
mod recording;
mod risks;
mod rows;
mod scenes;

use std::io::Write;
use std::path::PathBuf;

use clap::{Subcommand, ValueEnum};
use wardlight_models::{Package, TrustedKeys};

use crate::certified::{self, Certificates};
use crate::cli::ConfigArg;
use crate::config::Config;

#[derive(Debug, Subcommand)]
pub(crate) enum ModelCommand {
    /// Show the packages that this binary carries
    List,
    /// Compare int8 with float on every engine of this machine and sign a certificate; without it no model goes live
    Verify {
        /// Folder of a package; else the configured one
        #[arg(value_name = "PACKAGE")]
        package: Option<PathBuf>,
        #[command(flatten)]
        config: ConfigArg,
    },
    /// Run a model over a recorded ECG, with the agent's own analysis of the rhythm, and write what it says
    Annotate(annotate::AnnotateArgs),
    /// Run a model over recorded stays and write the risk at every hour
    Predict(predict::PredictArgs),
    /// Compare annotations of beats with those of an expert, or risks with what became of the patients
    Evaluate(evaluate::EvaluateArgs),
    /// Write the rows of a recorded ECG that a model is trained on
    Rows(rows::RowsArgs),
}

/// Models of the ECG.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum EcgModel {
    /// Classes of beats: `sample,time_s,aami,p_n,p_s,p_v,p_f,p_q`
    EcgBeat,
    /// Shockable rhythm in windows of 4 s, one a second: `start_sample,p_shockable`
    EcgVf,
}

impl EcgModel {
    const fn id(self) -> &'static str {
        match self {
            Self::EcgBeat => "ecg-beat",
            Self::EcgVf => "ecg-vf",
        }
    }
}

/// Models of a risk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum RiskModel {
    /// Death in the hospital, from hourly vitals
    Deterioration,
}

impl RiskModel {
    const fn id(self) -> &'static str {
        match self {
            Self::Deterioration => "deterioration",
        }
    }
}

/// Runs a command.
/// # Errors
/// What was refused, and why.
pub(crate) fn run(command: ModelCommand, output: impl Write) -> anyhow::Result<()> {
    match command {
        ModelCommand::List => list(output),
        ModelCommand::Annotate(args) => annotate::run(&args, output),
        ModelCommand::Predict(args) => predict::run(&args, output),
        ModelCommand::Evaluate(args) => evaluate::run(&args, output),
        ModelCommand::Rows(args) => rows::run(&args, output),
        ModelCommand::Verify { package, config } => verify(package, &Config::load(&config.config)?, output),
    }
}

fn list(mut output: impl Write) -> anyhow::Result<()> {
    let keys = TrustedKeys::release()?;
    for id in Package::shipped_ids() {
        let package = Package::shipped(id, &keys)?;
        let manifest = package.manifest();
        writeln!(output, "{} {}\t{}", manifest.id(), manifest.version(), manifest.summary())?;
    }
    output.flush()?;
    Ok(())
}

fn verify(package: Option<PathBuf>, config: &Config, mut output: impl Write) -> anyhow::Result<()> {
    let package = match package {
        Some(folder) => Package::open(&folder, &TrustedKeys::release()?)?,
        None => certified::package(&config.model)?,
    };
    let (certificate, path) = Certificates::of(&config.journal).issue(&package)?;
    writeln!(
        output,
        "{} {}: int8 against float",
        package.manifest().id(),
        package.manifest().version()
    )?;
    writeln!(
        output,
        "{:24} {:20} {:>7} {:>9} {:>11} {:>13}",
        "engine", "group", "vectors", "mean gap", "largest gap", "same decision"
    )?;
    for engine in certificate.engines() {
        for group in &engine.groups {
            writeln!(
                output,
                "{:24} {:20} {:>7} {:>9.5} {:>11.5} {:>12.1}%",
                engine.engine,
                group.group,
                group.vectors,
                group.gap.mean,
                group.gap.largest,
                100.0 * group.same_decision_share
            )?;
        }
    }
    writeln!(output, "certificate of this machine: {}", path.display())?;
    output.flush()?;
    Ok(())
}
