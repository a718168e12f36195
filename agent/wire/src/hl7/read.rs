//! A reader of ER7, the text form of HL7 v2: segments, fields, repetitions, components, escapes. It knows no message.
//!
//! The delimiters are those of the message's own MSH. Nothing is copied but what an escape changes.

use std::borrow::Cow;

/// Segments of one message: a monitor with a waveform of each of its channels sends some hundred.
pub const MAX_SEGMENTS: usize = 4096;

/// Why a text is no HL7 v2 message at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// It does not begin with MSH and its delimiters.
    #[error("expected MSH, a field separator and four delimiters, all different")]
    Header,
    /// It is neither UTF-8 nor said to be ISO 8859-1.
    #[error("expected UTF-8, or 8859/1 with MSH-18 saying so")]
    Charset,
    /// It has too many segments.
    #[error("expected at most {MAX_SEGMENTS} segments")]
    TooLong,
}

/// The text of a message.
/// # Errors
/// [`ReadError::Charset`].
pub fn text(bytes: &[u8]) -> Result<Cow<'_, str>, ReadError> {
    if let Ok(text) = std::str::from_utf8(bytes) {
        return Ok(Cow::Borrowed(text));
    }
    // In ISO 8859-1 each byte is the code point of its character.
    let latin: String = bytes.iter().copied().map(char::from).collect();
    let says_so = Hl7::read(&latin)?.header().field(18).text() == "8859/1";
    says_so.then_some(Cow::Owned(latin)).ok_or(ReadError::Charset)
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Delimiters {
    field: char,
    component: char,
    repetition: char,
    escape: char,
    subcomponent: char,
}

/// A message, in segments.
#[derive(Clone, Debug)]
pub struct Hl7<'a> {
    segments: Vec<Segment<'a>>,
}

/// One segment.
#[derive(Clone, Copy, Debug)]
pub struct Segment<'a> {
    text: &'a str,
    delimiters: Delimiters,
}

/// A field, or one repetition of it; empty where the segment has none.
#[derive(Clone, Copy, Debug)]
pub struct Field<'a> {
    text: &'a str,
    delimiters: Delimiters,
}

impl<'a> Hl7<'a> {
    /// Splits a message into its segments, which end with CR; LF is taken too.
    /// # Errors
    /// [`ReadError::Header`] and [`ReadError::TooLong`].
    pub fn read(text: &'a str) -> Result<Self, ReadError> {
        let text = text.trim_start_matches(['\r', '\n']);
        let mut head = text.strip_prefix("MSH").ok_or(ReadError::Header)?.chars();
        let mut next = || head.next().filter(char::is_ascii_punctuation);
        let delimiters = (|| {
            Some(Delimiters {
                field: next()?,
                component: next()?,
                repetition: next()?,
                escape: next()?,
                subcomponent: next()?,
            })
        })();
        let delimiters = delimiters.filter(Delimiters::differ).ok_or(ReadError::Header)?;
        let lines = text.split(['\r', '\n']).filter(|line| !line.is_empty());
        let segments: Vec<_> = lines
            .take(MAX_SEGMENTS + 1)
            .map(|text| Segment { text, delimiters })
            .collect();
        if segments.len() > MAX_SEGMENTS {
            return Err(ReadError::TooLong);
        }
        Ok(Self { segments })
    }

    /// All segments, in order; the first is MSH.
    pub fn segments(&self) -> &[Segment<'a>] {
        &self.segments
    }

    /// The first segment of this name.
    pub fn segment(&self, name: &str) -> Option<Segment<'a>> {
        self.segments.iter().copied().find(|segment| segment.name() == name)
    }

    /// MSH.
    pub fn header(&self) -> Segment<'a> {
        // A message that was read has its MSH.
        self.segments.first().copied().unwrap_or(Segment {
            text: "",
            delimiters: Delimiters::USUAL,
        })
    }
}

impl Delimiters {
    const USUAL: Self = Self {
        field: '|',
        component: '^',
        repetition: '~',
        escape: '\\',
        subcomponent: '&',
    };

    fn differ(&self) -> bool {
        let all = [self.field, self.component, self.repetition, self.escape, self.subcomponent];
        all.iter().enumerate().all(|(i, a)| all.iter().skip(i + 1).all(|b| a != b))
    }
}

impl<'a> Segment<'a> {
    /// Its name: `PID`, `OBX`.
    pub fn name(&self) -> &'a str {
        self.text.split(self.delimiters.field).next().unwrap_or("")
    }

    /// A field by its number in the standard. MSH-1 is the separator itself and cannot be asked for.
    pub fn field(&self, number: usize) -> Field<'a> {
        let skip = if self.name() == "MSH" {
            number.saturating_sub(1)
        } else {
            number
        };
        Field {
            text: self.text.split(self.delimiters.field).nth(skip).unwrap_or(""),
            delimiters: self.delimiters,
        }
    }
}

impl<'a> Field<'a> {
    /// Whether nothing stands there.
    pub const fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    /// Its repetitions.
    pub fn repetitions(self) -> impl Iterator<Item = Self> {
        let Self { text, delimiters } = self;
        text.split(delimiters.repetition).map(move |text| Self { text, delimiters })
    }

