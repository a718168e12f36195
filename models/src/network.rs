//! A checked graph with the engine that runs it.

use crate::ModelError;
use crate::graph;
use crate::manifest::Manifest;
use crate::package::Precision;
use crate::tract::Tract;

/// What runs a graph.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Engine {
    /// tract: any graph that is accepted, float too.
    Tract,
}

/// A graph with one or two f32 inputs `[batch, …]` and one f32 output `[batch, classes]`.
#[derive(Debug)]
pub(crate) struct Network {
    model: &'static str,
    /// Values in a row of each input.
    lengths: Vec<usize>,
    classes: usize,
    tract: Tract,
}

impl Network {
    pub(crate) fn load(manifest: &Manifest, precision: Precision, content: &[u8]) -> Result<Self, ModelError> {
        let model = precision.file();
        let (proto, graph) = graph::read(model, content, manifest)?;
        let length = |value: &graph::Value| value.row.iter().product();
        Ok(Self {
            model,
            lengths: graph.values.iter().take(graph.inputs).map(length).collect(),
            classes: graph.values.get(graph.output).map_or(0, length),
            tract: Tract::load(model, &proto, &graph)?,
        })
    }

    /// What runs the graph.
    #[allow(clippy::unused_self, reason = "the integer plan is the other answer")]
    pub(crate) fn engine(&self) -> Engine {
        Engine::Tract
    }

    /// Values in a row of each input, in the graph's order.
    pub(crate) fn input_lengths(&self) -> &[usize] {
        &self.lengths
    }

    /// Values in a row of the output.
    pub(crate) fn classes(&self) -> usize {
        self.classes
    }

    /// Runs `batch` rows in one go. `inputs` hold the rows of each input one after the other, finite values; returns
    /// `[batch, classes]`, finite too.
    pub(crate) fn run(&self, inputs: &[&[f32]], batch: usize) -> Result<Vec<f32>, ModelError> {
        if !inputs
            .iter()
            .map(|rows| rows.len())
            .eq(self.lengths.iter().map(|length| length * batch))
        {
            let found: Vec<usize> = inputs.iter().map(|rows| rows.len()).collect();
            return Err(self.failed(format!("{found:?} values for {batch} rows of {:?} values", self.lengths)));
        }
        if batch == 0 {
            return Ok(Vec::new());
        }
        if let Some(position) = inputs
            .iter()
            .find_map(|rows| rows.iter().position(|value| !value.is_finite()))
        {
            return Err(self.failed(format!("value {position} of an input is not finite")));
        }
        let values = self.tract.run(inputs, batch)?;
        if values.len() != batch * self.classes || values.iter().any(|value| !value.is_finite()) {
            return Err(self.failed(format!(
                "{} values for {batch} rows, or a value that is not finite",
                values.len()
            )));
        }
        Ok(values)
    }

    fn failed(&self, reason: String) -> ModelError {
        ModelError::Engine {
            model: self.model.to_owned(),
            action: "run",
            reason,
        }
    }
}
