//! The command line.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

/// Monitoring and inference agent for a hospital ward: vitals in over MQTT, scored, alarmed, kept encrypted.
///
/// A secondary information system: the bedside monitor stays the primary alarm.
#[derive(Debug, Parser)]
#[command(name = "wardlight", version, arg_required_else_help = true)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Show a live simulated ward: embedded broker, patients, agent and page in one process
    Demo(DemoArgs),
    /// Run the agent
    Run(ConfigArg),
    /// Write a configuration, keys and an empty journal, ready to run
    Init(InitArgs),
    /// Say what is wrong with a configuration and what it points to
    Check(ConfigArg),
    /// Beds, patients and devices of a running agent
    Bed(BedArgs),
    /// Devices: profiles, certificates, and what is flashed onto them
    Device {
        #[command(subcommand)]
        device: crate::device_cli::DeviceCommand,
    },
    /// Who may log in at the page
    User {
        #[command(subcommand)]
        user: UserCommand,
    },
    /// Who did what: the audit trail
    Audit {
        #[command(subcommand)]
        audit: AuditCommand,
    },
    /// Compute a score from JSON lines
    Score {
        #[command(subcommand)]
        score: ScoreCommand,
    },
    /// Replay a recorded period: the same alarms bit for bit, or what other limits would have done
    Replay(crate::replay::cli::ReplayArgs),
    /// Models: what this binary carries, and what this machine makes of it
    Model {
        #[command(subcommand)]
        model: crate::model_cli::ModelCommand,
    },
    /// The site key: show its fingerprint, replace it
    Key {
        #[command(subcommand)]
        key: crate::keys::cli::KeyCommand,
    },
    /// Receipts of erasures
    Receipt {
        #[command(subcommand)]
        receipt: crate::erasure::cli::ReceiptCommand,
    },
    /// Read and verify the journal, erase a stay from it
    Journal {
        #[command(subcommand)]
        journal: JournalCommand,
    },
}

