//! tract, kept behind one door.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use tract_onnx::pb::ModelProto;
use tract_onnx::prelude::{
    Framework, InferenceModelExt, IntoRunnable, IntoTValue, Tensor, TractResult, TypedRunnableModel, tract_ndarray, tvec,
};

use crate::ModelError;

/// A loaded graph with one f32 input `[batch, width]` and one f32 output `[batch, 1]`.
pub(crate) struct Engine {
    model: &'static str,
    plan: Arc<TypedRunnableModel>,
    width: usize,
}

impl std::fmt::Debug for Engine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Engine")
            .field("model", &self.model)
            .field("width", &self.width)
            .finish_non_exhaustive()
    }
}

impl Engine {
    pub(crate) fn load(model: &'static str, proto: &ModelProto, width: usize) -> Result<Self, ModelError> {
        let plan = guard(model, "load the graph", || {
            tract_onnx::onnx()
                .model_for_proto_model(proto)?
                .into_optimized()?
                .into_runnable()
        })?;
        Ok(Self { model, plan, width })
    }

    /// Runs `rows`, all of them in one batch, and returns one value a row. Every run has a state of its own, so
    /// nothing of one patient can stay behind for the next.
    pub(crate) fn run(&self, rows: Vec<f32>) -> Result<Vec<f32>, ModelError> {
        let batch = rows.len() / self.width.max(1);
        guard(self.model, "run", || {
            let input: Tensor = tract_ndarray::Array2::from_shape_vec((batch, self.width), rows)?.into();
            let outputs = self.plan.run(tvec!(input.into_tvalue()))?;
            let output = outputs.first().ok_or_else(|| std::io::Error::other("no output"))?;
            Ok(output.to_plain_array_view::<f32>()?.iter().copied().collect::<Vec<f32>>())
        })
        .and_then(|values| {
            if values.len() == batch && values.iter().all(|v| v.is_finite()) {
                return Ok(values);
            }
            Err(ModelError::Engine {
                model: self.model.to_owned(),
                action: "run",
                reason: format!("{} values for {batch} rows, or a value that is not finite", values.len()),
            })
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
