//! The channels of a profile.

use std::time::Duration;

use toml::{Table, Value};
use wardlight_core::codes::{self, Unit, Waveform};
use wardlight_core::message::Channel;
use wardlight_wire::limits::{MAX_SAMPLES, RATE_HZ, SCALE_EXPONENT};

use crate::reader::{Faults, Fields, integer, number, shown};

/// One channel that the device sends.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ChannelProfile {
    /// MDC code.
    pub code: u32,
    /// Unit of the code.
    pub unit: Unit,
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
        Channel {
            code: self.code,
            unit: self.unit,
            rate_hz: self.wave.map(|wave| wave.rate_hz),
        }
    }

    /// Reads `[[channel]]` number `index`.
    pub(crate) fn read(index: usize, table: Table, faults: &mut Faults) -> Option<Self> {
        let mut fields = Fields::new(format!("channel[{index}]"), table);
        let code = fields.required("code", "an MDC code of vitals/v1, see docs/devices.md", faults, known);
        let text = fields.required("unit", "a UCUM unit", faults, |v| v.as_str().map(str::to_owned));
        let unit = code.and_then(unit_of);
        if let (Some(code), Some(own), Some(text)) = (code, unit, text)
            && !own.matches(&text)
        {
            let expected = format!("{:?}, the unit of {}", own.ucum(), reference(code));
            faults.add(fields.path("unit"), format!("{text:?}"), expected);
        }
        let wave = match (fields.optional("wave"), code.is_some_and(is_wave)) {
            (Some(Value::Table(table)), true) => WaveProfile::read(fields.path("wave"), table, faults),
            (None, false) => None,
            (Some(other), true) => {
                faults.add(
                    fields.path("wave"),
                    shown(&other),
                    "a table with rate_hz, block_ms, scale and offset",
                );
                None
            }
            (None, true) => {
                faults.add(fields.path("wave"), "nothing", "how the waveform is sent");
                None
            }
            (Some(other), false) => {
                faults.add(fields.path("wave"), shown(&other), "no such field: the code is no waveform");
                None
            }
        };
        fields.finish(faults);
        let (code, unit) = (code?, unit?);
        Some(Self { code, unit, wave })
    }
}

impl WaveProfile {
    fn read(path: String, table: Table, faults: &mut Faults) -> Option<Self> {
        let mut fields = Fields::new(path, table);
        let (low, high) = RATE_HZ;
        let in_range = |v: &Value| number(v).filter(|hz| (low..=high).contains(hz));
        let rate = fields.required("rate_hz", &format!("{low} to {high}"), faults, in_range);
        let block = fields.required("block_ms", "250 to 1000", faults, |v| integer::<u64>(v, 250, 1000));
        let expected = "[exponent, mantissa], the exponent from -12 to 12, the mantissa not 0";
        let scale = fields.required("scale", expected, faults, scale);
        let offset = fields.required("offset", "a 32-bit integer", faults, |v| {
            integer::<i32>(v, i32::MIN.into(), i32::MAX.into())
        });
        if let (Some(rate), Some(block)) = (rate, block)
            && rate * block as f64 / 1000.0 > MAX_SAMPLES as f64
        {
            let expected = format!("a block of at most {MAX_SAMPLES} samples");
            faults.add(fields.path("block_ms"), block.to_string(), expected);
        }
        fields.finish(faults);
        Some(Self {
            rate_hz: rate? as f32,
            block: Duration::from_millis(block?),
            scale: scale?,
            offset: offset?,
        })
    }
}

fn scale(value: &Value) -> Option<(i8, i32)> {
    let [exponent, mantissa] = value.as_array()?.as_slice() else {
        return None;
    };
    let (low, high) = SCALE_EXPONENT;
    let mantissa = integer::<i32>(mantissa, i32::MIN.into(), i32::MAX.into()).filter(|m| *m != 0)?;
    Some((integer(exponent, low, high)?, mantissa))
}

fn is_wave(code: u32) -> bool {
    Waveform::from_code(code).is_some()
}

fn unit_of(code: u32) -> Option<Unit> {
    let numeric = codes::numeric(code).map(|n| n.unit);
    numeric.or_else(|| Waveform::from_code(code).map(Waveform::unit))
}

fn known(value: &Value) -> Option<u32> {
    integer(value, 0, u32::MAX.into()).filter(|code| unit_of(*code).is_some())
}

fn reference(code: u32) -> String {
    codes::numeric(code).map_or_else(|| format!("waveform {code}"), |n| format!("{} ({code})", n.reference))
}
