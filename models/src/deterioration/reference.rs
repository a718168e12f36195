//! The distribution of the vitals in the training data, from `reference.json`.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::VITALS;
use crate::ModelError;
use crate::life::Input;

#[derive(Deserialize)]
struct Reference {
    histograms: BTreeMap<String, Histogram>,
}

#[derive(Deserialize)]
struct Histogram {
    edges: Vec<f64>,
    /// Of the vitals: one value for each hour of each stay.
    hourly_counts: Option<Vec<u64>>,
}

/// The vitals that have a histogram, with nothing counted here yet.
pub(crate) fn watched_inputs(content: &[u8]) -> Result<Vec<Input>, ModelError> {
    let wrong = |found: String| ModelError::Field {
        field: "reference.json",
        found,
        expected: "must hold histograms, each with edges and one count fewer than edges",
    };
    let reference: Reference = serde_json::from_slice(content).map_err(|cause| wrong(cause.to_string()))?;
    let mut inputs = Vec::new();
    for (name, histogram) in reference.histograms {
        let Some(counts) = histogram
            .hourly_counts
            .filter(|_| VITALS.iter().any(|vital| vital.name == name))
        else {
            continue;
        };
        if counts.len() + 1 != histogram.edges.len() {
            return Err(wrong(format!(
                "{name}: {} counts, {} edges",
                counts.len(),
                histogram.edges.len()
            )));
        }
        inputs.push(Input {
            name,
            edges: histogram.edges,
            current: vec![0; counts.len()],
            reference: counts,
        });
    }
    Ok(inputs)
}
