//! The integer plan on a GPU, through Vulkan: weights stay there, buffers are reused, and while one part of a batch is
//! computed the next is on its way. Everything there is integers, so every driver gives the bytes of the reference.
//!
//! Deliberately absent: any fall-back. Whoever asks is told what went wrong and goes on with the CPU.

mod companion;
mod device;
mod executor;
mod program;

#[cfg(test)]
mod tests;

pub(crate) use companion::{Companion, check};
pub use companion::{GpuTiming, GpuTrial};
pub use device::Card;
pub(crate) use executor::Gpu;
