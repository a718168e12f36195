//! From a checked graph to a plan. `None` is no fault: a graph that the plan does not know runs on tract.

use super::{Conv, Output, Plan, Rescale, Scale, Shape, Step};
use crate::graph::{Element, Graph, Levels, Linear, Node, Operation, Value};

/// What a value of the graph is while the plan is made.
#[derive(Clone, Debug)]
enum Meaning {
    /// An f32 input of the graph.
    Input(usize),
    /// A row of levels.
    Row(usize),
    /// Reals that have not been stored yet.
    Real(Real),
}

/// What to compute from rows of levels when it is stored.
#[derive(Clone, Debug)]
enum Real {
    /// Each level alone: its real plus a constant for each channel, below 0 cut off if `relu`.
    Each {
        row: usize,
        scale: Scale,
        bias: Vec<f32>,
        relu: bool,
    },
    Mean {
        row: usize,
        scale: Scale,
    },
    Sum {
        rows: [usize; 2],
        scales: [Scale; 2],
        relu: bool,
    },
}

/// Lowers `graph`, if the plan has a step for everything in it.
pub(crate) fn lower(graph: &Graph) -> Option<Plan> {
    let mut lowering = Lowering {
        graph,
        meanings: Vec::new(),
        rows: Vec::new(),
        steps: Vec::new(),
    };
    let inputs = graph.values.get(..graph.inputs)?;
    lowering.meanings.extend((0..graph.inputs).map(Meaning::Input));
    for node in &graph.nodes {
        let meaning = lowering.node(node)?;
        lowering.meanings.push(meaning);
    }
    let Meaning::Real(Real::Each {
        row,
        scale,
        bias,
        relu: false,
    }) = lowering.meanings.get(graph.output)?.clone()
    else {
        return None;
    };
    let plan = Plan {
        inputs: inputs.iter().map(shape).collect::<Option<_>>()?,
        rows: lowering.rows,
        steps: lowering.steps,
        output: Output { from: row, scale, bias },
    };
    plan.padding().is_some().then_some(plan)
}

struct Lowering<'a> {
    graph: &'a Graph,
    /// One for each value, in the graph's order.
    meanings: Vec<Meaning>,
    rows: Vec<Shape>,
    steps: Vec<Step>,
}

impl Lowering<'_> {
    fn node(&mut self, node: &Node) -> Option<Meaning> {
        let to = shape(self.graph.values.get(node.output)?)?;
        let first = *node.inputs.first()?;
        match &node.operation {
            Operation::Quantize(levels) => self.store(self.meanings.get(first)?.clone(), to, scale(levels)?),
            Operation::Dequantize(levels) => Some(Meaning::Real(Real::Each {
                row: self.row(first)?,
                scale: scale(levels)?,
                bias: vec![0.0],
                relu: false,
            })),
            Operation::Linear(linear) => {
                let from = self.row(first)?;
                let conv = Box::new(convolution(linear)?);
                Some(self.step(to, |to| Step::Conv { from, to, conv }))
            }
            Operation::FloatLinear => None,
            Operation::AddConstant(constant) => {
                let (row, scale) = self.plain(first)?;
                // On rows [channels, length] the constant would run along the length.
                if constant.len() > 1 && to.length > 1 {
                    return None;
                }
                let bias = constant.clone();
                Some(Meaning::Real(Real::Each {
                    row,
                    scale,
                    bias,
                    relu: false,
                }))
            }
            Operation::Add => {
                let (a, b) = (self.plain(first)?, self.plain(*node.inputs.get(1)?)?);
                Some(Meaning::Real(Real::Sum {
                    rows: [a.0, b.0],
                    scales: [a.1, b.1],
                    relu: false,
                }))
            }
            Operation::Relu => match self.meanings.get(first)?.clone() {
                Meaning::Real(Real::Each { row, scale, bias, .. }) => Some(Meaning::Real(Real::Each {
                    row,
                    scale,
                    bias,
                    relu: true,
                })),
                Meaning::Real(Real::Sum { rows, scales, .. }) => Some(Meaning::Real(Real::Sum {
                    rows,
                    scales,
                    relu: true,
                })),
                _ => None,
            },
            Operation::AveragePool => {
                let (row, scale) = self.plain(first)?;
                // Sums of so many levels are exact in f32, in whatever order they are added.
                let exact = self.rows.get(row)?.length <= 1 << 16;
                exact.then_some(Meaning::Real(Real::Mean { row, scale }))
            }
            Operation::Concat => {
                let from = node.inputs.iter().map(|index| self.row(*index)).collect::<Option<Vec<_>>>()?;
                Some(self.step(to, |to| Step::Concat { from, to }))
            }
            Operation::Flatten => self.flatten(first, to),
        }
    }

    /// Stores a meaning as a row of levels.
    fn store(&mut self, meaning: Meaning, shape: Shape, scale: Scale) -> Option<Meaning> {
        let step = match meaning {
            Meaning::Row(_) => return None,
            Meaning::Input(input) => self.step(shape, |to| Step::Quantize { input, to, scale }),
            Meaning::Real(Real::Each {
                row,
                scale: from,
                bias,
                relu,
            }) => {
                let table = |bias: &f32| {
                    std::array::from_fn(|level| {
                        let real = from.real(level as u8) + bias;
                        scale.store(if relu { real.max(0.0) } else { real })
                    })
                };
                let tables = bias.iter().map(table).collect();
                self.step(shape, |to| Step::Table { from: row, to, tables })
            }
            Meaning::Real(Real::Mean { row, scale: from }) => {
                let mean = Rescale { from, to: scale };
                self.step(shape, |to| Step::Mean { from: row, to, mean })
            }
            Meaning::Real(Real::Sum { rows, scales, relu }) => self.step(shape, |to| Step::Add {
                from: rows,
                to,
                terms: scales,
                sum: scale,
                relu,
            }),
        };
        Some(step)
    }

    /// The bytes stay where they are if the row has one channel or one position; else their order would change.
    fn flatten(&mut self, value: usize, to: Shape) -> Option<Meaning> {
        let from = shape(self.graph.values.get(value)?)?;
        if from.channels != 1 && from.length != 1 {
            return None;
        }
        match self.meanings.get(value)?.clone() {
            Meaning::Row(from) => Some(self.step(to, |to| Step::Reshape { from, to })),
            // A constant for each channel would be a constant for each position.
            Meaning::Real(real) if from.length == 1 => Some(Meaning::Real(real)),
            Meaning::Real(_) | Meaning::Input(_) => None,
        }
    }

    fn step(&mut self, shape: Shape, step: impl FnOnce(usize) -> Step) -> Meaning {
        let to = self.rows.len();
        self.rows.push(shape);
        self.steps.push(step(to));
        Meaning::Row(to)
    }

    fn row(&self, value: usize) -> Option<usize> {
        match self.meanings.get(value)? {
            Meaning::Row(row) => Some(*row),
            Meaning::Input(_) | Meaning::Real(_) => None,
        }
    }

    /// A row that was turned into reals and nothing else.
    fn plain(&self, value: usize) -> Option<(usize, Scale)> {
        match self.meanings.get(value)? {
            Meaning::Real(Real::Each {
                row,
                scale,
                bias,
                relu: false,
            }) if *bias == [0.0] => Some((*row, *scale)),
            _ => None,
        }
    }
}

