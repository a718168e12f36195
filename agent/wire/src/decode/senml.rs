//! SenML (RFC 8428) as an adapter for numerics: what wearables speak.
//!
//! A record's name (base name and name) ends in `:`, `_`, `/`, `.` or `-` and the MDC code; its unit must be the code's. The
//! topic says who sent it, not the name. A pack is one instant: records more than a second older than the newest are refused,
//! because a late value must not be shown, scored or alarmed as if it were now.

mod record;

use std::cmp::Reverse;

use wardlight_core::codes;
use wardlight_core::message::{Body, Message};
use wardlight_core::time::Timestamp;
use wardlight_core::vitals::{Quality, Reading};

use super::Decoded;
use super::build::{Sender, family};
use super::number::Number;
use super::pull::{Fault, Parse, Pull, Scalar, Shape};
use super::readings::{self, Objection, Readings, Refused};
use crate::error::RejectReason;
use crate::limits::MAX_READINGS;
use crate::topic::DeviceTopic;

use record::{Base, Record, apply, field_of};

/// Times below 2^28 seconds are relative to now (RFC 8428, section 4.5.3).
const RELATIVE_BELOW_S: f64 = 268_435_456.0;
/// Records this much older than the newest of their pack are still the same instant.
const SAME_INSTANT_MS: i64 = 1000;

struct Taken {
    index: usize,
    at: Timestamp,
    code: Option<u32>,
    outcome: Result<Reading, Refused>,
}

/// Reads one SenML pack.
pub(super) fn decode<'a, P: Pull<'a>>(mut reader: P, sender: Sender) -> Parse<Decoded> {
    if sender.kind != DeviceTopic::Num {
        let expected = format!(
            "the native format on {}; SenML carries numerics only, on num",
            family(sender.kind)
        );
        return Err(Fault::field("payload", "SenML", expected));
    }
    let mut open = readings::open_list(&mut reader, "payload", "a SenML pack, an array of records")?;
    let mut base = Base::default();
    let mut taken = Vec::new();
    let mut index = 0;
    while reader.next_item(&mut open)? {
        if index == MAX_READINGS {
            return Err(Fault::field(
                "payload",
                "more records",
                format!("at most {MAX_READINGS} records"),
            ));
        }
        taken.extend(record(&mut reader, &mut base, index, sender.received_at)?);
        index += 1;
    }
    reader.finish()?;
    Ok(gather(taken, sender))
}

fn gather(mut taken: Vec<Taken>, sender: Sender) -> Decoded {
    taken.sort_by_key(|record| Reverse(record.at));
    let newest = taken.first().map_or(sender.received_at, |record| record.at);
    let mut readings = Readings::default();
    for Taken {
        index,
        at,
        code,
        outcome,
    } in taken
    {
        let age = newest.millis_after(at);
        let outcome = outcome.and_then(|reading| {
            if age <= SAME_INSTANT_MS {
                Ok(reading)
            } else {
                Err(too_old(age))
            }
        });
        readings.settle(outcome, code, || format!("record[{index}]"));
    }
    let message = Message {
        device: sender.device,
        boot: None,
        seq: None,
        sent_at: newest,
        body: Body::Numerics(readings.taken),
    };
    Decoded {
        message,
        rejected: readings.rejected,
    }
}

fn too_old(age_ms: i64) -> Refused {
    let expected = "records of one instant; send one pack per instant".into();
    Refused {
        objection: (RejectReason::OldTime, format!("{age_ms} ms older than the newest"), expected),
        remains: None,
    }
}

fn record<'a, P: Pull<'a>>(reader: &mut P, base: &mut Base, index: usize, now: Timestamp) -> Parse<Option<Taken>> {
    if reader.shape()? != Shape::Map {
        let found = reader.scalar()?.describe();
        return Err(Fault::field(format!("record[{index}]"), found, "a SenML record, a map"));
    }
    let mut record = Record::default();
    let mut seen = 0_u32;
    let mut open = reader.open_map()?;
    while let Some(label) = reader.next_label(&mut open)? {
        let (field, bit) = field_of(&label)?;
        if seen & bit != 0 {
            return Err(Fault::field(
                format!("record[{index}]"),
                format!("{} twice", label.describe()),
                "each label once",
            ));
        }
        seen |= bit;
        let value = reader.scalar()?;
        apply(field, value, base, &mut record)?;
    }
    let nothing = record.name.is_none() && record.value.is_none() && record.foreign.is_none() && record.unit.is_none();
    if nothing && base.value.is_none() {
        return Ok(None); // A record of base fields only.
    }
    let at = instant(base.time + record.time, now)?;
    let code = code_of(base, &record);
    let outcome = check(base, &record, code).map_err(|objection| Refused {
        remains: code.ok().and_then(Reading::unmeasurable),
        objection,
    });
    let code = code.ok();
    Ok(Some(Taken {
        index,
        at,
        code,
        outcome,
    }))
}

