//! The operators that are accepted: what each may take, and the shape it gives.

use super::arguments::{Argument, Arguments, Result};
use super::constants::{Constant, Data};
use super::{Element, Value};

/// Operators that work on every row alone and are known to run exactly.
pub(super) const ACCEPTED: [&str; 13] = [
    "QuantizeLinear",
    "DequantizeLinear",
    "QLinearConv",
    "QLinearMatMul",
    "Conv",
    "MatMul",
    "Gemm",
    "Add",
    "Relu",
    "GlobalAveragePool",
    "ReduceMean",
    "Concat",
    "Flatten",
];

/// One operator with what the integer plan must know of it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Operation {
    /// f32 to levels.
    Quantize(Levels),
    /// Levels to f32.
    Dequantize(Levels),
    /// A convolution or matrix product on levels.
    Linear(Box<Linear>),
    /// The same in float: its weights stay with tract.
    FloatLinear,
    /// Adds one constant to each element of the last axis, or the same one to all.
    AddConstant(Vec<f32>),
    /// Adds two values of one shape.
    Add,
    /// What is below 0 becomes 0.
    Relu,
    /// The mean over the last axis.
    AveragePool,
    /// One after the other on the first axis of a row.
    Concat,
    /// All axes of a row become one.
    Flatten,
}

/// How real numbers are stored: `real = (level - zero) * scale`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Levels {
    pub(crate) scale: f32,
    pub(crate) zero: i32,
    pub(crate) element: Element,
}

/// `QLinearConv` in one dimension, or `QLinearMatMul`, which is the same on one position.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Linear {
    pub(crate) input: Levels,
    pub(crate) output: Levels,
    /// `[outputs][inputs / groups][kernel]`.
    pub(crate) weights: Vec<i8>,
    /// One scale for all weights, or one for each output.
    pub(crate) weight_scales: Vec<f32>,
    /// One for each output, in units of input scale times weight scale.
    pub(crate) bias: Vec<i32>,
    pub(crate) inputs: usize,
    pub(crate) outputs: usize,
    pub(crate) groups: usize,
    pub(crate) kernel: usize,
    pub(crate) stride: usize,
    /// Positions of padding in front and behind.
    pub(crate) padding: [usize; 2],
}

/// Reads one operator: what it does, how it stores its result and the shape of a row of it.
pub(super) fn read(arguments: &Arguments) -> Result<(Operation, Element, Vec<usize>)> {
    match arguments.node.op_type.as_str() {
        "QuantizeLinear" => {
            arguments.attributes(&["axis"])?;
            arguments.end(3)?;
            let x = arguments.value(0, Element::F32)?;
            let levels = arguments.levels(1)?;
            Ok((Operation::Quantize(levels), levels.element, x.row.clone()))
        }
        "DequantizeLinear" => {
            arguments.attributes(&["axis"])?;
            arguments.end(3)?;
            let levels = arguments.levels(1)?;
            let x = arguments.value(0, levels.element)?;
            Ok((Operation::Dequantize(levels), Element::F32, x.row.clone()))
        }
        "QLinearConv" => quantized_convolution(arguments),
        "QLinearMatMul" => quantized_product(arguments),
        "Conv" => float_convolution(arguments),
        "MatMul" | "Gemm" => float_product(arguments),
        "Add" => sum(arguments),
        "Relu" => {
            arguments.attributes(&[])?;
            arguments.end(1)?;
            let x = arguments.value(0, Element::F32)?;
            Ok((Operation::Relu, Element::F32, x.row.clone()))
        }
        "GlobalAveragePool" | "ReduceMean" => mean(arguments),
        "Concat" => concatenation(arguments),
        "Flatten" => {
            arguments.attributes(&["axis"])?;
            arguments.end(1)?;
            let x = arguments.any_value(0)?;
            if arguments.number("axis", 1) != 1 {
                return arguments.refuse("must have the axis 1: behind the batch");
            }
            Ok((Operation::Flatten, x.element, vec![x.row.iter().product()]))
        }
        _ => arguments.refuse("is not accepted"),
    }
}

fn quantized_convolution(arguments: &Arguments) -> Result<(Operation, Element, Vec<usize>)> {
    let (input, output) = (arguments.levels(1)?, arguments.levels(6)?);
    let x = arguments.value(0, input.element)?;
    let (weights, dims) = arguments.weights(3)?;
    let geometry = Geometry::read(arguments, x, dims)?;
    let weight_scales = arguments.weight_scales(4, geometry.outputs)?;
    let bias = if arguments.inputs.len() > 8 {
        let bias = arguments.constant(8)?;
        match &bias.data {
            Data::I32(values) if values.len() == geometry.outputs => values.clone(),
            _ => return arguments.refuse("must have one i32 bias for each output"),
        }
    } else {
        vec![0; geometry.outputs]
    };
    arguments.end(9)?;
    let row = vec![geometry.outputs, geometry.length];
    let linear = Linear {
        input,
        output,
        weights: weights.to_vec(),
        weight_scales,
        bias,
        inputs: geometry.inputs,
        outputs: geometry.outputs,
        groups: geometry.groups,
        kernel: geometry.kernel,
        stride: geometry.stride,
        padding: geometry.padding,
    };
    Ok((Operation::Linear(Box::new(linear)), output.element, row))
}

