//! Heads of CBOR items, and what simple values and floats say.

use super::super::number::Number;
use super::super::pull::{Fault, Open, Parse, Scalar};

/// Major types of CBOR.
pub(super) mod major {
    pub(in super::super) const UNSIGNED: u8 = 0;
    pub(in super::super) const NEGATIVE: u8 = 1;
    pub(in super::super) const BYTES: u8 = 2;
    pub(in super::super) const TEXT: u8 = 3;
    pub(in super::super) const ARRAY: u8 = 4;
    pub(in super::super) const MAP: u8 = 5;
    pub(in super::super) const TAG: u8 = 6;
}

/// The head of an item.
#[derive(Clone, Copy, Debug)]
pub(super) struct Head {
    pub(super) major: u8,
    /// Additional information: how `value` was written.
    pub(super) info: u8,
    /// Value, length, number of entries or tag number.
    pub(super) value: u64,
}

/// Additional information of an indefinite length.
pub(super) const INDEFINITE: u8 = 31;

/// The array or map that a head opens.
pub(super) fn opened(head: Head) -> Open {
    Open {
        left: (head.info != INDEFINITE).then_some(head.value),
        first: true,
    }
}

/// An integer of either sign.
#[inline]
pub(super) fn integer(head: Head) -> Option<Number> {
    let small = i64::try_from(head.value);
    match head.major {
        major::UNSIGNED => Some(small.map_or(Number::Float(head.value as f64), Number::Int)),
        major::NEGATIVE => Some(small.map_or(Number::Float(-1.0 - head.value as f64), |n| Number::Int(-1 - n))),
        _ => None,
    }
}

/// A simple value or float.
pub(super) fn simple<'a>(head: Head, at: usize) -> Parse<Scalar<'a>> {
    let float = |x| Scalar::Number(Number::Float(x));
    Ok(match (head.info, head.value) {
        (20, _) => Scalar::Bool(false),
        (21, _) => Scalar::Bool(true),
        (22 | 23, _) => Scalar::Null,
        (25, bits) => float(half(bits as u16)),
        (26, bits) => float(f64::from(f32::from_bits(bits as u32))),
        (27, bits) => float(f64::from_bits(bits)),
        // RFC 8949: a simple value below 32 in two bytes is not well-formed.
        (24, 0..=31) => return Err(Fault::malformed(at, "a simple value below 32 in two bytes", "a CBOR item")),
        _ => Scalar::Other("a simple value"),
    })
}

/// A half-precision float (RFC 8949, appendix D).
fn half(bits: u16) -> f64 {
    let (exponent, mantissa) = (i32::from(bits >> 10 & 31), f64::from(bits & 0x3FF));
    let size = match exponent {
        0 => mantissa * 2_f64.powi(-24),
        31 if mantissa == 0.0 => f64::INFINITY,
        31 => f64::NAN,
        _ => (mantissa + 1024.0) * 2_f64.powi(exponent - 25),
    };
    if bits & 0x8000 == 0 { size } else { -size }
}