/// A row of one axis is channels at one position.
fn shape(value: &Value) -> Option<Shape> {
    match *value.row.as_slice() {
        [channels] => Some(Shape { channels, length: 1 }),
        [channels, length] => Some(Shape { channels, length }),
        _ => None,
    }
}

/// i8 levels are stored 128 higher, as u8.
fn scale(levels: &Levels) -> Option<Scale> {
    let raised = match levels.element {
        Element::U8 => 0,
        Element::I8 => 128,
        Element::F32 => return None,
    };
    let step = Some(levels.scale).filter(|step| is_power_of_two(*step))?;
    let zero = u8::try_from(levels.zero + raised).ok()?;
    Some(Scale { step, zero })
}

fn convolution(linear: &Linear) -> Option<Conv> {
    let (input, output) = (scale(&linear.input)?, scale(&linear.output)?);
    let each_output = linear.weight_scales.iter().cycle().take(linear.outputs);
    let factors: Vec<f32> = each_output.map(|weight| input.step * weight / output.step).collect();
    let exact = linear
        .weight_scales
        .iter()
        .chain(&factors)
        .all(|factor| is_power_of_two(*factor));
    let row = linear.inputs / linear.groups * linear.kernel;
    // Also the sums of levels times weights, before the zero point is taken off, must fit.
    let fits = linear.weights.chunks(row).zip(&linear.bias).all(|(weights, bias)| {
        let largest: i64 = weights.iter().map(|weight| 255 * i64::from(weight.unsigned_abs())).sum();
        2 * largest + i64::from(bias.unsigned_abs()) <= i64::from(i32::MAX)
    });
    (exact && fits).then(|| Conv {
        inputs: linear.inputs,
        outputs: linear.outputs,
        groups: linear.groups,
        kernel: linear.kernel,
        stride: linear.stride,
        padding: linear.padding,
        weights: linear.weights.clone(),
        bias: linear.bias.clone(),
        factors,
        zero_in: input.zero,
        zero_out: output.zero,
    })
}

/// Only then are quantizing, dequantizing and requantizing exact in f32, on every machine.
fn is_power_of_two(value: f32) -> bool {
    const MANTISSA: u32 = (1 << 23) - 1;
    value.is_normal() && (1.0 / value).is_normal() && value > 0.0 && value.to_bits() & MANTISSA == 0
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::lower;
    use crate::graph::{self, Graph, Operation};
    use crate::manifest::Manifest;

    fn example() -> Graph {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/packages/cnn");
        let read = |name: &str| std::fs::read(folder.join(name)).unwrap();
        let manifest = Manifest::parse(&folder, &read("manifest.toml")).unwrap();
        graph::read("example", &read("model.int8.onnx"), &manifest).unwrap().1
    }

    #[test]
    fn a_graph_is_planned_only_if_its_scales_are_powers_of_two_and_its_sums_fit() {
        assert!(lower(&example()).is_some());
        let mut odd_scale = example();
        let quantize = odd_scale.nodes.iter_mut().find_map(|node| match &mut node.operation {
            Operation::Quantize(levels) => Some(levels),
            _ => None,
        });
        quantize.unwrap().scale *= 1.5;
        assert_eq!(lower(&odd_scale), None);

        let mut overflow = example();
        let linear = overflow.nodes.iter_mut().find_map(|node| match &mut node.operation {
            Operation::Linear(linear) => Some(linear),
            _ => None,
        });
        linear.unwrap().bias[0] = i32::MAX;
        assert_eq!(lower(&overflow), None);
    }
}
