//! From checked fields to a message: what each topic requires, and what belongs together.

use wardlight_core::codes::{self, Unit, Waveform};
use wardlight_core::ids::DeviceId;
use wardlight_core::message::{Birth, Body, Channel, DeviceAlarm, DeviceEvent, Message, WaveBlock};
use wardlight_core::time::Timestamp;
use wardlight_core::vitals::{Milli, Quality};

use super::Decoded;
use super::fields::{self, Fields, Seen};
use super::number::Number;
use super::pull::{Fault, Parse, Pull, Scalar, Shape};
use super::readings::{self, Objection};
use crate::error::RejectReason;
use crate::key::Key;
use crate::limits::{NUMERIC_RATE_HZ, RATE_HZ};
use crate::topic::DeviceTopic;

/// What is known before the payload is read.
#[derive(Clone, Debug)]
pub(super) struct Sender {
    pub(super) device: DeviceId,
    pub(super) kind: DeviceTopic,
    pub(super) received_at: Timestamp,
}

/// The topic's name without a waveform's code.
pub(super) const fn family(topic: DeviceTopic) -> &'static str {
    match topic {
        DeviceTopic::Birth => "birth",
        DeviceTopic::State => "state",
        DeviceTopic::Num => "num",
        DeviceTopic::Wave(_) => "wave",
        DeviceTopic::Alarm => "alarm",
        DeviceTopic::Event => "event",
        DeviceTopic::Cmd => "cmd",
    }
}

fn required<T>(field: Option<T>, key: Key) -> Parse<T> {
    field.ok_or_else(|| Fault::field(key.name(), "nothing", "this field"))
}

/// Puts the message together.
pub(super) fn message(fields: &mut Fields<'_>, sender: Sender) -> Parse<Decoded> {
    let (boot, time) = (fields.boot, fields.time);
    let numbered = !matches!(sender.kind, DeviceTopic::Birth | DeviceTopic::State);
    if numbered {
        required(fields.seq, Key::Seq)?;
        required(time, Key::Time)?;
    }
    let seq = fields.seq;
    let mut rejected = std::mem::take(&mut fields.rejected);
    let body = match sender.kind {
        DeviceTopic::Birth => birth(fields)?,
        DeviceTopic::State => state(fields)?,
        DeviceTopic::Num => {
            let readings = required(fields.readings.take(), Key::Readings)?;
            rejected.extend(readings.rejected);
            Body::Numerics(readings.taken)
        }
        DeviceTopic::Wave(waveform) => wave(fields, waveform)?,
        DeviceTopic::Alarm => alarm(fields)?,
        DeviceTopic::Event => Body::Event(event(fields)?),
        DeviceTopic::Cmd => return Err(Fault::field("topic", "cmd", "a topic that devices publish to")),
    };
    let message = Message {
        device: sender.device,
        boot,
        seq,
        sent_at: time.map_or(sender.received_at, Timestamp::from_millis),
        body,
    };
    Ok(Decoded { message, rejected })
}

fn birth(fields: &mut Fields<'_>) -> Parse<Body> {
    required(fields.boot, Key::Boot)?;
    Ok(Body::Birth(Birth {
        model: required(fields.model.take(), Key::Model)?,
        firmware: required(fields.firmware.take(), Key::Firmware)?,
        channels: required(fields.channels.take(), Key::Channels)?,
    }))
}

/// A device that says it is on says since when: the message is retained and may be old. A will cannot know the time.
fn state(fields: &mut Fields<'_>) -> Parse<Body> {
    let online = required(fields.on, Key::On)?;
    if online {
        required(fields.time, Key::Time)?;
        required(fields.boot, Key::Boot)?;
    }
    Ok(Body::State {
        online,
        rev: fields.revision,
        rejected: fields.refused.take().unwrap_or_default(),
    })
}

fn wave(fields: &mut Fields<'_>, waveform: Waveform) -> Parse<Body> {
    let topic = waveform.code();
    if let Some(code) = fields.code.filter(|code| *code != topic) {
        return Err(Fault::field("c", code.to_string(), format!("{topic}, as in the topic")));
    }
    let samples = required(fields.samples.take(), Key::Samples)?;
    if samples.is_empty() {
        return Err(Fault::field("s", "no samples", "at least one sample"));
    }
    Ok(Body::Wave(WaveBlock {
        waveform,
        rate_hz: required(fields.rate, Key::Rate)?,
        scale: fields.scale.unwrap_or((0, 1)),
        offset: fields.offset.unwrap_or(0),
        samples,
        quality: fields.quality.unwrap_or(Quality::VALID),
    }))
}

fn alarm(fields: &mut Fields<'_>) -> Parse<Body> {
    Ok(Body::Alarm(DeviceAlarm {
        condition: required(fields.condition.take(), Key::Condition)?,
        present: required(fields.on, Key::On)?,
        priority: required(fields.priority, Key::Priority)?,
        text: fields.text.take().unwrap_or_default(),
    }))
}

