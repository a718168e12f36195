//! Device profiles: what a model of device measures and how it sends it, as TOML that people can read and change.
//!
//! A profile describes a model, not a single device. A single device has a [`Record`] in the registry and a certificate of the site's
//! [`Authority`]. Nothing here touches a disk or reads a clock.
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

mod access;
mod authority;
mod behaviour;
mod bundle;
mod certificate;
mod channel;
mod dates;
mod desired;
mod enrolment;
mod error;
mod firmware;
mod profile;
mod reader;
mod registry;

pub use access::{Listening, access_list, agent_name, mosquitto_conf};
pub use authority::{AUTHORITY_VALID_FOR, Authority, Holder, Revocation, VALID_FOR};
pub use behaviour::{Battery, Failing, Platform, Settable, Telling};
pub use bundle::{Bundle, BundleFile, CA_FILE, CERTIFICATE_FILE, KEY_FILE, SUMS_FILE};
pub use certificate::Certificate;
pub use channel::{ChannelProfile, WaveProfile};
pub use dates::rfc3339;
pub use desired::{SettingsError, configure, shown as shown_settings};
pub use enrolment::{EnrolError, PrivateKey, PublicKey};
pub use error::{Fault, ProfileError};
pub use firmware::{Firmware, check as check_firmware};
pub use profile::Profile;
pub use registry::{Issued, Record, Status};
