//! What the running agent has seen and audited of the life of the packages.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use anyhow::Context;
use wardlight_models::life::{Change, Life};

use super::Packages;
use crate::whole_file;

/// Number of the newest change that is in the audit trail.
const FILE: &str = "audited";

/// Tells one content of a file or folder from another without reading it: every change is another file, renamed into place.
type Stamp = Option<(u64, i64, i64, u64)>;

/// The packages as the running agent follows them.
#[derive(Debug)]
pub(crate) struct Followed {
    packages: Packages,
    /// Of the record, and of the folder of certificates.
    stamp: (Stamp, Stamp),
    /// Number of the newest change that was handed on to be audited.
    handed_on: u64,
    /// Of the newest that the disk says is audited.
    audited: u64,
}

impl Followed {
    /// Nothing was seen yet; what an earlier run audited is known.
    pub(crate) fn new(packages: Packages) -> Self {
        let audited = fs::read_to_string(packages.folder.join(FILE)).ok();
        let audited = audited.and_then(|text| text.trim().parse().ok()).unwrap_or(0);
        Self {
            packages,
            stamp: (None, None),
            handed_on: audited,
            audited,
        }
    }

    /// The packages.
    pub(crate) const fn packages(&self) -> &Packages {
        &self.packages
    }

    /// Whether the record is another than at the last call, or a certificate was written: a model that was refused may be certified now.
    pub(crate) fn changed(&mut self) -> bool {
        let stamp = (stamp(&self.packages.file()), stamp(&self.packages.certificates().folder()));
        let changed = stamp != self.stamp;
        self.stamp = stamp;
        changed
    }

    /// The changes that no audit trail has yet, or `None` if the record is older than what was audited: somebody removed it or put an
    /// older one back. They are taken for handed on.
    pub(crate) fn unaudited<'a>(&mut self, life: &'a Life) -> Option<&'a [Change]> {
        let newest = life.history().last().map_or(0, |change| change.number);
        let before = std::mem::replace(&mut self.handed_on, newest);
        if newest < before {
            return None;
        }
        let known = life.history().partition_point(|change| change.number <= before);
        life.history().get(known..)
    }

    /// Writes how far the audit trail is, one look after it was handed on: after a crash a change may be there
    /// twice; one that the journal could not commit until then is missing.
    /// # Errors
    /// If it cannot be written; then it is tried again at the next look.
    pub(crate) fn settle(&mut self) -> anyhow::Result<()> {
        if self.handed_on == self.audited {
            return Ok(());
        }
        let path: PathBuf = self.packages.folder.join(FILE);
        match whole_file::write(&path, format!("{}\n", self.handed_on).as_bytes()) {
            // The folder went with the record; there is nothing to remember.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            written => written.with_context(|| format!("{}: cannot be written", path.display()))?,
        }
        self.audited = self.handed_on;
        Ok(())
    }
}

fn stamp(path: &Path) -> Stamp {
    let metadata = fs::metadata(path).ok()?;
    Some((metadata.ino(), metadata.mtime(), metadata.mtime_nsec(), metadata.size()))
}
