//! A Sparkplug B payload and its metrics, borrowed.

use wardlight_core::time::Timestamp;
use wardlight_core::vitals::Quality;

use super::super::number::Number;
use super::protobuf::{Fields, Malformed, Value};

/// Metrics of one payload: an edge node with a hundred devices lists far fewer for each.
const MAX_METRICS: usize = 1024;
/// The quality codes of Sparkplug's property `Quality`.
const BAD: u64 = 0;
const STALE: u64 = 500;

/// One payload.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Payload<'a> {
    /// When it was sent.
    pub timestamp: Option<Timestamp>,
    /// Its number, 0 to 255.
    pub seq: Option<u64>,
    /// What it says.
    pub metrics: Vec<Metric<'a>>,
}

/// One metric.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Metric<'a> {
    /// Its name; data may leave it out.
    pub name: Option<&'a str>,
    /// What stands for the name in data.
    pub alias: Option<u64>,
    /// When it was measured.
    pub timestamp: Option<Timestamp>,
    /// Its data type; data may leave it out.
    pub datatype: Option<u64>,
    /// Its value; `None` if it has none.
    pub value: Option<MetricValue>,
    /// Its property `engUnit`.
    pub unit: Option<&'a str>,
    /// Its property `Quality`: what is bad or stale has no usable value.
    pub quality: Quality,
}

/// A value as it lies in the payload.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum MetricValue {
    /// Of an integer type: the low bits are the value.
    Bits(u64),
    /// Of a real type.
    Real(f64),
    /// True or false.
    Boolean(bool),
    /// Text, bytes, a data set or a template.
    Other,
}

impl MetricValue {
    /// The number, as a data type has it.
    pub(super) fn number(self, datatype: u64) -> Option<Number> {
        let integer = |n: i64| Some(Number::Int(n));
        match (self, datatype) {
            (Self::Bits(bits), 1) => integer(i64::from(bits as i8)),
            (Self::Bits(bits), 2) => integer(i64::from(bits as i16)),
            (Self::Bits(bits), 3) => integer(i64::from(bits as i32)),
            (Self::Bits(bits), 4) => integer(bits as i64),
            (Self::Bits(bits), 5..=8) => i64::try_from(bits).ok().and_then(integer),
            (Self::Real(real), 9 | 10) => Some(Number::Float(real)),
            _ => None,
        }
    }
}

/// Reads a payload.
/// # Errors
/// [`Malformed`], also if it has more metrics than anybody sends.
pub fn payload(bytes: &[u8]) -> Result<Payload<'_>, Malformed> {
    let mut payload = Payload::default();
    let mut fields = Fields::of(bytes);
    while let Some((number, value)) = fields.next()? {
        match number {
            1 => payload.timestamp = Some(time(value)?),
            2 if payload.metrics.len() == MAX_METRICS => return Err(Malformed),
            2 => payload.metrics.push(metric(value.bytes()?)?),
            3 => payload.seq = Some(value.number()?),
            _ => {}
        }
    }
    Ok(payload)
}

fn metric(bytes: &[u8]) -> Result<Metric<'_>, Malformed> {
    let mut metric = Metric {
        name: None,
        alias: None,
        timestamp: None,
        datatype: None,
        value: None,
        unit: None,
        quality: Quality::VALID,
    };
    let mut is_null = false;
    let mut fields = Fields::of(bytes);
    while let Some((number, value)) = fields.next()? {
        match number {
            1 => metric.name = Some(value.text()?),
            2 => metric.alias = Some(value.number()?),
            3 => metric.timestamp = Some(time(value)?),
            4 => metric.datatype = Some(value.number()?),
            7 => is_null = value.number()? != 0,
            9 => properties(value.bytes()?, &mut metric)?,
            10 | 11 => metric.value = Some(MetricValue::Bits(value.number()?)),
            12 | 13 => metric.value = Some(MetricValue::Real(value.float()?)),
            14 => metric.value = Some(MetricValue::Boolean(value.number()? != 0)),
            15..=18 => metric.value = Some(MetricValue::Other),
            _ => {}
        }
    }
    if is_null {
        metric.value = None;
    }
    Ok(metric)
}

/// Keys and values are two lists of the same order.
fn properties<'a>(bytes: &'a [u8], metric: &mut Metric<'a>) -> Result<(), Malformed> {
    let (mut keys, mut values) = (Vec::new(), Vec::new());
    let mut fields = Fields::of(bytes);
    while let Some((number, value)) = fields.next()? {
        match number {
            1 => keys.push(value.text()?),
            2 => values.push(value.bytes()?),
            _ => {}
        }
    }
    for (key, value) in keys.into_iter().zip(values) {
        let mut fields = Fields::of(value);
        while let Some((number, value)) = fields.next()? {
            match (key, number) {
                ("engUnit", 8) => metric.unit = Some(value.text()?),
                ("Quality", 3 | 4) if matches!(value.number()?, BAD | STALE) => metric.quality = Quality::ARTEFACT,
                _ => {}
            }
        }
    }
    Ok(())
}

fn time(value: Value<'_>) -> Result<Timestamp, Malformed> {
    let ms = i64::try_from(value.number()?).map_err(|_beyond_time| Malformed)?;
    Ok(Timestamp::from_millis(ms))
}
