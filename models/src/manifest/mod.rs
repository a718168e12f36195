//! The manifest of a package: what the model is, what goes in, what comes out, and what every file must be.

mod risk;
mod waveform;

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;

pub use risk::{
    Agreement, Bands, Calibration, Channel, Hours, Input, Metrics, Normalisation, Output, RiskManifest, Training, Vitals,
};
pub use waveform::{Classes, Figure, Signal, Tensor, WaveformManifest, WaveformTraining};

use crate::ModelError;

/// What a package says about itself. The format of `manifest.toml` names the kind of model.
#[derive(Clone, Debug)]
pub enum Manifest {
    /// Format 1: a risk from hourly vitals.
    Risk(Box<RiskManifest>),
    /// Format 2: classes of a window of a waveform.
    Waveform(Box<WaveformManifest>),
}

/// One axis of a shape: a fixed length or a name such as `batch`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub enum Dimension {
    /// Any length.
    Named(String),
    /// Exactly this length.
    Fixed(usize),
}

/// One end of a graph.
#[derive(Debug)]
pub(crate) struct End<'a> {
    pub(crate) name: &'a str,
    pub(crate) shape: &'a [Dimension],
}

impl Manifest {
    /// Reads and checks the `manifest.toml` of `package`.
    pub(crate) fn parse(package: &Path, content: &[u8]) -> Result<Self, ModelError> {
        /// Read first, because the format decides what else there is.
        #[derive(Deserialize)]
        struct Header {
            format: u32,
        }
        let unreadable = |cause| ModelError::Manifest {
            package: package.to_path_buf(),
            cause: Box::new(cause),
        };
        let Header { format } = toml::from_slice(content).map_err(unreadable)?;
        match format {
            risk::FORMAT => {
                let manifest: RiskManifest = toml::from_slice(content).map_err(unreadable)?;
                manifest.check()?;
                Ok(Self::Risk(Box::new(manifest)))
            }
            waveform::FORMAT => {
                let manifest: WaveformManifest = toml::from_slice(content).map_err(unreadable)?;
                manifest.check()?;
                Ok(Self::Waveform(Box::new(manifest)))
            }
            other => Err(ModelError::Field {
                field: "format",
                found: other.to_string(),
                expected: "must be 1 (a risk from vitals) or 2 (classes of a waveform)",
            }),
        }
    }

    /// Name of the model.
    pub fn id(&self) -> &str {
        match self {
            Self::Risk(manifest) => &manifest.id,
            Self::Waveform(manifest) => &manifest.id,
        }
    }

    /// Version of the model.
    pub fn version(&self) -> &str {
        match self {
            Self::Risk(manifest) => &manifest.version,
            Self::Waveform(manifest) => &manifest.version,
        }
    }

    /// One sentence for people.
    pub fn summary(&self) -> &str {
        match self {
            Self::Risk(manifest) => &manifest.summary,
            Self::Waveform(manifest) => &manifest.summary,
        }
    }

    /// SHA-256 of every file, in hexadecimal digits.
    pub fn files(&self) -> &BTreeMap<String, String> {
        match self {
            Self::Risk(manifest) => &manifest.files,
            Self::Waveform(manifest) => &manifest.files,
        }
    }

    /// The inputs of the graph, in its order.
    pub(crate) fn inputs(&self) -> Vec<End<'_>> {
        match self {
            Self::Risk(manifest) => {
                let features = End {
                    name: &manifest.input.name,
                    shape: &manifest.input.shape,
                };
                let hours = manifest.hours.iter().map(|hours| End {
                    name: &hours.name,
                    shape: &hours.shape,
                });
                std::iter::once(features).chain(hours).collect()
            }
            Self::Waveform(manifest) => manifest.input.iter().map(Tensor::end).collect(),
        }
    }

    /// The output of the graph.
    pub(crate) fn output(&self) -> End<'_> {
        match self {
            Self::Risk(manifest) => End {
                name: &manifest.output.name,
                shape: &manifest.output.shape,
            },
            Self::Waveform(manifest) => End {
                name: &manifest.output.name,
                shape: &manifest.output.shape,
            },
        }
    }
}

/// What is common to all kinds: names that are safe in paths, logs and messages.
fn check_identity(id: &str, version: &str) -> Result<(), ModelError> {
    require(
        is_name(id),
        "id",
        &id,
        "must be 1 to 64 lower-case letters, digits and hyphens",
    )?;
    require(
        is_version(version),
        "version",
        &version,
        "must be three numbers with dots between",
    )
}

fn require(holds: bool, field: &'static str, found: &impl std::fmt::Debug, expected: &'static str) -> Result<(), ModelError> {
    if holds {
        return Ok(());
    }
    Err(ModelError::Field {
        field,
        found: format!("{found:?}"),
        expected,
    })
}

fn is_name(text: &str) -> bool {
    (1..=64).contains(&text.len())
        && text
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
}

fn is_version(text: &str) -> bool {
    text.split('.').count() == 3 && text.split('.').all(|part| part.parse::<u32>().is_ok())
}
