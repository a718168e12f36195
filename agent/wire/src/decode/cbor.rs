//! A pull reader of CBOR (RFC 8949), borrowing, and bounded in depth.

use std::borrow::Cow;

use minicbor::data::Type;
use minicbor::decode::{Decoder, Error};

use super::json::sample;
use super::number::Number;
use super::pull::{Fault, Label, Open, Parse, Pull, RawReading, Scalar, Shape};
use crate::limits::{MAX_DEPTH, MAX_SAMPLES};

/// RFC 8746: array of big-endian 16-bit signed integers.
const SINT16_BE: u64 = 73;
/// RFC 8746: array of little-endian 16-bit signed integers.
const SINT16_LE: u64 = 77;
/// RFC 8949: `[exponent, mantissa]`.
const DECIMAL_FRACTION: u64 = 4;

/// Reads one CBOR item.
#[derive(Debug)]
pub(crate) struct Cbor<'a> {
    decoder: Decoder<'a>,
}

impl<'a> Cbor<'a> {
    pub(crate) fn new(payload: &'a [u8]) -> Self {
        Self {
            decoder: Decoder::new(payload),
        }
    }

    fn fault(&self, error: &Error, expected: &'static str) -> Fault {
        let found = if error.is_end_of_input() {
            "end of payload".into()
        } else {
            error.to_string()
        };
        Fault::malformed(self.decoder.position(), found, expected)
    }

    fn ok<T>(&self, result: Result<T, Error>, expected: &'static str) -> Parse<T> {
        result.map_err(|error| self.fault(&error, expected))
    }

    fn datatype(&self) -> Parse<Type> {
        self.ok(self.decoder.datatype(), "a CBOR item")
    }

    /// Skips any item.
    fn skip(&mut self, depth: u8) -> Parse<()> {
        let kind = self.datatype()?;
        if depth == 0 && matches!(kind, Type::Array | Type::ArrayIndef | Type::Map | Type::MapIndef | Type::Tag) {
            let at = self.decoder.position();
            return Err(Fault::malformed(at, "another level", "nesting of at most 8 levels"));
        }
        match kind {
            Type::Array | Type::ArrayIndef => {
                let mut open = self.open_array()?;
                while self.next_item(&mut open)? {
                    self.skip(depth - 1)?;
                }
                Ok(())
            }
            Type::Map | Type::MapIndef => {
                let mut open = self.open_map()?;
                while self.another(&mut open)? {
                    self.skip(depth - 1)?;
                    self.skip(depth - 1)?;
                }
                Ok(())
            }
            Type::Tag => {
                let tag = self.decoder.tag();
                self.ok(tag, "a tag")?;
                self.skip(depth - 1)
            }
            Type::Break | Type::Unknown(_) => {
                let at = self.decoder.position();
                Err(Fault::malformed(at, kind.to_string(), "a CBOR item"))
            }
            _ => {
                let skipped = self.decoder.skip();
                self.ok(skipped, "a CBOR item")
            }
        }
    }

    fn other(&mut self, what: &'static str) -> Parse<Scalar<'a>> {
        self.skip(MAX_DEPTH).map(|()| Scalar::Other(what))
    }

    /// Whether an open array or map goes on; eats the break of an indefinite one.
    fn another(&mut self, open: &mut Open) -> Parse<bool> {
        match &mut open.left {
            Some(0) => Ok(false),
            Some(left) => {
                *left -= 1;
                Ok(true)
            }
            None if self.datatype()? == Type::Break => {
                let skipped = self.decoder.skip();
                self.ok(skipped, "a break").map(|()| false)
            }
            None => Ok(true),
        }
    }

    fn integer(&mut self) -> Parse<Number> {
        let int = self.decoder.int();
        let int = i128::from(self.ok(int, "an integer")?);
        Ok(i64::try_from(int).map_or(Number::Float(int as f64), Number::Int))
    }

    fn tagged(&mut self) -> Parse<Scalar<'a>> {
        let start = self.decoder.position();
        let tag = self.decoder.tag();
        let tag = self.ok(tag, "a tag")?.as_u64();
        if tag == DECIMAL_FRACTION {
            let (size, exponent, mantissa) = (self.decoder.array(), self.decoder.i32(), self.decoder.i64());
            if let (Ok(Some(2)), Ok(exponent), Ok(mantissa)) = (size, exponent, mantissa) {
                return Ok(Scalar::Number(Number::Decimal { mantissa, exponent }));
            }
        }
        self.decoder.set_position(start);
        self.other("a tagged item that is no decimal fraction")
    }

    fn typed_array(&mut self) -> Parse<Vec<i16>> {
        let tag = self.decoder.tag();
        let tag = self.ok(tag, "a tag")?.as_u64();
        let read: fn([u8; 2]) -> i16 = match tag {
            SINT16_LE => i16::from_le_bytes,
            SINT16_BE => i16::from_be_bytes,
            other => {
                let expected = "tag 77 (little-endian int16 array) or tag 73 (big-endian)";
                return Err(Fault::field("s", format!("tag {other}"), expected));
            }
        };
        if self.datatype()? != Type::Bytes {
            let found = self.scalar()?.describe();
            return Err(Fault::field("s", found, "a byte string under the tag"));
        }
        let bytes = self.decoder.bytes();
        let bytes = self.ok(bytes, "a byte string")?;
        let (pairs, rest) = bytes.as_chunks::<2>();
        if !rest.is_empty() || pairs.len() > MAX_SAMPLES {
            let expected = format!("an even number of bytes, 1 to {MAX_SAMPLES} samples");
            return Err(Fault::field("s", format!("{} bytes", bytes.len()), expected));
        }
        Ok(pairs.iter().map(|pair| read(*pair)).collect())
    }
}

