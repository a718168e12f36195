//! A model package on disk: opened only if signed and untouched, loaded only if it reproduces its golden vectors here.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use crate::certificate::Outcome;
use crate::golden::{RiskGolden, WaveformGolden};
use crate::gpu::{Card, GpuTrial};
use crate::life::Input;
use crate::manifest::Manifest;
use crate::model::Model;
use crate::network::{Engine, Network};
use crate::waveform::WaveformModel;
use crate::{ModelError, TrustedKeys, deterioration, ecg_vf, hex, reference};

const MANIFEST: &str = "manifest.toml";
const SIGNATURE: &str = "manifest.sig";
const MANIFEST_LIMIT: u64 = 256 * 1024;
const SIGNATURE_LIMIT: u64 = 1024;

/// Every other file a package has, no more and no fewer, with the most bytes it may have.
const FILES: [(&str, u64); 5] = [
    ("card.md", 1 << 20),
    ("golden.json", 16 << 20),
    ("model.f32.onnx", 64 << 20),
    ("model.int8.onnx", 64 << 20),
    ("reference.json", 4 << 20),
];

/// Which of the package's two graphs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Precision {
    /// The quantized graph: the one that goes live.
    Int8,
    /// The float graph: what the quantized one is compared with.
    Float,
}

impl Precision {
    pub(crate) fn file(self) -> &'static str {
        match self {
            Self::Int8 => "model.int8.onnx",
            Self::Float => "model.f32.onnx",
        }
    }
}

/// A package whose signature and digests have been verified. It holds the verified bytes, so a later change on disk
/// cannot reach the model.
#[derive(Debug)]
pub struct Package {
    manifest: Manifest,
    /// SHA-256 of the manifest, in hexadecimal digits.
    sha256: String,
    files: BTreeMap<&'static str, Vec<u8>>,
}

impl Package {
    /// Reads and verifies the package in `folder`. The signature is checked before anything else is even parsed.
    ///
    /// # Errors
    /// Any [`ModelError`] about the signature, the manifest, the digests, sizes or unexpected entries.
    pub fn open(folder: &Path, keys: &TrustedKeys) -> Result<Self, ModelError> {
        let (manifest, sha256) = verified_manifest(&Source::Folder(folder), keys)?;
        refuse_unexpected_entries(folder)?;
        Self::verified(&Source::Folder(folder), manifest, sha256)
    }

    /// The package `id` that this crate carries, with the same checks as any other.
    ///
    /// # Errors
    /// [`ModelError::NotShipped`] for another `id`; else as [`Package::open`], none in a build from an untouched source tree.
    pub fn shipped(id: &str, keys: &TrustedKeys) -> Result<Self, ModelError> {
        let shipped = SHIPPED.iter().find(|(name, _)| *name == id);
        let (name, files) = shipped.ok_or_else(|| ModelError::NotShipped { id: id.to_owned() })?;
        let source = Source::Shipped(name, files);
        let (manifest, sha256) = verified_manifest(&source, keys)?;
        Self::verified(&source, manifest, sha256)
    }

