//! A pull reader of CBOR (RFC 8949), borrowing, and bounded in depth.

mod head;
#[cfg(test)]
mod tests;

use std::borrow::Cow;

use wardlight_core::vitals::Quality;

use head::{Head, INDEFINITE, integer, major, opened, simple};

use super::json::sample;
use super::number::Number;
use super::pull::{Fault, Label, Open, Parse, PlainReading, Pull, RawReading, Scalar, Shape};
use crate::limits::{MAX_DEPTH, MAX_SAMPLES};

/// RFC 8746: array of big-endian 16-bit signed integers.
const SINT16_BE: u64 = 73;
/// RFC 8746: array of little-endian 16-bit signed integers.
const SINT16_LE: u64 = 77;
/// RFC 8949: `[exponent, mantissa]`.
const DECIMAL_FRACTION: u64 = 4;

const BREAK: u8 = 0xFF;
const NULL: u8 = 0xF6;
const TAG_4: u8 = 0xC4;
const PAIR: u8 = 0x82;
const TRIPLE: u8 = 0x83;

/// Reads one CBOR item.
#[derive(Debug)]
pub(crate) struct Cbor<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Cbor<'a> {
    pub(crate) const fn new(payload: &'a [u8]) -> Self {
        Self { bytes: payload, at: 0 }
    }

    #[cold]
    fn ended<T>(&self, expected: &'static str) -> Parse<T> {
        Err(Fault::malformed(self.bytes.len(), "end of payload", expected))
    }

    #[inline]
    fn peek(&self) -> Parse<u8> {
        match self.bytes.get(self.at) {
            Some(byte) => Ok(*byte),
            None => self.ended("a CBOR item"),
        }
    }

    #[inline]
    fn take<const N: usize>(&mut self) -> Parse<[u8; N]> {
        match self.bytes.get(self.at..).and_then(<[u8]>::first_chunk) {
            Some(chunk) => {
                self.at += N;
                Ok(*chunk)
            }
            None => self.ended("a CBOR item"),
        }
    }

    #[inline]
    fn head(&mut self) -> Parse<Head> {
        let first = self.peek()?;
        self.at += 1;
        let (major, info) = (first >> 5, first & 31);
        if info < 24 {
            let value = u64::from(info);
            return Ok(Head { major, info, value });
        }
        self.long_head(major, info)
    }

    fn long_head(&mut self, major: u8, info: u8) -> Parse<Head> {
        let value = match info {
            24 => u64::from(u8::from_be_bytes(self.take()?)),
            25 => u64::from(u16::from_be_bytes(self.take()?)),
            26 => u64::from(u32::from_be_bytes(self.take()?)),
            27 => u64::from_be_bytes(self.take()?),
            INDEFINITE if (major::BYTES..=major::MAP).contains(&major) => 0,
            _ => {
                let found = format!("initial byte 0x{:02X}", major << 5 | info);
                return Err(Fault::malformed(self.at - 1, found, "a CBOR item"));
            }
        };
        Ok(Head { major, info, value })
    }

    /// The content of a byte or text string whose head was read.
    fn content(&mut self, head: Head) -> Parse<&'a [u8]> {
        let end = usize::try_from(head.value)
            .ok()
            .and_then(|length| self.at.checked_add(length));
        match end.and_then(|end| self.bytes.get(self.at..end)) {
            Some(content) => {
                self.at += content.len();
                Ok(content)
            }
            None => self.ended("the rest of a string"),
        }
    }

    fn text(&mut self, head: Head) -> Parse<&'a str> {
        let at = self.at;
        match std::str::from_utf8(self.content(head)?) {
            Ok(text) => Ok(text),
            Err(error) => Err(Fault::malformed(
                at + error.valid_up_to(),
                "a byte that is no UTF-8",
                "UTF-8 text",
            )),
        }
    }

    /// Skips any item.
    fn skip(&mut self, depth: u8) -> Parse<()> {
        let at = self.at;
        let head = self.head()?;
        let entries = match head.major {
            major::UNSIGNED | major::NEGATIVE => return Ok(()),
            major::BYTES | major::TEXT if head.info == INDEFINITE => return self.skip_chunks(head.major),
            major::BYTES => return self.content(head).map(drop),
            major::TEXT => return self.text(head).map(drop),
            major::ARRAY | major::TAG => 1,
            major::MAP => 2,
            _ => return simple(head, at).map(drop),
        };
        if depth == 0 {
            return Err(Fault::malformed(at, "another level", "nesting of at most 8 levels"));
        }
        if head.major == major::TAG {
            return self.skip(depth - 1);
        }
        let mut open = opened(head);
        while self.another(&mut open)? {
            for _ in 0..entries {
                self.skip(depth - 1)?;
            }
        }
        Ok(())
    }

    fn skip_chunks(&mut self, major: u8) -> Parse<()> {
        while self.peek()? != BREAK {
            let at = self.at;
            let head = self.head()?;
            if head.major != major || head.info == INDEFINITE {
                return Err(Fault::malformed(at, "another item", "chunks of the string"));
            }
            if major == major::TEXT {
                self.text(head)?;
            } else {
                self.content(head)?;
            }
        }
        self.at += 1;
        Ok(())
    }

    /// Whether an open array or map goes on; eats the break of an indefinite one.
    #[inline]
    fn another(&mut self, open: &mut Open) -> Parse<bool> {
        match &mut open.left {
            Some(0) => Ok(false),
            Some(left) => {
                *left -= 1;
                Ok(true)
            }
            None if self.peek()? == BREAK => {
                self.at += 1;
                Ok(false)
            }
            None => Ok(true),
        }
    }

    fn other(&mut self, start: usize, what: &'static str) -> Parse<Scalar<'a>> {
        self.at = start;
        self.skip(MAX_DEPTH).map(|()| Scalar::Other(what))
    }

    #[inline]
    fn int(&mut self) -> Option<i64> {
        let head = self.head().ok()?;
        let n = i64::try_from(head.value).ok()?;
        match head.major {
            major::UNSIGNED => Some(n),
            major::NEGATIVE => Some(-1 - n),
            _ => None,
        }
    }

    /// A decimal fraction whose tag was read.
    fn decimal(&mut self) -> Option<Number> {
        let head = self.head().ok()?;
        if head.major != major::ARRAY || head.info != 2 {
            return None;
        }
        let exponent = i32::try_from(self.int()?).ok()?;
        let mantissa = self.int()?;
        Some(Number::Decimal { mantissa, exponent })
    }

    /// `[code, value]` or `[code, value, quality]` with an integer, decimal fraction or null as the value.
    fn plain(&mut self) -> Option<PlainReading> {
        let items = self.peek().ok()?;
        self.at += 1;
        let code = self.unsigned()?;
        let number = match self.peek().ok()? {
            NULL => {
                self.at += 1;
                None
            }
            TAG_4 => {
                self.at += 1;
                Some(self.decimal()?)
            }
            _ => Some(Number::Int(self.int()?)),
        };
        let quality = match items {
            PAIR => Quality::VALID,
            TRIPLE => Quality::from_bits(u16::try_from(self.unsigned()?).ok()?)?,
            _ => return None,
        };
        Some(PlainReading { code, number, quality })
    }

    #[inline]
    fn unsigned(&mut self) -> Option<u32> {
        let head = self.head().ok()?;
        (head.major == major::UNSIGNED)
            .then_some(head.value)
            .and_then(|n| u32::try_from(n).ok())
    }

    fn typed_array(&mut self, tag: u64) -> Parse<Vec<i16>> {
        if tag != SINT16_LE && tag != SINT16_BE {
            let expected = "tag 77 (little-endian int16 array) or tag 73 (big-endian)";
            return Err(Fault::field("s", format!("tag {tag}"), expected));
        }
        let head = self.head()?;
        if head.major != major::BYTES || head.info == INDEFINITE {
            return Err(Fault::field("s", "another item", "a byte string under the tag"));
        }
        let bytes = self.content(head)?;
        let (pairs, rest) = bytes.as_chunks::<2>();
        if !rest.is_empty() || pairs.len() > MAX_SAMPLES {
            let expected = format!("an even number of bytes, 1 to {MAX_SAMPLES} samples");
            return Err(Fault::field("s", format!("{} bytes", bytes.len()), expected));
        }
        if tag == SINT16_LE {
            return Ok(pairs.iter().map(|pair| i16::from_le_bytes(*pair)).collect());
        }
        Ok(pairs.iter().map(|pair| i16::from_be_bytes(*pair)).collect())
    }
}

