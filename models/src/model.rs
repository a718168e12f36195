//! A loaded model: raw rows in, calibrated probabilities out.

use crate::ModelError;
use crate::deterioration::{HOURLY_VALUES, MAX_HOURS};
use crate::manifest::{Bands, Calibration, Hours, Normalisation, RiskManifest};
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
    hours: Option<Hours>,
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
            hours: manifest.hours.clone(),
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

    /// How many values a row has: the features, then the hours, whether this model looks at those or not.
    pub fn width(&self) -> usize {
        self.normalisation.mean.len() + HOURLY_VALUES
    }

    /// Scores a batch of raw rows, each `[width]` as [`crate::deterioration::Features::row`] gives them, NaN for what is absent; returns one calibrated
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

    /// The graph's own output for raw rows.
    pub(crate) fn logits(&self, rows: &[Vec<f32>]) -> Result<Vec<f32>, ModelError> {
        if rows.is_empty() {
            return Ok(Vec::new());
        }
        let mut features = Vec::with_capacity(rows.len() * self.normalisation.mean.len());
        let mut hours = Vec::new();
        for (index, row) in rows.iter().enumerate() {
            self.normalise(index, row, &mut features, &mut hours)?;
        }
        let mut inputs: Vec<&[f32]> = vec![&features];
        if self.hours.is_some() {
            inputs.push(&hours);
        }
        self.network.run(&inputs, rows.len())
    }

    fn normalise(&self, index: usize, row: &[f32], features: &mut Vec<f32>, hours: &mut Vec<f32>) -> Result<(), ModelError> {
        let refuse = |reason| ModelError::Row { row: index, reason };
        let Normalisation { clip, mean, scale, .. } = &self.normalisation;
        if row.len() != self.width() {
            return Err(refuse(format!("has {} values, the model takes {}", row.len(), self.width())));
        }
        if row.iter().any(|value| value.is_infinite()) {
            return Err(refuse("has an infinite value".to_owned()));
        }
        let (own, hourly) = row.split_at(mean.len());
        let standards = mean.iter().zip(scale);
        features.extend(
            own.iter()
                .zip(standards)
                .map(|(value, standard)| standardise(*value, standard, *clip)),
        );
        if let Some(Hours { mean, scale, .. }) = &self.hours {
            for (vital, standard) in hourly.chunks(MAX_HOURS).zip(mean.iter().zip(scale)) {
                hours.extend(vital.iter().map(|value| standardise(*value, standard, *clip)));
            }
            hours.extend(hourly.iter().map(|value| if value.is_nan() { 0.0 } else { 1.0 }));
        }
        Ok(())
    }

    fn calibrate(&self, logit: f32) -> f32 {
        let Calibration { slope, intercept, .. } = self.calibration;
        (1.0 / (1.0 + (-(slope * f64::from(logit) + intercept)).exp())) as f32
    }
}

/// `(value - mean) / scale` within `±clip`; an absent value becomes the mean.
fn standardise(value: f32, (mean, scale): (&f32, &f32), clip: f32) -> f32 {
    let standard = (value - mean) / scale;
    if standard.is_nan() { 0.0 } else { standard.clamp(-clip, clip) }
}
