//! The authority on disk, and the one before it while another takes over.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use wardlight_core::ids::SiteId;
use wardlight_core::time::Timestamp;
use wardlight_devices::{Authority, Certificate, Record, Revocation};

use super::Registry;
use crate::whole_file;

/// What the files of the agents' authority are called.
const AGENTS: &str = "agents";

/// Who signs, and whose signatures count.
#[derive(Debug)]
pub(crate) struct Authorities {
    folder: PathBuf,
    /// The one that signs.
    pub(crate) current: Authority,
    /// The one before it, whose certificates still count.
    pub(crate) former: Option<Authority>,
}

impl Authorities {
    /// The authority of this registry; `None` if it has none yet.
    /// # Errors
    /// If its files cannot be read or do not belong together.
    pub(crate) fn load(registry: &Registry) -> anyhow::Result<Option<Self>> {
        let folder = registry.ca();
        let Some(current) = load(&folder, "ca")? else {
            return Ok(None);
        };
        let former = load(&folder, "former")?;
        Ok(Some(Self { folder, current, former }))
    }

    /// Makes the first authority; nothing is overwritten.
    /// # Errors
    /// If there is one, or the disk does not let it.
    pub(crate) fn create(registry: &Registry, site: &SiteId, now: Timestamp) -> anyhow::Result<Self> {
        let folder = registry.ca();
        if folder.join("ca.key").exists() {
            bail!(
                "{}: there is an authority; see `wardlight device rotate-ca`",
                folder.display()
            );
        }
        let current = make(&folder, "ca", &format!("{site} devices"), now)?;
        Ok(Self {
            folder,
            current,
            former: None,
        })
    }

    /// Another authority signs from now on; what this one signed still counts.
    /// # Errors
    /// If a change is underway already, or the disk does not let it.
    pub(crate) fn rotate(self, site: &SiteId, now: Timestamp) -> anyhow::Result<Self> {
        if self.former.is_some() {
            bail!("a change of the authority is underway; end it with --finish first");
        }
        for kind in ["key", "pem"] {
            let copied = fs::read(self.folder.join(format!("ca.{kind}")));
            let copied = copied.with_context(|| self.folder.display().to_string())?;
            write(&self.folder, &format!("former.{kind}"), &copied)?;
        }
        let current = make(&self.folder, "ca", &format!("{site} devices"), now)?;
        Ok(Self {
            folder: self.folder,
            current,
            former: Some(self.current),
        })
    }

    /// What the former authority signed does not count any more.
    /// # Errors
    /// If the disk does not let it.
    pub(crate) fn finish(&mut self) -> anyhow::Result<()> {
        for kind in ["pem", "key"] {
            let gone = whole_file::absent(fs::remove_file(self.folder.join(format!("former.{kind}"))));
            gone.with_context(|| self.folder.display().to_string())?;
        }
        self.former = None;
        Ok(())
    }

    /// All that are trusted, the newest first.
    pub(crate) fn trusted(&self) -> Vec<Certificate> {
        self.all().map(|authority| authority.certificate().clone()).collect()
    }

    /// The revocation lists of all that are trusted: a broker refuses whoever comes from an authority without one.
    /// # Errors
    /// If a record holds a serial number that is none.
    pub(crate) fn revocation_lists(&self, records: &[Record], now: Timestamp) -> anyhow::Result<String> {
        let lists = self.all().map(|authority| {
            let revoked = records
                .iter()
                .flat_map(|record| record.revoked_of(|key| authority.issued(key)));
            Ok(authority.revocation_list(&revoked.collect::<Vec<Revocation>>(), now)?)
        });
        lists.collect()
    }

    fn all(&self) -> impl Iterator<Item = &Authority> {
        std::iter::once(&self.current).chain(&self.former)
    }
}

/// The authority of the agents, which the broker trusts at their door alone; `None` while no agent has a certificate.
/// # Errors
/// If its files cannot be read or do not belong together.
pub(crate) fn of_agents(registry: &Registry) -> anyhow::Result<Option<Authority>> {
    load(&registry.ca(), AGENTS)
}

/// Makes an authority of the agents. What one before it signed does not count any more.
/// # Errors
/// If the disk does not let it.
pub(crate) fn make_of_agents(registry: &Registry, site: &SiteId, now: Timestamp) -> anyhow::Result<Authority> {
    make(&registry.ca(), AGENTS, &format!("{site} agents"), now)
}

fn load(folder: &Path, name: &str) -> anyhow::Result<Option<Authority>> {
    let (certificate, key) = (folder.join(format!("{name}.pem")), folder.join(format!("{name}.key")));
    if !key.exists() {
        return Ok(None);
    }
    let read = |path: &Path| fs::read_to_string(path).with_context(|| path.display().to_string());
    let loaded = Authority::load(&read(&certificate)?, &read(&key)?);
    Ok(Some(loaded.with_context(|| certificate.display().to_string())?))
}

/// Makes an authority. Its certificate is written first: a key without one would stand in the way of the next attempt.
fn make(folder: &Path, file: &str, name: &str, now: Timestamp) -> anyhow::Result<Authority> {
    let (authority, key) = Authority::create(name, now)?;
    write(folder, &format!("{file}.pem"), authority.certificate().pem().as_bytes())?;
    write(folder, &format!("{file}.key"), key.pem().as_bytes())?;
    Ok(authority)
}

fn write(folder: &Path, name: &str, content: &[u8]) -> anyhow::Result<()> {
    let file = folder.join(name);
    whole_file::write(&file, content).with_context(|| file.display().to_string())
}
