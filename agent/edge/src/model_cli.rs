//! `wardlight model …`.

mod annotate;
mod evaluate;
mod recording;
mod rows;
mod scenes;

use std::io::Write;

use clap::{Subcommand, ValueEnum};

#[derive(Debug, Subcommand)]
pub(crate) enum ModelCommand {
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
        ModelCommand::Annotate(args) => annotate::run(&args, output),
        ModelCommand::Evaluate(args) => evaluate::run(&args, output),
        ModelCommand::Rows(args) => rows::run(&args, output),
    }
}
