//! `wardlight key …`: the site key, also of an agent that runs.

use std::io::Write;
use std::path::{Path, PathBuf};

use clap::Subcommand;
use ring::signature::KeyPair;
use wardlight_core::hex;
use wardlight_journal::{Journal, JournalError};

use super::{NotReplaced, Rotation, explained, load, settle, signing, take_over};
use crate::audit::Record;
use crate::cli::ConfigArg;
use crate::clock;
use crate::config::Config;
use crate::control::{self, Order};
use crate::run::journal_options;
use crate::user_cli::whoami;

#[derive(Debug, Subcommand)]
pub(crate) enum KeyCommand {
    /// Replace the site key, also while the agent runs; everything stays readable, and the old key opens nothing any more
    Rotate {
        /// File with the new key, where it cannot be made beside the old one, as in a mounted secret
        #[arg(long, value_name = "FILE")]
        new_key: Option<PathBuf>,
        #[command(flatten)]
        config: ConfigArg,
    },
    /// Print the site key's fingerprint and the public key that verifies receipts and audit exports
    Show {
        #[command(flatten)]
        config: ConfigArg,
    },
}

/// Carries a command out.
/// # Errors
/// What failed and what to do.
pub(crate) fn run(command: KeyCommand, output: impl Write) -> anyhow::Result<()> {
    match command {
        KeyCommand::Rotate { new_key, config } => rotate(&Config::load(&config.config)?, new_key.as_deref(), output),
        KeyCommand::Show { config } => show(&Config::load(&config.config)?, output),
    }
}

fn rotate(config: &Config, new_key: Option<&Path>, mut output: impl Write) -> anyhow::Result<()> {
    let journal = &config.journal;
    let old = settle(journal)?;
    let rotation = Rotation::prepare(journal, new_key)?;
    let fingerprint = rotation.key.fingerprint()?;
    let (unreadable, left) = match Journal::open(&journal.dir, &old, journal_options(journal)) {
        Err(JournalError::InUse { .. }) => {
            let order = Order::Rotate {
                new_key: rotation.file.clone(),
                by: whoami(),
            };
            let (unreadable, left_by_agent) = control::ask::<(u64, Option<String>)>(&journal.dir, &order)?;
            // Whoever runs this may write where the agent may not.
            let left = left_by_agent.and_then(|_| left(take_over(&journal.key_file, &rotation.file)));
            (unreadable, left)
        }
        opened => {
            let (mut opened, _) = explained(opened)?;
            let record = Record::at_command_line("site_key_rotated", whoami(), format!("to {fingerprint}"));
            let unreadable = opened.rotate_site_key(&rotation.key, &[record.entry(clock::wall())])?;
            (unreadable, left(take_over(&journal.key_file, &rotation.file)))
        }
    };
    writeln!(
        output,
        "The site key is {fingerprint} now; the old one opens nothing any more."
    )?;
    writeln!(
        output,
        "Keep a copy of {}: without it the journal cannot be read.",
        journal.key_file.display()
    )?;
    if unreadable > 0 {
        writeln!(
            output,
            "{unreadable} data keys did not open under the old key either; what they sealed was unreadable before."
        )?;
    }
    if let Some(left) = left {
        writeln!(output, "TO DO: {left}")?;
    }
    output.flush()?;
    Ok(())
}

/// What is left to do after the last step.
pub(crate) fn left(taken_over: Result<(), NotReplaced>) -> Option<String> {
    taken_over.err().map(|NotReplaced(what)| what)
}

fn show(config: &Config, mut output: impl Write) -> anyhow::Result<()> {
    let key = load(&config.journal.key_file, &config.journal.dir)?;
    writeln!(output, "site key:   {}", key.fingerprint()?)?;
    writeln!(
        output,
        "public key: {}",
        hex::encode(signing(&config.journal)?.public_key().as_ref())
    )?;
    output.flush()?;
    Ok(())
}