fn event(fields: &Fields<'_>) -> Parse<DeviceEvent> {
    let name = fields.event.as_deref();
    match required(name, Key::Event)? {
        "lead_off" => {
            let off = required(fields.on, Key::On)?;
            let code = fields.code;
            if let Some(code) = code.filter(|c| unit_of(*c).is_none()) {
                return Err(Fault::field(
                    "c",
                    code.to_string(),
                    "a code of vitals/v1, or no c for the whole device",
                ));
            }
            Ok(DeviceEvent::LeadOff { code, off })
        }
        "battery" => {
            let charge = required(fields.value, Key::Value)?;
            let percent = charge.to_milli().map(Milli::rounded).and_then(|p| u8::try_from(p).ok());
            let percent = percent.filter(|p| *p <= 100);
            let percent = percent.ok_or_else(|| Fault::field("x", charge.to_string(), "0 to 100 percent"))?;
            Ok(DeviceEvent::Battery { percent })
        }
        "demo" => Ok(DeviceEvent::Demo {
            on: required(fields.on, Key::On)?,
        }),
        "button" => Ok(DeviceEvent::Button),
        other => Err(Fault::field(
            "e",
            super::pull::quoted(other),
            "lead_off, battery, demo or button",
        )),
    }
}

/// The unit of a numeric or waveform code.
fn unit_of(code: u32) -> Option<Unit> {
    let numeric = codes::numeric(code).map(|n| n.unit);
    numeric.or_else(|| Waveform::from_code(code).map(Waveform::unit))
}

/// Reads one announced channel. A bad one is an [`Objection`]; only what breaks the reading itself is a fault.
pub(super) fn channel<'a, P: Pull<'a>>(reader: &mut P) -> Parse<(Option<u32>, Result<Channel, Objection>)> {
    let bad = |found: String, expected: &str| (RejectReason::BadShape, found, expected.to_owned());
    if reader.shape()? != Shape::Map {
        let found = reader.scalar()?.describe();
        return Ok((None, Err(bad(found, "a map with c, unit and fs"))));
    }
    let (mut code, mut unit, mut rate) = (None, None, None);
    let mut seen = Seen::default();
    let mut open = reader.open_map()?;
    while let Some(label) = reader.next_label(&mut open)? {
        let Some(key) = fields::key_of::<P>(&label)? else {
            reader.scalar()?;
            continue;
        };
        seen.once(key)?;
        match key {
            Key::Code => code = Some(reader.scalar()?),
            Key::Unit => unit = Some(reader.scalar()?),
            Key::Rate => rate = Some(reader.scalar()?),
            // Only described here; each wave block carries its own scale and offset, and ranges are ours.
            Key::Scale => fields::scale(reader).map(drop)?,
            Key::Offset => fields::offset(&reader.scalar()?).map(drop)?,
            Key::Range => range(reader)?,
            other => return Err(Fault::field(other.name(), "a value", "no such field in a channel")),
        }
    }
    let number = code.as_ref().and_then(readings::as_code);
    Ok((number, announced(number, code.as_ref(), unit.as_ref(), rate.as_ref())))
}

fn announced(
    number: Option<u32>,
    code: Option<&Scalar<'_>>,
    unit: Option<&Scalar<'_>>,
    rate: Option<&Scalar<'_>>,
) -> Result<Channel, Objection> {
    let describe = |value: Option<&Scalar<'_>>| value.map_or("nothing".into(), Scalar::describe);
    let Some(code) = number else {
        let expected = "an MDC code, a 32-bit integer".into();
        return Err((RejectReason::BadShape, describe(code), expected));
    };
    let Some(own) = unit_of(code) else {
        let expected = "a code of vitals/v1, see the table of codes".into();
        return Err((RejectReason::UnknownCode, code.to_string(), expected));
    };
    match unit {
        Some(Scalar::Text(text)) if own.matches(text) => {}
        other => {
            let expected = format!("unit {:?}", own.ucum());
            return Err((RejectReason::WrongUnit, describe(other), expected));
        }
    }
    let is_wave = Waveform::from_code(code).is_some();
    let (low, high) = if is_wave { RATE_HZ } else { NUMERIC_RATE_HZ };
    let rate_hz = match rate {
        Some(value) => fields::rate_within(value, (low, high)).ok(),
        None => None,
    };
    if rate_hz.is_none() && (is_wave || rate.is_some()) {
        let expected = format!("fs from {low} to {high} Hz");
        return Err((RejectReason::BadShape, describe(rate), expected));
    }
    Ok(Channel {
        code,
        unit: own,
        rate_hz,
    })
}

fn range<'a, P: Pull<'a>>(reader: &mut P) -> Parse<()> {
    let expected = "[low, high], two finite numbers";
    let mut open = readings::open_list(reader, "range", expected)?;
    let (mut count, mut last) = (0, f64::NEG_INFINITY);
    while reader.next_item(&mut open)? {
        let value = reader.scalar()?;
        let number = value.number().map(Number::to_f64).filter(|x| x.is_finite() && *x >= last);
        last = number.ok_or_else(|| Fault::field("range", value.describe(), expected))?;
        count += 1;
    }
    if count == 2 {
        return Ok(());
    }
    Err(Fault::field("range", format!("{count} items"), expected))
}
