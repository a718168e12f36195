//! One suite for all executors: the same bits as the reference.

use super::cpu::{Cpu, Isa};
use super::random::Random;
use super::{Conv, Output, Plan, Scale, Shape, Step, reference, saturate};

type Executor = Box<dyn FnMut(&[&[f32]], usize) -> Vec<f32>>;

/// Every executor of this machine, by name.
fn executors(plan: &Plan) -> Vec<(String, Executor)> {
    let mut all: Vec<(String, Executor)> = Vec::new();
    for isa in Isa::available() {
        let mut cpu = Cpu::new(plan, isa).unwrap();
        all.push((
            format!("{isa:?}"),
            Box::new(move |inputs, batch| cpu.run(inputs, batch).unwrap()),
        ));
    }
    all
}

/// Runs `plan` on every executor, with `batches` of `inputs`, one batch after the other.
fn agree(what: &str, plan: &Plan, random: &mut Random, batches: &[usize]) {
    for (name, mut run) in executors(plan) {
        for batch in batches {
            let inputs: Vec<Vec<f32>> = plan.inputs.iter().map(|shape| random.reals(shape.size() * batch)).collect();
            let inputs: Vec<&[f32]> = inputs.iter().map(Vec::as_slice).collect();
            let expected = reference::run(plan, &inputs, *batch);
            assert_eq!(expected.len(), batch * plan.classes());
            let found = run(&inputs, *batch);
            let bits = |values: &[f32]| values.iter().map(|value| value.to_bits()).collect::<Vec<_>>();
            assert_eq!(bits(&found), bits(&expected), "{what}, {name}, batch {batch}: {plan:?}");
        }
    }
}

/// A plan of one convolution whose levels come out as they are.
fn single(conv: Conv, length: usize) -> Plan {
    let scale = Scale { step: 1.0, zero: 128 };
    let from = Shape {
        channels: conv.inputs,
        length,
    };
    let to = Shape {
        channels: conv.outputs,
        length: conv.output_length(length),
    };
    Plan {
        inputs: vec![from],
        rows: vec![from, to],
        steps: vec![
            Step::Quantize { input: 0, to: 0, scale },
            Step::Conv {
                from: 0,
                to: 1,
                conv: Box::new(conv),
            },
        ],
        output: Output {
            from: 1,
            scale: Scale { step: 1.0, zero: 0 },
            bias: vec![0.0],
        },
    }
}

#[test]
fn random_plans_give_the_bits_of_the_reference_on_every_executor() {
    for seed in 0..150 {
        let mut random = Random::new(seed);
        let plan = random.plan();
        agree(&format!("seed {seed}"), &plan, &mut random, &[1, 5, 27]);
    }
}

#[test]
fn single_convolutions_of_every_shape_agree() {
    for seed in 0..300 {
        let mut random = Random::new(1000 + seed);
        let inputs = random.within(1, 70) as usize;
        let length = random.within(1, 60) as usize;
        let conv = random.conv(inputs, length, false);
        agree(&format!("seed {seed}"), &single(conv, length), &mut random, &[1, 2]);
    }
}

#[test]
fn products_of_a_whole_batch_agree() {
    for seed in 0..60 {
        let mut random = Random::new(5000 + seed);
        let inputs = random.within(1, 200) as usize;
        let conv = random.conv(inputs, 1, true);
        agree(&format!("seed {seed}"), &single(conv, 1), &mut random, &[1, 3, 40]);
    }
}

#[test]
fn ties_go_to_the_even_level_and_what_is_outside_to_the_nearest() {
    for (levels, zero, expected) in [
        (0.5, 0, 0),
        (1.5, 0, 2),
        (2.5, 0, 2),
        (-0.5, 10, 10),
        (-1.5, 10, 8),
        (300.0, 0, 255),
        (-300.0, 10, 0),
        (f32::INFINITY, 128, 255),
        (f32::NEG_INFINITY, 128, 0),
    ] {
        assert_eq!(saturate(levels, zero), expected, "{levels} above {zero}");
    }
}
