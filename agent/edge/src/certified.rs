//! Models that go live: a signed package, and a certificate of this site that says what this machine makes of it.
//!
//! Certificates are signed with a key of the site that is derived from the site key. One lies beside the journal for each model and
//! version: `certificates/deterioration-3.0.0.json`.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context, anyhow};
use ring::signature::{Ed25519KeyPair, KeyPair};
use tracing::info;
use wardlight_core::hex;
use wardlight_models::certificate::{Bounds, Certificate, Machine};
use wardlight_models::{Card, GpuTrial, Manifest, Package, TrustedKeys, WaveformModel};

use crate::clock;
use crate::config::{Gpu, JournalConfig, ModelConfig};
use crate::inference::Loaded;
use crate::keys;
use crate::whole_file;

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

/// The models that the agent runs, each for its part.
pub(crate) const PARTS: [&str; 3] = ["deterioration", "ecg-beat", "ecg-vf"];
/// Those that look at waveforms and may have a GPU beside them.
pub(crate) const ECG_PARTS: [&str; 2] = ["ecg-beat", "ecg-vf"];

/// The part whose package `model.package` may name.
const CONFIGURED: &str = "deterioration";

/// The release's keys and those of the site.
/// # Errors
/// If the site's file cannot be read or is no list of keys.
pub(crate) fn trusted(config: &ModelConfig) -> anyhow::Result<TrustedKeys> {
    let Some(file) = &config.keys_file else {
        return Ok(TrustedKeys::release()?);
    };
    let site = fs::read_to_string(file).with_context(|| file.display().to_string())?;
    TrustedKeys::release_and(&site).with_context(|| file.display().to_string())
}

/// The package that is live for a part as long as nothing else is: the configured one, or the one that the binary carries, with its
/// signature and digests verified.
/// # Errors
/// What is wrong with it.
pub(crate) fn carried(part: &str, config: &ModelConfig) -> anyhow::Result<Package> {
    match &config.package {
        Some(folder) if part == CONFIGURED => {
            let package = Package::open(folder, &trusted(config)?)?;
            package.check_place(&shipped(part)?)?;
            Ok(package)
        }
        _ => shipped(part),
    }
}

fn shipped(part: &str) -> anyhow::Result<Package> {
    Ok(Package::shipped(part, &TrustedKeys::release()?)?)
}