    /// The names of the files of every package.
    pub fn file_names() -> impl Iterator<Item = &'static str> {
        [MANIFEST, SIGNATURE].into_iter().chain(FILES.iter().map(|(name, _)| *name))
    }

    /// Refuses a package that cannot take the place of `carried`: it must have its name, take the same rows, and give as many
    /// values of the same meaning.
    ///
    /// # Errors
    /// [`ModelError::Place`] with what differs.
    pub fn check_place(&self, carried: &Self) -> Result<(), ModelError> {
        for ((what, found), (_, expected)) in place(&self.manifest).into_iter().zip(place(&carried.manifest)) {
            if found != expected {
                return Err(ModelError::Place {
                    id: self.manifest.id().to_owned(),
                    what,
                    found,
                    expected,
                });
            }
        }
        Ok(())
    }

    /// Loads the int8 graph as its kind is loaded, on the fastest engine, and runs the golden vectors through it. Returns the engine.
    ///
    /// # Errors
    /// As [`Package::load`].
    pub fn try_out(&self) -> Result<Engine, ModelError> {
        match &self.manifest {
            Manifest::Risk(_) => Ok(self.load()?.engine()),
            Manifest::Waveform(_) => Ok(self.load_waveform()?.engine()),
        }
    }

    /// The models that this binary carries.
    pub fn shipped_ids() -> impl Iterator<Item = &'static str> {
        SHIPPED.iter().map(|(id, _)| *id)
    }

    fn verified(source: &Source, manifest: Manifest, sha256: String) -> Result<Self, ModelError> {
        for name in manifest.files().keys() {
            if !FILES.iter().any(|(known, _)| known == name) {
                return Err(ModelError::Field {
                    field: "files",
                    found: format!("{name:?}"),
                    expected: "only the files of a package may be listed",
                });
            }
        }
        let mut files = BTreeMap::new();
        for (name, limit) in FILES {
            let Some(expected) = manifest.files().get(name) else {
                return Err(ModelError::Field {
                    field: "files",
                    found: format!("no {name:?}"),
                    expected: "every file of a package must be listed",
                });
            };
            let path = source.path().join(name);
            let content = source.read(name, limit)?;
            let found = hex::sha256(&content);
            if found != *expected {
                return Err(ModelError::Digest {
                    path,
                    expected: expected.clone(),
                    found,
                });
            }
            files.insert(name, content);
        }
        Ok(Self { manifest, sha256, files })
    }

    /// What the package says about itself.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// The model card, in Markdown.
    pub fn card(&self) -> String {
        String::from_utf8_lossy(self.content("card.md")).into_owned()
    }

    /// The reference histograms for drift, as JSON.
    pub fn reference(&self) -> &[u8] {
        self.content("reference.json")
    }

    /// The inputs of the model as they were in training: what the ward's are compared with. Of a risk model an hour's value of a vital each;
    /// of a waveform model columns of its rows by their names in the manifest, and measures of a window ([`ecg_vf::measure`]). None of a
    /// package whose reference has no such histogram.
    ///
    /// # Errors
    /// [`ModelError::Field`] if `reference.json` is not of the expected shape.
    pub fn watched_inputs(&self) -> Result<Vec<Input>, ModelError> {
        reference::watched_inputs(self.reference(), |name| match &self.manifest {
            Manifest::Risk(_) => deterioration::VITALS.iter().any(|vital| vital.name == name),
            Manifest::Waveform(manifest) => manifest.column(name).is_some() || ecg_vf::measure(name).is_some(),
        })
    }

    /// Loads the int8 graph of a risk model on the fastest engine and runs the golden vectors through it.
    ///
    /// # Errors
    /// [`ModelError::Kind`] for a package of another kind, [`ModelError::Graph`] and its kin for a graph that is not
    /// accepted, [`ModelError::Golden`] for any disagreement.
    pub fn load(&self) -> Result<Model, ModelError> {
        self.load_as(Precision::Int8, None)
    }

    /// Loads either graph of a risk model, with the same checks, on the given engine or the fastest.
    ///
    /// # Errors
    /// As [`Package::load`]; [`ModelError::Engine`] if the engine cannot run the graph.
    pub fn load_as(&self, precision: Precision, engine: Option<Engine>) -> Result<Model, ModelError> {
        let Manifest::Risk(manifest) = &self.manifest else {
            return Err(self.is_not("a risk from vitals"));
        };
        deterioration::check(manifest)?;
        let golden = RiskGolden::parse(self.content("golden.json"))?;
        let model = Model::new(manifest, self.network(precision, engine)?);
        golden.check(&model, precision)?;
        Ok(model)
    }

    /// Loads the int8 graph of a waveform model on the fastest engine and runs the golden vectors through it.
    ///
    /// # Errors
    /// As [`Package::load`].
    pub fn load_waveform(&self) -> Result<WaveformModel, ModelError> {
        self.load_waveform_as(Precision::Int8, None)
    }

    /// Loads either graph of a waveform model, with the same checks, on the given engine or the fastest.
    ///
    /// # Errors
    /// As [`Package::load_as`].
    pub fn load_waveform_as(&self, precision: Precision, engine: Option<Engine>) -> Result<WaveformModel, ModelError> {
        let Manifest::Waveform(manifest) = &self.manifest else {
            return Err(self.is_not("classes of a waveform"));
        };
        let golden = WaveformGolden::parse(self.content("golden.json"))?;
        let network = self.network(precision, engine)?;
        golden.check(&network, precision)?;
        Ok(WaveformModel::new(manifest.as_ref().clone(), network))
    }

    /// The int8 or float graph's engine, and what it says about each golden vector.
    pub(crate) fn outcomes(&self, precision: Precision, engine: Option<Engine>) -> Result<(Engine, Vec<Outcome>), ModelError> {
        let golden = self.content("golden.json");
        match &self.manifest {
            Manifest::Risk(_) => {
                let model = self.load_as(precision, engine)?;
                Ok((model.engine(), RiskGolden::parse(golden)?.outcomes(&model)?))
            }
            Manifest::Waveform(_) => {
                let model = self.load_waveform_as(precision, engine)?;
                Ok((model.engine(), WaveformGolden::parse(golden)?.outcomes(&model)?))
            }
        }
    }

    /// SHA-256 of the manifest, which holds those of all other files, in hexadecimal digits.
    pub fn digest(&self) -> &str {
        &self.sha256
    }

    /// As [`Package::load_waveform`], with `card` beside the CPU: compared bit for bit on the golden vectors, timed by `clock`,
    /// which only grows, and used from the batch on at which it wins. The model runs on the CPU alone if the trial is an error,
    /// which says why, and from the first fault in service on ([`WaveformModel::take_gpu_fault`]).
    ///
    /// # Errors
    /// As [`Package::load`].
    pub fn load_waveform_beside(
        &self,
        card: &Arc<Card>,
        clock: &dyn Fn() -> Duration,
    ) -> Result<(WaveformModel, Result<GpuTrial, ModelError>), ModelError> {
        let mut model = self.load_waveform()?;
        let golden = WaveformGolden::parse(self.content("golden.json"))?;
        let inputs = golden.inputs();
        let inputs: Vec<&[f32]> = inputs.iter().map(Vec::as_slice).collect();
        let trial = model.try_gpu(card, (&inputs, golden.len()), clock);
        Ok((model, trial))
    }

    /// Whether `card` gives the bits of the processor on the golden vectors.
    ///
    /// # Errors
    /// [`ModelError::Gpu`] if it does not or cannot, [`ModelError::Kind`] for a risk model, which has no place for one.
    pub(crate) fn exact_on(&self, card: &Arc<Card>) -> Result<(), ModelError> {
        let model = self.load_waveform()?;
        let golden = WaveformGolden::parse(self.content("golden.json"))?;
        let inputs = golden.inputs();
        let inputs: Vec<&[f32]> = inputs.iter().map(Vec::as_slice).collect();
        model.exact_on(card, (&inputs, golden.len()))
    }

    fn network(&self, precision: Precision, engine: Option<Engine>) -> Result<Network, ModelError> {
        Network::load(&self.manifest, precision, self.content(precision.file()), engine)
    }

    fn is_not(&self, wanted: &'static str) -> ModelError {
        ModelError::Kind {
            id: self.manifest.id().to_owned(),
            wanted,
        }
    }

    fn content(&self, name: &str) -> &[u8] {
        self.files.get(name).map_or(&[], Vec::as_slice)
    }
}

