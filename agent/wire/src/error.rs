//! What can be wrong with a payload, in words that a device maker can act on.

use std::fmt;

use wardlight_core::ids::DeviceId;

use crate::format::Format;
use crate::limits::MAX_PAYLOAD_BYTES;

/// Why a whole message was refused. It belongs in quarantine; sending it again does not help.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// The topic is none that a device publishes to.
    #[error("topic {topic:?}: expected {expected}")]
    Topic {
        /// The topic found, cut at 200 characters.
        topic: String,
        /// What was expected.
        expected: &'static str,
    },
    /// The payload is empty or too large.
    #[error("device {device}: payload of {bytes} bytes: expected 1 to {MAX_PAYLOAD_BYTES}")]
    Size {
        /// Who sent it.
        device: DeviceId,
        /// Its size.
        bytes: usize,
    },
    /// The content type, or the first byte, is none of the contract's.
    #[error("device {device}: format {found}: expected {expected}")]
    Format {
        /// Who sent it.
        device: DeviceId,
        /// The content type or first byte found.
        found: String,
        /// What was expected.
        expected: &'static str,
    },
    /// The payload is not well-formed: truncated, garbled, or nested too deep.
    #[error("device {device}: not well-formed {format}: {found} at byte {at}: expected {expected}")]
    Malformed {
        /// Who sent it.
        device: DeviceId,
        /// How it was read.
        format: Format,
        /// Offset in the payload.
        at: usize,
        /// What stands there.
        found: String,
        /// What was expected.
        expected: &'static str,
    },
    /// A field is missing, repeated, unknown, or has a value that it cannot have.
    #[error("device {device}: {field} = {found}: expected {expected}")]
    Field {
        /// Who sent it.
        device: DeviceId,
        /// Which field, by its JSON name.
        field: String,
        /// What was found, cut at 40 characters.
        found: String,
        /// What was expected.
        expected: String,
    },
}

impl DecodeError {
    /// Who sent the message, if the topic could be read.
    pub const fn device(&self) -> Option<&DeviceId> {
        match self {
            Self::Topic { .. } => None,
            Self::Size { device, .. }
            | Self::Format { device, .. }
            | Self::Malformed { device, .. }
            | Self::Field { device, .. } => Some(device),
        }
    }

    /// The error without anything that the payload said: for logs, which must hold no patient data. The full text belongs in
    /// the sealed quarantine.
    pub fn for_log(&self) -> String {
        match self {
            Self::Topic { expected, .. } => format!("foreign topic: expected {expected}"),
            Self::Size { .. } => self.to_string(),
            Self::Format { device, expected, .. } => format!("device {device}: foreign format: expected {expected}"),
            Self::Malformed {
                device,
                format,
                at,
                expected,
                ..
            } => format!("device {device}: not well-formed {format} at byte {at}: expected {expected}"),
            Self::Field {
                device, field, expected, ..
            } => format!("device {device}: {field}: expected {expected}"),
        }
    }

    /// One word for counters: `topic`, `size`, `format`, `malformed` or `field`.
    pub const fn reason(&self) -> &'static str {
        match self {
            Self::Topic { .. } => "topic",
            Self::Size { .. } => "size",
            Self::Format { .. } => "format",
            Self::Malformed { .. } => "malformed",
            Self::Field { .. } => "field",
        }
    }
}

/// Why one reading (or one announced channel, or one field that the message can do without) was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RejectReason {
    /// The code is not in the contract's table.
    UnknownCode,
    /// The value is outside what the instrument can report.
    OutOfRange,
    /// The value is no number: text, NaN, infinite, missing.
    NotANumber,
    /// The unit is not the code's.
    WrongUnit,
    /// The quality bits are unknown.
    BadQuality,
    /// The code stands twice in one message; the first one stands.
    Repeated,
    /// A SenML record is older than the rest of its pack.
    OldTime,
    /// The item is not built as the contract says.
    BadShape,
}

impl RejectReason {
    /// One word for counters.
    pub const fn name(self) -> &'static str {
        match self {
            Self::UnknownCode => "unknown_code",
            Self::OutOfRange => "out_of_range",
            Self::NotANumber => "not_a_number",
            Self::WrongUnit => "wrong_unit",
            Self::BadQuality => "bad_quality",
            Self::Repeated => "repeated",
            Self::OldTime => "old_time",
            Self::BadShape => "bad_shape",
        }
    }
}

/// One reading, channel or field that was refused; the rest of its message stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RejectedReading {
    /// Where it stood, by JSON names: `m[3]`, `channels[0]`, `text`.
    pub field: String,
    /// Its MDC code, if that could be read.
    pub code: Option<u32>,
    /// Why it was refused.
    pub reason: RejectReason,
    /// What was found, cut at 40 characters.
    pub found: String,
    /// What was expected.
    pub expected: String,
}

impl RejectedReading {
    /// The text without what was found: for logs, which must hold no patient data.
    pub fn for_log(&self) -> String {
        let code = self.code.map_or_else(String::new, |code| format!(" (code {code})"));
        format!("{}{code}: expected {}", self.field, self.expected)
    }
}

impl fmt::Display for RejectedReading {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.field)?;
        if let Some(code) = self.code {
            write!(f, " (code {code})")?;
        }
        write!(f, " = {}: expected {}", self.found, self.expected)
    }
}