/// A model with how the GPU did that was tried beside it.
pub(crate) type LoadedBeside = (Loaded, Option<anyhow::Result<GpuTrial>>);

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

    /// Whether the package has a certificate of this site, machine, package and software that is not too old. Returns it.
    /// # Errors
    /// What is wrong, and what to do.
    pub(crate) fn check(self, package: &Package) -> anyhow::Result<Certificate> {
        let path = self.path(package);
        let text = fs::read_to_string(&path).with_context(|| {
            format!(
                "{}: no certificate of this machine: wardlight model verify --config FILE makes one",
                path.display()
            )
        })?;
        let site = self.site()?;
        Certificate::verify(&text, &site.public, package, &Machine::this()?, now()?, MOST_AGE)
            .with_context(|| path.display().to_string())
    }

    /// The model of a package that has a certificate and whose golden vectors come out. `card` is tried beside the processor if the
    /// certificate covers it.
    /// # Errors
    /// What is wrong, and what to do.
    pub(crate) fn load(self, package: &Package, card: Option<&Arc<Card>>) -> anyhow::Result<LoadedBeside> {
        let certificate = self.check(package)?;
        let part = package.manifest().id();
        if !ECG_PARTS.contains(&part) {
            return Ok((Loaded::Risk(package.load()?), None));
        }
        let Some(card) = card else {
            return Ok((ecg(part, package.load_waveform()?), None));
        };
        if !certificate.covers(card) {
            let uncovered = anyhow!(
                "the certificate does not cover {}: wardlight model verify makes one that does",
                card.name()
            );
            return Ok((ecg(part, package.load_waveform()?), Some(Err(uncovered))));
        }
        let began = clock::instant();
        let (model, trial) = package.load_waveform_beside(card, &|| began.elapsed())?;
        Ok((ecg(part, model), Some(trial.map_err(Into::into))))
    }

    /// Compares int8 with float on this machine, on `card` too, and keeps the signed certificate. Returns it and where it lies.
    /// # Errors
    /// If the package is refused, if int8 is too far from float, or if the file cannot be written.
    pub(crate) fn issue(self, package: &Package, card: Option<&Arc<Card>>) -> anyhow::Result<(Certificate, PathBuf)> {
        let mut certificate = Certificate::issue(package, &Machine::this()?, &BOUNDS, now()?)?;
        if let (Some(card), Manifest::Waveform(_)) = (card, package.manifest()) {
            certificate.add_gpu(package, card)?;
        }
        let text = certificate.sign(&self.site()?.pair)?;
        let path = self.path(package);
        let failed = || format!("{}: cannot be written", path.display());
        fs::create_dir_all(self.folder()).with_context(failed)?;
        let owner = fs::metadata(self.beside()).with_context(failed)?;
        whole_file::belong(&self.folder(), &owner).with_context(failed)?;
        whole_file::write(&path, text.as_bytes()).with_context(failed)?;
        Ok((certificate, path))
    }

    /// As [`Certificates::issue`] for every package that the binary carries.
    /// # Errors
    /// As [`Certificates::issue`], at the first.
    pub(crate) fn issue_shipped(self, gpu: Gpu) -> anyhow::Result<()> {
        let card = card(gpu);
        for part in PARTS {
            self.issue(&shipped(part)?, card.as_ref())?;
        }
        Ok(())
    }

    /// What signs the certificates of this site.
    /// # Errors
    /// If no key can be derived from the site key.
    pub(crate) fn site(self) -> anyhow::Result<Site> {
        let unusable = || anyhow!("{}: no key can be derived from it", self.key_file.display());
        let seed = keys::derive(self.key_file, self.journal, LABEL)?;
        let pair = Ed25519KeyPair::from_seed_unchecked(&seed).map_err(|_rejected| unusable())?;
        let digits = hex::encode(pair.public_key().as_ref());
        Ok(Site {
            pair,
            public: TrustedKeys::parse(&digits)?,
        })
    }

    /// Where they lie.
    pub(crate) fn folder(self) -> PathBuf {
        self.beside().join(FOLDER)
    }

    fn beside(self) -> &'a Path {
        whole_file::folder(self.journal)
    }

    fn path(self, package: &Package) -> PathBuf {
        let manifest = package.manifest();
        self.folder().join(format!("{}-{}.json", manifest.id(), manifest.version()))
    }
}

/// The machine's GPU, if it is wanted and there is one.
pub(crate) fn card(wanted: Gpu) -> Option<Arc<Card>> {
    // Without a device there is no card: no driver needs to be asked.
    let device = ["/dev/dri", "/dev/nvidiactl", "/dev/dxg"]
        .iter()
        .any(|path| Path::new(path).exists());
    if wanted == Gpu::Off || (wanted == Gpu::Auto && !device) {
        return None;
    }
    match Card::best() {
        Ok(card) => (wanted == Gpu::Software || !card.is_software()).then(|| Arc::new(card)),
        Err(none) => {
            info!(reason = %none, "No GPU: models run on the processor.");
            None
        }
    }
}

fn ecg(part: &str, model: WaveformModel) -> Loaded {
    if part == "ecg-vf" {
        Loaded::Shockable(model)
    } else {
        Loaded::Beats(model)
    }
}

/// The key pair of the site for certificates.
pub(crate) struct Site {
    /// What signs them.
    pub(crate) pair: Ed25519KeyPair,
    public: TrustedKeys,
}

#[allow(clippy::disallowed_methods, reason = "a certificate bears the system's date")]
fn now() -> anyhow::Result<Duration> {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .context("the system clock is before 1970: set it")
}