#[derive(Debug, Args)]
pub(crate) struct ConfigArg {
    /// Configuration file
    #[arg(long, value_name = "FILE", default_value = "agent.toml")]
    pub(crate) config: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct DemoArgs {
    /// Simulated beds with a monitor each; three wearables come on top
    #[arg(long, value_name = "N", default_value_t = 12, value_parser = clap::value_parser!(u16).range(1..=200))]
    pub(crate) beds: u16,
    /// Stop by itself after this long, e.g. 60s, 5m, 1h
    #[arg(long = "for", value_name = "TIME", value_parser = humantime::parse_duration)]
    pub(crate) duration: Option<std::time::Duration>,
    /// No page and no talk: run, then print the report
    #[arg(long)]
    pub(crate) headless: bool,
    /// Same seed, same ward
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(crate) seed: u64,
    /// Let recordings in this folder (such as MIT-BIH `mitdb/`, CinC 2012 `cinc2012/`) drive some of the beds
    #[arg(long, value_name = "DIR")]
    pub(crate) recordings: Option<PathBuf>,
    /// Write what was expected, alarmed, missed and measured as JSON
    #[arg(long, value_name = "FILE.json")]
    pub(crate) report: Option<PathBuf>,
    /// Use this broker instead of the embedded one, e.g. mqtt://127.0.0.1:1883
    #[arg(long, value_name = "URL")]
    pub(crate) broker: Option<String>,
    /// Address of the page; port 0 takes a free one
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8080")]
    pub(crate) listen: SocketAddr,
}

#[derive(Debug, Args)]
pub(crate) struct InitArgs {
    /// Folder to create
    #[arg(value_name = "DIR")]
    pub(crate) dir: PathBuf,
    /// Broker of the hospital; without it the agent runs its own, on loopback only
    #[arg(long, value_name = "URL")]
    pub(crate) broker: Option<String>,
    /// Address of the page
    #[arg(long, value_name = "ADDR")]
    pub(crate) listen: Option<SocketAddr>,
}

#[derive(Debug, Args)]
pub(crate) struct BedArgs {
    /// Where the agent's page is
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:8080", global = true)]
    pub(crate) url: String,
    /// Log in under this name, where the agent has a login
    #[arg(long, value_name = "NAME", global = true)]
    pub(crate) user: Option<String>,
    /// Who acts, where the agent has no login; else the user of this terminal
    #[arg(long, value_name = "NAME", global = true, conflicts_with = "user")]
    pub(crate) by: Option<String>,
    /// File with the password (chmod 600); else WARDLIGHT_PASSWORD_FILE names it, else the terminal asks
    #[arg(long, value_name = "FILE", global = true, requires = "user")]
    pub(crate) password_file: Option<PathBuf>,
    #[command(subcommand)]
    pub(crate) command: BedCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum UserCommand {
    /// Add somebody; asks twice for the password unless a file holds it
    Add {
        /// What is typed to log in
        name: String,
        /// nurse, charge_nurse, biomed or admin
        #[arg(long, value_name = "ROLE")]
        role: String,
        /// Name that stands with the person's actions; else NAME
        #[arg(long, value_name = "TEXT")]
        display_name: Option<String>,
        /// File with the password (chmod 600)
        #[arg(long, value_name = "FILE")]
        password_file: Option<PathBuf>,
        #[command(flatten)]
        config: ConfigArg,
    },
    /// Show who may log in
    List {
        #[command(flatten)]
        config: ConfigArg,
    },
    /// Remove somebody; a running agent logs the person off
    Remove {
        /// Who
        name: String,
        #[command(flatten)]
        config: ConfigArg,
    },
    /// Give somebody a new password
    Password {
        /// Who
        name: String,
        /// File with the password (chmod 600)
        #[arg(long, value_name = "FILE")]
        password_file: Option<PathBuf>,
        #[command(flatten)]
        config: ConfigArg,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum BedCommand {
    /// Show beds, patients and devices
    List {
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// A patient takes a bed
    Admit {
        /// Which bed
        bed: String,
        /// Name for the tile; kept sealed
        #[arg(long)]
        name: Option<String>,
        /// Age in years
        #[arg(long, value_name = "YEARS")]
        age: Option<u8>,
        /// Age group, where the age is not known
        #[arg(long, value_name = "GROUP")]
        age_group: Option<AgeGroupArg>,
        /// SpO2 scale of NEWS2; 2 only by prescription
        #[arg(long, value_name = "1|2", value_parser = clap::value_parser!(u8).range(1..=2))]
        scale: Option<u8>,
        /// The patient is pregnant: no NEWS2
        #[arg(long)]
        pregnant: bool,
    },
    /// The patient leaves: alarms, limits and devices are reset
    Discharge {
        /// Which bed
        bed: String,
    },
    /// Put a device to a bed
    Attach {
        /// Which bed
        bed: String,
        /// Which device, as in its topics
        device: String,
    },
    /// Take a device from its bed
    Detach {
        /// Which device
        device: String,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum AuditCommand {
    /// Print every record, oldest first
    List {
        /// Not before this time: 2026-11-25, 2026-11-25T03:41:23Z, or milliseconds since 1970
        #[arg(long, value_name = "TIME", default_value = "0", value_parser = crate::audit_cli::since)]
        since: i64,
        /// Format of the output
        #[arg(long, value_enum, default_value_t = ExportFormat::Jsonl)]
        format: ExportFormat,
        #[command(flatten)]
        config: ConfigArg,
    },
    /// Print every record and a signed end, to be verified anywhere with the public key alone
    Export {
        /// Not before this time: 2026-11-25, 2026-11-25T03:41:23Z, or milliseconds since 1970
        #[arg(long, value_name = "TIME", default_value = "0", value_parser = crate::audit_cli::since)]
        since: i64,
        /// Format of the output
        #[arg(long, value_enum, default_value_t = crate::audit_export::Format::Jsonl)]
        format: crate::audit_export::Format,
        #[command(flatten)]
        config: ConfigArg,
    },
    /// Follow the chain and name its first broken link
    Verify {
        /// Verify this export instead of the journal, offline
        #[arg(long, value_name = "FILE", requires = "public_key")]
        export: Option<PathBuf>,
        /// The site's public key, as `wardlight key show` prints it
        #[arg(long, value_name = "HEX", requires = "export", value_parser = crate::erasure::cli::public_key)]
        public_key: Option<crate::erasure::cli::PublicKey>,
        /// A head that was noted before, as NUMBER:HASH: it must still be in the chain
        #[arg(long, value_name = "HEAD")]
        head: Option<wardlight_journal::Head>,
        #[command(flatten)]
        config: ConfigArg,
    },
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum AgeGroupArg {
    /// Up to 28 days
    Neonate,
    /// 29 days to 15 years
    Paediatric,
    /// 16 years and over
    Adult,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ScoreCommand {
    /// NEWS2: reads {"rr":..,"spo2":..,"scale":1|2,"oxygen":true|false|null,"sbp":..,"pulse":..,"acvpu":"A","temp":..} per line
    News2,
}

#[derive(Debug, Subcommand)]
pub(crate) enum JournalCommand {
    /// Print stored messages; decrypts: the output is patient data
    Export {
        #[command(flatten)]
        config: ConfigArg,
        /// Format of the output
        #[arg(long, value_enum, default_value_t = ExportFormat::Jsonl)]
        format: ExportFormat,
    },
    /// Bring a backup up to date, also while the agent runs, and prove it by restoring it
    Backup(crate::backup_cli::BackupArgs),
    /// Make the journal from a backup; what was erased since stays erased
    Restore(crate::backup_cli::RestoreArgs),
    /// Print the stays that the audit trail knows: token, bed, from, until, erased
    Stays(crate::erasure::cli::StaysArgs),
    /// Erase a stay for good, also while the agent runs; the patient must have been discharged
    Erase(crate::erasure::cli::EraseArgs),
    /// Check every seal, sequence and page, and say what is wrong where
    Verify {
        #[command(flatten)]
        config: ConfigArg,
    },
    /// List the input that could not be decoded, and why
    Quarantine {
        #[command(flatten)]
        config: ConfigArg,
    },
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum ExportFormat {
    /// One JSON object per line
    Jsonl,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_well_formed() {
        use clap::CommandFactory;
        Cli::command().debug_assert();
    }
}
