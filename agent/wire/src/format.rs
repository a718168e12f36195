//! How a payload is written, from its MQTT 5 content type or its first byte.

use std::fmt;

/// How a payload is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Format {
    /// Native: a CBOR map with integer keys.
    Cbor,
    /// The JSON twin of the native format.
    Json,
    /// SenML (RFC 8428) in CBOR.
    SenmlCbor,
    /// SenML (RFC 8428) in JSON.
    SenmlJson,
}

impl Format {
    /// All formats.
    pub const ALL: [Self; 4] = [Self::Cbor, Self::Json, Self::SenmlCbor, Self::SenmlJson];

    /// Its content type, as in the MQTT 5 property.
    pub const fn content_type(self) -> &'static str {
        match self {
            Self::Cbor => "application/vnd.vitals.v1+cbor",
            Self::Json => "application/vnd.vitals.v1+json",
            Self::SenmlCbor => "application/senml+cbor",
            Self::SenmlJson => "application/senml+json",
        }
    }

    /// By content type; parameters after `;` and letter case do not count.
    pub fn from_content_type(text: &str) -> Option<Self> {
        let essence = text.split(';').next().unwrap_or("").trim();
        Self::ALL.into_iter().find(|f| essence.eq_ignore_ascii_case(f.content_type()))
    }

    /// By the first byte that is no JSON white space: `{` and `[` are JSON, 0xA0–0xBF a CBOR map, 0x80–0x9F a CBOR array (SenML).
    pub fn sniff(payload: &[u8]) -> Option<Self> {
        let first = payload.iter().find(|b| !matches!(b, b' ' | b'\t' | b'\r' | b'\n'))?;
        match first {
            b'{' => Some(Self::Json),
            b'[' => Some(Self::SenmlJson),
            0xA0..=0xBF => Some(Self::Cbor),
            0x80..=0x9F => Some(Self::SenmlCbor),
            _ => None,
        }
    }

    /// Whether it is SenML.
    pub const fn is_senml(self) -> bool {
        matches!(self, Self::SenmlCbor | Self::SenmlJson)
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Cbor => "CBOR",
            Self::Json => "JSON",
            Self::SenmlCbor => "SenML CBOR",
            Self::SenmlJson => "SenML JSON",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_types_are_found_whatever_their_case_and_parameters() {
        assert_eq!(
            Format::from_content_type("Application/SenML+JSON; charset=utf-8"),
            Some(Format::SenmlJson)
        );
        assert_eq!(Format::from_content_type("text/plain"), None);
    }

    #[test]
    fn the_first_byte_tells_the_format() {
        assert_eq!(Format::sniff(b" \n{"), Some(Format::Json));
        assert_eq!(Format::sniff(b"["), Some(Format::SenmlJson));
        assert_eq!(Format::sniff(&[0xBF]), Some(Format::Cbor));
        assert_eq!(Format::sniff(&[0x82]), Some(Format::SenmlCbor));
        assert_eq!(Format::sniff(b"<xml>"), None);
        assert_eq!(Format::sniff(b""), None);
    }
}
