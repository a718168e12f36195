//! PCD-01 (`ORU^R01`): what a monitor measured, as messages of its devices.
//!
//! A device is named by OBX-18, or by the PRT that follows an OBX; other OBX belong to the device that was named last under the same
//! first number of OBX-4. An OBX of no device is never taken: values of two patients could meet under one name. Codes that
//! `vitals/v1` does not know are passed over; a known code with a wrong unit or value is refused by itself.

use std::collections::{BTreeMap, HashMap};

use wardlight_core::codes::{self, Waveform};
use wardlight_core::ids::DeviceId;
use wardlight_core::message::{Body, Message, WaveBlock};
use wardlight_core::time::Timestamp;

use super::Refusal;
use super::observation::{self, observed};
use super::read::{Field, Hl7, Segment};
use super::status::{DATA_TYPE, REQUIRED_FIELD, SEGMENT_SEQUENCE};
use super::time::{Instant, Zone};
use crate::decode::number::Number;
use crate::decode::pull::quoted;
use crate::decode::readings::Readings;
use crate::error::{RejectReason, RejectedReading};
use crate::limits::{MAX_SAMPLES, RATE_HZ};

/// The message's own clock.
#[derive(Clone, Copy, Debug)]
pub(super) struct Clock {
    pub(super) zone: Zone,
    /// MSH-7.
    pub(super) sent_at: Timestamp,
}

/// What a message brings.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Observations {
    /// Messages of its devices, the oldest first, without boot and number: HL7 has none.
    pub messages: Vec<Message>,
    /// What was refused of it; `OBX[3]` is the third OBX.
    pub rejected: Vec<RejectedReading>,
    /// OBX passed over, whose codes `vitals/v1` does not know.
    pub foreign: usize,
}

/// One OBX and what lies around it.
struct Line<'a> {
    obx: Segment<'a>,
    /// From 1.
    ordinal: usize,
    at: Timestamp,
    /// As the OBX itself or its PRT says.
    device: Option<String>,
}

pub(super) fn observations(message: &Hl7<'_>, clock: Clock) -> Result<Observations, Refusal> {
    let demo = matches!(message.header().field(11).text().as_ref(), "D" | "T");
    let lines = lines(message, clock)?;
    if lines.is_empty() {
        return Err(Refusal::at("OBX", 0, SEGMENT_SEQUENCE, "expected at least one OBX"));
    }
    let mut devices = HashMap::new();
    let mut found = Found::default();
    for line in &lines {
        let top = top(line.obx.field(4));
        if let Some(name) = &line.device {
            devices.insert(top.clone(), device(line, name)?);
        }
        let Some((code, reference)) = observed(line.obx.field(3)) else {
            found.foreign += 1;
            continue;
        };
        if found.facet(line.obx, &reference) {
            continue;
        }
        let (waveform, numeric) = (Waveform::from_code(code), codes::numeric(code));
        if waveform.is_none() && numeric.is_none() {
            found.foreign += 1;
            continue;
        }
        let Some(device) = devices.get(&top) else {
            let mut refusal = Refusal::at(
                "OBX",
                18,
                REQUIRED_FIELD,
                "expected a device here, in a PRT, or above in OBX-4",
            );
            refusal.place.ordinal = line.ordinal;
            return Err(refusal);
        };
        match waveform {
            Some(waveform) => found.begin_wave(line, waveform, device.clone(), demo),
            None => found.numeric(line, code, device.clone(), demo),
        }
    }
    Ok(found.finish())
}

