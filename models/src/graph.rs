//! What an ONNX file may contain. Checked on the file itself, before any engine sees it.
//!
//! The graph must be a chain: each operator takes the running value first and constants after it. With the accepted
//! operators every row is then computed from that row alone, so the batch cannot change a patient's result.

use std::collections::HashMap;

use tract_onnx::pb::{GraphProto, ModelProto, NodeProto, TensorProto, ValueInfoProto, tensor_shape_proto, type_proto};
use tract_onnx::prelude::Framework;

use crate::ModelError;
use crate::manifest::{Dimension, Manifest};

/// Operators known to run exactly, on rows, with constants after the first input.
const ACCEPTED: [&str; 6] = ["QuantizeLinear", "QLinearMatMul", "DequantizeLinear", "MatMul", "Add", "Relu"];

/// Operators whose scale comes from the data they are given.
const DYNAMIC: [&str; 4] = [
    "DynamicQuantizeLinear",
    "DynamicQuantizeMatMul",
    "MatMulInteger",
    "ConvInteger",
];

/// ONNX `TensorProto.DataType.FLOAT`.
const FLOAT: i32 = 1;

/// Reads `content` and refuses everything that is not accepted.
pub(crate) fn read(model: &str, content: &[u8], manifest: &Manifest) -> Result<ModelProto, ModelError> {
    let refuse = |reason: String| ModelError::Graph {
        model: model.to_owned(),
        reason,
    };
    let proto = tract_onnx::onnx()
        .proto_model_for_read(&mut &*content)
        .map_err(|cause| refuse(format!("is not ONNX: {cause}")))?;
    if !proto.functions.is_empty() || !proto.training_info.is_empty() {
        return Err(refuse("has functions of its own or training information".to_owned()));
    }
    let Some(graph) = &proto.graph else {
        return Err(refuse("has no graph".to_owned()));
    };
    // Operators first: "dynamic quantization" says more than "not a chain", which such a graph is not either.
    for node in &graph.node {
        check_operator(model, node)?;
    }
    check_constants(graph).map_err(refuse)?;
    check_chain(graph, manifest).map_err(refuse)?;
    let ends = [
        ("input", &graph.input, &manifest.input.name, &manifest.input.shape),
        ("output", &graph.output, &manifest.output.name, &manifest.output.shape),
    ];
    for (which, values, name, shape) in ends {
        let expected = describe(name, shape);
        let found: Vec<String> = values.iter().map(describe_value).collect();
        let found = found.join(" and ");
        if found != expected {
            return Err(ModelError::Shape {
                model: model.to_owned(),
                which,
                found,
                expected,
            });
        }
    }
    Ok(proto)
}

fn check_operator(model: &str, node: &NodeProto) -> Result<(), ModelError> {
    let (model, operator) = (model.to_owned(), node.op_type.clone());
    if DYNAMIC.contains(&node.op_type.as_str()) {
        return Err(ModelError::DynamicQuantization { model, operator });
    }
    if !node.domain.is_empty() && node.domain != "ai.onnx" {
        return Err(ModelError::ForeignOperator {
            model,
            operator,
            domain: node.domain.clone(),
        });
    }
    if !ACCEPTED.contains(&node.op_type.as_str()) {
        return Err(ModelError::UnknownOperator { model, operator });
    }
    Ok(())
}

fn check_constants(graph: &GraphProto) -> Result<(), String> {
    if !graph.sparse_initializer.is_empty() {
        return Err("has sparse constants".to_owned());
    }
    for constant in &graph.initializer {
        if constant.data_location.unwrap_or_default() != 0 || !constant.external_data.is_empty() {
            return Err(format!(
                "constant {:?} lies outside the file, where no signature covers it",
                constant.name
            ));
        }
    }
    Ok(())
}

/// Follows the value from the input to the output.
fn check_chain(graph: &GraphProto, manifest: &Manifest) -> Result<(), String> {
    let constants: HashMap<&str, &TensorProto> = graph.initializer.iter().map(|c| (c.name.as_str(), c)).collect();
    let mut value = manifest.input.name.as_str();
    for node in &graph.node {
        let operator = &node.op_type;
        let (Some((first, others)), [output]) = (node.input.split_first(), node.output.as_slice()) else {
            return Err(format!("operator {operator} must have an input and one output"));
        };
        if first != value {
            return Err(format!(
                "operator {operator} takes {first:?} first, must take {value:?}: the graph must be a chain"
            ));
        }
        for name in others {
            let Some(constant) = constants.get(name.as_str()) else {
                return Err(format!("operator {operator} takes {name:?}, which must be a constant"));
            };
            let rank = constant.dims.len();
            let is_weight = matches!(operator.as_str(), "MatMul" | "QLinearMatMul") && rank == 2;
            let is_bias = operator == "Add" && rank == 1;
            if rank > 0 && !is_weight && !is_bias {
                return Err(format!("operator {operator} takes a constant {name:?} of rank {rank}"));
            }
        }
        if !node.attribute.is_empty() {
            return Err(format!("operator {operator} has attributes, must have none"));
        }
        value = output;
    }
    if value != manifest.output.name {
        return Err(format!(
            "ends in {value:?}, the manifest's output is {:?}",
            manifest.output.name
        ));
    }
    Ok(())
}

fn describe(name: &str, shape: &[Dimension]) -> String {
    let axes = shape.iter().map(|axis| match axis {
        Dimension::Named(name) => name.clone(),
        Dimension::Fixed(length) => length.to_string(),
    });
    format!("{name:?} f32 [{}]", axes.collect::<Vec<_>>().join(", "))
}

fn describe_value(value: &ValueInfoProto) -> String {
    let kind = value.r#type.as_ref().and_then(|t| t.value.as_ref());
    let Some(type_proto::Value::TensorType(tensor)) = kind else {
        return format!("{:?} no tensor", value.name);
    };
    let axes = tensor.shape.iter().flat_map(|s| &s.dim).map(|axis| match &axis.value {
        Some(tensor_shape_proto::dimension::Value::DimValue(length)) => length.to_string(),
        Some(tensor_shape_proto::dimension::Value::DimParam(name)) => name.clone(),
        None => "?".to_owned(),
    });
    let element = if tensor.elem_type == FLOAT {
        "f32".to_owned()
    } else {
        format!("type {}", tensor.elem_type)
    };
    format!("{:?} {element} [{}]", value.name, axes.collect::<Vec<_>>().join(", "))
}
