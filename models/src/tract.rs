//! tract, kept behind one door.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use tract_onnx::pb::ModelProto;
use tract_onnx::prelude::{
    Framework, InferenceModelExt, IntoRunnable, IntoTValue, Tensor, TractResult, TypedRunnableModel, tvec,
};

use crate::ModelError;
use crate::graph::Graph;

/// A graph as tract runs it.
pub(crate) struct Tract {
    model: &'static str,
    plan: Arc<TypedRunnableModel>,
    /// The shape of a row of each input.
    rows: Vec<Vec<usize>>,
}

impl std::fmt::Debug for Tract {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tract")
            .field("model", &self.model)
            .field("rows", &self.rows)
            .finish_non_exhaustive()
    }
}

impl Tract {
    /// Loads `proto`, which was read as `graph`.
    pub(crate) fn load(model: &'static str, proto: &ModelProto, graph: &Graph) -> Result<Self, ModelError> {
        let plan = guard(model, "load the graph", || {
            tract_onnx::onnx()
                .model_for_proto_model(proto)?
                .into_optimized()?
                .into_runnable()
        })?;
        let rows = graph.values.iter().take(graph.inputs).map(|value| value.row.clone());
        Ok(Self {
            model,
            plan,
            rows: rows.collect(),
        })
    }

    /// Runs `batch` rows in one go; `inputs` hold the rows of each input one after the other. Returns the output's
    /// elements. Every run has a state of its own, so nothing of one patient can stay behind for the next.
    pub(crate) fn run(&self, inputs: &[&[f32]], batch: usize) -> Result<Vec<f32>, ModelError> {
        guard(self.model, "run", || {
            let mut tensors = tvec!();
            for (values, row) in inputs.iter().zip(&self.rows) {
                let shape: Vec<usize> = std::iter::once(batch).chain(row.iter().copied()).collect();
                tensors.push(Tensor::from_shape(&shape, values)?.into_tvalue());
            }
            let outputs = self.plan.run(tensors)?;
            let output = outputs.first().ok_or_else(|| std::io::Error::other("no output"))?;
            Ok(output.to_plain_array_view::<f32>()?.iter().copied().collect::<Vec<f32>>())
        })
    }
}

/// tract panics on some odd graphs where it should return an error (an undetermined symbol, for one). A bad package
/// must be an error like any other, so panics end at this door. What was being built is dropped whole: no broken
/// state survives.
fn guard<T>(model: &str, action: &'static str, work: impl FnOnce() -> TractResult<T>) -> Result<T, ModelError> {
    let failed = |reason| ModelError::Engine {
        model: model.to_owned(),
        action,
        reason,
    };
    match catch_unwind(AssertUnwindSafe(work)) {
        Ok(result) => result.map_err(|cause| failed(format!("{cause:#}"))),
        Err(panic) => {
            let text = panic
                .downcast_ref::<String>()
                .map(String::as_str)
                .or_else(|| panic.downcast_ref::<&str>().copied());
            Err(failed(format!("it panicked: {}", text.unwrap_or("no message"))))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::guard;

    #[test]
    fn a_panic_of_the_engine_is_an_error_with_its_message() {
        let error = guard("model.int8.onnx", "run", || -> super::TractResult<()> {
            panic!("UndeterminedSymbol {}", 1)
        });
        let message = error.unwrap_err().to_string();
        assert_eq!(
            message,
            "model.int8.onnx: the engine could not run: it panicked: UndeterminedSymbol 1"
        );
    }
}
