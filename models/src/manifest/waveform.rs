//! The manifest of a waveform model: a window of samples, and perhaps what is known of the rhythm around it, in; one
//! logit for each class out.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::{Dimension, End, check_identity, require};
use crate::ModelError;

/// The format of such a manifest.
pub(super) const FORMAT: u32 = 2;

/// Values a row of one input may have: 4096 s at 500 Hz on eight channels is not a window any more.
const MOST_VALUES: usize = 1 << 20;

/// The whole of a format 2 `manifest.toml`. Unknown fields are refused.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WaveformManifest {
    /// Version of the format; 2.
    pub format: u32,
    /// Name of the model, lower-case letters, digits and hyphens.
    pub id: String,
    /// Version of the model.
    pub version: String,
    /// One sentence for people.
    pub summary: String,
    /// The graph's inputs: the window `["batch", channels, samples]`, then, if the model takes one, a row of features
    /// `["batch", columns]`.
    pub input: Vec<Tensor>,
    /// The graph's output.
    pub output: Classes,
    /// What the window is made of.
    pub signal: Signal,
    /// Probability from which a class counts as found, for each class that has a threshold.
    pub thresholds: BTreeMap<String, f32>,
    /// Further figures that the model's own way from signal to row and from logits to probability needs, by name.
    #[serde(default)]
    pub parameters: BTreeMap<String, Figure>,
    /// SHA-256 of every file, in hexadecimal digits.
    pub files: BTreeMap<String, String>,
    /// What it was trained on.
    pub training: WaveformTraining,
    /// How it did on records it never saw.
    pub metrics: BTreeMap<String, Figure>,
    /// How far int8 is from float on those records.
    pub agreement: BTreeMap<String, Figure>,
}

/// One input of the graph.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tensor {
    /// Its name in the graph.
    pub name: String,
    /// Its shape, batch first.
    pub shape: Vec<Dimension>,
    /// Unit of its values.
    pub unit: String,
    /// Name of each column, of a row of features.
    #[serde(default)]
    pub features: Vec<String>,
}

/// The graph's output: one logit for each class.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Classes {
    /// Its name in the graph.
    pub name: String,
    /// Its shape, `["batch", classes]`.
    pub shape: Vec<Dimension>,
    /// Unit of its values.
    pub unit: String,
    /// Name of each class.
    pub classes: Vec<String>,
}

/// What the window is made of.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Signal {
    /// Samples a second the model was made for; other signals are resampled.
    pub sampling_hz: f64,
}

/// What the model was trained on.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WaveformTraining {
    /// The script, from the root of the repository.
    pub script: String,
    /// The data sets.
    pub data: Vec<String>,
    /// Their licences, in the same order.
    pub licence: Vec<String>,
    /// Whom to credit.
    pub attribution: String,
    /// What was predicted.
    pub label: String,
    /// How train, validation and test were separated.
    pub split: String,
    /// The seed of everything random.
    pub seed: u64,
}

/// A figure: a number, an interval or list, a word, or a table of figures.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(untagged)]
pub enum Figure {
    /// A number.
    Number(f64),
    /// An interval or list of numbers.
    Numbers(Vec<f64>),
    /// A word, such as the part of the data it was judged on.
    Text(String),
    /// Figures of parts, such as one for each class.
    Table(BTreeMap<String, Figure>),
}

impl Tensor {
    pub(super) fn end(&self) -> End<'_> {
        End {
            name: &self.name,
            shape: &self.shape,
        }
    }

    /// Values in one row of the batch.
    fn values(&self) -> usize {
        let lengths = self.shape.iter().map(|axis| match axis {
            Dimension::Fixed(length) => *length,
            Dimension::Named(_) => 1,
        });
        lengths.fold(1, usize::saturating_mul)
    }
}

impl WaveformManifest {
    /// Where the rows of features have a column of this name.
    pub fn column(&self, name: &str) -> Option<usize> {
        let mut columns = self.input.iter().flat_map(|input| &input.features);
        columns.position(|column| column == name)
    }

    /// Checks what the types cannot say.
    pub(crate) fn check(&self) -> Result<(), ModelError> {
        check_identity(&self.id, &self.version)?;
        let names: Vec<&str> = self.input.iter().map(|input| input.name.as_str()).collect();
        let Some((window, rest)) = self.input.split_first() else {
            return require(false, "input", &names, "must be one or two inputs");
        };
        require(rest.len() <= 1, "input", &names, "must be one or two inputs")?;
        require(
            matches!(window.shape.as_slice(), [batch, Dimension::Fixed(_), Dimension::Fixed(_)] if is_batch(batch)),
            "input.shape",
            &window.shape,
            "must be [\"batch\", channels, samples] for the first input",
        )?;
        for features in rest {
            let expected = [batch(), Dimension::Fixed(features.features.len())];
            require(
                features.shape == expected,
                "input.shape",
                &features.shape,
                "must be [\"batch\", columns] for the second input, one column for each name in its `features`",
            )?;
        }
        for input in &self.input {
            require(
                (1..=MOST_VALUES).contains(&input.values()),
                "input.shape",
                &input.shape,
                "must have 1 to 1048576 values in a row",
            )?;
        }
        let classes = &self.output.classes;
        let mut distinct = classes.clone();
        distinct.sort_unstable();
        distinct.dedup();
        require(
            !classes.is_empty() && distinct.len() == classes.len(),
            "output.classes",
            classes,
            "must be one or more different names",
        )?;
        require(
            self.output.shape == [batch(), Dimension::Fixed(classes.len())],
            "output.shape",
            &self.output.shape,
            "must be [\"batch\", classes], one column for each class",
        )?;
        let hz = self.signal.sampling_hz;
        require(
            hz.is_finite() && hz > 0.0,
            "signal.sampling_hz",
            &hz,
            "must be finite and above 0",
        )?;
        for (class, threshold) in &self.thresholds {
            require(
                classes.contains(class) && 0.0 < *threshold && *threshold < 1.0,
                "thresholds",
                &(class, threshold),
                "must be a class of output.classes with a probability above 0 and below 1",
            )?;
        }
        Ok(())
    }
}

fn batch() -> Dimension {
    Dimension::Named("batch".to_owned())
}

fn is_batch(axis: &Dimension) -> bool {
    *axis == batch()
}
