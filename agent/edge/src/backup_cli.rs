//! `wardlight journal backup` and `restore`: the journal's copy, and what was erased meanwhile stays erased.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow, bail};
use clap::Args;
use ring::signature::KeyPair;
use wardlight_core::event::{self, Command, Event};
use wardlight_core::ids::StayToken;
use wardlight_core::people::{Actor, Role};
use wardlight_core::time::Timestamp;
use wardlight_journal::{Journal, JournalError, SiteKey, backup, restore, verify};

use crate::audit::Record;
use crate::cli::ConfigArg;
use crate::clock::Clock;
use crate::config::Config;
use crate::control::Order;
use crate::erasure::{self, Receipt, parse_stay};
use crate::restore::Restored;
use crate::run::{journal_options, ward_config};
use crate::user_cli::whoami;
use crate::{clock, control, keys, record, whole_file};

/// Where a backup is restored to be tried.
const TRIAL: &str = "trial";

#[derive(Debug, Args)]
pub(crate) struct BackupArgs {
    /// Folder of the backup: made by the first, brought up to date by the next
    #[arg(long, value_name = "DIR")]
    to: PathBuf,
    #[command(flatten)]
    config: ConfigArg,
}

#[derive(Debug, Args)]
pub(crate) struct RestoreArgs {
    /// Folder of the backup
    #[arg(long, value_name = "DIR")]
    from: PathBuf,
    /// Receipts of erasures: what they name is erased from what is restored; else `receipts/` beside the journal
    #[arg(long, value_name = "DIR")]
    receipts: Option<PathBuf>,
    #[command(flatten)]
    config: ConfigArg,
}

/// Brings the backup up to date and proves it by restoring it beside itself.
/// # Errors
/// What failed; the backup is as it was, or holds what its trial found wrong.
pub(crate) fn back_up(args: &BackupArgs, mut output: impl Write) -> anyhow::Result<()> {
    let config = Config::load(&args.config.config)?;
    let key = keys::load(&config.journal.key_file, &config.journal.dir)?;
    let done = backup(&config.journal.dir, &key, &args.to)?;
    let trial = args.to.join(TRIAL);
    let tried = try_out(&args.to, &trial, &key);
    remove(&trial)?;
    let entries = tried.context("the backup was written and does not restore")?;
    put_on_record(&config, &args.to)?;
    writeln!(
        output,
        "{} segments added, {} in all, {} newer rows. Restored on trial: {entries} entries, sound.",
        done.added, done.segments, done.rows
    )?;
    writeln!(
        output,
        "It opens with the site key {} only: keep a copy of that key elsewhere, and the receipts of erasures too.",
        key.fingerprint()?
    )?;
    output.flush()?;
    Ok(())
}

/// A copy of everything was made: that belongs into the audit trail, of a running agent too.
fn put_on_record(config: &Config, to: &Path) -> anyhow::Result<()> {
    let to = fs::canonicalize(to)?;
    if let Some(mut journal) = erasure::unless_running(config)? {
        let record = Record::at_command_line("journal_backed_up", whoami(), to.display().to_string());
        journal.append(&[record.entry(clock::wall())])?;
        return Ok(());
    }
    control::ask(&config.journal.dir, &Order::BackedUp { to, by: whoami() })
}

fn try_out(from: &Path, trial: &Path, key: &SiteKey) -> anyhow::Result<u64> {
    remove(trial)?;
    restore(from, trial, key)?;
    let report = verify(trial, key)?;
    match report.faults.first() {
        None => Ok(report.entries),
        Some(fault) => bail!("{} faults, the first: {fault}", report.faults.len() as u64 + report.unlisted),
    }
}

fn remove(folder: &Path) -> anyhow::Result<()> {
    whole_file::absent(fs::remove_dir_all(folder)).with_context(|| format!("{}: cannot be removed", folder.display()))
}

/// Makes the journal of a configuration from a backup, and erases what was erased since. It gets its name when that is done: a kill before
/// leaves no journal.
/// # Errors
/// What failed; then there is no journal either.
pub(crate) fn restore_from(args: &RestoreArgs, mut output: impl Write) -> anyhow::Result<()> {
    let config = Config::load(&args.config.config)?;
    let place = &config.journal.dir;
    if fs::read_dir(place).is_ok_and(|mut files| files.next().is_some()) {
        bail!("{}: it is not empty: move it away first", place.display());
    }
    let key = SiteKey::load(&config.journal.key_file)?;
    let mut staged = config.clone();
    staged.journal.dir = staging(place);
    let dir = &staged.journal.dir;
    remove(dir)?;
    let receipts = whole_file::folder(place).join("receipts");
    let made = make(&staged, args, &key, args.receipts.as_deref().unwrap_or(&receipts));
    let (entries, erased) = match made {
        Ok(made) => made,
        Err(error) => {
            remove(dir)?;
            return Err(error.context("nothing was restored"));
        }
    };
    hand_over(dir).with_context(|| format!("{}: cannot be given to the agent's user", dir.display()))?;
    fs::rename(dir, place).with_context(|| format!("{}: cannot be renamed", dir.display()))?;
    writeln!(output, "{entries} entries restored, {erased} stays erased again.")?;
    output.flush()?;
    Ok(())
}

