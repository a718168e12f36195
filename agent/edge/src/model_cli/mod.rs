//! `wardlight model …`: what the ECG models say about recordings, and how that compares with their annotations.

mod agreement;
mod annotate;
mod evaluate;
mod recording;

use std::io::Write;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand, ValueEnum};
use wardlight_models::{Package, TrustedKeys, WaveformModel};

#[derive(Debug, Subcommand)]
pub(crate) enum ModelCommand {
    /// Write what a model says about a recording, made by the agent's own analysis and engine
    Annotate(AnnotateArgs),
    /// Compare what `annotate ecg-beat` wrote with the annotations of the records
    Evaluate(EvaluateArgs),
}

/// The models that look at the ECG.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum EcgModel {
    /// AAMI class of each beat: `sample,time_s,aami,p_n,p_s,p_v,p_f,p_q`
    EcgBeat,
    /// Shockable rhythm in each window of 4 s, one a second: `start_sample,p_shockable`
    EcgVf,
}

impl EcgModel {
    const fn id(self) -> &'static str {
        match self {
            Self::EcgBeat => "ecg-beat",
            Self::EcgVf => "ecg-vf",
        }
    }

    /// The model of the package in `folder`, or the one that the software carries.
    fn load(self, folder: Option<&Path>) -> anyhow::Result<WaveformModel> {
        let keys = TrustedKeys::release()?;
        let package = match folder {
            Some(folder) => Package::open(folder, &keys)?,
            None => Package::shipped(self.id(), &keys)?,
        };
        Ok(package.load_waveform()?)
    }
}

#[derive(Debug, Args)]
pub(crate) struct AnnotateArgs {
    /// Which model
    #[arg(value_enum)]
    model: EcgModel,
    /// WFDB record without extension, such as mitdb/101, or an extract of the Creighton database, such as cudb/cu01m.mat
    #[arg(long, value_name = "DIR/NAME")]
    record: PathBuf,
    /// Write the table here
    #[arg(long, value_name = "FILE.csv")]
    out: PathBuf,
    /// Use only this lead of the record, from 0 on
    #[arg(long, value_name = "N")]
    lead: Option<usize>,
    /// Use the package in this folder instead of the one that the software carries
    #[arg(long, value_name = "DIR")]
    package: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct EvaluateArgs {
    /// Folder of the records with their annotations, `NAME.hea` and `NAME.atr`
    #[arg(long, value_name = "DIR")]
    records: PathBuf,
    /// What `annotate ecg-beat` wrote, each file named after its record: `NAME.csv`
    #[arg(value_name = "FILE.csv", required = true)]
    annotations: Vec<PathBuf>,
}

/// Runs the command.
/// # Errors
/// If a file cannot be read or written, or the model cannot be loaded.
pub(crate) fn run(command: &ModelCommand, output: impl Write) -> anyhow::Result<()> {
    match command {
        ModelCommand::Annotate(args) => annotate::run(args),
        ModelCommand::Evaluate(args) => evaluate::run(args, output),
    }
}
