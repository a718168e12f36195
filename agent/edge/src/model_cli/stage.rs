//! `wardlight model stage`: a package comes onto this machine.

use std::io::Write;
use std::path::PathBuf;

use clap::Args;

use super::{machine, stamp};
use crate::cli::ConfigArg;
use crate::packages;

#[derive(Debug, Args)]
pub(crate) struct StageArgs {
    /// Folder of the package, signed with the release's key or with one of model.keys_file
    package: PathBuf,
    #[command(flatten)]
    config: ConfigArg,
}

/// Verifies, copies and takes up the package.
/// # Errors
/// What is wrong with it; then nothing was changed.
pub(super) fn run(args: &StageArgs, mut output: impl Write) -> anyhow::Result<()> {
    let package = packages::stage(&machine(&args.config.config)?, &args.package, stamp(&super::who()))?;
    let (id, version) = (package.manifest().id(), package.manifest().version());
    writeln!(output, "{id} {version}: staged. Next: wardlight model verify {id} {version}")?;
    output.flush()?;
    Ok(())
}