/// The OBX of the message, each with its time and the device that it or its PRT names.
fn lines<'a>(message: &Hl7<'a>, clock: Clock) -> Result<Vec<Line<'a>>, Refusal> {
    let mut lines: Vec<Line<'a>> = Vec::new();
    let (mut window, mut orders) = (clock.sent_at, 0);
    for segment in message.segments() {
        match segment.name() {
            "OBR" => {
                orders += 1;
                window = time(segment.field(7), clock, clock.sent_at).map_err(|text| placed("OBR", orders, 7, text))?;
            }
            "OBX" => {
                let ordinal = lines.len() + 1;
                let at = time(segment.field(14), clock, window).map_err(|text| placed("OBX", ordinal, 14, text))?;
                lines.push(Line {
                    obx: *segment,
                    ordinal,
                    at,
                    device: Some(segment.field(18).text().into_owned()).filter(|name| !name.is_empty()),
                });
            }
            "PRT" => {
                let name = segment.field(10).text();
                if let Some(line) = lines.last_mut().filter(|line| line.device.is_none() && !name.is_empty()) {
                    line.device = Some(name.into_owned());
                }
            }
            _ => {}
        }
    }
    Ok(lines)
}

fn placed(segment: &'static str, ordinal: usize, field: usize, text: &str) -> Refusal {
    let mut refusal = Refusal::at(segment, field, DATA_TYPE, text);
    refusal.place.ordinal = ordinal;
    refusal
}

