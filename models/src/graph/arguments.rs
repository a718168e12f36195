//! What an operator is given, read with complaints that name the operator.

use std::collections::HashMap;

use tract_onnx::pb::{AttributeProto, NodeProto};

use super::constants::{Constant, Data};
use super::operators::Levels;
use super::{Element, Value};

pub(super) type Result<T> = std::result::Result<T, String>;

/// What an operator is given.
pub(super) struct Arguments<'a> {
    pub(super) node: &'a NodeProto,
    pub(super) inputs: Vec<Argument<'a>>,
}

pub(super) enum Argument<'a> {
    Value(usize, &'a Value),
    Constant(&'a str, &'a Constant),
}

impl<'a> Arguments<'a> {
    pub(super) fn new(node: &'a NodeProto, values: &'a [Value], constants: &'a HashMap<&str, Constant>) -> Result<Self> {
        let find = |name: &'a String| {
            if let Some(constant) = constants.get(name.as_str()) {
                return Ok(Argument::Constant(name, constant));
            }
            let index = values.iter().position(|value| value.name == *name);
            index
                .and_then(|index| Some(Argument::Value(index, values.get(index)?)))
                .ok_or_else(|| format!("operator {} takes {name:?}, which nothing before it gives", node.op_type))
        };
        let inputs = node.input.iter().map(find).collect::<Result<Vec<_>>>()?;
        Ok(Self { node, inputs })
    }

    /// The values among what it takes.
    pub(super) fn value_indices(&self) -> Vec<usize> {
        let values = self.inputs.iter().filter_map(|argument| match argument {
            Argument::Value(index, _) => Some(*index),
            Argument::Constant(..) => None,
        });
        values.collect()
    }

    pub(super) fn refuse<T>(&self, reason: &str) -> Result<T> {
        Err(format!("operator {} {reason}", self.node.op_type))
    }

    pub(super) fn name(&self, index: usize) -> &str {
        self.node.input.get(index).map_or("", String::as_str)
    }

    /// There must be no more than `most` inputs.
    pub(super) fn end(&self, most: usize) -> Result<()> {
        if self.inputs.len() > most {
            return self.refuse(&format!("has {} inputs, at most {most} are known", self.inputs.len()));
        }
        Ok(())
    }

    pub(super) fn any_value(&self, index: usize) -> Result<&'a Value> {
        match self.inputs.get(index) {
            Some(Argument::Value(_, value)) => Ok(value),
            Some(Argument::Constant(name, _)) => self.refuse(&format!("takes the constant {name:?} for its value")),
            None => self.refuse(&format!("has no input {index}")),
        }
    }

    pub(super) fn value(&self, index: usize, element: Element) -> Result<&'a Value> {
        let value = self.any_value(index)?;
        if value.element != element {
            return self.refuse(&format!(
                "takes {:?}, which is {:?}, must be {element:?}",
                value.name, value.element
            ));
        }
        Ok(value)
    }

    pub(super) fn constant(&self, index: usize) -> Result<&'a Constant> {
        match self.inputs.get(index) {
            Some(Argument::Constant(_, constant)) => Ok(constant),
            Some(Argument::Value(_, value)) => self.refuse(&format!("takes {:?}, which must be a constant", value.name)),
            None => self.refuse(&format!("has no input {index}")),
        }
    }

    pub(super) fn floats(&self, index: usize) -> Result<&'a Constant> {
        let constant = self.constant(index)?;
        match constant.data {
            Data::F32(_) => Ok(constant),
            _ => self.refuse(&format!("takes {:?}, which must be f32", self.name(index))),
        }
    }

    /// Scale and zero point of a whole tensor, at `index` and the next.
    pub(super) fn levels(&self, index: usize) -> Result<Levels> {
        let scale = self.floats(index)?;
        let (Data::F32(scales), true) = (&scale.data, scale.dims.iter().product::<usize>() == 1) else {
            return self.refuse(&format!("takes {:?}, which must be one scale", self.name(index)));
        };
        let (zero, element) = match &self.constant(index + 1)?.data {
            Data::U8(zero) => (zero.iter().copied().map(i32::from).collect::<Vec<_>>(), Element::U8),
            Data::I8(zero) => (zero.iter().copied().map(i32::from).collect(), Element::I8),
            _ => return self.refuse(&format!("takes {:?}, which must be u8 or i8", self.name(index + 1))),
        };
        match (scales.as_slice(), zero.as_slice()) {
            (&[scale], &[zero]) if scale > 0.0 => Ok(Levels { scale, zero, element }),
            _ => self.refuse(&format!("takes {:?}, which must be one scale above 0", self.name(index))),
        }
    }

    /// i8 weights, whose zero point two places behind must be 0.
    pub(super) fn weights(&self, index: usize) -> Result<(&'a [i8], &'a [usize])> {
        let weights = self.constant(index)?;
        let Data::I8(values) = &weights.data else {
            return self.refuse(&format!("takes the weights {:?}, which must be i8", self.name(index)));
        };
        match &self.constant(index + 2)?.data {
            Data::I8(zeros) if zeros.iter().all(|zero| *zero == 0) => Ok((values, &weights.dims)),
            _ => self.refuse(&format!("takes {:?}, which must be the zero point 0", self.name(index + 2))),
        }
    }

    pub(super) fn weight_scales(&self, index: usize, outputs: usize) -> Result<Vec<f32>> {
        match &self.floats(index)?.data {
            Data::F32(scales) if (scales.len() == 1 || scales.len() == outputs) && scales.iter().all(|s| *s > 0.0) => {
                Ok(scales.clone())
            }
            _ => self.refuse(&format!(
                "takes {:?}, which must be one scale above 0, or one for each output",
                self.name(index)
            )),
        }
    }

    /// Refuses every attribute that is not known.
    pub(super) fn attributes(&self, known: &[&str]) -> Result<()> {
        match self.node.attribute.iter().find(|a| !known.contains(&a.name.as_str())) {
            Some(unknown) => self.refuse(&format!("has the attribute {:?}, which is not accepted", unknown.name)),
            None => Ok(()),
        }
    }

    pub(super) fn attribute(&self, name: &str) -> Option<&'a AttributeProto> {
        self.node.attribute.iter().find(|attribute| attribute.name == name)
    }

    pub(super) fn number(&self, name: &str, default: i64) -> i64 {
        self.attribute(name).map_or(default, |attribute| attribute.i)
    }

    pub(super) fn numbers(&self, name: &str) -> Vec<i64> {
        self.attribute(name).map_or(Vec::new(), |attribute| attribute.ints.clone())
    }
}
