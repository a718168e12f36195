//! Model packages: signed folders that hold a quantized ONNX model, its float original, its manifest, golden vectors,
//! reference histograms and card. Nothing unsigned, altered or unable to reproduce its golden vectors on this machine
//! is ever loaded.
//!
//! ```no_run
//! use wardlight_models::{Package, TrustedKeys, deterioration};
//!
//! # fn main() -> Result<(), wardlight_models::ModelError> {
//! let package = Package::open("models/packages/deterioration".as_ref(), &TrustedKeys::release()?)?;
//! let model = package.load()?;
//! let hours = [[Some(92.0), Some(18.0), Some(118.0), Some(66.0), Some(83.0), Some(37.2)]; 12];
//! let risk = model.predict(&[deterioration::features(Some(71.0), &hours).into_row()])?;
//! # Ok(())
//! # }
//! ```
//!
//! Deliberately absent: any clock, any thread, any way to skip a check.

#![cfg_attr(
    test,
    allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing,
        reason = "tests fail by panicking"
    )
)]

pub mod certificate;
pub mod deterioration;
pub mod ecg_beat;
pub mod ecg_vf;
mod error;
mod golden;
mod gpu;
mod graph;
mod hex;
mod keys;
pub mod life;
pub mod manifest;
mod model;
mod network;
mod package;
mod plan;
mod reference;
mod shapley;
mod strip;
mod timing;
mod tract;
mod waveform;

pub use error::ModelError;
pub use gpu::{Card, GpuTiming, GpuTrial};
pub use keys::TrustedKeys;
pub use manifest::Manifest;
pub use model::{Band, Model};
pub use network::{Backend, Engine};
pub use package::{Package, Precision};
pub use plan::cpu::Isa;
pub use strip::StripExplanation;
pub use waveform::WaveformModel;
