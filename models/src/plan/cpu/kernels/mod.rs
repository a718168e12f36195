//! The instruction sets. The one place with `unsafe`: what a processor can do is asked before a kernel is chosen, and
//! the bounds of every job are checked before a pointer is made of it.

#![allow(
    unsafe_code,
    reason = "instructions beyond the baseline of the target, and loads without a check for each byte"
)]

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
mod elements;
#[cfg(target_arch = "aarch64")]
mod neon;

use std::fmt;

use super::pack::{BLOCK, LineFormat, Packed, Panel};
use crate::plan::{Rescale, Scale};

/// An instruction set with kernels for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Isa {
    /// AVX-512 with VNNI: four products of bytes in one step.
    #[cfg(target_arch = "x86_64")]
    Avx512Vnni,
    /// AVX2: two products of 16-bit numbers in one step.
    #[cfg(target_arch = "x86_64")]
    Avx2,
    /// NEON: one product of 16-bit numbers in one step.
    #[cfg(target_arch = "aarch64")]
    Neon,
}

/// A convolution over positions that lie evenly spaced.
#[derive(Debug)]
pub(crate) struct Job<'a> {
    /// Starts with the window of the first position.
    pub(crate) source: &'a [u8],
    /// From the window of one position to the next.
    pub(crate) source_step: usize,
    /// Starts with the outputs of the first position.
    pub(crate) target: &'a mut [u8],
    /// From the outputs of one position to the next.
    pub(crate) target_step: usize,
    pub(crate) positions: usize,
}

/// The same as pointers, within bounds.
#[derive(Clone, Copy)]
struct Bounded {
    source: *const u8,
    source_step: usize,
    target: *mut u8,
    target_step: usize,
}

impl fmt::Display for Isa {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            #[cfg(target_arch = "x86_64")]
            Self::Avx512Vnni => "AVX512-VNNI",
            #[cfg(target_arch = "x86_64")]
            Self::Avx2 => "AVX2",
            #[cfg(target_arch = "aarch64")]
            Self::Neon => "NEON",
        })
    }
}

impl Isa {
    /// What this processor has, the fastest first.
    pub fn available() -> Vec<Self> {
        let mut found = Vec::new();
        #[cfg(target_arch = "x86_64")]
        {
            let avx2 = is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma");
            let wide = is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512bw");
            let vnni = is_x86_feature_detected!("avx512vl") && is_x86_feature_detected!("avx512vnni");
            if avx2 && wide && vnni {
                found.push(Self::Avx512Vnni);
            }
            if avx2 {
                found.push(Self::Avx2);
            }
        }
        #[cfg(target_arch = "aarch64")]
        if std::arch::is_aarch64_feature_detected!("neon") {
            found.push(Self::Neon);
        }
        found
    }

    pub(crate) const fn format(self) -> LineFormat {
        match self {
            #[cfg(target_arch = "x86_64")]
            Self::Avx512Vnni => LineFormat::Quads,
            #[cfg(target_arch = "x86_64")]
            Self::Avx2 => LineFormat::Pairs,
            #[cfg(target_arch = "aarch64")]
            Self::Neon => LineFormat::Columns,
        }
    }