fn time(field: Field<'_>, clock: Clock, default: Timestamp) -> Result<Timestamp, &'static str> {
    if field.is_empty() {
        return Ok(default);
    }
    let instant = Instant::read(&field.text());
    instant
        .map(|instant| instant.at(clock.zone))
        .ok_or("expected a time, YYYYMMDDHHMMSS[.SSS][+ZZZZ]")
}

/// The first number of a containment: the device system.
fn top(containment: Field<'_>) -> String {
    containment.raw().split('.').next().unwrap_or("").to_owned()
}

fn device(line: &Line<'_>, name: &str) -> Result<DeviceId, Refusal> {
    let expected = "expected a device's name of 1 to 64 characters of A-Z a-z 0-9 . _ -";
    DeviceId::new(name).map_err(|_foreign| placed("OBX", line.ordinal, 18, expected))
}

/// What has been found so far.
#[derive(Default)]
struct Found {
    readings: BTreeMap<(Timestamp, DeviceId), Readings>,
    waves: Vec<Message>,
    rejected: Vec<RejectedReading>,
    foreign: usize,
    /// A waveform whose facets follow.
    wave: Option<Wave>,
}

struct Wave {
    field: String,
    device: DeviceId,
    at: Timestamp,
    waveform: Waveform,
    samples: Result<Vec<i16>, String>,
    quality: wardlight_core::vitals::Quality,
    rate_hz: Option<f32>,
    resolution: Option<(i8, i32)>,
}

impl Found {
    fn numeric(&mut self, line: &Line<'_>, code: u32, device: DeviceId, demo: bool) {
        self.end_wave();
        let readings = self.readings.entry((line.at, device)).or_default();
        let outcome = observation::reading(line.obx, code, demo);
        readings.settle(outcome, Some(code), || format!("OBX[{}]", line.ordinal));
    }

    fn begin_wave(&mut self, line: &Line<'_>, waveform: Waveform, device: DeviceId, demo: bool) {
        self.end_wave();
        let (quality, there) = observation::quality(line.obx, demo);
        let samples = if there { samples(line.obx) } else { Ok(Vec::new()) };
        self.wave = Some(Wave {
            field: format!("OBX[{}]", line.ordinal),
            device,
            at: line.at,
            waveform,
            samples,
            quality,
            rate_hz: None,
            resolution: None,
        });
    }

    /// Takes what describes the waveform before it.
    fn facet(&mut self, obx: Segment<'_>, reference: &str) -> bool {
        let Some(wave) = &mut self.wave else { return false };
        let number = observation::decimal(obx.field(5).raw());
        match reference {
            "MDC_ATTR_SAMP_RATE" => {
                let is_hertz = matches!(obx.field(6).text().as_ref(), "264640" | "Hz");
                let rate = number
                    .map(Number::to_f64)
                    .filter(|rate| is_hertz && (RATE_HZ.0..=RATE_HZ.1).contains(rate));
                wave.rate_hz = rate.map(|rate| rate as f32);
            }
            "MDC_ATTR_NU_MSMT_RES" => {
                let is_unit = observation::is_unit(obx.field(6), wave.waveform.unit());
                wave.resolution = number.filter(|_| is_unit).and_then(scale);
            }
            _ => return false,
        }
        true
    }

    fn end_wave(&mut self) {
        let Some(wave) = self.wave.take() else { return };
        let mut refuse = |found: String, expected: &str| {
            self.rejected.push(RejectedReading {
                field: wave.field.clone(),
                code: Some(wave.waveform.code()),
                reason: RejectReason::BadShape,
                found,
                expected: expected.to_owned(),
            });
        };
        let samples = match wave.samples {
            Ok(samples) => samples,
            Err(found) => return refuse(found, "NA, whole numbers"),
        };
        let Some(rate_hz) = wave.rate_hz else {
            return refuse("no rate".to_owned(), "MDC_ATTR_SAMP_RATE of 1 to 2000 Hz behind it");
        };
        let Some(scale) = wave.resolution else {
            return refuse(
                "no resolution".to_owned(),
                "MDC_ATTR_NU_MSMT_RES in the waveform's unit behind it",
            );
        };
        for (index, block) in samples.chunks(MAX_SAMPLES).enumerate() {
            let before = (index * MAX_SAMPLES) as f64 * 1000.0 / f64::from(rate_hz);
            self.waves.push(Message {
                device: wave.device.clone(),
                boot: None,
                seq: None,
                sent_at: Timestamp::from_millis(wave.at.as_millis().saturating_add(before.round() as i64)),
                body: Body::Wave(WaveBlock {
                    waveform: wave.waveform,
                    rate_hz,
                    scale,
                    offset: 0,
                    samples: block.to_vec(),
                    quality: wave.quality,
                }),
            });
        }
    }

    fn finish(mut self) -> Observations {
        self.end_wave();
        let Self {
            readings,
            waves,
            mut rejected,
            foreign,
            ..
        } = self;
        let mut messages = Vec::with_capacity(readings.len() + waves.len());
        for ((sent_at, device), readings) in readings {
            rejected.extend(readings.rejected);
            messages.push(Message {
                device,
                boot: None,
                seq: None,
                sent_at,
                body: Body::Numerics(readings.taken),
            });
        }
        messages.extend(waves);
        Observations {
            messages,
            rejected,
            foreign,
        }
    }
}

/// Samples of an NA field; an empty one, and one that 16 bits do not hold, is missing.
fn samples(obx: Segment<'_>) -> Result<Vec<i16>, String> {
    if obx.field(2).raw() != "NA" {
        return Err(quoted(obx.field(2).raw()));
    }
    let sample = |text: &str| match text.trim() {
        "" => Ok(WaveBlock::MISSING),
        text => match text.parse::<i64>() {
            Ok(raw) => Ok(i16::try_from(raw).unwrap_or(WaveBlock::MISSING)),
            Err(_no_number) => Err(quoted(text)),
        },
    };
    obx.field(5).components().map(sample).collect()
}

/// A resolution as `(exponent, mantissa)`.
fn scale(resolution: Number) -> Option<(i8, i32)> {
    let (mantissa, exponent) = match resolution {
        Number::Int(mantissa) => (mantissa, 0),
        Number::Decimal { mantissa, exponent } => (mantissa, exponent),
        Number::Float(_) => return None,
    };
    let mantissa = i32::try_from(mantissa).ok().filter(|mantissa| *mantissa != 0)?;
    let (low, high) = crate::limits::SCALE_EXPONENT;
    let exponent = i8::try_from(exponent)
        .ok()
        .filter(|e| (low..=high).contains(&i64::from(*e)))?;
    Some((exponent, mantissa))
}
