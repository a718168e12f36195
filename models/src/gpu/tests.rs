//! The suite of the executors, on a GPU. Software Vulkan counts: it runs the same kernels.

use std::sync::Arc;
use std::time::Duration;

use super::{Card, Gpu};
use crate::plan::random::Random;
use crate::plan::{Plan, reference};

/// Software Vulkan on a busy machine is slow; a test must not fail for that.
const PATIENCE: Duration = Duration::from_mins(2);

/// The GPU of this machine. Without one it says so, and fails where one is promised.
fn card() -> Option<Arc<Card>> {
    match Card::best() {
        Ok(card) => Some(Arc::new(card)),
        Err(error) => {
            assert!(
                std::env::var_os("WARDLIGHT_EXPECT_VULKAN").is_none_or(|value| value != "1"),
                "WARDLIGHT_EXPECT_VULKAN=1, but {error}"
            );
            eprintln!("NOT TESTED ON A GPU: {error}");
            None
        }
    }
}

fn agree(what: &str, card: &Arc<Card>, plan: &Plan, random: &mut Random, batches: &[usize]) {
    let mut gpu = Gpu::new(card, plan, PATIENCE).unwrap();
    for batch in batches {
        let inputs: Vec<Vec<f32>> = plan.inputs.iter().map(|shape| random.reals(shape.size() * batch)).collect();
        let inputs: Vec<&[f32]> = inputs.iter().map(Vec::as_slice).collect();
        let bits = |values: &[f32]| values.iter().map(|value| value.to_bits()).collect::<Vec<_>>();
        let expected = bits(&reference::run(plan, &inputs, *batch));
        assert_eq!(
            bits(&gpu.run(&inputs, *batch).unwrap()),
            expected,
            "{what}, batch {batch}: {plan:?}"
        );
    }
}

#[test]
fn random_plans_give_the_bits_of_the_reference() {
    let Some(card) = card() else { return };
    for seed in 0..40 {
        let mut random = Random::new(seed);
        let plan = random.plan();
        agree(&format!("seed {seed}"), &card, &plan, &mut random, &[1, 5, 27]);
    }
}
