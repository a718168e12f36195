//! `wardlight model …`: what the binary carries, what lies on this machine, and the steps of its life.

mod annotate;
mod bench;
mod charted;
mod evaluate;
mod figures;
mod list;
mod predict;
mod promote;
mod recording;
mod risks;
mod rows;
mod scenes;
mod sign;
mod stage;
mod verify;

use std::fs;
use std::io::Write;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use clap::{Subcommand, ValueEnum};
use wardlight_models::life::Stamp;

use crate::clock;
use crate::config::Config;
use crate::packages::Packages;
use crate::user_cli::whoami;

pub(crate) use sign::signing_key;

#[derive(Debug, Subcommand)]
pub(crate) enum ModelCommand {
    /// Show what this binary carries and, with --config, what lies on the machine: state, since when, certificate, engine
    List(list::ListArgs),
    /// Bring a signed package onto this machine: verified, tried out, copied; it answers nobody yet
    Stage(stage::StageArgs),
    /// Compare int8 with float on every engine of this machine and sign a certificate; without it no model goes live
    Verify(verify::VerifyArgs),
    /// One step: a verified version into the shadow, the one in the shadow to live; a running agent follows within seconds
    Promote(promote::PromoteArgs),
    /// Back to the version that was live before; the live one retires
    Rollback(promote::RollbackArgs),
    /// Sign a package, or make a key for it
    Sign(sign::SignArgs),
    /// Time a model on every engine of this machine, int8 and float
    Bench(bench::BenchArgs),
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
        ModelCommand::List(args) => list::run(&args, output),
        ModelCommand::Stage(args) => stage::run(&args, output),
        ModelCommand::Verify(args) => verify::run(&args, output),
        ModelCommand::Promote(args) => promote::promote(&args, output),
        ModelCommand::Rollback(args) => promote::roll_back(&args, output),
        ModelCommand::Sign(args) => sign::run(args, output),
        ModelCommand::Bench(args) => bench::run(&args, output),
        ModelCommand::Annotate(args) => annotate::run(&args, output),
        ModelCommand::Predict(args) => predict::run(&args, output),
        ModelCommand::Evaluate(args) => evaluate::run(&args, output),
        ModelCommand::Rows(args) => rows::run(&args, output),
    }
}

/// The packages of the machine that a configuration file describes.
fn machine(file: &Path) -> anyhow::Result<Packages> {
    let config = Config::load(file)?;
    Ok(Packages::of(&config.model, &config.journal))
}

/// Who acts: what the environment says, and what the system knows.
fn who() -> String {
    let name = whoami();
    match fs::metadata("/proc/self") {
        Ok(process) => format!("{name} (uid {})", process.uid()),
        Err(_) => name,
    }
}

/// Who acts, now.
fn stamp(by: &str) -> Stamp<'_> {
    Stamp { by, at: clock::wall() }
}