/// The journal belongs to whom the folder above belongs: the agent may run as another user than this.
fn hand_over(dir: &Path) -> std::io::Result<()> {
    let owner = fs::metadata(whole_file::folder(dir))?;
    for file in fs::read_dir(dir)? {
        whole_file::belong(&file?.path(), &owner)?;
    }
    whole_file::belong(dir, &owner)
}

/// Where the journal is made.
fn staging(place: &Path) -> PathBuf {
    let mut name = place.as_os_str().to_owned();
    name.push(".restoring");
    PathBuf::from(name)
}

/// Returns how many entries there are, and how many stays were erased again.
fn make(staged: &Config, args: &RestoreArgs, key: &SiteKey, receipts: &Path) -> anyhow::Result<(u64, u64)> {
    let dir = &staged.journal.dir;
    keys::explained(restore(&args.from, dir, key))?;
    let erased = erase_again(staged, receipts).context("what was erased must not come back")?;
    let report = verify(dir, key)?;
    match report.faults.first() {
        None => Ok((report.entries, erased)),
        Some(fault) => bail!("the backup is not sound: {fault}"),
    }
}

/// Erases every stay for which there is a receipt of this site; returns how many there were in the backup.
fn erase_again(config: &Config, receipts: &Path) -> anyhow::Result<u64> {
    let stays = receipts_in(config, receipts)?;
    let key = keys::load(&config.journal.key_file, &config.journal.dir)?;
    let (mut journal, _) = Journal::open(&config.journal.dir, &key, journal_options(&config.journal))?;
    let mut reader = keys::reader(&config.journal)?;
    let mut restored = crate::restore::restore(&mut reader, ward_config(config))?;
    let now = Clock::start(restored.ward.now()).now();
    let mut erased = 0;
    for stay in stays {
        discharge(&mut restored, stay, now);
        erasure::refuse_present(&restored.ward, stay)?;
        let checkpoint = record::checkpoint(restored.ward.state(), restored.heard_live_at, now);
        let checkpoint = checkpoint.context("the state cannot be written as a checkpoint")?;
        match erasure::erase(&mut journal, (stay, config.site.as_str(), whoami()), &checkpoint, now) {
            Ok(()) => erased += 1,
            // The backup was made after its erasure, or before its admission.
            Err(JournalError::UnknownStay) => {}
            Err(error) => return Err(error.into()),
        }
    }
    let record = Record::at_command_line("journal_restored", whoami(), format!("{erased} stays erased again"));
    journal.append(&[record.entry(now)])?;
    Ok(erased)
}

/// In the backup the patient may still be in bed.
fn discharge(restored: &mut Restored, stay: StayToken, now: Timestamp) {
    if let Some(bed) = restored.ward.bed_of_stay(stay).cloned() {
        let order = event::Order {
            by: Actor::new(whoami(), Role::Nurse),
            command: Command::Discharge { bed },
        };
        restored.ward.step(Event::Order(order), now, &mut Vec::new());
    }
}

/// The stays that the receipts in a folder name, each proved by the site's signature.
fn receipts_in(config: &Config, folder: &Path) -> anyhow::Result<Vec<StayToken>> {
    let mut stays = Vec::new();
    if !folder.exists() {
        return Ok(stays);
    }
    let pair = keys::signing(&config.journal)?;
    for file in fs::read_dir(folder).with_context(|| folder.display().to_string())? {
        let path = file?.path();
        if path.extension().is_some_and(|extension| extension == "json") {
            let named = || path.display().to_string();
            let text = fs::read_to_string(&path).with_context(named)?;
            let receipt = Receipt::verify(&text, pair.public_key().as_ref()).with_context(named)?;
            stays.push(
                parse_stay(&receipt.stay)
                    .map_err(|problem| anyhow!(problem))
                    .with_context(named)?,
            );
        }
    }
    Ok(stays)
}
