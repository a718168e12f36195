//! Why a message is refused, in the words of HL7 table 0357.

use std::fmt;

/// Segments are missing or out of order.
pub(super) const SEGMENT_SEQUENCE: u16 = 100;
/// A field is missing.
pub(super) const REQUIRED_FIELD: u16 = 101;
/// A field is not of its type.
pub(super) const DATA_TYPE: u16 = 102;
/// Another message type was expected.
pub(super) const UNSUPPORTED_TYPE: u16 = 200;
/// Another event was expected.
pub(super) const UNSUPPORTED_EVENT: u16 = 201;
/// Another version was expected.
pub(super) const UNSUPPORTED_VERSION: u16 = 203;
/// The receiver does not know the patient.
const UNKNOWN_KEY: u16 = 204;
/// The receiver cannot, whatever the message says.
const INTERNAL: u16 = 207;

/// Where in a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// Which segment.
    pub segment: &'static str,
    /// Which of those of that name, from 1.
    pub ordinal: usize,
    /// Which field; 0 is the segment as a whole.
    pub field: usize,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}[{}]-{}", self.segment, self.ordinal, self.field)
    }
}

/// Why a whole message is refused. Its text repeats nothing of the message, so it may stand in logs.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {text}")]
pub struct Refusal {
    /// `AR` (true): the message is of no use here, whatever it holds; `AE`: its content is at fault, or the receiver's state.
    pub is_reject: bool,
    /// Where.
    pub place: Place,
    /// Code of HL7 table 0357.
    pub code: u16,
    /// What was expected.
    pub text: String,
}

impl Refusal {
    pub(super) fn rejected(segment: &'static str, field: usize, code: u16, text: impl Into<String>) -> Self {
        Self {
            is_reject: true,
            ..Self::at(segment, field, code, text)
        }
    }

    pub(super) fn at(segment: &'static str, field: usize, code: u16, text: impl Into<String>) -> Self {
        let place = Place {
            segment,
            ordinal: 1,
            field,
        };
        Self {
            is_reject: false,
            place,
            code,
            text: text.into(),
        }
    }

    /// The message is longer than is taken, or was cut short.
    pub fn misframed(text: impl Into<String>) -> Self {
        Self::rejected("MSH", 0, SEGMENT_SEQUENCE, text)
    }

    /// The patient is not the one that the bed has.
    pub fn another_patient(text: impl Into<String>) -> Self {
        Self::at("PID", 3, UNKNOWN_KEY, text)
    }

    /// What the message asks for cannot be done now.
    pub fn not_done(text: impl Into<String>) -> Self {
        Self::at("MSH", 0, INTERNAL, text)
    }

    /// One word for counters: `type`, `content` or `state`.
    pub const fn reason(&self) -> &'static str {
        match self.code {
            UNKNOWN_KEY | INTERNAL => "state",
            _ if self.is_reject => "type",
            _ => "content",
        }
    }
}
