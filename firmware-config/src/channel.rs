//! The channels of a profile.

use std::time::Duration;

use toml::de::DeValue;
use wardlight_core::codes::{self, Unit, Waveform};
use wardlight_core::message::Channel;
use wardlight_wire::limits::{MAX_CHANNELS, NUMERIC_RATE_HZ, RATE_HZ, SCALE_EXPONENT};

use crate::reader::{Faults, Fields, Node, integer, number, span};

/// One channel that the device sends.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ChannelProfile {
    /// MDC code.
    pub code: u32,
    /// Unit of the code.
    pub unit: Unit,
    /// How far off a value may be, in its unit, as the maker states it.
    pub accuracy: Option<f64>,
    /// Lowest and highest value that the sensor reports, in the unit.
    pub range: Option<(f64, f64)>,
    /// How often a numeric comes, where that is not the device's interval: a cuff measures every quarter of an hour.
    pub every: Option<Duration>,
    /// How its samples are sent; `None` for a numeric.
    pub wave: Option<WaveProfile>,
}

/// How a waveform is sent.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct WaveProfile {
    /// Samples per second, 1 to 2000.
    pub rate_hz: f32,
    /// Length of one block, 250 ms to 1 s.
    pub block: Duration,
    /// `(exponent, mantissa)`: value = (sample + offset) × mantissa × 10^exponent.
    pub scale: (i8, i32),
    /// Added to each sample before scaling.
    pub offset: i32,
}

impl ChannelProfile {
    /// As a birth announces it.
    pub fn announced(&self) -> Channel {
        let every = self.every.map(|every| every.as_secs_f32().recip());
        Channel {
            code: self.code,
            unit: self.unit,
            rate_hz: self.wave.map(|wave| wave.rate_hz).or(every),
        }
    }

    /// MDC reference id, or what the waveform is.
    pub fn reference(&self) -> String {
        reference(self.code)
    }

    /// `before` stands before it in the file: no code comes twice.
    fn read(mut fields: Fields<'_>, before: &[Self], faults: &mut Faults<'_>) -> Option<Self> {
        let expected = "an MDC code of vitals/v1 (docs/devices.md), each once";
        let code = fields.required("code", expected, faults, |v| {
            known(v).filter(|code| before.iter().all(|channel| channel.code != *code))
        });
        let unit = unit(code, &mut fields, faults);
        let accuracy = fields.optional("accuracy", "how far off a value may be, above 0", faults, |v| {
            number(v, f64::MIN_POSITIVE, f64::MAX)
        });
        let (low, high) = code.map_or((f64::MIN, f64::MAX), reported);
        let expected = format!("[lowest, highest] that the sensor reports, from {low} to {high}");
        let range = fields.optional("range", &expected, faults, |v| span(v, low, high));
        let wave = match code {
            Some(code) if is_wave(code) => {
                if !fields.has("wave") {
                    faults.missing(fields.at(), fields.path("wave"), "how the waveform is sent");
                }
                let wave = fields.table("wave", "a table with rate_hz, block_ms, scale and offset", faults);
                wave.and_then(|wave| WaveProfile::read(wave, faults))
            }
            _ => {
                let none = |_: &DeValue<'_>| None;
                fields.optional("wave", "no such field: the code is no waveform", faults, none)
            }
        };
        let longest = NUMERIC_RATE_HZ.0.recip();
        let every = fields.optional(
            "every_s",
            &format!("seconds between two values of a numeric, 0.1 to {longest}"),
            faults,
            |v| number(v, 0.1, longest).filter(|_| !code.is_some_and(is_wave)),
        );
        fields.finish(faults);
        Some(Self {
            code: code?,
            unit: unit?,
            accuracy,
            range,
            every: every.map(Duration::from_secs_f64),
            wave,
        })
    }
}