impl<'a> Pull<'a> for Cbor<'a> {
    const NAMED: bool = false;

    fn shape(&mut self) -> Parse<Shape> {
        Ok(match self.datatype()? {
            Type::Map | Type::MapIndef => Shape::Map,
            Type::Array | Type::ArrayIndef => Shape::Array,
            _ => Shape::Scalar,
        })
    }

    fn open_map(&mut self) -> Parse<Open> {
        let left = self.decoder.map();
        let left = self.ok(left, "a map")?;
        Ok(Open { left, first: true })
    }

    fn next_label(&mut self, open: &mut Open) -> Parse<Option<Label<'a>>> {
        if !self.another(open)? {
            return Ok(None);
        }
        match self.scalar()? {
            Scalar::Number(Number::Int(n)) => Ok(Some(Label::Number(n))),
            Scalar::Text(name) => Ok(Some(Label::Name(name))),
            other => Err(Fault::field("a key", other.describe(), "an integer")),
        }
    }

    fn open_array(&mut self) -> Parse<Open> {
        let left = self.decoder.array();
        let left = self.ok(left, "an array")?;
        Ok(Open { left, first: true })
    }

    fn next_item(&mut self, open: &mut Open) -> Parse<bool> {
        self.another(open)
    }

    fn scalar(&mut self) -> Parse<Scalar<'a>> {
        match self.datatype()? {
            Type::U8 | Type::U16 | Type::U32 | Type::U64 | Type::I8 | Type::I16 | Type::I32 | Type::I64 | Type::Int => {
                self.integer().map(Scalar::Number)
            }
            Type::F16 | Type::F32 | Type::F64 => {
                let float = self.decoder.f64();
                self.ok(float, "a float").map(|x| Scalar::Number(Number::Float(x)))
            }
            Type::Bool => {
                let bool = self.decoder.bool();
                self.ok(bool, "a boolean").map(Scalar::Bool)
            }
            Type::Null | Type::Undefined => self.skip(0).map(|()| Scalar::Null),
            Type::String => {
                let text = self.decoder.str();
                self.ok(text, "UTF-8 text").map(|t| Scalar::Text(Cow::Borrowed(t)))
            }
            Type::Tag => self.tagged(),
            Type::Array | Type::ArrayIndef => self.other("an array"),
            Type::Map | Type::MapIndef => self.other("a map"),
            Type::Bytes | Type::BytesIndef => self.other("a byte string"),
            Type::StringIndef => self.other("a text in chunks"),
            Type::Simple => self.other("a simple value"),
            Type::Break | Type::Unknown(_) => self.other("no item"),
        }
    }

    fn reading(&mut self) -> Parse<RawReading<'a>> {
        let mut raw = RawReading::default();
        if self.shape()? != Shape::Array {
            let found = self.scalar()?.describe();
            raw.misshapen = Some((found, "an array [code, value, quality?]"));
            return Ok(raw);
        }
        let mut open = self.open_array()?;
        let mut items = [None, None, None];
        for slot in &mut items {
            if !self.next_item(&mut open)? {
                break;
            }
            *slot = Some(self.scalar()?);
        }
        let whole = items.iter().all(Option::is_some);
        [raw.code, raw.value, raw.quality] = items;
        if !whole {
            return Ok(raw);
        }
        while self.next_item(&mut open)? {
            self.skip(MAX_DEPTH)?;
            raw.misshapen = Some(("more than 3 items".into(), "[code, value, quality?]"));
        }
        Ok(raw)
    }

    fn samples(&mut self) -> Parse<Vec<i16>> {
        match self.shape()? {
            Shape::Array => {}
            Shape::Scalar if self.datatype()? == Type::Tag => return self.typed_array(),
            Shape::Scalar | Shape::Map => {
                let found = self.scalar()?.describe();
                return Err(Fault::field("s", found, "tag 77 with a byte string, or an array of integers"));
            }
        }
        let mut open = self.open_array()?;
        let mut samples = Vec::new();
        while self.next_item(&mut open)? {
            if samples.len() == MAX_SAMPLES {
                return Err(Fault::field("s", "more samples", format!("1 to {MAX_SAMPLES} samples")));
            }
            samples.push(sample(&self.scalar()?)?);
        }
        Ok(samples)
    }

    fn finish(&mut self) -> Parse<()> {
        let (at, end) = (self.decoder.position(), self.decoder.input().len());
        if at == end {
            return Ok(());
        }
        Err(Fault::malformed(
            at,
            format!("{} bytes more", end - at),
            "the end of the payload",
        ))
    }
}
