//! A loaded model: raw feature rows in, calibrated probabilities out.

use crate::ModelError;
use crate::manifest::{Bands, Calibration, Normalisation, RiskManifest};
use crate::network::{Engine, Network};

/// The band a probability falls in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Band {
    /// Below [`Bands::raised`].
    Low,
    /// From [`Bands::raised`].
    Raised,
    /// From [`Bands::high`].
    High,
}

/// A model that reproduced its golden vectors on this machine.
#[derive(Debug)]
pub struct Model {
    id: String,
    version: String,
    network: Network,
    normalisation: Normalisation,
    calibration: Calibration,
    bands: Bands,
}

impl Model {
    pub(crate) fn new(manifest: &RiskManifest, network: Network) -> Self {
        Self {
            id: manifest.id.clone(),
            version: manifest.version.clone(),
            network,
            normalisation: manifest.normalisation.clone(),
            calibration: manifest.calibration.clone(),
            bands: manifest.bands.clone(),
        }
    }

    /// The model's name.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The model's version.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// What runs the graph on this machine.
    pub fn engine(&self) -> Engine {
        self.network.engine()
    }

    /// How many features a row has.
    pub fn width(&self) -> usize {
        self.normalisation.mean.len()
    }

    /// Scores a batch of raw feature rows, each `[width]` with NaN for an absent feature; returns one calibrated
    /// probability in `0.0..=1.0` for each row, in order. A row's result does not depend on the other rows. A row of
    /// nothing but NaN is a patient of whom nothing is known: it gets the risk of an average one, and whether to
    /// show that is the caller's decision (see [`crate::deterioration::Features::readiness`]).
    ///
    /// # Errors
    /// [`ModelError::Row`] for a row of another width or with an infinite value, [`ModelError::Engine`] if the engine
    /// fails; then no row of the batch has a result.
    pub fn predict(&self, rows: &[Vec<f32>]) -> Result<Vec<f32>, ModelError> {
        Ok(self.logits(rows)?.into_iter().map(|logit| self.calibrate(logit)).collect())
    }

    /// The band of a probability that [`Model::predict`] returned.
    pub fn band(&self, probability: f32) -> Band {
        if probability >= self.bands.high {
            Band::High
        } else if probability >= self.bands.raised {
            Band::Raised
        } else {
            Band::Low
        }
    }

    /// The graph's own output for raw feature rows.
    pub(crate) fn logits(&self, rows: &[Vec<f32>]) -> Result<Vec<f32>, ModelError> {
        if rows.is_empty() {
            return Ok(Vec::new());
        }
        let mut scaled = Vec::with_capacity(rows.len() * self.width());
        for (index, row) in rows.iter().enumerate() {
            self.normalise(index, row, &mut scaled)?;
        }
        self.network.run(&[&scaled], rows.len())
    }

    fn normalise(&self, index: usize, row: &[f32], scaled: &mut Vec<f32>) -> Result<(), ModelError> {
        let Normalisation { clip, mean, scale, .. } = &self.normalisation;
        if row.len() != mean.len() {
            let reason = format!("has {} features, the model takes {}", row.len(), mean.len());
            return Err(ModelError::Row { row: index, reason });
        }
        for ((&value, mean), scale) in row.iter().zip(mean).zip(scale) {
            if value.is_infinite() {
                return Err(ModelError::Row {
                    row: index,
                    reason: "has an infinite feature".to_owned(),
                });
            }
            let standard = (value - mean) / scale;
            scaled.push(if standard.is_nan() {
                0.0
            } else {
                standard.clamp(-clip, *clip)
            });
        }
        Ok(())
    }

    fn calibrate(&self, logit: f32) -> f32 {
        let Calibration { slope, intercept, .. } = self.calibration;
        (1.0 / (1.0 + (-(slope * f64::from(logit) + intercept)).exp())) as f32
    }
}
