//! What an ONNX file may contain. Checked on the file itself, before any engine sees it.
//!
//! The result is a directed graph of operators whose shapes are known, with the weights as constants. Each of them
//! works on every row of the batch alone, so the batch cannot change a patient's result.

mod arguments;
mod constants;
mod operators;

use std::collections::HashMap;

use tract_onnx::pb::{GraphProto, ModelProto, NodeProto, ValueInfoProto, tensor_shape_proto, type_proto};
use tract_onnx::prelude::Framework;

use crate::ModelError;
use crate::manifest::{Dimension, End, Manifest};
use arguments::Arguments;
use constants::Constant;
pub(crate) use operators::{Levels, Linear, Operation};

/// Operators whose scale comes from the data they are given.
const DYNAMIC: [&str; 4] = [
    "DynamicQuantizeLinear",
    "DynamicQuantizeMatMul",
    "MatMulInteger",
    "ConvInteger",
];

/// ONNX `TensorProto.DataType.FLOAT`.
const FLOAT: i32 = 1;

/// Values in a row that an operator may give: a bound on memory, far above any model of the ward.
const MOST_VALUES: usize = 1 << 24;

/// A graph that was accepted.
#[derive(Debug)]
pub(crate) struct Graph {
    /// Everything that is computed, the graph's inputs first.
    pub(crate) values: Vec<Value>,
    /// How many of the values are inputs.
    pub(crate) inputs: usize,
    /// The operators, in an order in which they can run.
    pub(crate) nodes: Vec<Node>,
    /// The index of the graph's output.
    pub(crate) output: usize,
}

/// One tensor that depends on the input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Value {
    /// Its name in the file.
    pub(crate) name: String,
    /// How its elements are stored.
    pub(crate) element: Element,
    /// The shape of one row: everything behind the batch axis.
    pub(crate) row: Vec<usize>,
}

/// How an element is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Element {
    F32,
    U8,
    I8,
}

/// One operator at its place.
#[derive(Debug)]
pub(crate) struct Node {
    pub(crate) operation: Operation,
    /// The values it takes.
    pub(crate) inputs: Vec<usize>,
    /// The value it gives.
    pub(crate) output: usize,
}

/// Reads `content` and refuses everything that is not accepted.
pub(crate) fn read(model: &str, content: &[u8], manifest: &Manifest) -> Result<(ModelProto, Graph), ModelError> {
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
    // Operators first: "dynamic quantization" says more than a complaint about its inputs.
    for node in &graph.node {
        check_operator(model, node)?;
    }
    let constants = constants::read(graph).map_err(refuse)?;
    check_ends(model, graph, manifest)?;
    let graph = connect(graph, &constants, manifest).map_err(refuse)?;
    Ok((proto, graph))
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
    if !operators::ACCEPTED.contains(&node.op_type.as_str()) {
        return Err(ModelError::UnknownOperator { model, operator });
    }
    Ok(())
}

/// Inputs and output must be what the manifest says.
fn check_ends(model: &str, graph: &GraphProto, manifest: &Manifest) -> Result<(), ModelError> {
    let ends = [
        ("input", &graph.input, manifest.inputs()),
        ("output", &graph.output, vec![manifest.output()]),
    ];
    for (which, found, expected) in ends {
        let expected = expected.iter().map(describe).collect::<Vec<_>>().join(" and ");
        let found = found.iter().map(describe_value).collect::<Vec<_>>().join(" and ");
        if found != expected {
            return Err(ModelError::Shape {
                model: model.to_owned(),
                which,
                found,
                expected,
            });
        }
    }
    Ok(())
}

/// Follows the values from the inputs to the output, through operators that each know their shapes.
fn connect(graph: &GraphProto, constants: &HashMap<&str, Constant>, manifest: &Manifest) -> Result<Graph, String> {
    let mut values: Vec<Value> = manifest.inputs().iter().map(input).collect();
    let inputs = values.len();
    let mut nodes: Vec<Node> = Vec::with_capacity(graph.node.len());
    for node in &graph.node {
        let [name] = node.output.as_slice() else {
            return Err(format!("operator {} must have one output", node.op_type));
        };
        if constants.contains_key(name.as_str()) || values.iter().any(|value| value.name == *name) {
            return Err(format!("operator {} gives {name:?}, which there is already", node.op_type));
        }
        let arguments = Arguments::new(node, &values, constants)?;
        let (operation, element, row) = operators::read(&arguments)?;
        if row
            .iter()
            .try_fold(1_usize, |all, axis| all.checked_mul(*axis))
            .unwrap_or(usize::MAX)
            > MOST_VALUES
        {
            return Err(format!(
                "operator {} gives a row of {row:?} values, which is too large",
                node.op_type
            ));
        }
        nodes.push(Node {
            operation,
            inputs: arguments.value_indices(),
            output: values.len(),
        });
        values.push(Value {
            name: name.clone(),
            element,
            row,
        });
    }
    let last = values.len() - 1;
    let output = end(&values, &manifest.output())?;
    let unused = (0..=last).find(|index| *index != output && !nodes.iter().any(|node| node.inputs.contains(index)));
    if let Some(unused) = unused.and_then(|index| values.get(index)) {
        return Err(format!("{:?} is used by no operator", unused.name));
    }
    Ok(Graph {
        values,
        inputs,
        nodes,
        output,
    })
}

/// The index of the output, if it is what the manifest says.
fn end(values: &[Value], expected: &End) -> Result<usize, String> {
    let last = values.last().map_or("", |value| &value.name);
    let index = values
        .iter()
        .position(|value| value.name == expected.name)
        .ok_or_else(|| format!("ends in {last:?}, the manifest's output is {:?}", expected.name))?;
    let wanted = input(expected);
    match values.get(index) {
        Some(found) if *found == wanted => Ok(index),
        found => Err(format!(
            "computes {:?} for {:?}, the manifest says f32 {:?} for each row",
            found.map(|value| (value.element, &value.row)),
            expected.name,
            wanted.row
        )),
    }
}

fn input(end: &End) -> Value {
    let row = end.shape.iter().filter_map(|axis| match axis {
        Dimension::Fixed(length) => Some(*length),
        Dimension::Named(_) => None,
    });
    Value {
        name: end.name.to_owned(),
        element: Element::F32,
        row: row.collect(),
    }
}

fn describe(end: &End) -> String {
    let axes = end.shape.iter().map(|axis| match axis {
        Dimension::Named(name) => name.clone(),
        Dimension::Fixed(length) => length.to_string(),
    });
    format!("{:?} f32 [{}]", end.name, axes.collect::<Vec<_>>().join(", "))
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
