//! Device profiles: what a model of device measures and how it sends it, as TOML that people can read and change.
//!
//! A profile describes a model, not a single device: it holds no names, keys or certificates.
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

mod behaviour;
mod channel;
mod error;
mod profile;
mod reader;

pub use behaviour::{Battery, Failing, Platform, Settable, Telling};
pub use channel::{ChannelProfile, WaveProfile};
pub use error::{Fault, ProfileError};
pub use profile::Profile;
