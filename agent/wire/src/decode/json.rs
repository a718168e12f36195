//! A pull reader of JSON (RFC 8259), strict, borrowing, and bounded in depth.

mod number;
mod string;
#[cfg(test)]
mod tests;

use wardlight_core::message::WaveBlock;
use wardlight_core::vitals::Quality;

use super::number::Number;
use super::pull::{Fault, Label, Open, Parse, PlainReading, Pull, RawReading, Scalar, Shape};
use crate::key::{FIRST_EXTENSION, Key};
use crate::limits::{MAX_DEPTH, MAX_SAMPLES};

/// Reads one JSON text.
#[derive(Debug)]
pub(crate) struct Json<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Json<'a> {
    /// # Errors
    /// If the payload is not UTF-8.
    pub(crate) fn new(payload: &'a [u8]) -> Parse<Self> {
        match std::str::from_utf8(payload) {
            Ok(text) => Ok(Self { text, at: 0 }),
            Err(error) => Err(Fault::malformed(error.valid_up_to(), "a byte that is no UTF-8", "UTF-8 text")),
        }
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    /// Skips white space and peeks.
    fn token(&mut self) -> Option<u8> {
        while let Some(b' ' | b'\n' | b'\r' | b'\t') = self.peek() {
            self.at += 1;
        }
        self.peek()
    }

    fn fault<T>(&self, expected: &'static str) -> Parse<T> {
        let found = match self.text.get(self.at..).and_then(|rest| rest.chars().next()) {
            Some(c) => format!("{c:?}"),
            None => "end of payload".into(),
        };
        Err(Fault::malformed(self.at, found, expected))
    }

    fn eat(&mut self, byte: u8, expected: &'static str) -> Parse<()> {
        if self.token() == Some(byte) {
            self.at += 1;
            return Ok(());
        }
        self.fault(expected)
    }

    fn slice(&self, from: usize) -> &'a str {
        self.text.get(from..self.at).unwrap_or("")
    }

    fn literal(&mut self, word: &str, value: Scalar<'a>) -> Parse<Scalar<'a>> {
        if self.text.get(self.at..).is_some_and(|rest| rest.starts_with(word)) {
            self.at += word.len();
            return Ok(value);
        }
        self.fault("a JSON value")
    }

    /// Eats exactly this text.
    #[inline]
    fn exactly(&mut self, text: &[u8]) -> Option<()> {
        let rest = self.text.as_bytes().get(self.at..)?;
        rest.starts_with(text).then(|| self.at += text.len())
    }

    /// `{"c":…,"x":…}` or `{"c":…,"x":…,"q":…}` without white space, as encoders write it.
    fn plain(&mut self) -> Option<PlainReading> {
        self.exactly(br#"{"c":"#)?;
        let code = u32::try_from(self.number().ok()?.to_i64()?).ok()?;
        self.exactly(br#","x":"#)?;
        let number = match self.exactly(b"null") {
            Some(()) => None,
            None => Some(self.number().ok()?),
        };
        let quality = match self.exactly(br#","q":"#) {
            Some(()) => Quality::from_bits(u16::try_from(self.number().ok()?.to_i64()?).ok()?)?,
            None => Quality::VALID,
        };
        self.exactly(b"}")?;
        Some(PlainReading { code, number, quality })
    }

    /// Skips any value.
    fn skip(&mut self, depth: u8) -> Parse<()> {
        match self.token() {
            Some(b'{' | b'[') if depth == 0 => self.fault("nesting of at most 8 levels"),
            Some(b'{') => {
                let mut open = self.open_map()?;
                while self.next_label(&mut open)?.is_some() {
                    self.skip(depth - 1)?;
                }
                Ok(())
            }
            Some(b'[') => {
                let mut open = self.open_array()?;
                while self.next_item(&mut open)? {
                    self.skip(depth - 1)?;
                }
                Ok(())
            }
            _ => self.scalar().map(drop),
        }
    }

    /// Comma or end of an array or map.
    fn more(&mut self, open: &mut Open, end: u8, expected: &'static str) -> Parse<bool> {
        let token = self.token();
        if token == Some(end) {
            self.at += 1;
            return Ok(false);
        }
        if !std::mem::take(&mut open.first) {
            self.eat(b',', expected)?;
            if self.token() == Some(end) {
                return self.fault("an item after the comma");
            }
        }
        Ok(true)
    }
}

impl<'a> Pull<'a> for Json<'a> {
    const NAMED: bool = true;

    fn shape(&mut self) -> Parse<Shape> {
        match self.token() {
            Some(b'{') => Ok(Shape::Map),
            Some(b'[') => Ok(Shape::Array),
            Some(_) => Ok(Shape::Scalar),
            None => self.fault("a JSON value"),
        }
    }

    fn open_map(&mut self) -> Parse<Open> {
        self.eat(b'{', "an object")?;
        Ok(Open { left: None, first: true })
    }

    fn next_label(&mut self, open: &mut Open) -> Parse<Option<Label<'a>>> {
        if !self.more(open, b'}', "a comma or the end of the object")? {
            return Ok(None);
        }
        let name = self.string()?;
        self.eat(b':', "a colon")?;
        Ok(Some(Label::Name(name)))
    }

    fn open_array(&mut self) -> Parse<Open> {
        self.eat(b'[', "an array")?;
        Ok(Open { left: None, first: true })
    }

    fn next_item(&mut self, open: &mut Open) -> Parse<bool> {
        self.more(open, b']', "a comma or the end of the array")
    }

    fn scalar(&mut self) -> Parse<Scalar<'a>> {
        match self.token() {
            Some(b'"') => self.string().map(Scalar::Text),
            Some(b'-' | b'0'..=b'9') => self.number().map(Scalar::Number),
            Some(b'n') => self.literal("null", Scalar::Null),
            Some(b't') => self.literal("true", Scalar::Bool(true)),
            Some(b'f') => self.literal("false", Scalar::Bool(false)),
            Some(b'{') => self.skip(MAX_DEPTH).map(|()| Scalar::Other("an object")),
            Some(b'[') => self.skip(MAX_DEPTH).map(|()| Scalar::Other("an array")),
            _ => self.fault("a JSON value (numbers are finite)"),
        }
    }

    fn plain_reading(&mut self) -> Option<PlainReading> {
        self.token();
        let start = self.at;
        let plain = self.plain();
        if plain.is_none() {
            self.at = start;
        }
        plain
    }

    fn reading(&mut self) -> Parse<RawReading<'a>> {
        let mut raw = RawReading::default();
        if self.shape()? != Shape::Map {
            let found = self.scalar()?.describe();
            raw.misshapen = Some((found, "an object with c, x and q"));
            return Ok(raw);
        }
        let mut open = self.open_map()?;
        while let Some(label) = self.next_label(&mut open)? {
            let Label::Name(name) = label else { continue };
            let value = self.scalar()?;
            let slot = match Key::from_name(&name) {
                Some(Key::Code) => &mut raw.code,
                Some(Key::Value) => &mut raw.value,
                Some(Key::Quality) => &mut raw.quality,
                _ if is_extension(&name) => continue,
                _ => {
                    raw.misshapen = Some((super::pull::quoted(&name), "no field but c, x and q"));
                    continue;
                }
            };
            if slot.replace(value).is_some() {
                raw.misshapen = Some((format!("{name} twice"), "each field once"));
            }
        }
        Ok(raw)
    }

    fn samples(&mut self) -> Parse<Vec<i16>> {
        if self.shape()? != Shape::Array {
            let found = self.scalar()?.describe();
            return Err(Fault::field("s", found, "an array of integers"));
        }
        let mut open = self.open_array()?;
        let mut samples = Vec::with_capacity(256);
        while self.next_item(&mut open)? {
            if samples.len() == MAX_SAMPLES {
                return Err(Fault::field("s", "more samples", format!("1 to {MAX_SAMPLES} samples")));
            }
            let value = match self.token() {
                Some(b'-' | b'0'..=b'9') => Scalar::Number(self.number()?),
                _ => self.scalar()?,
            };
            samples.push(sample(&value)?);
        }
        Ok(samples)
    }

    fn finish(&mut self) -> Parse<()> {
        match self.token() {
            None => Ok(()),
            Some(_) => self.fault("the end of the payload"),
        }
    }
}

/// Whether a JSON name is an extension: a plain decimal number from the first extension key on.
pub(crate) fn is_extension(name: &str) -> bool {
    let plain = name.bytes().all(|b| b.is_ascii_digit()) && !name.starts_with('0');
    plain && name.len() <= 9 && name.parse().is_ok_and(|n: i64| n >= FIRST_EXTENSION)
}

/// One sample from an integer, or from null where it is missing.
pub(crate) fn sample(value: &Scalar<'_>) -> Parse<i16> {
    if *value == Scalar::Null {
        return Ok(WaveBlock::MISSING);
    }
    let int = value.number().and_then(Number::to_i64).and_then(|n| i16::try_from(n).ok());
    int.ok_or_else(|| Fault::field("s", value.describe(), "integers from -32768 to 32767, or null"))
}
