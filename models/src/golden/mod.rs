//! Golden vectors: inputs with everything that must come out of them on every machine.

mod risk;
mod waveform;

pub(crate) use risk::RiskGolden;
pub(crate) use waveform::WaveformGolden;

use crate::ModelError;

/// Float engines add up in different orders; int8 has no such excuse and must be equal.
const FLOAT_TOLERANCE: f32 = 1e-4;

fn compare(vector: &str, quantity: &str, found: &[f32], expected: &[f32], tolerance: f32) -> Result<(), ModelError> {
    let near = found.iter().zip(expected).all(|(a, b)| (a - b).abs() <= tolerance);
    if near && found.len() == expected.len() {
        return Ok(());
    }
    Err(differs(vector, quantity, &found, &expected))
}

fn differs(vector: &str, quantity: &str, found: &impl std::fmt::Debug, expected: &impl std::fmt::Debug) -> ModelError {
    ModelError::Golden {
        vector: vector.to_owned(),
        quantity: quantity.to_owned(),
        found: format!("{found:?}"),
        expected: format!("{expected:?}"),
    }
}
