//! Golden vectors of a waveform model: the rows of the graph's inputs with the logits that must come out.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::{FLOAT_TOLERANCE, compare};
use crate::ModelError;
use crate::certificate::Outcome;
use crate::network::Network;
use crate::package::Precision;
use crate::waveform::WaveformModel;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct WaveformGolden {
    vectors: Vec<Vector>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Vector {
    name: String,
    /// The subgroups of the patient and of the window, such as `sex = "female"`, for the quantization certificate.
    #[serde(default)]
    groups: BTreeMap<String, String>,
    /// A row of each input in the graph's order, channel after channel.
    inputs: Vec<Vec<f32>>,
    float_logits: Vec<f32>,
    int8_logits: Vec<f32>,
}

impl WaveformGolden {
    pub(crate) fn parse(content: &[u8]) -> Result<Self, ModelError> {
        let golden: Self = serde_json::from_slice(content).map_err(|cause| ModelError::GoldenFormat(cause.to_string()))?;
        if golden.vectors.is_empty() {
            return Err(ModelError::GoldenFormat("holds no vectors".to_owned()));
        }
        Ok(golden)
    }

    /// Runs every vector alone, then all in one batch, and compares.
    pub(crate) fn check(&self, network: &Network, precision: Precision) -> Result<(), ModelError> {
        let lengths = network.input_lengths();
        for vector in &self.vectors {
            if !vector.inputs.iter().map(Vec::len).eq(lengths.iter().copied()) {
                let found: Vec<usize> = vector.inputs.iter().map(Vec::len).collect();
                return Err(ModelError::GoldenFormat(format!(
                    "vector {:?} has inputs of {found:?} values, the graph takes {lengths:?}",
                    vector.name
                )));
            }
        }
        let joined = self.inputs();
        let joined: Vec<&[f32]> = joined.iter().map(Vec::as_slice).collect();
        let together = network.run(&joined, self.vectors.len())?;
        for (vector, logits) in self.vectors.iter().zip(together.chunks(network.classes())) {
            let inputs: Vec<&[f32]> = vector.inputs.iter().map(Vec::as_slice).collect();
            let alone = network.run(&inputs, 1)?;
            let name = &vector.name;
            compare(name, "result in a batch, against alone", logits, &alone, 0.0)?;
            match precision {
                Precision::Int8 => compare(name, "int8 logits", logits, &vector.int8_logits, 0.0)?,
                Precision::Float => compare(name, "float logits", logits, &vector.float_logits, FLOAT_TOLERANCE)?,
            }
        }
        Ok(())
    }

    /// All vectors as one batch: the rows of each input one after the other.
    pub(crate) fn inputs(&self) -> Vec<Vec<f32>> {
        let count = self.vectors.first().map_or(0, |vector| vector.inputs.len());
        let rows = |input| self.vectors.iter().filter_map(move |vector| vector.inputs.get(input));
        (0..count).map(|input| rows(input).flatten().copied().collect()).collect()
    }

    /// How many vectors there are.
    pub(crate) const fn len(&self) -> usize {
        self.vectors.len()
    }

    /// What `model` says about each vector: the probabilities of its classes, and the class with the largest; of a single class, whether it
    /// is more likely than not.
    pub(crate) fn outcomes(&self, model: &WaveformModel) -> Result<Vec<Outcome>, ModelError> {
        let outcome = |vector: &Vector| {
            let inputs: Vec<&[f32]> = vector.inputs.iter().map(Vec::as_slice).collect();
            let values = probabilities(&model.logits(&inputs, 1)?);
            let largest = (0..).zip(&values).max_by(|(_, a), (_, b)| a.total_cmp(b));
            let decision = match values.as_slice() {
                [single] => usize::from(*single > 0.5),
                _ => largest.map_or(0, |(class, _)| class),
            };
            Ok(Outcome {
                groups: vector.groups.iter().map(|(name, value)| format!("{name} {value}")).collect(),
                values,
                decision,
            })
        };
        self.vectors.iter().map(outcome).collect()
    }
}

/// Probabilities of exclusive classes; of a single one, whether it is there.
fn probabilities(logits: &[f32]) -> Vec<f32> {
    if let [single] = logits {
        return vec![1.0 / (1.0 + (-single).exp())];
    }
    let highest = logits.iter().copied().fold(f32::MIN, f32::max);
    let powers: Vec<f32> = logits.iter().map(|logit| (logit - highest).exp()).collect();
    let sum: f32 = powers.iter().sum();
    powers.into_iter().map(|power| power / sum).collect()
}
