//! The fields of native payloads: each has a CBOR integer key and a JSON name.

/// A field. Its discriminant is the CBOR key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Key {
    /// Version of the payload, 1.
    Version = 0,
    /// Sequence number.
    Seq = 1,
    /// Device time in milliseconds since 1970-01-01 UTC.
    Time = 2,
    /// Readings.
    Readings = 3,
    /// MDC code.
    Code = 4,
    /// Samples per second.
    Rate = 5,
    /// `[exponent, mantissa]` of the scale.
    Scale = 6,
    /// Added to each sample before scaling.
    Offset = 7,
    /// Samples.
    Samples = 8,
    /// Which start of the device.
    Boot = 9,
    /// Quality bits.
    Quality = 10,
    /// On or off, present or over.
    On = 11,
    /// Maker's model.
    Model = 12,
    /// Firmware version.
    Firmware = 13,
    /// Announced channels.
    Channels = 14,
    /// UCUM unit.
    Unit = 15,
    /// `[low, high]` that the instrument can report.
    Range = 16,
    /// Name of a device alarm's condition.
    Condition = 17,
    /// Priority of a device alarm.
    Priority = 18,
    /// Text of a device alarm.
    Text = 19,
    /// Name of an event.
    Event = 20,
    /// A value.
    Value = 21,
    /// Revision of the remote configuration in force.
    Revision = 22,
    /// Settings that the device does not take, each with the reason.
    Rejected = 23,
}

/// CBOR keys from here on (JSON: the number as the name) are extensions: ignored where unknown. Lower unknown keys are an error.
pub(crate) const FIRST_EXTENSION: i64 = 32;

impl Key {
    /// All fields, each at the index of its CBOR key.
    pub const ALL: [Self; 24] = [
        Self::Version,
        Self::Seq,
        Self::Time,
        Self::Readings,
        Self::Code,
        Self::Rate,
        Self::Scale,
        Self::Offset,
        Self::Samples,
        Self::Boot,
        Self::Quality,
        Self::On,
        Self::Model,
        Self::Firmware,
        Self::Channels,
        Self::Unit,
        Self::Range,
        Self::Condition,
        Self::Priority,
        Self::Text,
        Self::Event,
        Self::Value,
        Self::Revision,
        Self::Rejected,
    ];

    /// CBOR key.
    pub const fn number(self) -> u8 {
        self as u8
    }

    /// Its place in a set of keys.
    pub(crate) const fn bit(self) -> u32 {
        1 << self.number()
    }

    /// JSON name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Version => "v",
            Self::Seq => "seq",
            Self::Time => "t",
            Self::Readings => "m",
            Self::Code => "c",
            Self::Rate => "fs",
            Self::Scale => "scale",
            Self::Offset => "offset",
            Self::Samples => "s",
            Self::Boot => "boot",
            Self::Quality => "q",
            Self::On => "on",
            Self::Model => "model",
            Self::Firmware => "fw",
            Self::Channels => "channels",
            Self::Unit => "unit",
            Self::Range => "range",
            Self::Condition => "condition",
            Self::Priority => "prio",
            Self::Text => "text",
            Self::Event => "e",
            Self::Value => "x",
            Self::Revision => "rev",
            Self::Rejected => "rejected",
        }
    }

    /// By CBOR key.
    pub(crate) fn from_number(number: i64) -> Option<Self> {
        usize::try_from(number).ok().and_then(|n| Self::ALL.get(n)).copied()
    }

    /// By JSON name; `code` is taken for `c`.
    pub(crate) fn from_name(name: &str) -> Option<Self> {
        Some(match name {
            "v" => Self::Version,
            "seq" => Self::Seq,
            "t" => Self::Time,
            "m" => Self::Readings,
            "c" | "code" => Self::Code,
            "fs" => Self::Rate,
            "scale" => Self::Scale,
            "offset" => Self::Offset,
            "s" => Self::Samples,
            "boot" => Self::Boot,
            "q" => Self::Quality,
            "on" => Self::On,
            "model" => Self::Model,
            "fw" => Self::Firmware,
            "channels" => Self::Channels,
            "unit" => Self::Unit,
            "range" => Self::Range,
            "condition" => Self::Condition,
            "prio" => Self::Priority,
            "text" => Self::Text,
            "e" => Self::Event,
            "x" => Self::Value,
            "rev" => Self::Revision,
            "rejected" => Self::Rejected,
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_is_found_by_its_number_and_by_its_name() {
        for (i, key) in Key::ALL.into_iter().enumerate() {
            assert_eq!(usize::from(key.number()), i);
            assert_eq!(Key::from_number(i as i64), Some(key));
            assert_eq!(Key::from_name(key.name()), Some(key));
        }
        assert_eq!(Key::from_number(-1), None);
        assert_eq!(Key::from_number(24), None);
        assert_eq!(Key::from_name("patient"), None);
    }
}
