//! From topic and payload to a message of `wardlight-core`.

mod build;
mod cbor;
mod fields;
#[cfg(test)]
mod golden;
mod json;
pub(crate) mod number;
pub(crate) mod pull;
pub(crate) mod readings;
mod senml;
pub mod sparkplug;

use wardlight_core::ids::DeviceId;
use wardlight_core::message::Message;
use wardlight_core::time::Timestamp;

use crate::error::{DecodeError, RejectedReading};
use crate::format::Format;
use crate::limits::MAX_PAYLOAD_BYTES;
use crate::topic::{self, DEVICE_SHAPE, DeviceTopic};

use build::Sender;
use cbor::Cbor;
use fields::Fields;
pub(crate) use fields::keys_of;
use json::Json;
use pull::{Fault, FaultKind, Parse, Pull};

/// A message, and what of it had to be refused.
#[derive(Clone, Debug, PartialEq)]
pub struct Decoded {
    /// The message. A refused reading whose code is known stands in it without a value.
    pub message: Message,
    /// Readings, channels and fields that were refused, in order.
    pub rejected: Vec<RejectedReading>,
}

/// Reads one message of a device.
///
/// `content_type` is the MQTT 5 property; without one the first byte tells the format. `received_at` is our time: it stands in
/// for a missing device time in births and wills, and anchors relative times of SenML. A device time far off is kept as it is.
/// # Errors
/// [`DecodeError`] if the topic is no device's or the payload as a whole cannot be read.
pub fn decode(topic: &str, payload: &[u8], content_type: Option<&str>, received_at: Timestamp) -> Result<Decoded, DecodeError> {
    let (device, kind) = addressee(topic)?;
    if payload.is_empty() || payload.len() > MAX_PAYLOAD_BYTES {
        let bytes = payload.len();
        return Err(DecodeError::Size { device, bytes });
    }
    let format = format_of(&device, payload, content_type)?;
    let sender = Sender {
        device: device.clone(),
        kind,
        received_at,
    };
    let decoded = match format {
        Format::Cbor => native(Cbor::new(payload), sender),
        Format::Json => Json::new(payload).and_then(|json| native(json, sender)),
        Format::SenmlCbor => senml::decode(Cbor::new(payload), sender),
        Format::SenmlJson => Json::new(payload).and_then(|json| senml::decode(json, sender)),
    };
    decoded.map_err(|fault| blame(fault, device, format))
}

fn native<'a, P: Pull<'a>>(mut reader: P, sender: Sender) -> Parse<Decoded> {
    let mut fields = Fields::default();
    fields.read(&mut reader, sender.kind)?;
    reader.finish()?;
    build::message(&mut fields, sender)
}

fn addressee(topic: &str) -> Result<(DeviceId, DeviceTopic), DecodeError> {
    let refused = |expected| DecodeError::Topic {
        topic: topic::clipped(topic),
        expected,
    };
    let (site, device, kind) = topic::device_parts(topic).ok_or_else(|| refused(DEVICE_SHAPE))?;
    if kind == DeviceTopic::Cmd {
        return Err(refused("a topic that devices publish to; cmd is the agent's"));
    }
    let names = "site and device names of 1 to 64 characters of A-Z a-z 0-9 . _ -";
    if !is_name(site) {
        return Err(refused(names));
    }
    DeviceId::new(device).map_or_else(|_| Err(refused(names)), |id| Ok((id, kind)))
}

/// The rule of `wardlight_core::ids`, without making a copy.
fn is_name(text: &str) -> bool {
    let allowed = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-');
    (1..=64).contains(&text.len()) && text.bytes().all(allowed)
}

fn format_of(device: &DeviceId, payload: &[u8], content_type: Option<&str>) -> Result<Format, DecodeError> {
    let refused = |found, expected| DecodeError::Format {
        device: device.clone(),
        found,
        expected,
    };
    let generic = |t: &str| t.starts_with("application/json") || t.starts_with("application/cbor");
    match content_type.filter(|t| !t.is_empty() && !generic(t)) {
        Some(declared) => Format::from_content_type(declared).ok_or_else(|| {
            let expected = "application/vnd.vitals.v1+cbor, application/vnd.vitals.v1+json, application/senml+cbor or application/senml+json";
            refused(pull::quoted(declared), expected)
        }),
        None => Format::sniff(payload).ok_or_else(|| {
            let first = payload.first().copied().unwrap_or(0);
            refused(
                format!("first byte 0x{first:02X}"),
                "JSON ({ or [) or CBOR (a map or an array)",
            )
        }),
    }
}

fn blame(fault: Fault, device: DeviceId, format: Format) -> DecodeError {
    match *fault.0 {
        FaultKind::Malformed { at, found, expected } => DecodeError::Malformed {
            device,
            format,
            at,
            found,
            expected,
        },
        FaultKind::Field { field, found, expected } => DecodeError::Field {
            device,
            field,
            found,
            expected,
        },
    }
}
