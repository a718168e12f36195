//! The plan as it is defined, in plain Rust: what every other executor is held to. Slow, on purpose without a trick.

use super::{Conv, Plan, Shape, Step, saturate};

/// Runs `batch` rows. `inputs` hold the rows of each input one after the other, channel after channel.
pub(crate) fn run(plan: &Plan, inputs: &[&[f32]], batch: usize) -> Vec<f32> {
    (0..batch)
        .flat_map(|row| {
            let of_row = |(values, shape): (&&[f32], &Shape)| {
                let skip = row * shape.size();
                values.iter().skip(skip).take(shape.size()).copied().collect()
            };
            let inputs: Vec<Vec<f32>> = inputs.iter().zip(&plan.inputs).map(of_row).collect();
            run_row(plan, &inputs)
        })
        .collect()
}

fn run_row(plan: &Plan, inputs: &[Vec<f32>]) -> Vec<f32> {
    let mut rows: Vec<Vec<u8>> = vec![Vec::new(); plan.rows.len()];
    for step in &plan.steps {
        let (to, levels) = run_step(plan, step, inputs, &rows);
        if let Some(row) = rows.get_mut(to) {
            *row = levels;
        }
    }
    let output = &plan.output;
    let levels = rows.get(output.from).map_or(&[][..], Vec::as_slice);
    let real = levels.iter().zip(output.bias.iter().cycle());
    real.map(|(level, bias)| output.scale.real(*level) + bias).collect()
}

fn run_step(plan: &Plan, step: &Step, inputs: &[Vec<f32>], rows: &[Vec<u8>]) -> (usize, Vec<u8>) {
    let row = |index: usize| rows.get(index).map_or(&[][..], Vec::as_slice);
    let shape = |index: usize| plan.rows.get(index).copied().unwrap_or(Shape { channels: 0, length: 0 });
    match step {
        Step::Quantize { input, to, scale } => {
            let Shape { channels, length } = shape(*to);
            let samples = inputs.get(*input).map_or(&[][..], Vec::as_slice);
            let interleaved = (0..length).flat_map(|position| samples.iter().skip(position).step_by(length).take(channels));
            (*to, interleaved.map(|real| scale.store(*real)).collect())
        }
        Step::Conv { from, to, conv } => (*to, convolve(conv, row(*from), shape(*from), shape(*to))),
        Step::Mean { from, to, mean } => {
            let Shape { channels, length } = shape(*from);
            let means = (0..channels).map(|channel| {
                let levels = row(*from).iter().skip(channel).step_by(channels);
                let sum: f32 = levels.map(|level| mean.from.real(*level)).sum();
                mean.to.store(sum / length as f32)
            });
            (*to, means.collect())
        }
        Step::Add {
            from: [a, b],
            to,
            terms,
            sum,
            relu,
        } => {
            let sums = row(*a).iter().zip(row(*b)).map(|(a, b)| {
                let real = terms[0].real(*a) + terms[1].real(*b);
                sum.store(if *relu { real.max(0.0) } else { real })
            });
            (*to, sums.collect())
        }
        Step::Concat { from, to } => {
            let joined = (0..shape(*to).length).flat_map(|position| {
                from.iter().flat_map(move |index| {
                    let channels = shape(*index).channels;
                    row(*index).iter().skip(position * channels).take(channels)
                })
            });
            (*to, joined.copied().collect())
        }
        Step::Table { from, to, tables } => {
            let looked_up = row(*from).iter().zip(tables.iter().cycle());
            let looked_up = looked_up.filter_map(|(level, table)| table.get(usize::from(*level)));
            (*to, looked_up.copied().collect())
        }
        Step::Reshape { from, to } => (*to, row(*from).to_vec()),
    }
}

fn convolve(conv: &Conv, levels: &[u8], from: Shape, to: Shape) -> Vec<u8> {
    let inputs = conv.inputs / conv.groups;
    let outputs = conv.outputs / conv.groups;
    let mut result = Vec::with_capacity(to.size());
    for position in 0..to.length {
        for (output, ((weights, bias), factor)) in conv
            .weights
            .chunks(inputs * conv.kernel)
            .zip(&conv.bias)
            .zip(&conv.factors)
            .enumerate()
        {
            let mut sum = *bias;
            for (index, weight) in weights.iter().enumerate() {
                let channel = output / outputs * inputs + index / conv.kernel;
                let padded = position * conv.stride + index % conv.kernel;
                // Padding stands for 0 and adds nothing.
                let at = padded.checked_sub(conv.padding[0]).filter(|at| *at < from.length);
                let level = at.and_then(|at| levels.get(at * from.channels + channel));
                sum += level.map_or(0, |level| i32::from(*level) - i32::from(conv.zero_in)) * i32::from(*weight);
            }
            result.push(saturate(sum as f32 * factor, conv.zero_out));
        }
    }
    result
}
