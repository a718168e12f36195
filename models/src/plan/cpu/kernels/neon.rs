//! NEON, which every 64-bit Arm has: one level times sixteen weights as 16-bit numbers, summed in 32 bits.

use std::arch::aarch64::{
    int32x4_t, vaddq_s32, vcombine_s16, vcombine_u8, vcvtnq_s32_f32, vcvtq_f32_s32, vdup_n_s16, vdupq_n_f32, vdupq_n_s32,
    vget_high_s16, vget_low_s16, vld1q_f32, vld1q_s16, vld1q_s32, vmaxq_f32, vminq_f32, vmlal_s16, vmulq_f32, vqmovn_s32,
    vqmovun_s16, vst1q_u8,
};

use super::{Bounded, Packed, Panel};
use crate::plan::cpu::pack::BLOCK;

/// Runs all positions of a panel.
///
/// # Safety
/// The job lies within its bounds; the panel is whole.
#[target_feature(enable = "neon")]
pub(super) unsafe fn panel(packed: &Packed, panel: &Panel, job: Bounded, positions: usize) {
    for block in 0..panel.blocks {
        let mut done = 0;
        // SAFETY: `done` stays below `positions`, and a tile has no more positions than are left.
        unsafe {
            while positions - done >= 4 {
                tile::<4>(packed, panel, block, job.from(done));
                done += 4;
            }
            while positions > done {
                tile::<1>(packed, panel, block, job.from(done));
                done += 1;
            }
        }
    }
}

/// `P` positions of one block, all sums in registers.
#[target_feature(enable = "neon")]
#[inline]
#[allow(clippy::indexing_slicing, reason = "constant indices")]
unsafe fn tile<const P: usize>(packed: &Packed, panel: &Panel, block: usize, job: Bounded) {
    let first = panel.first + block * BLOCK;
    // SAFETY: reads lie within a window's reach, within `lines` and within bias and factors; of a block that is not
    // whole only the outputs there are are written.
    unsafe {
        let bias = packed.bias.as_ptr().add(first);
        let mut sums: [[int32x4_t; 4]; P] = [std::array::from_fn(|quarter| vld1q_s32(bias.add(4 * quarter))); P];
        let mut line = panel.lines.as_ptr().add(block);
        for run in 0..panel.runs {
            let start = job.source.add(panel.offset + run * panel.run_step);
            for chunk in 0..panel.chunks {
                for column in 0..2 {
                    let weights = (*line).0.as_ptr().cast::<i16>().add(column * BLOCK);
                    let weights = [vld1q_s16(weights), vld1q_s16(weights.add(8))];
                    for (p, sums) in sums.iter_mut().enumerate() {
                        let level = start.add(p * job.source_step + 2 * chunk + column).read();
                        let level = vdup_n_s16(i16::from(level));
                        sums[0] = vmlal_s16(sums[0], vget_low_s16(weights[0]), level);
                        sums[1] = vmlal_s16(sums[1], vget_high_s16(weights[0]), level);
                        sums[2] = vmlal_s16(sums[2], vget_low_s16(weights[1]), level);
                        sums[3] = vmlal_s16(sums[3], vget_high_s16(weights[1]), level);
                    }
                }
                line = line.wrapping_add(panel.blocks);
            }
        }
        let factors = packed.factors.as_ptr().add(first);
        let zero = f32::from(packed.zero);
        let (lowest, highest) = (vdupq_n_f32(-zero), vdupq_n_f32(255.0 - zero));
        for (p, sums) in sums.iter().enumerate() {
            let levels: [_; 4] = std::array::from_fn(|quarter| {
                let scaled = vmulq_f32(vcvtq_f32_s32(sums[quarter]), vld1q_f32(factors.add(4 * quarter)));
                let kept = vmaxq_f32(vminq_f32(scaled, highest), lowest);
                vqmovn_s32(vaddq_s32(vcvtnq_s32_f32(kept), vdupq_n_s32(i32::from(packed.zero))))
            });
            let low = vqmovun_s16(vcombine_s16(levels[0], levels[1]));
            let high = vqmovun_s16(vcombine_s16(levels[2], levels[3]));
            let mut bytes = [0_u8; BLOCK];
            vst1q_u8(bytes.as_mut_ptr(), vcombine_u8(low, high));
            let target = job.target.add(p * job.target_step + first);
            target.copy_from_nonoverlapping(bytes.as_ptr(), (packed.outputs - first).min(BLOCK));
        }
    }
}
