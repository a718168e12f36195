//! From messages of `wardlight-core` to topics and native payloads: for simulators, tests and the journal's export.

mod cbor;
mod json;

use wardlight_core::ids::SiteId;
use wardlight_core::message::{Body, Message};

use crate::topic::{DeviceTopic, Topic};

pub use cbor::cbor;
pub use json::json;

/// What the message is about, as its topic says it.
pub const fn topic_kind(body: &Body) -> DeviceTopic {
    match body {
        Body::Birth(_) => DeviceTopic::Birth,
        Body::State { .. } => DeviceTopic::State,
        Body::Numerics(_) => DeviceTopic::Num,
        Body::Wave(block) => DeviceTopic::Wave(block.waveform),
        Body::Alarm(_) => DeviceTopic::Alarm,
        Body::Event(_) => DeviceTopic::Event,
    }
}

/// The topic that the device publishes the message to.
pub fn topic_of(site: &SiteId, message: &Message) -> String {
    Topic::Device {
        site: site.clone(),
        device: message.device.clone(),
        kind: topic_kind(&message.body),
    }
    .to_string()
}

/// A value in thousandths as `(mantissa, exponent)` with the fewest digits.
fn shortest(thousandths: i32) -> (i32, i8) {
    match thousandths {
        t if t % 1000 == 0 => (t / 1000, 0),
        t if t % 100 == 0 => (t / 100, -1),
        t if t % 10 == 0 => (t / 10, -2),
        t => (t, -3),
    }
}
