//! `wardlight device …`: what a biomedical engineer does with devices before they send anything.

mod profiles;

use std::io::Write;
use std::path::PathBuf;

use clap::Subcommand;

#[derive(Debug, Subcommand)]
pub(crate) enum DeviceCommand {
    /// List the device profiles that this binary carries
    Profiles,
    /// Look at a profile, or check one of your own
    Profile {
        #[command(subcommand)]
        profile: ProfileCommand,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum ProfileCommand {
    /// Print a profile as TOML, to begin your own with
    Show {
        /// Name, as `wardlight device profiles` lists it
        name: String,
    },
    /// Say everything that is wrong with a profile, line by line
    Check {
        /// The profile's TOML
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
}

/// Carries the command out.
/// # Errors
/// With what is wrong; then nothing was changed.
pub(crate) fn run(command: DeviceCommand, mut output: impl Write) -> anyhow::Result<()> {
    match command {
        DeviceCommand::Profiles => profiles::list(&mut output)?,
        DeviceCommand::Profile {
            profile: ProfileCommand::Show { name },
        } => output.write_all(wardlight_devices::Profile::builtin_text(&name)?.as_bytes())?,
        DeviceCommand::Profile {
            profile: ProfileCommand::Check { file },
        } => profiles::check(&file, &mut output)?,
    }
    output.flush()?;
    Ok(())
}
