//! Kernels that look at each level alone, in plain Rust that a compiler turns into vector instructions.

#![allow(
    clippy::inline_always,
    reason = "each is compiled anew into a function of every instruction set"
)]

use crate::plan::{Rescale, Scale, saturate};

#[inline(always)]
pub(super) fn quantize(reals: &[f32], levels: &mut [u8], scale: Scale) {
    let reciprocal = 1.0 / scale.step;
    for (level, real) in levels.iter_mut().zip(reals) {
        *level = saturate(real * reciprocal, scale.zero);
    }
}

#[inline(always)]
pub(super) fn interleave(reals: &[f32], channels: usize, levels: &mut [u8], scale: Scale) {
    let reciprocal = 1.0 / scale.step;
    let length = levels.len() / channels.max(1);
    for (channel, samples) in reals.chunks_exact(length.max(1)).enumerate() {
        let places = levels.iter_mut().skip(channel).step_by(channels.max(1));
        for (level, real) in places.zip(samples) {
            *level = saturate(real * reciprocal, scale.zero);
        }
    }
}

/// `sums` is room for one number a channel.
#[inline(always)]
pub(super) fn mean(levels: &[u8], sums: &mut [i32], means: &mut [u8], Rescale { from, to }: Rescale) {
    let channels = sums.len();
    let length = levels.len() / channels.max(1);
    sums.fill(-i32::from(from.zero) * length as i32);
    for position in levels.chunks_exact(channels.max(1)) {
        for (sum, level) in sums.iter_mut().zip(position) {
            *sum += i32::from(*level);
        }
    }
    // Sum times step is exact, as the sum of the reals would be; the division is the one of the mean.
    for (mean, sum) in means.iter_mut().zip(sums) {
        *mean = to.store(*sum as f32 * from.step / length as f32);
    }
}

#[inline(always)]
pub(super) fn add([a, b]: [(&[u8], Scale); 2], sums: &mut [u8], sum: Scale, relu: bool) {
    // A sum below 0 is stored as 0 or above, if it is cut off.
    let floor = if relu { 0.0 } else { f32::NEG_INFINITY };
    let reciprocal = 1.0 / sum.step;
    for ((stored, x), y) in sums.iter_mut().zip(a.0).zip(b.0) {
        let real = a.1.real(*x) + b.1.real(*y);
        *stored = saturate(real.max(floor) * reciprocal, sum.zero);
    }
}
