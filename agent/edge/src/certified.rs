//! Models that go live: a signed package, and a certificate of this site that says what this machine makes of it.
//!
//! Certificates are signed with a key of the site that is derived from the site key. One lies beside the journal for each model and
//! version: `certificates/deterioration-2.0.0.json`.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context, anyhow};
use ring::signature::{Ed25519KeyPair, KeyPair};
use wardlight_journal::SiteKey;
use wardlight_models::certificate::{Bounds, Certificate, Machine};
use wardlight_models::{Model, Package, TrustedKeys};

use crate::audit::hex;
use crate::config::{JournalConfig, ModelConfig};

const FOLDER: &str = "certificates";
/// What the derived key is for.
const LABEL: &str = "model certificates";
/// A certificate of a machine that has not changed is renewed this often. *ratify*
const MOST_AGE: Duration = Duration::from_hours(24 * 400);
/// How near int8 must be to float: a probability moves by 0.05 at most. *ratify*
const BOUNDS: Bounds = Bounds {
    largest_gap: 0.05,
    same_decision_share: 0.98,
    same_decision_share_of_group: 0.9,
};

/// The configured package, or the one that the binary carries, with its signature and digests verified.
/// # Errors
/// What is wrong with it.
pub(crate) fn package(config: &ModelConfig) -> anyhow::Result<Package> {
    match &config.package {
        Some(folder) => Ok(Package::open(folder, &TrustedKeys::release()?)?),
        None => shipped(),
    }
}

/// The package that the binary carries.
/// # Errors
/// If the binary was built wrongly.
pub(crate) fn shipped() -> anyhow::Result<Package> {
    Ok(Package::shipped("deterioration", &TrustedKeys::release()?)?)
}

/// Where the certificates of a site lie, and what signs them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Certificates<'a> {
    /// The site key's file.
    pub(crate) key_file: &'a Path,
    /// The journal's folder; certificates lie beside it.
    pub(crate) journal: &'a Path,
}

impl<'a> Certificates<'a> {
    pub(crate) fn of(config: &'a JournalConfig) -> Self {
        Self {
            key_file: &config.key_file,
            journal: &config.dir,
        }
    }

    /// The model that goes live: its certificate is of this site, machine, package and software, and its golden vectors come out.
    /// # Errors
    /// What is wrong, and what to do.
    pub(crate) fn load(self, config: &ModelConfig) -> anyhow::Result<Model> {
        let package = package(config)?;
        let path = self.path(&package);
        let text = fs::read_to_string(&path).with_context(|| {
            format!(
                "{}: no certificate of this machine: wardlight model verify --config FILE makes one",
                path.display()
            )
        })?;
        let site = self.site()?;
        Certificate::verify(&text, &site.public, &package, &Machine::this(None)?, now()?, MOST_AGE)
            .with_context(|| path.display().to_string())?;
        Ok(package.load()?)
    }

    /// Compares int8 with float on this machine and keeps the signed certificate. Returns it and where it lies.
    /// # Errors
    /// If the package is refused, if int8 is too far from float, or if the file cannot be written.
    pub(crate) fn issue(self, package: &Package) -> anyhow::Result<(Certificate, PathBuf)> {
        let certificate = Certificate::issue(package, &Machine::this(None)?, &BOUNDS, now()?)?;
        let text = certificate.sign(&self.site()?.pair)?;
        let path = self.path(package);
        let failed = || format!("{}: cannot be written", path.display());
        fs::create_dir_all(self.folder()).with_context(failed)?;
        let next = path.with_extension("next");
        fs::write(&next, text).with_context(failed)?;
        fs::rename(&next, &path).with_context(failed)?;
        Ok((certificate, path))
    }

    fn site(self) -> anyhow::Result<Site> {
        let unusable = || anyhow!("{}: no key can be derived from it", self.key_file.display());
        let seed = SiteKey::load(self.key_file)?.derive(LABEL).ok_or_else(unusable)?;
        let pair = Ed25519KeyPair::from_seed_unchecked(&seed).map_err(|_rejected| unusable())?;
        let digits = hex(pair.public_key().as_ref());
        Ok(Site {
            pair,
            public: TrustedKeys::parse(&digits)?,
        })
    }

    fn folder(self) -> PathBuf {
        self.journal.parent().unwrap_or_else(|| Path::new("")).join(FOLDER)
    }

    fn path(self, package: &Package) -> PathBuf {
        let manifest = package.manifest();
        self.folder().join(format!("{}-{}.json", manifest.id(), manifest.version()))
    }
}

/// The key pair of the site for certificates.
struct Site {
    pair: Ed25519KeyPair,
    public: TrustedKeys,
}

#[allow(clippy::disallowed_methods, reason = "a certificate bears the system's date")]
fn now() -> anyhow::Result<Duration> {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .context("the system clock is before 1970: set it")
}
