//! The distribution of the inputs in the training data, from `reference.json`.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::ModelError;
use crate::life::Input;

#[derive(Deserialize)]
struct Reference {
    /// Whose values they are; without it each value counts as a patient's.
    patients: Option<u64>,
    /// A package without any has no inputs that are watched.
    #[serde(default)]
    histograms: BTreeMap<String, Histogram>,
}

#[derive(Deserialize)]
struct Histogram {
    edges: Vec<f64>,
    /// One value for each hour of each stay, or for each beat or window; there are other histograms, such as those of the answers.
    #[serde(alias = "hourly_counts")]
    input_counts: Option<Vec<u64>>,
}

/// The inputs that have a histogram and a name that `is_input`, with nothing counted here yet.
pub(crate) fn watched_inputs(content: &[u8], is_input: impl Fn(&str) -> bool) -> Result<Vec<Input>, ModelError> {
    let wrong = |found: String| ModelError::Field {
        field: "reference.json",
        found,
        expected: "must hold histograms, each with edges and one count fewer than edges",
    };
    let reference: Reference = serde_json::from_slice(content).map_err(|cause| wrong(cause.to_string()))?;
    let mut inputs = Vec::new();
    for (name, histogram) in reference.histograms {
        let Some(counts) = histogram.input_counts.filter(|_| is_input(&name)) else {
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
            patients: reference.patients.unwrap_or_else(|| counts.iter().sum()),
            current: vec![0; counts.len()],
            reference: counts,
        });
    }
    Ok(inputs)
}
