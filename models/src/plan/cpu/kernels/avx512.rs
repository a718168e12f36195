//! AVX-512 VNNI: four bytes of the window times four weights, for sixteen outputs, in one instruction.

use std::arch::x86_64::{
    __m512i, _mm_mask_storeu_epi8, _mm512_add_epi32, _mm512_cvtepi32_ps, _mm512_cvtps_epi32, _mm512_cvtusepi32_epi8,
    _mm512_dpbusd_epi32, _mm512_load_si512, _mm512_loadu_ps, _mm512_loadu_si512, _mm512_max_epi32, _mm512_max_ps, _mm512_min_ps,
    _mm512_mul_ps, _mm512_set1_epi32, _mm512_set1_ps, _mm512_setzero_si512,
};

use super::{Bounded, Packed, Panel};
use crate::plan::cpu::pack::BLOCK;

/// Runs all positions of a panel.
///
/// # Safety
/// The processor has the instructions; the job lies within its bounds; the panel is whole.
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni")]
pub(super) unsafe fn panel(packed: &Packed, panel: &Panel, job: Bounded, positions: usize) {
    // SAFETY: passed on.
    unsafe {
        match panel.blocks {
            4 => tiles::<6, 4>(packed, panel, job, positions),
            2 => tiles::<12, 2>(packed, panel, job, positions),
            _ => tiles::<16, 1>(packed, panel, job, positions),
        }
    }
}

/// Tiles of `P` positions, then the rest in ever smaller ones.
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni")]
unsafe fn tiles<const P: usize, const B: usize>(packed: &Packed, panel: &Panel, job: Bounded, positions: usize) {
    let mut done = 0;
    // SAFETY: `done` stays below `positions`, and a tile has no more positions than are left.
    unsafe {
        while positions - done >= P {
            tile::<P, B>(packed, panel, job.from(done));
            done += P;
        }
        while positions - done >= 3 {
            tile::<3, B>(packed, panel, job.from(done));
            done += 3;
        }
        while positions > done {
            tile::<1, B>(packed, panel, job.from(done));
            done += 1;
        }
    }
}

/// `P` positions of `B` blocks, all sums in registers.
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni")]
#[inline]
#[allow(clippy::indexing_slicing, reason = "constant indices")]
unsafe fn tile<const P: usize, const B: usize>(packed: &Packed, panel: &Panel, job: Bounded) {
    // SAFETY: reads lie within a window's reach, within `lines` and within bias and factors; writes are masked to the
    // outputs there are.
    unsafe {
        let mut sums = [[_mm512_setzero_si512(); B]; P];
        for b in 0..B {
            let bias = _mm512_loadu_si512(packed.bias.as_ptr().add(panel.first + b * BLOCK).cast());
            for sums in &mut sums {
                sums[b] = bias;
            }
        }
        let mut lines = panel.lines.as_ptr();
        for run in 0..panel.runs {
            let start = job.source.add(panel.offset + run * panel.run_step);
            for chunk in 0..panel.chunks {
                let mut weights = [_mm512_setzero_si512(); B];
                for weights in &mut weights {
                    *weights = _mm512_load_si512((*lines).0.as_ptr().cast());
                    lines = lines.add(1);
                }
                for (p, sums) in sums.iter_mut().enumerate() {
                    let window = start.add(p * job.source_step + 4 * chunk);
                    let levels = _mm512_set1_epi32(window.cast::<i32>().read_unaligned());
                    for b in 0..B {
                        sums[b] = _mm512_dpbusd_epi32(sums[b], levels, weights[b]);
                    }
                }
            }
        }
        for b in 0..B {
            let first = panel.first + b * BLOCK;
            for (p, sums) in sums.iter().enumerate() {
                store(packed, first, sums[b], job.target.add(p * job.target_step));
            }
        }
    }
}

/// Sums to levels: multiplied, rounded with ties to even, clamped.
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni")]
#[inline]
unsafe fn store(packed: &Packed, first: usize, sums: __m512i, target: *mut u8) {
    // SAFETY: factors are filled up to whole blocks; the mask leaves out what is behind the outputs.
    unsafe {
        let factors = _mm512_loadu_ps(packed.factors.as_ptr().add(first));
        let zero = f32::from(packed.zero);
        let levels = _mm512_mul_ps(_mm512_cvtepi32_ps(sums), factors);
        // Clamped as f32, because the conversion to integers has no answer for what is too large.
        let levels = _mm512_max_ps(_mm512_min_ps(levels, _mm512_set1_ps(255.0 - zero)), _mm512_set1_ps(-zero));
        let levels = _mm512_add_epi32(_mm512_cvtps_epi32(levels), _mm512_set1_epi32(i32::from(packed.zero)));
        let bytes = _mm512_cvtusepi32_epi8(_mm512_max_epi32(levels, _mm512_setzero_si512()));
        let outputs = (packed.outputs - first).min(BLOCK);
        _mm_mask_storeu_epi8(target.add(first).cast(), (0xffff_u32 >> (BLOCK - outputs)) as u16, bytes);
    }
}
