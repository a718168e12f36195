//! The manifest of a risk model: a row of features made of hourly vitals in, the risk as a logit out.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::{Dimension, check_identity, require};
use crate::ModelError;
use crate::deterioration::{MAX_HOURS, VITAL_COUNT};

/// The format of such a manifest.
pub(super) const FORMAT: u32 = 1;

/// The whole of a format 1 `manifest.toml`. Unknown fields are refused.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RiskManifest {
    /// Version of the format; 1.
    pub format: u32,
    /// Name of the model, lower-case letters, digits and hyphens.
    pub id: String,
    /// Version of the model.
    pub version: String,
    /// One sentence for people.
    pub summary: String,
    /// The graph's input.
    pub input: Input,
    /// The graph's second input, if it looks at the course of the hours.
    pub hours: Option<Hours>,
    /// The graph's output.
    pub output: Output,
    /// The vitals the features are made of.
    pub vitals: Vitals,
    /// How raw features become the graph's input.
    pub normalisation: Normalisation,
    /// How the graph's output becomes a probability.
    pub calibration: Calibration,
    /// Probabilities at which the bands begin.
    pub bands: Bands,
    /// SHA-256 of every file, in hexadecimal digits.
    pub files: BTreeMap<String, String>,
    /// What it was trained on.
    pub training: Training,
    /// How it did on stays it never saw.
    pub metrics: Metrics,
    /// How far int8 is from float, in probability, on those stays.
    pub agreement: Agreement,
}

/// The graph's input.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// Its name in the graph.
    pub name: String,
    /// Its shape, batch first.
    pub shape: Vec<Dimension>,
    /// Unit of its values.
    pub unit: String,
    /// Name of each column.
    pub features: Vec<String>,
}

/// The hourly means themselves, as the graph's second input. Twelve channels: each vital, `(x - mean) / scale` kept within
/// `±normalisation.clip`, 0 where it was not measured; then for each vital whether it was, 1 or 0. The newest hour is the last.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hours {
    /// Its name in the graph.
    pub name: String,
    /// Its shape: `["batch", 12, 48]`.
    pub shape: Vec<Dimension>,
    /// Mean of each vital on the training stays.
    pub mean: Vec<f32>,
    /// Standard deviation of each vital on the training stays.
    pub scale: Vec<f32>,
}

/// The graph's output.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Output {
    /// Its name in the graph.
    pub name: String,
    /// Its shape, batch first.
    pub shape: Vec<Dimension>,
    /// Unit of its values.
    pub unit: String,
}

/// The vitals the features are made of.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Vitals {
    /// Shortest history, in hours, the model was made for.
    pub min_hours: usize,
    /// Longest history, in hours; what is older is left out.
    pub max_hours: usize,
    /// Each vital, in the order of the columns of an hour.
    pub channel: Vec<Channel>,
}

/// One vital.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Channel {
    /// Its name.
    pub name: String,
    /// Its UCUM unit.
    pub unit: String,
    /// The lowest value that counts as observed.
    pub low: f64,
    /// The highest value that counts as observed.
    pub high: f64,
}

/// `(x - mean) / scale`, kept within `±clip`; an absent value becomes the mean.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Normalisation {
    /// What stands for an absent value; only `mean` is known.
    pub absent: String,
    /// Bound of the normalised values, in standard deviations.
    pub clip: f32,
    /// Mean of each feature on the training stays.
    pub mean: Vec<f32>,
    /// Standard deviation of each feature on the training stays.
    pub scale: Vec<f32>,
}

/// `probability = sigmoid(slope * logit + intercept)`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Calibration {
    /// Only `platt` is known.
    pub method: String,
    /// Slope on the logit.
    pub slope: f64,
    /// Intercept.
    pub intercept: f64,
    /// The part of the data it was fitted on.
    pub fitted_on: String,
}

/// Probabilities at which the bands begin.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bands {
    /// From here the risk is raised.
    pub raised: f32,
    /// From here it is high.
    pub high: f32,
}