    /// A component of the first repetition, from 1, as text.
    pub fn component(&self, number: usize) -> Cow<'a, str> {
        let first = self.text.split(self.delimiters.repetition).next().unwrap_or("");
        let component = first.split(self.delimiters.component).nth(number.saturating_sub(1));
        self.unescape(component.unwrap_or(""))
    }

    /// The components of the whole field, as they stand: for values, which hold no escapes.
    pub fn components(&self) -> impl Iterator<Item = &'a str> {
        self.text.split(self.delimiters.component)
    }

    /// The first component, as text.
    pub fn text(&self) -> Cow<'a, str> {
        self.component(1)
    }

    /// As it stands.
    pub const fn raw(&self) -> &'a str {
        self.text
    }

    /// `\F\ \S\ \T\ \R\ \E\` are the delimiters, `\Xhh…\` bytes, `\.br\` a space; other escapes say how to show a text, and go.
    fn unescape(&self, text: &'a str) -> Cow<'a, str> {
        let d = self.delimiters;
        if !text.contains(d.escape) {
            return Cow::Borrowed(text);
        }
        let mut out = String::with_capacity(text.len());
        let mut parts = text.split(d.escape);
        out.push_str(parts.next().unwrap_or(""));
        // Parts go escape, text, escape, text; an escape without its end is text.
        while let Some(escape) = parts.next() {
            let Some(after) = parts.next() else {
                out.push_str(escape);
                break;
            };
            match escape {
                "F" => out.push(d.field),
                "S" => out.push(d.component),
                "T" => out.push(d.subcomponent),
                "R" => out.push(d.repetition),
                "E" => out.push(d.escape),
                ".br" => out.push(' '),
                other => out.push_str(&hexadecimal(other)),
            }
            out.push_str(after);
        }
        Cow::Owned(out)
    }
}

/// The text of `Xhh…`; empty for what is no such escape.
fn hexadecimal(escape: &str) -> String {
    let digits = escape.strip_prefix('X').unwrap_or("").as_bytes();
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|d| u8::try_from(d).ok());
    let byte = |pair: &[u8]| match pair {
        [high, low] => Some(digit(*high)? * 16 + digit(*low)?),
        _ => None,
    };
    let bytes: Option<Vec<u8>> = digits.chunks(2).map(byte).collect();
    String::from_utf8_lossy(&bytes.unwrap_or_default()).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    const MESSAGE: &str = "MSH|^~\\&|monitor|icu|||20260101||ORU^R01^ORU_R01|17|P|2.6\rPID|||a~b^c||O\\T\\Hara\\X2C\\ Jr^Eve\\.br\\Ann^\\H\\x\\N\\\r\nOBX|1\r";

    #[test]
    fn fields_components_and_repetitions_are_found_by_their_numbers() {
        let message = Hl7::read(MESSAGE).unwrap();
        let msh = message.header();
        assert_eq!(msh.field(3).text(), "monitor");
        assert_eq!(msh.field(9).component(2), "R01");
        assert_eq!(msh.field(10).text(), "17");
        let pid = message.segment("PID").unwrap();
        let repetitions: Vec<_> = pid.field(3).repetitions().map(|r| r.raw()).collect();
        assert_eq!(repetitions, ["a", "b^c"]);
        assert!(pid.field(40).is_empty());
        assert_eq!(message.segments().len(), 3);
    }

    #[test]
    fn escapes_are_read_and_those_that_only_format_go() {
        let message = Hl7::read(MESSAGE).unwrap();
        let name = message.segment("PID").unwrap().field(5);
        assert_eq!(name.component(1), "O&Hara, Jr");
        assert_eq!(name.component(2), "Eve Ann");
        assert_eq!(name.component(3), "x");
    }

    #[test]
    fn a_message_brings_its_own_delimiters() {
        let message = Hl7::read("MSH*:~!;*a:b*c").unwrap();
        assert_eq!(message.header().field(3).component(2), "b");
        for bad in ["", "MSH", "MSH|^~\\", "MSH||||||", "PID|1", "MSHabcde"] {
            assert_eq!(Hl7::read(bad).unwrap_err(), ReadError::Header, "{bad:?}");
        }
    }

    #[test]
    fn latin_text_is_read_where_the_message_says_so_and_refused_elsewhere() {
        let latin = b"MSH|^~\\&|a|||||||1|P|2.6||||||8859/1\rPID|||||M\xFCller";
        let text = text(latin).unwrap();
        assert_eq!(Hl7::read(&text).unwrap().segment("PID").unwrap().field(5).text(), "Müller");
        assert_eq!(super::text(b"MSH|^~\\&|\xFC").unwrap_err(), ReadError::Charset);
    }

    #[test]
    fn a_message_has_a_bounded_number_of_segments() {
        let long = format!("MSH|^~\\&\r{}", "OBX|1\r".repeat(MAX_SEGMENTS));
        assert_eq!(Hl7::read(&long).unwrap_err(), ReadError::TooLong);
    }
}
