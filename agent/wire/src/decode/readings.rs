//! Readings one by one: a bad one costs only itself.

use wardlight_core::codes;
use wardlight_core::vitals::{Quality, Reading, ReadingError};

use super::number::Number;
use super::pull::{Fault, Open, Parse, PlainReading, Pull, RawReading, Scalar, Shape};
use crate::error::{RejectReason, RejectedReading};
use crate::limits::MAX_READINGS;

/// What is wrong with one item: why, what was found, what was expected.
pub(crate) type Objection = (RejectReason, String, String);

/// The readings of a message, and those refused.
#[derive(Debug, Default)]
pub(crate) struct Readings {
    pub(crate) taken: Vec<Reading>,
    pub(crate) rejected: Vec<RejectedReading>,
}

impl Readings {
    /// Reads the array of readings.
    pub(super) fn read<'a, P: Pull<'a>>(reader: &mut P) -> Parse<Self> {
        let mut open = open_list(reader, "m", "an array of readings")?;
        let mut readings = Self {
            taken: Vec::with_capacity(8),
            rejected: Vec::new(),
        };
        let mut index = 0;
        while reader.next_item(&mut open)? {
            if index == MAX_READINGS {
                return Err(Fault::field("m", "more readings", format!("at most {MAX_READINGS} readings")));
            }
            match reader.plain_reading() {
                Some(plain) => readings.accept(plain, index),
                None => readings.judge(&reader.reading()?, index),
            }
            index += 1;
        }
        Ok(readings)
    }

    fn has(&self, code: u32) -> bool {
        self.taken.iter().any(|r| r.numeric().code == code)
    }

    fn accept(&mut self, plain: PlainReading, index: usize) {
        let PlainReading { code, number, quality } = plain;
        match reading(code, number, quality) {
            Ok(reading) if !self.has(code) => self.taken.push(reading),
            outcome => {
                let refused = |objection| Refused {
                    objection,
                    remains: without_value(code, Some(quality)),
                };
                self.settle(outcome.map_err(refused), Some(code), || format!("m[{index}]"));
            }
        }
    }

    fn judge(&mut self, raw: &RawReading<'_>, index: usize) {
        let code = raw.code.as_ref().and_then(as_code);
        let outcome = check(raw, code);
        self.settle(outcome, code, || format!("m[{index}]"));
    }

    /// Takes a reading, or notes the objection and leaves the channel without a value. Of a repeated code the first one stands.
    pub(crate) fn settle(&mut self, outcome: Result<Reading, Refused>, code: Option<u32>, field: impl Fn() -> String) {
        let repeated = code.is_some_and(|code| self.has(code));
        let (reason, found, expected) = match outcome {
            Ok(reading) if !repeated => return self.taken.push(reading),
            Ok(_) => (RejectReason::Repeated, "a second reading".into(), "each code once".into()),
            Err(refused) => {
                if !repeated {
                    self.taken.extend(refused.remains);
                }
                refused.objection
            }
        };
        self.rejected.push(RejectedReading {
            field: field(),
            code,
            reason,
            found,
            expected,
        });
    }
}

/// A reading that was refused, and what remains of its channel.
pub(crate) struct Refused {
    pub(crate) objection: Objection,
    pub(crate) remains: Option<Reading>,
}

/// Opens an array, or says what stands there instead.
pub(super) fn open_list<'a, P: Pull<'a>>(reader: &mut P, field: &str, expected: &str) -> Parse<Open> {
    if reader.shape()? == Shape::Array {
        return reader.open_array();
    }
    let found = reader.scalar()?.describe();
    Err(Fault::field(field, found, expected))
}

/// A code as an unsigned 32-bit integer.
pub(super) fn as_code(value: &Scalar<'_>) -> Option<u32> {
    value.number().and_then(Number::to_i64).and_then(|n| u32::try_from(n).ok())
}

/// Quality bits; absent means valid.
pub(super) fn quality(value: Option<&Scalar<'_>>) -> Result<Quality, Objection> {
    let Some(value) = value else {
        return Ok(Quality::VALID);
    };
    let bits = value.number().and_then(Number::to_i64).and_then(|n| u16::try_from(n).ok());
    bits.and_then(Quality::from_bits).ok_or_else(|| {
        let expected = "quality bits 0 to 63 (1 valid, 2 questionable, 4 lead-off, 8 artefact, 16 demo, 32 calibrating)";
        (RejectReason::BadQuality, value.describe(), expected.into())
    })
}

fn check(raw: &RawReading<'_>, code: Option<u32>) -> Result<Reading, Refused> {
    let quality = quality(raw.quality.as_ref());
    let remains = |objection| Refused {
        objection,
        remains: code.and_then(|code| without_value(code, quality.as_ref().ok().copied())),
    };
    if let Some((found, expected)) = &raw.misshapen {
        return Err(remains((RejectReason::BadShape, found.clone(), (*expected).into())));
    }
    let Some(code) = code else {
        let found = raw.code.as_ref().map_or("nothing".into(), Scalar::describe);
        return Err(remains((
            RejectReason::BadShape,
            found,
            "an MDC code, a 32-bit integer".into(),
        )));
    };
    let quality = match &quality {
        Ok(quality) => *quality,
        Err(objection) => return Err(remains(objection.clone())),
    };
    let number = match &raw.value {
        Some(Scalar::Null) => None,
        Some(Scalar::Number(number)) => Some(*number),
        other => {
            let found = other.as_ref().map_or("nothing".into(), Scalar::describe);
            return Err(remains((RejectReason::NotANumber, found, "a number or null".into())));
        }
    };
    reading(code, number, quality).map_err(remains)
}

/// One reading, checked against the table of codes and their ranges.
pub(crate) fn reading(code: u32, number: Option<Number>, quality: Quality) -> Result<Reading, Objection> {
    let value = match number {
        None => None,
        Some(number) => Some(number.to_milli().ok_or_else(|| no_value(code, number))?),
    };
    Reading::new(code, value, quality).map_err(|error| match error {
        ReadingError::UnknownCode { code } => unknown(code),
        ReadingError::OutOfRange { value, .. } => (RejectReason::OutOfRange, value.to_string(), range(code)),
    })
}

/// The channel without a value; a quality that voids the value itself (lead-off, …) is kept.
pub(crate) fn without_value(code: u32, quality: Option<Quality>) -> Option<Reading> {
    match quality {
        Some(quality) if !quality.usable() => Reading::new(code, None, quality).ok(),
        _ => Reading::unmeasurable(code),
    }
}

fn unknown(code: u32) -> Objection {
    let expected = "a numeric code of vitals/v1, see the table of codes";
    (RejectReason::UnknownCode, code.to_string(), expected.into())
}

fn no_value(code: u32, number: Number) -> Objection {
    if codes::numeric(code).is_none() {
        return unknown(code);
    }
    if number.to_f64().is_finite() {
        return (RejectReason::OutOfRange, number.to_string(), range(code));
    }
    (RejectReason::NotANumber, number.to_string(), "a finite number or null".into())
}

/// The technical range of a code, in words.
fn range(code: u32) -> String {
    codes::numeric(code).map_or_else(String::new, |n| {
        let (low, high) = n.technical;
        format!("{} to {} {} ({})", low / 1000, high / 1000, n.unit.ucum(), n.reference)
    })
}