/// What the model was trained on.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Training {
    /// The script, from the root of the repository.
    pub script: String,
    /// The data set.
    pub data: String,
    /// Its licence.
    pub licence: String,
    /// Whom to credit.
    pub attribution: String,
    /// What was predicted.
    pub label: String,
    /// How train, validation and test were separated.
    pub split: String,
    /// The seed of everything random.
    pub seed: u64,
    /// All stays.
    pub stays: usize,
    /// Stays trained on.
    pub train_stays: usize,
    /// Stays for calibration and thresholds.
    pub validation_stays: usize,
    /// Stays for the figures of the card, and nothing else.
    pub test_stays: usize,
}

/// How the model did on stays it never saw.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Metrics {
    /// The part of the data.
    pub judged_on: String,
    /// AUROC of the int8 model.
    pub auroc_int8: f64,
    /// Its 95 % bootstrap interval.
    pub auroc_int8_interval: [f64; 2],
    /// AUROC of the float model.
    pub auroc_float: f64,
    /// Brier score of the int8 model.
    pub brier_int8: f64,
    /// Expected calibration error of the int8 model, ten equal-width bins.
    pub ece_int8: f64,
}

/// How far int8 is from float, in probability.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Agreement {
    /// Mean gap.
    pub mean_probability_gap: f64,
    /// 99th percentile.
    pub p99_probability_gap: f64,
    /// Largest gap.
    pub max_probability_gap: f64,
    /// Share of rows in the same band.
    pub same_band_share: f64,
}

impl RiskManifest {
    /// Checks what the types cannot say.
    pub(crate) fn check(&self) -> Result<(), ModelError> {
        check_identity(&self.id, &self.version)?;
        let width = self.input.features.len();
        let shapes = [
            ("input.shape", &self.input.shape, width),
            ("output.shape", &self.output.shape, 1),
        ];
        for (field, shape, columns) in shapes {
            let expected = [Dimension::Named("batch".to_owned()), Dimension::Fixed(columns)];
            require(
                *shape == expected,
                field,
                &shape,
                "must be [\"batch\", columns], one column for each feature, one output",
            )?;
        }
        let normalisation = &self.normalisation;
        require(
            normalisation.absent == "mean",
            "normalisation.absent",
            &normalisation.absent,
            "must be \"mean\"",
        )?;
        let clip = normalisation.clip;
        require(
            clip.is_finite() && clip > 0.0,
            "normalisation.clip",
            &clip,
            "must be finite and above 0",
        )?;
        let (mean, scale) = (&normalisation.mean, &normalisation.scale);
        check_standard(["normalisation.mean", "normalisation.scale"], mean, scale, width)?;
        if let Some(hours) = &self.hours {
            let channels = Dimension::Fixed(2 * VITAL_COUNT);
            let expected = [Dimension::Named("batch".to_owned()), channels, Dimension::Fixed(MAX_HOURS)];
            require(
                hours.shape == expected,
                "hours.shape",
                &hours.shape,
                "must be [\"batch\", 12, 48]: six vitals and whether each was measured, 48 hours",
            )?;
            check_standard(["hours.mean", "hours.scale"], &hours.mean, &hours.scale, VITAL_COUNT)?;
        }
        let calibration = &self.calibration;
        require(
            calibration.method == "platt",
            "calibration.method",
            &calibration.method,
            "must be \"platt\"",
        )?;
        let finite = calibration.slope.is_finite() && calibration.slope > 0.0;
        require(finite, "calibration.slope", &calibration.slope, "must be finite and above 0")?;
        require(
            calibration.intercept.is_finite(),
            "calibration.intercept",
            &calibration.intercept,
            "must be finite",
        )?;
        let Bands { raised, high } = self.bands;
        let ordered = 0.0 < raised && raised < high && high < 1.0;
        require(ordered, "bands", &(raised, high), "must be 0 < raised < high < 1")
    }
}

/// `(x - mean) / scale` must be a number for each of `count` columns.
fn check_standard(
    [mean_field, scale_field]: [&'static str; 2],
    mean: &[f32],
    scale: &[f32],
    count: usize,
) -> Result<(), ModelError> {
    for (field, values) in [(mean_field, mean), (scale_field, scale)] {
        require(
            values.len() == count,
            field,
            &values.len(),
            "must have one value for each feature or vital",
        )?;
    }
    require(mean.iter().all(|v| v.is_finite()), mean_field, &mean, "must be finite")?;
    require(
        scale.iter().all(|v| v.is_finite() && *v > 0.0),
        scale_field,
        &scale,
        "must be finite and above 0",
    )
}
