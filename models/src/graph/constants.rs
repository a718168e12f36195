//! The constants of an ONNX file, with their elements.

use std::collections::HashMap;

use tract_onnx::pb::{GraphProto, TensorProto};

/// ONNX `TensorProto.DataType`.
const FLOAT: i32 = 1;
const UINT8: i32 = 2;
const INT8: i32 = 3;
const INT32: i32 = 6;
const INT64: i32 = 7;

/// One constant tensor.
#[derive(Debug)]
pub(crate) struct Constant {
    pub(crate) dims: Vec<usize>,
    pub(crate) data: Data,
}

/// Its elements, row by row.
#[derive(Debug)]
pub(crate) enum Data {
    F32(Vec<f32>),
    U8(Vec<u8>),
    I8(Vec<i8>),
    I32(Vec<i32>),
    I64(Vec<i64>),
}

/// All constants by name; refuses what lies outside the file or is not stored plainly.
pub(super) fn read(graph: &GraphProto) -> Result<HashMap<&str, Constant>, String> {
    if !graph.sparse_initializer.is_empty() {
        return Err("has sparse constants".to_owned());
    }
    let mut constants = HashMap::new();
    for tensor in &graph.initializer {
        let constant = constant(tensor).map_err(|reason| format!("constant {:?} {reason}", tensor.name))?;
        if constants.insert(tensor.name.as_str(), constant).is_some() {
            return Err(format!("constant {:?} is there twice", tensor.name));
        }
    }
    Ok(constants)
}

fn constant(tensor: &TensorProto) -> Result<Constant, String> {
    if tensor.data_location.unwrap_or_default() != 0 || !tensor.external_data.is_empty() {
        return Err("lies outside the file, where no signature covers it".to_owned());
    }
    let dims = tensor
        .dims
        .iter()
        .map(|length| usize::try_from(*length).ok())
        .collect::<Option<Vec<_>>>()
        .ok_or_else(|| format!("has the shape {:?}", tensor.dims))?;
    let raw = tensor.raw_data.as_slice();
    let narrow = &tensor.int32_data;
    let data = match tensor.data_type {
        FLOAT => Data::F32(elements(raw, &tensor.float_data, f32::from_le_bytes)),
        UINT8 => Data::U8(elements(raw, &narrowed(narrow)?, u8::from_le_bytes)),
        INT8 => Data::I8(elements(raw, &narrowed(narrow)?, i8::from_le_bytes)),
        INT32 => Data::I32(elements(raw, narrow, i32::from_le_bytes)),
        INT64 => Data::I64(elements(raw, &tensor.int64_data, i64::from_le_bytes)),
        other => return Err(format!("has elements of type {other}; f32, u8, i8, i32 and i64 are accepted")),
    };
    let expected = dims.iter().try_fold(1_usize, |all, axis| all.checked_mul(*axis));
    if Some(data.len()) != expected {
        return Err(format!("has {} elements for the shape {dims:?}", data.len()));
    }
    if matches!(&data, Data::F32(values) if values.iter().any(|value| !value.is_finite())) {
        return Err("has an element that is not finite".to_owned());
    }
    Ok(Constant { dims, data })
}

/// Raw little-endian bytes if there are any, else the typed field.
fn elements<const N: usize, T: Copy>(raw: &[u8], typed: &[T], from: fn([u8; N]) -> T) -> Vec<T> {
    if raw.is_empty() {
        return typed.to_vec();
    }
    raw.as_chunks::<N>().0.iter().map(|bytes| from(*bytes)).collect()
}

/// ONNX stores narrow integers that are not raw as i32.
fn narrowed<T: TryFrom<i32>>(wide: &[i32]) -> Result<Vec<T>, String> {
    let narrow = wide.iter().map(|value| T::try_from(*value).ok());
    narrow
        .collect::<Option<Vec<_>>>()
        .ok_or_else(|| "has an element that does not fit its type".to_owned())
}

impl Data {
    fn len(&self) -> usize {
        match self {
            Self::F32(values) => values.len(),
            Self::U8(values) => values.len(),
            Self::I8(values) => values.len(),
            Self::I32(values) => values.len(),
            Self::I64(values) => values.len(),
        }
    }
}