impl WaveProfile {
    fn read(mut fields: Fields<'_>, faults: &mut Faults<'_>) -> Option<Self> {
        let (low, high) = RATE_HZ;
        let rate = fields.required("rate_hz", &format!("{low} to {high}"), faults, |v| number(v, low, high));
        let block = fields.required("block_ms", "250 to 1000", faults, |v| integer::<u64>(v, 250, 1000));
        let expected = "[exponent, mantissa], the exponent from -12 to 12, the mantissa not 0";
        let scale = fields.required("scale", expected, faults, scale);
        let offset = fields.required("offset", "a 32-bit integer", faults, |v| {
            integer::<i32>(v, i32::MIN.into(), i32::MAX.into())
        });
        fields.finish(faults);
        Some(Self {
            rate_hz: rate? as f32,
            block: Duration::from_millis(block?),
            scale: scale?,
            offset: offset?,
        })
    }
}

/// Reads the tables `[[channel]]` of the file's own table.
pub(crate) fn read_all(root: &mut Fields<'_>, faults: &mut Faults<'_>) -> Vec<ChannelProfile> {
    let expected = format!("1 to {MAX_CHANNELS} tables [[channel]]");
    let Some(node) = root.take("channel") else {
        faults.missing(root.at(), "channel", expected);
        return Vec::new();
    };
    let at = node.span();
    let items = match node.into_inner() {
        DeValue::Array(items) if (1..=MAX_CHANNELS).contains(&items.len()) => items,
        _ => {
            faults.add(&at, "channel", expected);
            return Vec::new();
        }
    };
    let mut channels: Vec<ChannelProfile> = Vec::with_capacity(items.len());
    for (index, item) in items.into_iter().enumerate() {
        channels.extend(read_one(&format!("channel[{index}]"), item, &channels, faults));
    }
    channels
}

fn read_one(path: &str, item: Node<'_>, before: &[ChannelProfile], faults: &mut Faults<'_>) -> Option<ChannelProfile> {
    let at = item.span();
    if let DeValue::Table(table) = item.into_inner() {
        ChannelProfile::read(Fields::new(path, at, table), before, faults)
    } else {
        faults.add(&at, path, "a table [[channel]]");
        None
    }
}

fn unit(code: Option<u32>, fields: &mut Fields<'_>, faults: &mut Faults<'_>) -> Option<Unit> {
    let own = code.and_then(|code| Some((code, unit_of(code)?)));
    let expected = own.map_or_else(
        || "a UCUM unit".to_owned(),
        |(code, unit)| format!("{:?}, the unit of {}", unit.ucum(), reference(code)),
    );
    // Where the code is not known any unit passes: one fault is enough.
    fields.required("unit", &expected, faults, |v| {
        let text = v.as_str()?;
        own.is_none_or(|(_, unit)| unit.matches(text)).then_some(())
    })?;
    own.map(|(_, unit)| unit)
}

fn scale(value: &DeValue<'_>) -> Option<(i8, i32)> {
    let [exponent, mantissa] = &**value.as_array()? else {
        return None;
    };
    let (low, high) = SCALE_EXPONENT;
    let mantissa = integer::<i32>(mantissa.get_ref(), i32::MIN.into(), i32::MAX.into()).filter(|m| *m != 0)?;
    Some((integer(exponent.get_ref(), low, high)?, mantissa))
}

fn is_wave(code: u32) -> bool {
    Waveform::from_code(code).is_some()
}

fn unit_of(code: u32) -> Option<Unit> {
    let numeric = codes::numeric(code).map(|n| n.unit);
    numeric.or_else(|| Waveform::from_code(code).map(Waveform::unit))
}

/// What vitals/v1 accepts of a code, in its unit.
fn reported(code: u32) -> (f64, f64) {
    codes::numeric(code).map_or((f64::MIN, f64::MAX), |numeric| {
        let (low, high) = numeric.technical;
        (f64::from(low) / 1000.0, f64::from(high) / 1000.0)
    })
}

fn known(value: &DeValue<'_>) -> Option<u32> {
    integer(value, 0, u32::MAX.into()).filter(|code| unit_of(*code).is_some())
}

fn reference(code: u32) -> String {
    codes::numeric(code).map_or_else(|| format!("waveform {code}"), |n| format!("{} ({code})", n.reference))
}
