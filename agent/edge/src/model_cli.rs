//! `wardlight model …`: what the binary carries, and what this machine makes of it.

mod annotate;
mod evaluate;
mod recording;
mod rows;
mod scenes;

use std::io::Write;
use std::path::{Path, PathBuf};

use clap::{Subcommand, ValueEnum};
use wardlight_models::certificate::Certificate;
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
        /// Folder of a package; else all that the agent runs
        #[arg(value_name = "PACKAGE")]
        package: Option<PathBuf>,
        #[command(flatten)]
        config: ConfigArg,
    },
    /// Run a model over a recorded ECG, with the agent's own analysis of the rhythm, and write what it says
    Annotate(annotate::AnnotateArgs),
    /// Compare annotations of beats with those of an expert
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

/// Runs a command.
/// # Errors
/// What was refused, and why.
pub(crate) fn run(command: ModelCommand, output: impl Write) -> anyhow::Result<()> {
    match command {
        ModelCommand::List => list(output),
        ModelCommand::Annotate(args) => annotate::run(&args, output),
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
    let certificates = Certificates::of(&config.journal);
    let issued = match package {
        Some(folder) => {
            let package = Package::open(&folder, &TrustedKeys::release()?)?;
            let card = certified::card(config.model.gpu);
            let (certificate, path) = certificates.issue(&package, card.as_ref())?;
            vec![(package, certificate, path)]
        }
        None => certificates.issue_all(config.model.package.as_deref(), config.model.gpu)?,
    };
    for (package, certificate, path) in &issued {
        show(package, certificate, path, &mut output)?;
    }
    output.flush()?;
    Ok(())
}

fn show(package: &Package, certificate: &Certificate, path: &Path, output: &mut impl Write) -> anyhow::Result<()> {
    let manifest = package.manifest();
    writeln!(output, "{} {}: int8 against float", manifest.id(), manifest.version())?;
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
    Ok(())
}