/// What the software that feeds a model and hears it takes for granted.
fn place(manifest: &Manifest) -> [(&'static str, String); 4] {
    let ends = manifest.inputs().into_iter().chain([manifest.output()]);
    let shapes = format!("{:?}", ends.map(|end| end.shape).collect::<Vec<_>>());
    let (takes, says) = match manifest {
        Manifest::Risk(manifest) => (format!("{:?}", manifest.input.features), "a risk from vitals".to_owned()),
        Manifest::Waveform(manifest) => {
            let inputs = manifest.input.iter().map(|input| (&input.unit, &input.features));
            let says = format!("{:?} at {} Hz", manifest.output.classes, manifest.signal.sampling_hz);
            (format!("{:?}", inputs.collect::<Vec<_>>()), says)
        }
    };
    [
        ("its name", manifest.id().to_owned()),
        ("the shape of its ends", shapes),
        ("what it takes", takes),
        ("what it says", says),
    ]
}

/// Where a package's bytes come from.
enum Source<'a> {
    Folder(&'a Path),
    Shipped(&'static str, &'static Files),
}

/// The files of a package that is compiled in.
type Files = [(&'static str, &'static [u8]); 7];

/// The files of one folder of `models/packages`.
macro_rules! files {
    ($folder:literal) => {
        [
            (MANIFEST, include_bytes!(concat!("../packages/", $folder, "/manifest.toml"))),
            (SIGNATURE, include_bytes!(concat!("../packages/", $folder, "/manifest.sig"))),
            ("card.md", include_bytes!(concat!("../packages/", $folder, "/card.md"))),
            (
                "golden.json",
                include_bytes!(concat!("../packages/", $folder, "/golden.json")),
            ),
            (
                "model.f32.onnx",
                include_bytes!(concat!("../packages/", $folder, "/model.f32.onnx")),
            ),
            (
                "model.int8.onnx",
                include_bytes!(concat!("../packages/", $folder, "/model.int8.onnx")),
            ),
            (
                "reference.json",
                include_bytes!(concat!("../packages/", $folder, "/reference.json")),
            ),
        ]
    };
}

/// The shipped packages, compiled in, so that an agent needs no file beside its binary. A new one is one line here.
static SHIPPED: [(&str, Files); 3] = [
    ("deterioration", files!("deterioration")),
    ("ecg-beat", files!("ecg-beat")),
    ("ecg-vf", files!("ecg-vf")),
];

impl Source<'_> {
    /// For messages.
    fn path(&self) -> PathBuf {
        match self {
            Self::Folder(folder) => folder.to_path_buf(),
            Self::Shipped(id, _) => PathBuf::from(format!("(shipped) {id}")),
        }
    }

    fn has(&self, name: &str) -> bool {
        match self {
            Self::Folder(folder) => folder.join(name).exists(),
            Self::Shipped(_, files) => files.iter().any(|(known, _)| *known == name),
        }
    }

    fn read(&self, name: &str, limit: u64) -> Result<Vec<u8>, ModelError> {
        match self {
            Self::Folder(folder) => read(&folder.join(name), limit),
            Self::Shipped(_, files) => Ok(files
                .iter()
                .filter(|(known, _)| *known == name)
                .flat_map(|(_, bytes)| *bytes)
                .copied()
                .collect()),
        }
    }
}