    /// Runs a convolution; `None`, and nothing written, if the job does not lie within its bounds.
    pub(crate) fn convolve(self, packed: &Packed, job: &mut Job) -> Option<()> {
        if job.positions == 0 {
            return Some(());
        }
        let blocks: usize = packed.panels.iter().map(|panel| panel.blocks).sum();
        let last = job.positions - 1;
        let reads = last.checked_mul(job.source_step)?.checked_add(packed.reach(self.format()))?;
        let writes = last.checked_mul(job.target_step)?.checked_add(packed.outputs)?;
        let panels_are_whole = packed.panels.iter().all(|panel| {
            matches!(panel.blocks, 1 | 2 | 4)
                && panel.lines.len() == panel.runs * panel.chunks * panel.blocks
                && panel.first + panel.blocks * BLOCK <= packed.bias.len()
        });
        let rescaling_is_whole = packed.bias.len() == blocks * BLOCK && packed.factors.len() == packed.bias.len();
        let inside = reads <= job.source.len() && writes <= job.target.len() && packed.outputs <= packed.bias.len();
        if !(inside && panels_are_whole && rescaling_is_whole) {
            return None;
        }
        let bounded = Bounded {
            source: job.source.as_ptr(),
            source_step: job.source_step,
            target: job.target.as_mut_ptr(),
            target_step: job.target_step,
        };
        for panel in &packed.panels {
            // SAFETY: an `Isa` is made by `available` alone, so the processor has the instructions. Every window and
            // every result lies within the slices, and lines, biases and factors are whole, as checked above.
            unsafe { self.panel(packed, panel, bounded, job.positions) }
        }
        Some(())
    }

    /// Runs all positions of a panel.
    ///
    /// # Safety
    /// The processor has the instructions; the job lies within its bounds; the panel is whole.
    unsafe fn panel(self, packed: &Packed, panel: &Panel, job: Bounded, positions: usize) {
        match self {
            #[cfg(target_arch = "x86_64")]
            // SAFETY: passed on.
            Self::Avx512Vnni => unsafe { avx512::panel(packed, panel, job, positions) },
            #[cfg(target_arch = "x86_64")]
            // SAFETY: passed on.
            Self::Avx2 => unsafe { avx2::panel(packed, panel, job, positions) },
            #[cfg(target_arch = "aarch64")]
            // SAFETY: passed on.
            Self::Neon => unsafe { neon::panel(packed, panel, job, positions) },
        }
    }
}

impl Bounded {
    /// The same job from another position on.
    ///
    /// # Safety
    /// The job has that position.
    unsafe fn from(self, position: usize) -> Self {
        // SAFETY: the caller's promise.
        unsafe {
            Self {
                source: self.source.add(position * self.source_step),
                target: self.target.add(position * self.target_step),
                ..self
            }
        }
    }
}

/// Defines an element-wise kernel as the same Rust compiled for each instruction set: the compiler does the rest.
macro_rules! elementwise {
    ($(#[$doc:meta])* $name:ident($($argument:ident: $type:ty),*)) => {
        impl Isa {
            $(#[$doc])*
            pub(crate) fn $name(self, $($argument: $type),*) {
                #[cfg(target_arch = "x86_64")]
                #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,avx2,fma")]
                fn avx512($($argument: $type),*) {
                    elements::$name($($argument),*);
                }
                #[cfg(target_arch = "x86_64")]
                #[target_feature(enable = "avx2")]
                fn avx2($($argument: $type),*) {
                    elements::$name($($argument),*);
                }
                match self {
                    #[cfg(target_arch = "x86_64")]
                    // SAFETY: an `Isa` is made by `available` alone, so the processor has the instructions.
                    Self::Avx512Vnni => unsafe { avx512($($argument),*) },
                    #[cfg(target_arch = "x86_64")]
                    // SAFETY: as above.
                    Self::Avx2 => unsafe { avx2($($argument),*) },
                    #[cfg(target_arch = "aarch64")]
                    Self::Neon => elements::$name($($argument),*),
                }
            }
        }
    };
}

elementwise! {
    /// Stores reals of one channel.
    quantize(reals: &[f32], levels: &mut [u8], scale: Scale)
}
elementwise! {
    /// Stores reals of several channels, one channel after the other, interleaved.
    interleave(reals: &[f32], channels: usize, levels: &mut [u8], scale: Scale)
}
elementwise! {
    /// The mean of each channel.
    mean(levels: &[u8], sums: &mut [i32], means: &mut [u8], rescale: Rescale)
}
elementwise! {
    /// The sum of two rows.
    add(terms: [(&[u8], Scale); 2], sums: &mut [u8], sum: Scale, relu: bool)
}
