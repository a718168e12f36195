//! The packages of this machine: those that the binary carries, and those that were brought here.
//!
//! They lie beside the journal: `packages/ID/VERSION/` are copies whose signature was verified before and after copying;
//! `packages/life.json` says where each is in its life, under a code that only the holder of the site key can make. The carried packages
//! need neither: without a word in `life.json`, or with one that cannot be believed, they are live.

mod comparison;
mod followed;
mod stage;
#[cfg(test)]
pub(crate) mod tests;

use std::collections::BTreeMap;
use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, anyhow, bail};
use ring::hmac;
use serde::{Deserialize, Serialize};
use wardlight_core::hex;
use wardlight_models::certificate::Certificate;
use wardlight_models::life::{Life, Stamp, State};
use wardlight_models::{Card, Package};

use crate::certified::{self, Certificates};
use crate::config::{JournalConfig, ModelConfig};
use crate::keys;
use crate::whole_file;

pub(crate) use comparison::{Comparison, Ledger};
pub(crate) use followed::Followed;
pub(crate) use stage::stage;

const FOLDER: &str = "packages";
const FILE: &str = "life.json";
const SHADOW: &str = "shadow.json";
/// What the key of the code is derived for.
const LABEL: &str = "life of packages";

/// The file.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Sealed {
    life: Life,
    /// HMAC-SHA256 over `life` as it is written here without white space, in hexadecimal digits.
    mac: String,
}

/// The packages of one machine.
#[derive(Clone, Debug)]
pub(crate) struct Packages {
    model: ModelConfig,
    journal: JournalConfig,
    folder: PathBuf,
}

impl Packages {
    /// Those of the machine that is configured so.
    pub(crate) fn of(model: &ModelConfig, journal: &JournalConfig) -> Self {
        Self {
            folder: whole_file::folder(&journal.dir).join(FOLDER),
            model: model.clone(),
            journal: journal.clone(),
        }
    }

    /// Where the life of the packages is written.
    pub(crate) fn file(&self) -> PathBuf {
        self.folder.join(FILE)
    }

