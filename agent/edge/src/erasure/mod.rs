//! Erasing a stay, and the receipt for it.
//!
//! The journal destroys the stay's keys; what it keeps is a tombstone with the receipt's content, so that the receipt can be signed again
//! at any time. A running agent checks on the Ward's thread that nobody is in the bed, forgets what the page remembers, and hands the journal
//! a state without the stay; without an agent the command does all of this itself.

pub(crate) mod cli;
mod receipt;
mod stays;

use std::sync::mpsc::SyncSender;

use anyhow::{Context, anyhow, bail};
use wardlight_core::hex;
use wardlight_core::ids::StayToken;
use wardlight_core::time::Timestamp;
use wardlight_core::ward::Ward;
use wardlight_journal::{Checkpoint, Journal, JournalError, Options, Reader};

use crate::audit::Record;
use crate::config::Config;
use crate::keys;
use crate::run::{journal_options, ward_config};
use crate::{record, restore};

pub(crate) use receipt::Receipt;

/// An erasure that the Ward's thread is to allow.
#[derive(Debug)]
pub(crate) struct Erasure {
    pub(crate) stay: StayToken,
    /// The system's word for who asks.
    pub(crate) by: String,
    pub(crate) site: String,
    /// What came of it.
    pub(crate) told: SyncSender<anyhow::Result<()>>,
}

/// Refuses a stay whose patient is still there.
/// # Errors
/// In which bed.
pub(crate) fn refuse_present(ward: &Ward, stay: StayToken) -> anyhow::Result<()> {
    match ward.bed_of_stay(stay) {
        Some(bed) => bail!("the patient is still in bed {bed}: discharge first, then erase"),
        None => Ok(()),
    }
}

/// Erases the stay from the journal, with the audit record and the tombstone in the same transaction.
/// # Errors
/// As [`Journal::erase`].
pub(crate) fn erase(
    journal: &mut Journal,
    (stay, site, by): (StayToken, &str, String),
    checkpoint: &Checkpoint,
    now: Timestamp,
) -> Result<(), JournalError> {
    let record = |erased: &wardlight_journal::Erased| {
        let entries: u64 = erased.counts.values().sum();
        let detail = format!("{entries} entries, {} data keys", erased.keys.len());
        Record::at_command_line("erase_stay", by, detail).of_stay(stay).entry(now)
    };
    let tombstone = |erased: &wardlight_journal::Erased, head| Receipt::new(site, erased, now, head).to_bytes();
    journal.erase(record::stay_key(Some(stay)), checkpoint, record, tombstone)?;
    Ok(())
}

/// The same where no agent runs: the Ward is restored to know who is there.
fn erase_offline(config: &Config, mut journal: Journal, stay: StayToken, by: String) -> anyhow::Result<()> {
    let mut reader = keys::reader(&config.journal)?;
    let restored = restore::restore(&mut reader, ward_config(config))?;
    refuse_present(&restored.ward, stay)?;
    // The clock that the agent would go on with: never behind what is on record.
    let now = crate::clock::Clock::start(restored.ward.now()).now();
    let checkpoint = record::checkpoint(restored.ward.state(), restored.heard_live_at, now);
    let checkpoint = checkpoint.context("the state cannot be written as a checkpoint")?;
    erase(&mut journal, (stay, config.site.as_str(), by), &checkpoint, now)?;
    Ok(())
}

/// The journal for writing; `None` while an agent has it.
/// # Errors
/// If it cannot be opened.
pub(crate) fn unless_running(config: &Config) -> anyhow::Result<Option<Journal>> {
    let key = keys::settle(&config.journal)?;
    let options: Options = journal_options(&config.journal);
    match Journal::open(&config.journal.dir, &key, options) {
        Err(JournalError::InUse { .. }) => Ok(None),
        opened => Ok(Some(keys::explained(opened)?.0)),
    }
}

/// The receipt that the tombstone of a stay holds; `None` if it was not erased.
fn receipt_of(reader: &mut Reader, stay: StayToken) -> anyhow::Result<Option<Receipt>> {
    let tombstones = reader.erased()?;
    let found = tombstones.into_iter().find(|t| t.stay.0 == *stay.as_bytes());
    found.map(|tombstone| Receipt::read(&tombstone.body)).transpose()
}

/// A token as the audit trail prints it.
/// # Errors
/// What was expected.
pub(crate) fn parse_stay(text: &str) -> Result<StayToken, String> {
    let bytes = hex::decode(text).and_then(|bytes| <[u8; 16]>::try_from(bytes).ok());
    let token = bytes.map(StayToken::from_bytes);
    token.ok_or_else(|| {
        format!("{text:?}: expected the 32 hexadecimal digits of a stay, as `wardlight journal stays` prints them")
    })
}

/// The token as people see it.
fn shown(stay: StayToken) -> String {
    hex::encode(stay.as_bytes())
}

/// Why an order of the command line is not carried out now.
pub(crate) fn busy() -> anyhow::Error {
    anyhow!("the journal cannot keep up: try again when the agent is less busy; nothing was erased")
}
