//! `wardlight model promote` and `rollback`: one step up, or back to what was live before.

use std::io::Write;

use clap::Args;
use wardlight_models::life::State;

use super::{machine, stamp};
use crate::cli::ConfigArg;

#[derive(Debug, Args)]
pub(crate) struct PromoteArgs {
    /// Name of the model
    #[arg(value_name = "ID")]
    model: String,
    /// Version; else the one in the shadow, or the only verified one
    version: Option<String>,
    #[command(flatten)]
    config: ConfigArg,
}

#[derive(Debug, Args)]
pub(crate) struct RollbackArgs {
    /// Name of the model
    #[arg(value_name = "ID")]
    model: String,
    /// Why, for the audit trail
    #[arg(long, value_name = "TEXT", default_value = "rolled back by hand")]
    why: String,
    #[command(flatten)]
    config: ConfigArg,
}

/// One step: from verified into the shadow, or from the shadow to live.
/// # Errors
/// What is missing, and what to do.
pub(super) fn promote(args: &PromoteArgs, mut output: impl Write) -> anyhow::Result<()> {
    let packages = machine(&args.config.config)?;
    let id = &args.model;
    let (version, state) = packages.promote(id, args.version.as_deref(), stamp(&super::who()))?;
    match state {
        State::Live => writeln!(output, "{id} {version}: live. Back again: wardlight model rollback {id}")?,
        _ => writeln!(
            output,
            "{id} {version}: in the shadow: it gets every input, and its answers reach nobody. Next: wardlight model promote {id}"
        )?,
    }
    output.flush()?;
    Ok(())
}

/// The live version retires; the one before it is live again.
/// # Errors
/// If nothing is before it, or if what is cannot go live.
pub(super) fn roll_back(args: &RollbackArgs, mut output: impl Write) -> anyhow::Result<()> {
    let packages = machine(&args.config.config)?;
    let version = packages.roll_back(&args.model, None, &args.why, stamp(&super::who()))?;
    writeln!(output, "{} {version}: live again", args.model)?;
    output.flush()?;
    Ok(())
}