    /// The certificates of this machine.
    pub(crate) fn certificates(&self) -> Certificates<'_> {
        Certificates::of(&self.journal)
    }

    /// The life of the packages as it stands; nothing was brought here where there is no file.
    /// # Errors
    /// If the file cannot be read or believed.
    pub(crate) fn life(&self) -> anyhow::Result<Life> {
        let path = self.file();
        let text = match fs::read(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Life::default()),
            Err(error) => return Err(error).with_context(|| path.display().to_string()),
        };
        let refused = |why: &str| anyhow!("{}: {why}; the carried models stay live: {REMEDY}", path.display());
        let sealed: Sealed = serde_json::from_slice(&text).map_err(|error| refused(&error.to_string()))?;
        let code = hex::decode(&sealed.mac).ok_or_else(|| refused("its code is not hexadecimal"))?;
        hmac::verify(&self.key()?, &serde_json::to_vec(&sealed.life)?, &code)
            .map_err(|_differs| refused("was altered, or belongs to another site key"))?;
        if !sealed.life.is_readable() {
            return Err(refused("is of another version of this software"));
        }
        Ok(sealed.life)
    }

    /// Changes the life of the packages. Two changes at once lose nothing; one that fails leaves the file byte for byte as it was.
    /// # Errors
    /// What `edit` says, or that the file cannot be read or written.
    pub(crate) fn change<T>(&self, edit: impl FnOnce(&mut Life) -> anyhow::Result<T>) -> anyhow::Result<T> {
        let path = self.file();
        self.make_folder(&self.folder)?;
        let _held = whole_file::lock(&path).with_context(|| format!("{}: cannot be locked", path.display()))?;
        let mut life = self.life()?;
        let before = life.clone();
        let outcome = edit(&mut life)?;
        if life != before {
            let code = hmac::sign(&self.key()?, &serde_json::to_vec(&life)?);
            let mac = hex::encode(code.as_ref());
            let text = serde_json::to_vec_pretty(&Sealed { life, mac })?;
            whole_file::write(&path, &text).with_context(|| format!("{}: cannot be written", path.display()))?;
        }
        Ok(outcome)
    }

    /// A package in a folder, signed with the release's key or one of the site's.
    /// # Errors
    /// What is wrong with it.
    pub(crate) fn open(&self, folder: &Path) -> anyhow::Result<Package> {
        Ok(Package::open(folder, &certified::trusted(&self.model)?)?)
    }

    /// The machine's GPU, if it may compute.
    pub(crate) fn card(&self) -> Option<Arc<Card>> {
        certified::card(self.model.gpu)
    }

    /// A version that was brought here, verified again, and the very one that was staged.
    /// # Errors
    /// What is wrong with it.
    pub(crate) fn brought(&self, life: &Life, id: &str, version: &str) -> anyhow::Result<Package> {
        let known = life.version(id, version)?;
        let folder = self.place(id, version);
        let package = self.open(&folder)?;
        if package.digest() != known.package {
            bail!("{}: is not the package that was staged: {REMEDY}", folder.display());
        }
        package.check_place(&self.carried(id)?)?;
        Ok(package)
    }

    /// The package of a model that the binary carries, or that is configured in its place.
    /// # Errors
    /// What is wrong with it.
    pub(crate) fn carried(&self, id: &str) -> anyhow::Result<Package> {
        certified::carried(id, &self.model)
    }

    /// A version of a model, carried or brought here.
    /// # Errors
    /// What is wrong with it, or that there is none.
    pub(crate) fn version(&self, life: &Life, id: &str, version: &str) -> anyhow::Result<Package> {
        let carried = self.carried(id)?;
        if carried.manifest().version() == version {
            return Ok(carried);
        }
        self.brought(life, id, version)
    }

    /// The live version of a model.
    /// # Errors
    /// What is wrong with it.
    pub(crate) fn live(&self, life: &Life, id: &str) -> anyhow::Result<Package> {
        match life.live(id) {
            Some(version) => self.brought(life, id, &version.version),
            None => self.carried(id),
        }
    }

    /// Issues a certificate of this machine for a version that is here, and takes it from staged to verified.
    /// # Errors
    /// If the package or its certificate is refused.
    pub(crate) fn verify(&self, package: &Package, stamp: Stamp<'_>) -> anyhow::Result<(Certificate, PathBuf)> {
        let issued = self.certificates().issue(package, self.card().as_ref())?;
        let manifest = package.manifest();
        self.change(|life| {
            // A carried package has no record.
            if life.version(manifest.id(), manifest.version()).is_ok() {
                life.verify(manifest.id(), manifest.version(), stamp)?;
            }
            Ok(())
        })?;
        Ok(issued)
    }

    /// One step towards live, for a version whose certificate holds. Returns the version and where it is now.
    /// # Errors
    /// What is missing, and what to do.
    pub(crate) fn promote(&self, id: &str, version: Option<&str>, stamp: Stamp<'_>) -> anyhow::Result<(String, State)> {
        self.change(|life| {
            let version = match version {
                Some(version) => version.to_owned(),
                None => life.next(id)?.to_owned(),
            };
            // The step first: it is what the person asked about. Nothing is written unless all holds.
            let state = life.promote(id, &version, stamp)?;
            let package = self.brought(life, id, &version)?;
            self.certificates()
                .check(&package)
                .with_context(|| format!("{id} {version}: run wardlight model verify {id} {version} first"))?;
            package.try_out()?;
            Ok((version, state))
        })
    }

    /// The live version retires and the one before it is live again, with a new certificate if it needs one. Returns the version that is
    /// live now. With `from` only if that is the live version.
    /// # Errors
    /// If nothing is before it, or if what is cannot go live.
    pub(crate) fn roll_back(&self, id: &str, from: Option<&str>, why: &str, stamp: Stamp<'_>) -> anyhow::Result<String> {
        self.change(|life| {
            let live = life.live(id).map(|live| live.version.as_str());
            if from.is_some() && from != live {
                bail!("{id}: another version went live meanwhile");
            }
            life.roll_back(id, why, stamp)?;
            let package = self.live(life, id)?;
            if self.certificates().check(&package).is_err() {
                self.certificates().issue(&package, self.card().as_ref())?;
            }
            package.try_out()?;
            Ok(package.manifest().version().to_owned())
        })
    }

    /// Writes how the unheard versions do, for people to read; nothing depends on it.
    /// # Errors
    /// If it cannot be written.
    pub(crate) fn write_comparisons(&self, all: &BTreeMap<String, Comparison>) -> anyhow::Result<()> {
        self.make_folder(&self.folder)?;
        let path = self.folder.join(SHADOW);
        whole_file::write(&path, &serde_json::to_vec_pretty(all)?)
            .with_context(|| format!("{}: cannot be written", path.display()))
    }

    /// What the running agent wrote last; nothing where there is none, or none that can be read.
    pub(crate) fn comparisons(&self) -> BTreeMap<String, Comparison> {
        let text = fs::read(self.folder.join(SHADOW)).unwrap_or_default();
        serde_json::from_slice(&text).unwrap_or_default()
    }

    /// Where a version lies.
    pub(crate) fn place(&self, id: &str, version: &str) -> PathBuf {
        self.folder.join(id).join(version)
    }

    /// A folder of the packages, closed to others, and whose the folder above is.
    fn make_folder(&self, folder: &Path) -> anyhow::Result<()> {
        let failed = || format!("{}: cannot be made", folder.display());
        if !folder.exists() {
            DirBuilder::new()
                .mode(0o700)
                .create(folder)
                .or_else(exists)
                .with_context(failed)?;
        }
        let owner = fs::metadata(&self.journal.dir).or_else(|_absent| fs::metadata(whole_file::folder(&self.folder)));
        whole_file::belong(folder, &owner.with_context(failed)?).with_context(failed)
    }

    fn key(&self) -> anyhow::Result<hmac::Key> {
        let key = keys::derive(&self.journal.key_file, &self.journal.dir, LABEL)?;
        Ok(hmac::Key::new(hmac::HMAC_SHA256, &key))
    }
}

/// What to do about files that cannot be believed.
const REMEDY: &str = "put the copy from your backup there, or move it away and stage the packages again";

/// Two commands at once may make the same folder.
fn exists(error: io::Error) -> io::Result<()> {
    if error.kind() == io::ErrorKind::AlreadyExists {
        return Ok(());
    }
    Err(error)
}
