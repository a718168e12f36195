//! The JSON twin: the same fields under their short names, in the same order.

use std::collections::BTreeMap;
use std::fmt::{self, Write};

use wardlight_core::message::{Birth, Body, Channel, DeviceAlarm, DeviceEvent, Message, WaveBlock};
use wardlight_core::vitals::{Quality, Reading};

use super::cbor::event_name;
use super::shortest;

/// The message's payload as JSON text.
pub fn json(message: &Message) -> Vec<u8> {
    let mut out = String::with_capacity(256);
    // Writing to memory cannot fail.
    let _written: fmt::Result = write(&mut out, message);
    out.into_bytes()
}

fn write(out: &mut String, message: &Message) -> fmt::Result {
    out.push_str(r#"{"v":1"#);
    if let Some(seq) = message.seq {
        write!(out, r#","seq":{seq}"#)?;
    }
    write!(out, r#","t":{}"#, message.sent_at)?;
    if let Some(boot) = message.boot {
        write!(out, r#","boot":{boot}"#)?;
    }
    match &message.body {
        Body::Birth(body) => birth(out, body)?,
        Body::State { online, rev, rejected } => state(out, *online, *rev, rejected)?,
        Body::Numerics(readings) => numerics(out, readings)?,
        Body::Wave(block) => wave(out, block)?,
        Body::Alarm(body) => alarm(out, body)?,
        Body::Event(body) => event(out, *body)?,
    }
    out.push('}');
    Ok(())
}

fn state(out: &mut String, online: bool, rev: Option<u32>, rejected: &BTreeMap<String, String>) -> fmt::Result {
    write!(out, r#","on":{online}"#)?;
    if let Some(rev) = rev {
        write!(out, r#","rev":{rev}"#)?;
    }
    if rejected.is_empty() {
        return Ok(());
    }
    out.push_str(r#","rejected":{"#);
    for (i, (name, reason)) in rejected.iter().enumerate() {
        out.push_str(if i == 0 { "" } else { "," });
        text(out, name)?;
        out.push(':');
        text(out, reason)?;
    }
    out.push('}');
    Ok(())
}

fn numerics(out: &mut String, readings: &[Reading]) -> fmt::Result {
    out.push_str(r#","m":["#);
    for (i, reading) in readings.iter().enumerate() {
        let comma = if i == 0 { "" } else { "," };
        write!(out, r#"{comma}{{"c":{},"x":"#, reading.numeric().code)?;
        match reading.value() {
            None => out.push_str("null"),
            Some(value) => decimal(out, value.get())?,
        }
        if reading.quality() != Quality::VALID {
            write!(out, r#","q":{}"#, reading.quality().bits())?;
        }
        out.push('}');
    }
    out.push(']');
    Ok(())
}

/// Thousandths as a decimal with the fewest digits: 37.1, -0.05, 88.
fn decimal(out: &mut String, thousandths: i32) -> fmt::Result {
    let (mantissa, exponent) = shortest(thousandths);
    let places = usize::from(exponent.unsigned_abs());
    if places == 0 {
        return write!(out, "{mantissa}");
    }
    let sign = if mantissa < 0 { "-" } else { "" };
    let (size, power) = (mantissa.unsigned_abs(), 10_u32.pow(places as u32));
    write!(out, "{sign}{}.{:0places$}", size / power, size % power)
}

fn wave(out: &mut String, block: &WaveBlock) -> fmt::Result {
    let (exponent, mantissa) = block.scale;
    write!(
        out,
        r#","c":{},"fs":{},"scale":[{exponent},{mantissa}],"offset":{},"s":["#,
        block.waveform.code(),
        f64::from(block.rate_hz),
        block.offset
    )?;
    for (i, sample) in block.samples.iter().enumerate() {
        let comma = if i == 0 { "" } else { "," };
        write!(out, "{comma}{sample}")?;
    }
    out.push(']');
    if block.quality != Quality::VALID {
        write!(out, r#","q":{}"#, block.quality.bits())?;
    }
    Ok(())
}

fn birth(out: &mut String, birth: &Birth) -> fmt::Result {
    out.push_str(r#","model":"#);
    text(out, &birth.model)?;
    out.push_str(r#","fw":"#);
    text(out, &birth.firmware)?;
    out.push_str(r#","channels":["#);
    for (i, channel) in birth.channels.iter().enumerate() {
        out.push_str(if i == 0 { "" } else { "," });
        announced(out, channel)?;
    }
    out.push(']');
    Ok(())
}

fn announced(out: &mut String, channel: &Channel) -> fmt::Result {
    write!(out, r#"{{"c":{},"unit":"{}""#, channel.code, channel.unit.ucum())?;
    if let Some(hz) = channel.rate_hz {
        write!(out, r#","fs":{}"#, f64::from(hz))?;
    }
    out.push('}');
    Ok(())
}

fn alarm(out: &mut String, alarm: &DeviceAlarm) -> fmt::Result {
    let (condition, on, priority) = (&alarm.condition, alarm.present, alarm.priority.name());
    write!(out, r#","condition":"{condition}","on":{on},"prio":"{priority}","text":"#)?;
    text(out, &alarm.text)
}

fn event(out: &mut String, event: DeviceEvent) -> fmt::Result {
    write!(out, r#","e":"{}""#, event_name(event))?;
    match event {
        DeviceEvent::LeadOff { code, off } => {
            if let Some(code) = code {
                write!(out, r#","c":{code}"#)?;
            }
            write!(out, r#","on":{off}"#)
        }
        DeviceEvent::Battery { percent } => write!(out, r#","x":{percent}"#),
        DeviceEvent::Demo { on } => write!(out, r#","on":{on}"#),
        DeviceEvent::Button => Ok(()),
    }
}

/// A JSON string with its escapes.
fn text(out: &mut String, text: &str) -> fmt::Result {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            c if c < ' ' => write!(out, "\\u{:04x}", u32::from(c))?,
            c => out.push(c),
        }
    }
    out.push('"');
    Ok(())
}