/// A resolved SenML time as a point in time.
fn instant(seconds: f64, now: Timestamp) -> Parse<Timestamp> {
    let millis = (seconds * 1000.0).round();
    if millis.abs() > 9.0e18 {
        return Err(Fault::field(
            "t",
            format!("{seconds:?} s"),
            "a time that fits 64 bits of milliseconds",
        ));
    }
    let millis = millis as i64;
    if seconds < RELATIVE_BELOW_S {
        return Ok(Timestamp::from_millis(now.as_millis().saturating_add(millis)));
    }
    Ok(Timestamp::from_millis(millis))
}

/// The MDC code at the end of the full name, or the name for the error message.
fn code_of(base: &Base, record: &Record<'_>) -> Result<u32, NoCode> {
    let own = match &record.name {
        None => "",
        Some(Scalar::Text(text)) => text.as_ref(),
        Some(_) => return Err(NoCode),
    };
    let (head, digits) = split_digits(own);
    let (head, digits) = if head.is_empty() && digits.is_empty() {
        split_digits(&base.name)
    } else {
        (head, digits)
    };
    let before = head.chars().last().or_else(|| {
        let whole = own.len() == digits.len() && !own.is_empty();
        whole.then(|| base.name.chars().last()).flatten()
    });
    let separated = before.is_none_or(|c| matches!(c, ':' | '_' | '/' | '.' | '-'));
    if !separated || digits.is_empty() || digits.len() > 10 {
        return Err(NoCode);
    }
    digits.parse().ok().ok_or(NoCode)
}

/// A name without a code.
#[derive(Clone, Copy, Debug)]
struct NoCode;

/// Splits trailing ASCII digits off.
fn split_digits(name: &str) -> (&str, &str) {
    let head = name.trim_end_matches(|c: char| c.is_ascii_digit());
    name.split_at(head.len())
}

fn check(base: &Base, record: &Record<'_>, code: Result<u32, NoCode>) -> Result<Reading, Objection> {
    let Ok(code) = code else {
        let own = record.name.as_ref().map_or("nothing".into(), Scalar::describe);
        let expected = "a name that ends in : _ / . or - and an MDC code".into();
        return Err((RejectReason::BadShape, format!("n {own}"), expected));
    };
    let Some(numeric) = codes::numeric(code) else {
        let expected = "a numeric code of vitals/v1, see the table of codes".into();
        return Err((RejectReason::UnknownCode, code.to_string(), expected));
    };
    let unit = match &record.unit {
        Some(Scalar::Text(text)) => Some(text.as_ref()),
        Some(_) => None,
        None => base.unit.as_deref(),
    };
    if !unit.is_some_and(|unit| numeric.unit.matches(unit)) {
        let found = unit.map_or("no unit".into(), |unit| format!("unit {}", super::pull::quoted(unit)));
        let expected = format!("unit {:?} for {} ({code})", numeric.unit.ucum(), numeric.reference);
        return Err((RejectReason::WrongUnit, found, expected));
    }
    let number = value(base, record)?;
    readings::reading(code, Some(number), Quality::VALID)
}

fn value(base: &Base, record: &Record<'_>) -> Result<Number, Objection> {
    let refused = |found: String| (RejectReason::NotANumber, found, "v, a number".to_owned());
    let own = match (&record.value, record.foreign) {
        (Some(Scalar::Number(number)), None) => Some(*number),
        (Some(other), None) => return Err(refused(other.describe())),
        (_, Some(label)) => return Err(refused(label.into())),
        (None, None) => None,
    };
    match (base.value, own) {
        (None, Some(number)) | (Some(number), None) => Ok(number),
        (Some(base), Some(own)) => Ok(Number::Float(base.to_f64() + own.to_f64())),
        (None, None) => Err(refused("nothing".into())),
    }
}
