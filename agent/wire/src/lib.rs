//! The contract with devices: MQTT topics and payloads of `vitals/v1`, to and from the types of `wardlight-core`.
//!
//! Native payloads are CBOR with integer keys; the JSON twin carries the same fields under short names; SenML (RFC 8428) is
//! taken as an adapter for numerics. Nothing here does I/O or reads a clock: the time of receipt is an argument.
//!
//! One bad reading costs only itself ([`RejectedReading`]); a payload that cannot be read is a [`DecodeError`] that names the
//! device, the field, what was found and what was expected.
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

pub mod alert;
pub mod cmd;
pub mod contract;
mod decode;
pub mod encode;
mod error;
pub mod fhir;
mod format;
pub mod hl7;
mod key;
pub mod limits;
pub mod topic;

pub use alert::Alert;
pub use cmd::Cmd;
pub use decode::{Decoded, decode, sparkplug};
pub use encode::topic_of;
pub use error::{DecodeError, RejectReason, RejectedReading};
pub use format::Format;
pub use key::Key;
pub use topic::{DeviceTopic, Topic, TopicError, WardTopic};
