//! AVX2: two levels and two weights as 16-bit numbers, for eight outputs, in one instruction. Products of bytes as they
//! are (`maddubs`) would saturate at 16 bits.

use std::arch::x86_64::{
    _mm_packs_epi32, _mm_packus_epi16, _mm_set1_epi16, _mm_storeu_si128, _mm256_add_epi32, _mm256_castsi256_si128,
    _mm256_cvtepi32_ps, _mm256_cvtepu8_epi16, _mm256_cvtps_epi32, _mm256_extracti128_si256, _mm256_load_si256, _mm256_loadu_ps,
    _mm256_loadu_si256, _mm256_madd_epi16, _mm256_max_ps, _mm256_min_ps, _mm256_mul_ps, _mm256_set1_epi32, _mm256_set1_ps,
    _mm256_setzero_si256,
};

use super::{Bounded, Packed, Panel};
use crate::plan::cpu::pack::BLOCK;

/// Runs all positions of a panel.
///
/// # Safety
/// The processor has the instructions; the job lies within its bounds; the panel is whole.
#[target_feature(enable = "avx2")]
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
#[target_feature(enable = "avx2")]
#[inline]
#[allow(clippy::indexing_slicing, reason = "constant indices")]
unsafe fn tile<const P: usize>(packed: &Packed, panel: &Panel, block: usize, job: Bounded) {
    let first = panel.first + block * BLOCK;
    // SAFETY: reads lie within a window's reach, within `lines` and within bias and factors; of a block that is not
    // whole only the outputs there are are written.
    unsafe {
        let bias = packed.bias.as_ptr().add(first);
        let bias = [_mm256_loadu_si256(bias.cast()), _mm256_loadu_si256(bias.add(8).cast())];
        let mut sums = [bias; P];
        let mut line = panel.lines.as_ptr().add(block);
        for run in 0..panel.runs {
            let start = job.source.add(panel.offset + run * panel.run_step);
            for chunk in 0..panel.chunks {
                let weights = (*line).0.as_ptr();
                let weights = [_mm256_load_si256(weights.cast()), _mm256_load_si256(weights.add(32).cast())];
                line = line.wrapping_add(panel.blocks);
                for (p, sums) in sums.iter_mut().enumerate() {
                    let window = start.add(p * job.source_step + 2 * chunk);
                    let levels = _mm256_cvtepu8_epi16(_mm_set1_epi16(window.cast::<i16>().read_unaligned()));
                    sums[0] = _mm256_add_epi32(sums[0], _mm256_madd_epi16(levels, weights[0]));
                    sums[1] = _mm256_add_epi32(sums[1], _mm256_madd_epi16(levels, weights[1]));
                }
            }
        }
        let factors = packed.factors.as_ptr().add(first);
        let factors = [_mm256_loadu_ps(factors), _mm256_loadu_ps(factors.add(8))];
        let zero = f32::from(packed.zero);
        let (lowest, highest) = (_mm256_set1_ps(-zero), _mm256_set1_ps(255.0 - zero));
        for (p, sums) in sums.iter().enumerate() {
            let mut levels = [_mm256_setzero_si256(); 2];
            for half in 0..2 {
                let scaled = _mm256_mul_ps(_mm256_cvtepi32_ps(sums[half]), factors[half]);
                // Clamped as f32, because the conversion to integers has no answer for what is too large.
                let kept = _mm256_max_ps(_mm256_min_ps(scaled, highest), lowest);
                levels[half] = _mm256_add_epi32(_mm256_cvtps_epi32(kept), _mm256_set1_epi32(i32::from(packed.zero)));
            }
            let [low, high] =
                levels.map(|eight| _mm_packs_epi32(_mm256_castsi256_si128(eight), _mm256_extracti128_si256::<1>(eight)));
            let mut bytes = [0_u8; BLOCK];
            _mm_storeu_si128(bytes.as_mut_ptr().cast(), _mm_packus_epi16(low, high));
            let target = job.target.add(p * job.target_step + first);
            target.copy_from_nonoverlapping(bytes.as_ptr(), (packed.outputs - first).min(BLOCK));
        }
    }
}
