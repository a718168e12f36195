//! `wardlight journal stays`, `wardlight journal erase` and `wardlight receipt verify`.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow, bail};
use clap::{Args, Subcommand};
use serde_json::json;
use wardlight_core::hex;
use wardlight_core::ids::StayToken;
use wardlight_journal::Reader;

use super::{Receipt, erase_offline, parse_stay, receipt_of, shown, stays, unless_running};
use crate::audit_cli::utc;
use crate::cli::ConfigArg;
use crate::config::Config;
use crate::control::{self, Order};
use crate::keys;
use crate::user_cli::whoami;
use crate::whole_file;

#[derive(Debug, Args)]
pub(crate) struct StaysArgs {
    /// Only those whose bed this is, or was last
    #[arg(long)]
    bed: Option<String>,
    #[command(flatten)]
    config: ConfigArg,
}

#[derive(Debug, Args)]
#[group(id = "which", required = true, multiple = false, args = ["stay", "bed"])]
pub(crate) struct EraseArgs {
    /// The stay, as `wardlight journal stays` prints it
    #[arg(long, value_name = "TOKEN", value_parser = parse_stay)]
    stay: Option<StayToken>,
    /// The stay that was in this bed last
    #[arg(long)]
    bed: Option<String>,
    /// Where the receipt is written; else in `receipts/` beside the journal
    #[arg(long, value_name = "FILE")]
    receipt: Option<PathBuf>,
    #[command(flatten)]
    config: ConfigArg,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ReceiptCommand {
    /// Verify the receipt of an erasure, offline: neither the journal nor its key is needed
    Verify {
        /// The receipt
        file: PathBuf,
        /// The site's public key, as `wardlight key show` prints it: 64 hexadecimal digits
        #[arg(long, value_name = "HEX", value_parser = public_key)]
        public_key: PublicKey,
    },
}

/// An Ed25519 public key.
#[derive(Clone, Debug)]
pub(crate) struct PublicKey(pub(crate) Vec<u8>);

/// Reads the digits of a public key.
/// # Errors
/// What was expected.
pub(crate) fn public_key(text: &str) -> Result<PublicKey, String> {
    let bytes = hex::decode(text).filter(|bytes| bytes.len() == 32);
    bytes
        .map(PublicKey)
        .ok_or_else(|| format!("{text:?}: expected 64 hexadecimal digits, as `wardlight key show` prints them"))
}

/// Prints the stays as JSON lines, in the order of their admission.
/// # Errors
/// If the journal cannot be read or the output fails.
pub(crate) fn list(args: &StaysArgs, mut output: impl Write) -> anyhow::Result<()> {
    let config = Config::load(&args.config.config)?;
    let mut reader = keys::reader(&config.journal)?;
    let erased: Vec<String> = reader.erased()?.iter().map(|t| hex::encode(&t.stay.0)).collect();
    for seen in stays::list(&mut reader)? {
        if args.bed.as_ref().is_none_or(|bed| *bed == seen.bed) {
            let line = json!({
                "stay": seen.stay, "bed": seen.bed, "from": utc(seen.from_ms), "until": seen.until_ms.map(utc),
                "erased": erased.contains(&seen.stay),
            });
            writeln!(output, "{line}")?;
        }
    }
    output.flush()?;
    Ok(())
}

/// Erases a stay and writes the signed receipt; of one that is erased already the receipt again.
/// # Errors
/// What is in the way; then nothing was erased.
pub(crate) fn erase(args: &EraseArgs, mut output: impl Write) -> anyhow::Result<()> {
    let config = Config::load(&args.config.config)?;
    let mut reader = keys::reader(&config.journal)?;
    let stay = which(args, &mut reader)?;
    let before = receipt_of(&mut reader, stay)?;
    let again = before.is_some();
    if !again {
        match unless_running(&config)? {
            Some(journal) => erase_offline(&config, journal, stay, whoami())?,
            None => control::ask::<()>(
                &config.journal.dir,
                &Order::Erase {
                    stay: shown(stay),
                    by: whoami(),
                },
            )?,
        }
    }
    // The key may have been replaced meanwhile.
    let receipt = match before {
        Some(receipt) => receipt,
        None => receipt_of(&mut keys::reader(&config.journal)?, stay)?.context("the journal has no tombstone of it")?,
    };
    let summary = receipt.summary();
    let file = match &args.receipt {
        Some(file) => file.clone(),
        None => default_file(&config, stay)?,
    };
    let text = receipt.sign(&keys::signing(&config.journal)?)?;
    whole_file::write(&file, text.as_bytes()).with_context(|| format!("{}: cannot be written", file.display()))?;
    if again {
        writeln!(output, "It was erased before.")?;
    }
    writeln!(output, "{summary}\nReceipt: {}", file.display())?;
    output.flush()?;
    Ok(())
}

fn which(args: &EraseArgs, reader: &mut Reader) -> anyhow::Result<StayToken> {
    if let Some(stay) = args.stay {
        return Ok(stay);
    }
    let bed = args.bed.as_deref().unwrap_or_default();
    let last = stays::list(reader)?.into_iter().rfind(|seen| seen.bed == bed);
    let Some(last) = last else {
        bail!("bed {bed}: nobody was there, as far as the audit trail goes back");
    };
    if last.until_ms.is_none() {
        bail!(
            "the patient is still in bed {bed}: discharge first, then erase; an earlier one by --stay, see `wardlight journal stays`"
        );
    }
    parse_stay(&last.stay).map_err(|problem| anyhow!(problem))
}

fn default_file(config: &Config, stay: StayToken) -> anyhow::Result<PathBuf> {
    let beside = whole_file::folder(&config.journal.dir);
    let folder = beside.join("receipts");
    let failed = || format!("{}: cannot be made", folder.display());
    fs::create_dir_all(&folder).with_context(failed)?;
    whole_file::belong(&folder, &fs::metadata(beside).with_context(failed)?).with_context(failed)?;
    Ok(folder.join(format!("erasure-{}.json", shown(stay))))
}

/// Verifies a receipt.
/// # Errors
/// What is wrong with it.
pub(crate) fn receipt(command: &ReceiptCommand, mut output: impl Write) -> anyhow::Result<()> {
    let ReceiptCommand::Verify { file, public_key } = command;
    let receipt = verify(file, public_key).with_context(|| file.display().to_string())?;
    writeln!(output, "genuine: {}", receipt.summary())?;
    output.flush()?;
    Ok(())
}

fn verify(file: &Path, key: &PublicKey) -> anyhow::Result<Receipt> {
    Receipt::verify(&fs::read_to_string(file)?, &key.0)
}
