//! `wardlight model …`.

mod annotate;
mod evaluate;
mod recording;
mod rows;

use std::io::Write;

use clap::Subcommand;

#[derive(Debug, Subcommand)]
pub(crate) enum ModelCommand {
    /// Run a model over a recorded ECG, with the agent's own analysis of the rhythm, and write what it says
    Annotate(annotate::AnnotateArgs),
    /// Compare annotations of beats with those of an expert
    Evaluate(evaluate::EvaluateArgs),
    /// Write the rows of a recorded ECG that the model of beats is trained on
    Rows(rows::RowsArgs),
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
