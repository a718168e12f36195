//! `wardlight device …`: what a biomedical engineer does with devices before they send anything, and when they must not send any more.

mod authority;
mod configure;
mod enrol;
mod firmware;
mod list;
mod profiles;
mod revoke;
mod site;
#[cfg(test)]
mod tests;

use std::io::Write;
use std::path::PathBuf;

use clap::{ArgGroup, Args, Subcommand};
use wardlight_devices::Profile;

use crate::cli::ConfigArg;
use site::Site;

#[derive(Debug, Subcommand)]
pub(crate) enum DeviceCommand {
    /// List the device profiles that this binary carries
    Profiles,
    /// Look at a profile, or check one of your own
    Profile {
        #[command(subcommand)]
        profile: ProfileCommand,
    },
    /// Make the site's authority; the first enrolment does it too
    InitCa {
        #[command(flatten)]
        config: ConfigArg,
    },
    /// Give the broker a certificate, and write its configuration
    EnrollBroker {
        /// Name or address under which devices and agents reach the broker; may be given again for further ones
        #[arg(long = "host", value_name = "NAME", required = true)]
        hosts: Vec<String>,
        #[command(flatten)]
        config: ConfigArg,
    },
    /// Give the agent a certificate for the broker's door for agents
    EnrollAgent {
        /// Folder for agent.pem and agent.key; else where the configuration names them
        #[arg(long, value_name = "DIR")]
        out: Option<PathBuf>,
        /// No certificate that an agent had before counts any more
        #[arg(long)]
        replace: bool,
        #[command(flatten)]
        config: ConfigArg,
    },
    /// Give a device a certificate, and make what is flashed onto it
    Enroll {
        /// Its profile: a name, or a file with a dot or a slash in its name
        #[arg(long, value_name = "P")]
        profile: String,
        /// Its identifier, as in its topics
        #[arg(long, value_name = "ID")]
        id: String,
        #[command(flatten)]
        bundle: BundleArgs,
        #[command(flatten)]
        config: ConfigArg,
    },
    /// Give a device another certificate; the one before counts until it ends
    Renew {
        /// Which device
        id: String,
        #[command(flatten)]
        bundle: BundleArgs,
        #[command(flatten)]
        config: ConfigArg,
    },
    /// None of a device's certificates counts any more, and its connection ends
    Revoke {
        /// Which device
        id: String,
        /// Why, for the registry
        #[arg(long, value_name = "TEXT")]
        reason: String,
        #[command(flatten)]
        config: ConfigArg,
    },
    /// Show the devices of the registry
    List {
        /// As JSON
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        config: ConfigArg,
    },
    /// Show what the registry holds of a device, and what the device reports
    Show {
        /// Which device
        id: String,
        #[command(flatten)]
        config: ConfigArg,
    },
    /// Ask for another configuration of a device: it gets it from the running agent, at once or when it is on again
    #[command(group(ArgGroup::new("what").required(true).multiple(true)))]
    Configure {
        /// Which device
        id: String,
        /// interval_ms=1000, battery_low_percent=20, waves=131330,150452; what its profile allows. All else stays as asked for before
        #[arg(value_name = "NAME=VALUE", group = "what")]
        settings: Vec<String>,
        /// Everything that is not said here is to be as the device was delivered
        #[arg(long, group = "what")]
        clear: bool,
        #[command(flatten)]
        config: ConfigArg,
    },
    /// Sign a firmware image, and have the agent tell devices that run another version where it is
    Firmware(FirmwareArgs),
    /// Another authority signs from now on; what the one before signed counts until the change is finished
    RotateCa {
        /// The former authority does not count any more; refused while somebody still needs it
        #[arg(long)]
        finish: bool,
        #[command(flatten)]
        config: ConfigArg,
    },
}

#[derive(Debug, Args)]
pub(crate) struct BundleArgs {
    /// Certificate signing request of the device, PEM; without one a key is made for it
    #[arg(long, value_name = "FILE")]
    pub(crate) csr: Option<PathBuf>,
    /// New folder for the bundle; else one named like the device
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
}

#[derive(Debug, Args)]
#[command(group(ArgGroup::new("whom").required(true)))]
pub(crate) struct FirmwareArgs {
    /// For every device of this profile
    #[arg(long, value_name = "P", group = "whom")]
    pub(crate) profile: Option<String>,
    /// For this device alone, whatever its profile's is
    #[arg(long, value_name = "ID", group = "whom")]
    pub(crate) id: Option<String>,
    /// Its version, as a birth says it in `fw`
    #[arg(long, value_name = "V", requires_all = ["image", "url", "key"], required_unless_present = "withdraw")]
    pub(crate) version: Option<String>,
    /// The image
    #[arg(long, value_name = "FILE")]
    pub(crate) image: Option<PathBuf>,
    /// Where devices fetch it: https://…
    #[arg(long, value_name = "URL")]
    pub(crate) url: Option<String>,
    /// The maker's private key, as `wardlight model sign new-key` makes one (chmod 600)
    #[arg(long, value_name = "FILE")]
    pub(crate) key: Option<PathBuf>,
    /// Tell nobody any more
    #[arg(long, conflicts_with_all = ["version", "image", "url", "key"])]
    pub(crate) withdraw: bool,
    #[command(flatten)]
    pub(crate) config: ConfigArg,
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
/// With what is wrong.
pub(crate) fn run(command: DeviceCommand, mut output: impl Write) -> anyhow::Result<()> {
    let output = &mut output;
    match command {
        DeviceCommand::Profiles => profiles::list(output)?,
        DeviceCommand::Profile {
            profile: ProfileCommand::Show { name },
        } => output.write_all(Profile::builtin_text(&name)?.as_bytes())?,
        DeviceCommand::Profile {
            profile: ProfileCommand::Check { file },
        } => profiles::check(&file, output)?,
        DeviceCommand::InitCa { config } => authority::create(&Site::load(&config.config)?, output)?,
        DeviceCommand::EnrollBroker { hosts, config } => enrol::broker(&Site::load(&config.config)?, &hosts, output)?,
        DeviceCommand::EnrollAgent { out, replace, config } => {
            enrol::agent(&Site::load(&config.config)?, out.as_deref(), replace, output)?;
        }
        DeviceCommand::Enroll {
            profile,
            id,
            bundle,
            config,
        } => enrol::device(&Site::load(&config.config)?, &profile, &id, &bundle, output)?,
        DeviceCommand::Renew { id, bundle, config } => enrol::renew(&Site::load(&config.config)?, &id, &bundle, output)?,
        DeviceCommand::Revoke { id, reason, config } => revoke::run(&config.config, &id, &reason, output)?,
        DeviceCommand::List { json, config } => list::list(&Site::load(&config.config)?, json, output)?,
        DeviceCommand::Show { id, config } => list::show(&config.config, &id, output)?,
        DeviceCommand::Configure {
            id,
            settings,
            clear,
            config,
        } => configure::run(&Site::load(&config.config)?, &id, &settings, clear, output)?,
        DeviceCommand::Firmware(args) => firmware::run(&Site::load(&args.config.config)?, &args, output)?,
        DeviceCommand::RotateCa { finish: false, config } => authority::rotate(&Site::load(&config.config)?, output)?,
        DeviceCommand::RotateCa { finish: true, config } => authority::finish(&Site::load(&config.config)?, output)?,
    }
    output.flush()?;
    Ok(())
}