impl<'a> Pull<'a> for Cbor<'a> {
    const NAMED: bool = false;

    #[inline]
    fn shape(&mut self) -> Parse<Shape> {
        Ok(match self.peek()? >> 5 {
            major::MAP => Shape::Map,
            major::ARRAY => Shape::Array,
            _ => Shape::Scalar,
        })
    }

    fn open_map(&mut self) -> Parse<Open> {
        self.head().map(opened)
    }

    fn next_label(&mut self, open: &mut Open) -> Parse<Option<Label<'a>>> {
        if !self.another(open)? {
            return Ok(None);
        }
        let first = self.peek()?;
        if first < 24 {
            self.at += 1;
            return Ok(Some(Label::Number(i64::from(first))));
        }
        match self.scalar()? {
            Scalar::Number(Number::Int(n)) => Ok(Some(Label::Number(n))),
            Scalar::Text(name) => Ok(Some(Label::Name(name))),
            other => Err(Fault::field("a key", other.describe(), "an integer")),
        }
    }

    fn open_array(&mut self) -> Parse<Open> {
        self.head().map(opened)
    }

    #[inline]
    fn next_item(&mut self, open: &mut Open) -> Parse<bool> {
        self.another(open)
    }

    fn scalar(&mut self) -> Parse<Scalar<'a>> {
        let start = self.at;
        let head = self.head()?;
        if let Some(number) = integer(head) {
            return Ok(Scalar::Number(number));
        }
        match head.major {
            major::TEXT if head.info == INDEFINITE => self.other(start, "a text in chunks"),
            major::TEXT => self.text(head).map(|text| Scalar::Text(Cow::Borrowed(text))),
            major::BYTES => self.other(start, "a byte string"),
            major::ARRAY => self.other(start, "an array"),
            major::MAP => self.other(start, "a map"),
            major::TAG => match (head.value == DECIMAL_FRACTION).then(|| self.decimal()).flatten() {
                Some(number) => Ok(Scalar::Number(number)),
                None => self.other(start, "a tagged item that is no decimal fraction"),
            },
            _ => simple(head, start),
        }
    }

    fn plain_reading(&mut self) -> Option<PlainReading> {
        let start = self.at;
        let plain = self.plain();
        if plain.is_none() {
            self.at = start;
        }
        plain
    }

    fn reading(&mut self) -> Parse<RawReading<'a>> {
        let mut raw = RawReading::default();
        if self.shape()? != Shape::Array {
            let found = self.scalar()?.describe();
            raw.misshapen = Some((found, "an array [code, value, quality?]"));
            return Ok(raw);
        }
        let mut open = self.open_array()?;
        for slot in 0.. {
            if !self.another(&mut open)? {
                break;
            }
            match slot {
                0 => raw.code = Some(self.scalar()?),
                1 => raw.value = Some(self.scalar()?),
                2 => raw.quality = Some(self.scalar()?),
                _ => {
                    self.skip(MAX_DEPTH)?;
                    raw.misshapen = Some(("more than 3 items".into(), "[code, value, quality?]"));
                }
            }
        }
        Ok(raw)
    }

    fn samples(&mut self) -> Parse<Vec<i16>> {
        let start = self.at;
        let head = self.head()?;
        match head.major {
            major::TAG => return self.typed_array(head.value),
            major::ARRAY => {}
            _ => {
                self.at = start;
                let found = self.scalar()?.describe();
                return Err(Fault::field("s", found, "tag 77 with a byte string, or an array of integers"));
            }
        }
        let mut open = opened(head);
        let mut samples = Vec::new();
        while self.another(&mut open)? {
            if samples.len() == MAX_SAMPLES {
                return Err(Fault::field("s", "more samples", format!("1 to {MAX_SAMPLES} samples")));
            }
            samples.push(sample(&self.scalar()?)?);
        }
        Ok(samples)
    }

    fn finish(&mut self) -> Parse<()> {
        let more = self.bytes.len() - self.at;
        if more == 0 {
            return Ok(());
        }
        Err(Fault::malformed(
            self.at,
            format!("{more} bytes more"),
            "the end of the payload",
        ))
    }
}