fn quantized_product(arguments: &Arguments) -> Result<(Operation, Element, Vec<usize>)> {
    arguments.attributes(&[])?;
    let (input, output) = (arguments.levels(1)?, arguments.levels(6)?);
    let x = arguments.value(0, input.element)?;
    let (weights, dims) = arguments.weights(3)?;
    let (&[inputs, outputs], [width]) = (dims, x.row.as_slice()) else {
        return arguments.refuse("must take a row and weights of rank 2");
    };
    if inputs != *width {
        return arguments.refuse(&format!("takes {width} values and weights for {inputs}"));
    }
    arguments.end(8)?;
    let transposed = (0..outputs).flat_map(|output| weights.iter().skip(output).step_by(outputs));
    let linear = Linear {
        input,
        output,
        weights: transposed.copied().collect(),
        weight_scales: arguments.weight_scales(4, outputs)?,
        bias: vec![0; outputs],
        inputs,
        outputs,
        groups: 1,
        kernel: 1,
        stride: 1,
        padding: [0, 0],
    };
    Ok((Operation::Linear(Box::new(linear)), output.element, vec![outputs]))
}

fn float_convolution(arguments: &Arguments) -> Result<(Operation, Element, Vec<usize>)> {
    let x = arguments.value(0, Element::F32)?;
    let weights = arguments.floats(1)?;
    let geometry = Geometry::read(arguments, x, &weights.dims)?;
    if arguments.inputs.len() > 2 && arguments.floats(2)?.dims != [geometry.outputs] {
        return arguments.refuse("must have one bias for each output");
    }
    arguments.end(3)?;
    Ok((Operation::FloatLinear, Element::F32, vec![geometry.outputs, geometry.length]))
}

fn float_product(arguments: &Arguments) -> Result<(Operation, Element, Vec<usize>)> {
    arguments.attributes(&["alpha", "beta", "transA", "transB"])?;
    let x = arguments.value(0, Element::F32)?;
    let weights = arguments.floats(1)?;
    let transposed = arguments.number("transB", 0) != 0;
    let (inputs, outputs) = match *weights.dims.as_slice() {
        [outputs, inputs] if transposed => (inputs, outputs),
        [inputs, outputs] => (inputs, outputs),
        _ => return arguments.refuse("must have weights of rank 2"),
    };
    // A transposed first input would put the batch where the columns are.
    if arguments.number("transA", 0) != 0 {
        return arguments.refuse("must not transpose its first input: that would mix the rows of the batch");
    }
    if x.row != [inputs] {
        return arguments.refuse(&format!("takes a row of {:?} values and weights for {inputs}", x.row));
    }
    if arguments.inputs.len() > 2 && arguments.floats(2)?.dims != [outputs] {
        return arguments.refuse("must have one bias for each output");
    }
    arguments.end(3)?;
    Ok((Operation::FloatLinear, Element::F32, vec![outputs]))
}

fn sum(arguments: &Arguments) -> Result<(Operation, Element, Vec<usize>)> {
    arguments.attributes(&[])?;
    arguments.end(2)?;
    let x = arguments.value(0, Element::F32)?;
    if let Ok(y) = arguments.value(1, Element::F32) {
        if x.row != y.row {
            return arguments.refuse(&format!("adds rows of {:?} and {:?}, must be of one shape", x.row, y.row));
        }
        return Ok((Operation::Add, Element::F32, x.row.clone()));
    }
    let constant = arguments.floats(1)?;
    if constant.dims.len() > 1 {
        return arguments.refuse(&format!(
            "takes a constant {:?} of rank {}",
            arguments.name(1),
            constant.dims.len()
        ));
    }
    let Data::F32(values) = &constant.data else {
        return arguments.refuse("must add f32");
    };
    if values.len() != 1 && Some(&values.len()) != x.row.last() {
        return arguments.refuse(&format!("adds {} values to rows of {:?}", values.len(), x.row));
    }
    Ok((Operation::AddConstant(values.clone()), Element::F32, x.row.clone()))
}

