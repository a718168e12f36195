//! The site key: which file holds it, and what is derived from it.
//!
//! While it is being replaced there are two files, `site.key` and `site.key.new`, and the journal opens with one of them; whoever needs the
//! key takes that one. What is derived from it comes from the journal's secret, which a rotation leaves as it is: certificates of models,
//! displays, the life of packages and the public key of receipts stay good.

pub(crate) mod cli;
mod rotate;

use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow, bail};
use ring::signature::Ed25519KeyPair;
use wardlight_journal::{JournalError, KeyFault, Reader, SiteKey, SiteSecret};

use crate::config::JournalConfig;

pub(crate) use rotate::{NotReplaced, Rotation, settle, take_over};

/// What the key is for that signs receipts and the heads of the audit trail.
const SIGNING: &str = "receipts and audit heads";

/// What is gone with a site key.
const LOST: &str = "Without its site key nothing in a journal can be read by anybody: vitals, alarms, names, the audit trail. What is derived \
from the key is gone with it: certificates of models, the rights of displays, the signatures of receipts. Put your copy of the key there. If \
there is none, move the journal's folder away and begin anew with `wardlight init`; backups under the same key are lost too";

/// The site key that the journal opens with; before there is a journal the one in the file.
/// # Errors
/// If there is none, with what is lost without it.
pub(crate) fn load(key_file: &Path, journal: &Path) -> anyhow::Result<SiteKey> {
    let found = SiteKey::load(key_file);
    let waiting = waiting(key_file);
    if waiting.exists() && !found.as_ref().is_ok_and(|key| fits(journal, key)) {
        let next = SiteKey::load(&waiting)?;
        if fits(journal, &next) {
            return Ok(next);
        }
    }
    match found {
        Err(JournalError::KeyFile {
            path,
            fault: KeyFault::Missing,
        }) if journal.join("journal.db").exists() => {
            bail!(
                "site key {}: there is no such file, and there is a journal. {LOST}",
                path.display()
            )
        }
        other => Ok(other?),
    }
}

/// The journal of a configuration, for reading.
/// # Errors
/// If the key is not there, does not fit, or the journal cannot be read.
pub(crate) fn reader(config: &JournalConfig) -> anyhow::Result<Reader> {
    let key = load(&config.key_file, &config.dir)?;
    explained(Reader::open(&config.dir, &key))
}

/// A result of opening a journal, with what it means if the key does not fit.
/// # Errors
/// The same.
pub(crate) fn explained<T>(opened: Result<T, JournalError>) -> anyhow::Result<T> {
    match opened {
        Err(error @ JournalError::WrongKey { .. }) => Err(anyhow!("{error}. {LOST}")),
        other => Ok(other?),
    }
}

/// A key for one purpose, which survives a rotation of the site key.
/// # Errors
/// If the site key or the journal cannot be read.
pub(crate) fn derive(key_file: &Path, journal: &Path, label: &str) -> anyhow::Result<[u8; 32]> {
    let key = load(key_file, journal)?;
    let secret = explained(SiteSecret::load(journal, &key))?;
    secret
        .derive(label)
        .with_context(|| format!("{}: no key can be derived from it", key_file.display()))
}

/// What signs receipts and the heads of the audit trail.
/// # Errors
/// As [`fn@derive`].
pub(crate) fn signing(config: &JournalConfig) -> anyhow::Result<Ed25519KeyPair> {
    let seed = derive(&config.key_file, &config.dir, SIGNING)?;
    Ed25519KeyPair::from_seed_unchecked(&seed).map_err(|_rejected| anyhow!("no signing key can be derived"))
}

/// Where the next key waits beside the one in use.
fn waiting(key_file: &Path) -> PathBuf {
    let mut name = key_file.as_os_str().to_owned();
    name.push(".new");
    PathBuf::from(name)
}

/// Whether the journal opens with this key. Any trouble but a wrong key is told by whoever opens it.
fn fits(journal: &Path, key: &SiteKey) -> bool {
    !matches!(Reader::open(journal, key), Err(JournalError::WrongKey { .. }))
}
