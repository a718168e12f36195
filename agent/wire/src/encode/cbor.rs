//! Native CBOR: integer keys in ascending order, the shortest integers.

use std::collections::BTreeMap;
use std::convert::Infallible;

use minicbor::data::Tag;
use minicbor::encode::{Encoder, Error};
use wardlight_core::message::{Birth, Body, Channel, DeviceAlarm, DeviceEvent, Message, WaveBlock};
use wardlight_core::vitals::{Milli, Quality, Reading};

use super::shortest;
use crate::key::Key;

type Out = Encoder<Vec<u8>>;
type Written = Result<(), Error<Infallible>>;

/// The message's native payload.
pub fn cbor(message: &Message) -> Vec<u8> {
    let mut out = Encoder::new(Vec::with_capacity(128));
    // Writing to memory cannot fail.
    let _written: Written = write(&mut out, message);
    out.into_writer()
}

fn write(out: &mut Out, message: &Message) -> Written {
    let head = 2 + u64::from(message.seq.is_some()) + u64::from(message.boot.is_some());
    out.map(head + entries(&message.body))?;
    key(out, Key::Version)?.u8(1)?;
    if let Some(seq) = message.seq {
        key(out, Key::Seq)?.u32(seq)?;
    }
    key(out, Key::Time)?.i64(message.sent_at.as_millis())?;
    if let Body::Numerics(readings) = &message.body {
        numerics(out, readings)?;
    }
    if let Body::Wave(block) = &message.body {
        wave(out, block)?;
    }
    if let Body::Event(DeviceEvent::LeadOff { code: Some(code), .. }) = &message.body {
        key(out, Key::Code)?.u32(*code)?;
    }
    if let Some(boot) = message.boot {
        key(out, Key::Boot)?.u32(boot)?;
    }
    match &message.body {
        Body::Numerics(_) => Ok(()),
        Body::Wave(block) if block.quality == Quality::VALID => Ok(()),
        Body::Wave(block) => key(out, Key::Quality)?.u16(block.quality.bits())?.ok(),
        Body::State { online, rev, rejected } => state(out, *online, *rev, rejected),
        Body::Birth(body) => birth(out, body),
        Body::Alarm(body) => alarm(out, body),
        Body::Event(body) => event(out, *body),
    }
}

/// How many entries the body has.
fn entries(body: &Body) -> u64 {
    match body {
        Body::State { rev, rejected, .. } => 1 + u64::from(rev.is_some()) + u64::from(!rejected.is_empty()),
        Body::Numerics(_) | Body::Event(DeviceEvent::Button) => 1,
        Body::Birth(_) => 3,
        Body::Wave(block) => 5 + u64::from(block.quality != Quality::VALID),
        Body::Alarm(_) => 4,
        Body::Event(DeviceEvent::LeadOff { code, .. }) => 2 + u64::from(code.is_some()),
        Body::Event(DeviceEvent::Battery { .. } | DeviceEvent::Demo { .. }) => 2,
    }
}

fn key(out: &mut Out, key: Key) -> Result<&mut Out, Error<Infallible>> {
    out.u8(key.number())
}

fn state(out: &mut Out, online: bool, rev: Option<u32>, rejected: &BTreeMap<String, String>) -> Written {
    key(out, Key::On)?.bool(online)?;
    if let Some(rev) = rev {
        key(out, Key::Revision)?.u32(rev)?;
    }
    if rejected.is_empty() {
        return Ok(());
    }
    key(out, Key::Rejected)?.map(rejected.len() as u64)?;
    rejected
        .iter()
        .try_for_each(|(name, reason)| out.str(name)?.str(reason)?.ok())
}

fn numerics(out: &mut Out, readings: &[Reading]) -> Written {
    key(out, Key::Readings)?.array(readings.len() as u64)?;
    for reading in readings {
        let valid = reading.quality() == Quality::VALID;
        out.array(if valid { 2 } else { 3 })?.u32(reading.numeric().code)?;
        value(out, reading.value())?;
        if !valid {
            out.u16(reading.quality().bits())?;
        }
    }
    Ok(())
}

fn value(out: &mut Out, value: Option<Milli>) -> Written {
    match value.map(|v| shortest(v.get())) {
        None => out.null()?.ok(),
        Some((whole, 0)) => out.i32(whole)?.ok(),
        Some((mantissa, exponent)) => out.tag(Tag::new(4))?.array(2)?.i8(exponent)?.i32(mantissa)?.ok(),
    }
}

fn wave(out: &mut Out, block: &WaveBlock) -> Written {
    key(out, Key::Code)?.u32(block.waveform.code())?;
    key(out, Key::Rate)?;
    rate(out, block.rate_hz)?;
    let (exponent, mantissa) = block.scale;
    key(out, Key::Scale)?.array(2)?.i8(exponent)?.i32(mantissa)?;
    key(out, Key::Offset)?.i32(block.offset)?;
    let bytes: Vec<u8> = block.samples.iter().flat_map(|s| s.to_le_bytes()).collect();
    key(out, Key::Samples)?.tag(Tag::new(77))?.bytes(&bytes)?.ok()
}

fn rate(out: &mut Out, hz: f32) -> Written {
    if hz.fract() == 0.0 && (0.0..=65_535.0).contains(&hz) {
        return out.u16(hz as u16)?.ok();
    }
    out.f32(hz)?.ok()
}

fn birth(out: &mut Out, birth: &Birth) -> Written {
    key(out, Key::Model)?.str(&birth.model)?;
    key(out, Key::Firmware)?.str(&birth.firmware)?;
    key(out, Key::Channels)?.array(birth.channels.len() as u64)?;
    birth.channels.iter().try_for_each(|c| channel(out, c))
}

fn channel(out: &mut Out, channel: &Channel) -> Written {
    out.map(2 + u64::from(channel.rate_hz.is_some()))?;
    key(out, Key::Code)?.u32(channel.code)?;
    if let Some(hz) = channel.rate_hz {
        key(out, Key::Rate)?;
        rate(out, hz)?;
    }
    key(out, Key::Unit)?.str(channel.unit.ucum())?.ok()
}

fn alarm(out: &mut Out, alarm: &DeviceAlarm) -> Written {
    key(out, Key::On)?.bool(alarm.present)?;
    key(out, Key::Condition)?.str(&alarm.condition)?;
    key(out, Key::Priority)?.str(alarm.priority.name())?;
    key(out, Key::Text)?.str(&alarm.text)?.ok()
}

fn event(out: &mut Out, event: DeviceEvent) -> Written {
    match event {
        DeviceEvent::LeadOff { off: on, .. } | DeviceEvent::Demo { on } => {
            key(out, Key::On)?.bool(on)?;
        }
        DeviceEvent::Battery { .. } | DeviceEvent::Button => {}
    }
    key(out, Key::Event)?.str(event_name(event))?;
    match event {
        DeviceEvent::Battery { percent } => key(out, Key::Value)?.u8(percent)?.ok(),
        DeviceEvent::LeadOff { .. } | DeviceEvent::Demo { .. } | DeviceEvent::Button => Ok(()),
    }
}

/// The event's name on the wire.
pub(super) const fn event_name(event: DeviceEvent) -> &'static str {
    match event {
        DeviceEvent::LeadOff { .. } => "lead_off",
        DeviceEvent::Battery { .. } => "battery",
        DeviceEvent::Demo { .. } => "demo",
        DeviceEvent::Button => "button",
    }
}