/// The mean over the last axis, of rows `[channels, length]`.
fn mean(arguments: &Arguments) -> Result<(Operation, Element, Vec<usize>)> {
    let x = arguments.value(0, Element::F32)?;
    let &[channels, _] = x.row.as_slice() else {
        return arguments.refuse("must take rows [channels, length]");
    };
    if arguments.node.op_type == "GlobalAveragePool" {
        arguments.attributes(&[])?;
        arguments.end(1)?;
        return Ok((Operation::AveragePool, Element::F32, vec![channels, 1]));
    }
    arguments.attributes(&["axes", "keepdims"])?;
    let axes = match arguments.inputs.get(1) {
        // From opset 18 on the axes are an input.
        Some(Argument::Constant(
            _,
            Constant {
                data: Data::I64(axes), ..
            },
        )) => axes.clone(),
        Some(_) => return arguments.refuse("must have constant axes"),
        None => arguments.numbers("axes"),
    };
    arguments.end(2)?;
    if axes != [2] && axes != [-1] {
        return arguments.refuse(&format!("takes the mean over the axes {axes:?}, must be the last one alone"));
    }
    let row = if arguments.number("keepdims", 1) == 0 {
        vec![channels]
    } else {
        vec![channels, 1]
    };
    Ok((Operation::AveragePool, Element::F32, row))
}

fn concatenation(arguments: &Arguments) -> Result<(Operation, Element, Vec<usize>)> {
    arguments.attributes(&["axis"])?;
    let first = arguments.any_value(0)?;
    let axis = arguments.number("axis", 0);
    // Counted from the end, -rank of a row is the axis behind the batch.
    if axis != 1 && axis != -(first.row.len() as i64) {
        return arguments.refuse(&format!("joins on axis {axis}, must be axis 1: behind the batch"));
    }
    let mut channels = 0;
    for index in 0..arguments.inputs.len() {
        let x = arguments.value(index, first.element)?;
        let (Some((own, rest)), Some((_, same))) = (x.row.split_first(), first.row.split_first()) else {
            return arguments.refuse("must take rows with an axis");
        };
        if rest != same {
            return arguments.refuse(&format!("joins rows of {:?} and {:?}", first.row, x.row));
        }
        channels += own;
    }
    let row = std::iter::once(channels).chain(first.row.iter().skip(1).copied());
    Ok((Operation::Concat, first.element, row.collect()))
}

/// The geometry of a convolution in one dimension.
struct Geometry {
    inputs: usize,
    outputs: usize,
    groups: usize,
    kernel: usize,
    stride: usize,
    padding: [usize; 2],
    length: usize,
}

impl Geometry {
    fn read(arguments: &Arguments, x: &Value, weights: &[usize]) -> Result<Self> {
        arguments.attributes(&["auto_pad", "dilations", "group", "kernel_shape", "pads", "strides"])?;
        let (&[inputs, samples], &[outputs, inputs_of_group, kernel]) = (x.row.as_slice(), weights) else {
            return arguments.refuse("must be a convolution in one dimension");
        };
        let padding_is_given = arguments
            .attribute("auto_pad")
            .is_none_or(|a| a.s.is_empty() || a.s == b"NOTSET");
        let dilations = arguments.numbers("dilations");
        let shape = arguments.numbers("kernel_shape");
        let fits = |found: &[i64], expected: usize| found.is_empty() || found == [expected as i64];
        if !padding_is_given || !fits(&dilations, 1) || !fits(&shape, kernel) {
            return arguments.refuse("must have pads in numbers, dilation 1 and the kernel of its weights");
        }
        let one = |name: &str, default: i64| match arguments.numbers(name).as_slice() {
            [] => small(default),
            [value] => small(*value),
            _ => None,
        };
        let padding = match arguments.numbers("pads").as_slice() {
            [] => Some([0, 0]),
            [front, behind] => small(*front).zip(small(*behind)).map(<[usize; 2]>::from),
            _ => None,
        };
        let (Some(stride), Some(padding), Some(groups)) = (one("strides", 1), padding, small(arguments.number("group", 1)))
        else {
            return arguments.refuse("has impossible pads, strides or group");
        };
        let grouped = groups > 0 && inputs_of_group.checked_mul(groups) == Some(inputs) && outputs.is_multiple_of(groups);
        let padded = samples + padding[0] + padding[1];
        if !grouped || stride == 0 || kernel == 0 || outputs == 0 || kernel > padded {
            return arguments.refuse(&format!(
                "takes {inputs} channels of {samples} samples and weights {weights:?} in {groups} groups: these do not fit"
            ));
        }
        Ok(Self {
            inputs,
            outputs,
            groups,
            kernel,
            stride,
            padding,
            length: (padded - kernel) / stride + 1,
        })
    }
}

/// A length that is not absurd.
fn small(value: i64) -> Option<usize> {
    usize::try_from(value).ok().filter(|value| *value < 1 << 20)
}
