//! The labels of a SenML record.

use super::super::number::Number;
use super::super::pull::{Fault, Label, Parse, Scalar};

/// Highest version of SenML that is understood (RFC 8428).
const VERSION: i64 = 10;
/// Base fields: they hold for their own record and all that follow.
#[derive(Debug, Default)]
pub(super) struct Base {
    pub(super) name: String,
    pub(super) time: f64,
    pub(super) unit: Option<String>,
    pub(super) value: Option<Number>,
}

#[derive(Debug, Default)]
pub(super) struct Record<'a> {
    pub(super) name: Option<Scalar<'a>>,
    pub(super) unit: Option<Scalar<'a>>,
    pub(super) value: Option<Scalar<'a>>,
    pub(super) time: f64,
    /// A value that is no number: its label.
    pub(super) foreign: Option<&'static str>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Field {
    BaseVersion,
    BaseName,
    BaseTime,
    BaseUnit,
    BaseValue,
    BaseSum,
    Name,
    Unit,
    Value,
    Foreign(&'static str),
    Time,
    Ignored,
}

/// What a label means, and its bit for finding repeated ones.
pub(super) fn field_of(label: &Label<'_>) -> Parse<(Field, u32)> {
    let number = match label {
        Label::Number(n) => *n,
        Label::Name(name) => match name.as_ref() {
            "bver" => -1,
            "bn" => -2,
            "bt" => -3,
            "bu" => -4,
            "bv" => -5,
            "bs" => -6,
            "n" => 0,
            "u" => 1,
            "v" => 2,
            "vs" => 3,
            "vb" => 4,
            "s" => 5,
            "t" => 6,
            "ut" => 7,
            "vd" => 8,
            must if must.ends_with('_') => {
                let expected = "no label that ends in _, which would have to be understood";
                return Err(Fault::field("a label", label.describe(), expected));
            }
            _ => return Ok((Field::Ignored, 0)),
        },
    };
    let field = match number {
        -1 => Field::BaseVersion,
        -2 => Field::BaseName,
        -3 => Field::BaseTime,
        -4 => Field::BaseUnit,
        -5 => Field::BaseValue,
        -6 => Field::BaseSum,
        0 => Field::Name,
        1 => Field::Unit,
        2 => Field::Value,
        3 => Field::Foreign("vs"),
        4 => Field::Foreign("vb"),
        5 => Field::Foreign("s"),
        6 => Field::Time,
        8 => Field::Foreign("vd"),
        _ => return Ok((Field::Ignored, 0)),
    };
    Ok((field, 1 << (number + 6)))
}

pub(super) fn apply<'a>(field: Field, value: Scalar<'a>, base: &mut Base, record: &mut Record<'a>) -> Parse<()> {
    match field {
        Field::BaseVersion => {
            let version = value.number().and_then(Number::to_i64);
            if version.is_none_or(|v| !(1..=VERSION).contains(&v)) {
                return Err(Fault::field("bver", value.describe(), format!("1 to {VERSION}")));
            }
        }
        Field::BaseName => base.name = text(&value, "bn")?,
        Field::BaseTime => base.time = seconds(&value, "bt")?,
        Field::BaseUnit => base.unit = Some(text(&value, "bu")?),
        Field::BaseValue => {
            let number = value.number();
            base.value = Some(number.ok_or_else(|| Fault::field("bv", value.describe(), "a number"))?);
        }
        Field::Name => record.name = Some(value),
        Field::Unit => record.unit = Some(value),
        Field::Value => record.value = Some(value),
        Field::Foreign(label) => record.foreign = Some(label),
        Field::Time => record.time = seconds(&value, "t")?,
        Field::BaseSum | Field::Ignored => {}
    }
    Ok(())
}

fn text(value: &Scalar<'_>, field: &str) -> Parse<String> {
    match value {
        Scalar::Text(text) if text.len() <= 256 => Ok(text.as_ref().to_owned()),
        other => Err(Fault::field(field, other.describe(), "text of at most 256 bytes")),
    }
}

fn seconds(value: &Scalar<'_>, field: &str) -> Parse<f64> {
    let number = value.number().map(Number::to_f64).filter(|s| s.is_finite());
    number.ok_or_else(|| Fault::field(field, value.describe(), "seconds, a finite number"))
}