fn verified_manifest(source: &Source, keys: &TrustedKeys) -> Result<(Manifest, String), ModelError> {
    let package = || source.path();
    let content = source.read(MANIFEST, MANIFEST_LIMIT)?;
    if !source.has(SIGNATURE) {
        return Err(ModelError::Unsigned { package: package() });
    }
    let signature = source.read(SIGNATURE, SIGNATURE_LIMIT)?;
    let signature = std::str::from_utf8(&signature)
        .ok()
        .and_then(|text| hex::decode(text.trim_end()))
        .ok_or_else(|| ModelError::SignatureFormat { package: package() })?;
    if !keys.verify(&content, &signature) {
        return Err(ModelError::Untrusted {
            package: package(),
            keys: keys.len(),
        });
    }
    Ok((Manifest::parse(&package(), &content)?, hex::sha256(&content)))
}

fn refuse_unexpected_entries(folder: &Path) -> Result<(), ModelError> {
    let failed = |cause| ModelError::Read {
        path: folder.to_path_buf(),
        cause,
    };
    for entry in fs::read_dir(folder).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let known = name == MANIFEST || name == SIGNATURE || FILES.iter().any(|(file, _)| *file == name);
        // Not followed: a link could lead outside the package.
        if !known || !entry.file_type().map_err(failed)?.is_file() {
            return Err(ModelError::UnexpectedEntry {
                package: folder.to_path_buf(),
                name,
            });
        }
    }
    Ok(())
}

fn read(path: &Path, limit: u64) -> Result<Vec<u8>, ModelError> {
    let failed = |cause| ModelError::Read {
        path: path.to_path_buf(),
        cause,
    };
    let file = File::open(path).map_err(failed)?;
    let bytes = file.metadata().map_err(failed)?.len();
    let mut content = Vec::new();
    // One byte more than allowed, so that a file that grows meanwhile is caught as well.
    file.take(limit + 1).read_to_end(&mut content).map_err(failed)?;
    if content.len() as u64 > limit {
        return Err(ModelError::TooLarge {
            path: path.to_path_buf(),
            bytes: bytes.max(content.len() as u64),
            limit,
        });
    }
    Ok(content)
}
