//! Early-warning scores.
//!
//! Inputs are whole units (temperature in tenths), rounded half up beforehand; `None` is missing or too old. What is missing
//! makes a score a lower bound or leaves it open; it never counts as normal.

mod cuts;
mod mews;
mod news2;
mod qsofa;
mod shock_index;
mod sirs;

pub use mews::{Mews, MewsInput, MewsParts, MewsVariant};
pub use news2::{Band, News2, News2Input, News2Parts};
pub use qsofa::{Qsofa, QsofaInput, QsofaParts};
pub use shock_index::{Haemodynamics, HaemodynamicsInput, Measured};
pub use sirs::{Sirs, SirsInput, SirsParts};
