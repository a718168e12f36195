//! Waveform around an alarm, as `SampledData`.

use std::time::Duration;

use serde_json::{Value, json};
use wardlight_core::ids::{DeviceId, StayToken};
use wardlight_core::message::WaveBlock;
use wardlight_core::time::Timestamp;

use super::codes::{self, Category};
use super::{Mapping, Resource, Version, instant, set};

impl Mapping {
    /// The observation of one block of waveform, whose first sample was taken at `at`. The raw samples stand in `data`; value =
    /// sample × factor + origin. `None` for a block without samples or rate, which the decoder lets none through.
    pub fn strip(&self, stay: StayToken, device: &DeviceId, at: Timestamp, block: &WaveBlock) -> Option<Resource> {
        if block.samples.is_empty() || block.rate_hz <= 0.0 {
            return None;
        }
        let interval_ms = 1000.0 / f64::from(block.rate_hz);
        let length = Duration::from_secs_f64(interval_ms / 1000.0 * block.samples.len() as f64);
        let body = json!({
            "status": "final",
            "category": Category::Procedure.concept(),
            "code": codes::waveform(block.waveform),
            "subject": self.subject(stay),
            "effectivePeriod": {"start": instant(at), "end": instant(at.plus(length))},
            "device": self.device_reference(device),
            "valueSampledData": self.sampled_data(block, interval_ms),
        });
        let (time, code) = (at.as_millis().to_be_bytes(), block.waveform.code().to_be_bytes());
        let parts: [&[u8]; 4] = [stay.as_bytes(), device.as_str().as_bytes(), &code, &time];
        Some(Resource::new("Observation", self.id("strip", &parts), body))
    }

    fn sampled_data(&self, block: &WaveBlock, interval_ms: f64) -> Value {
        let (exponent, mantissa) = block.scale;
        let unit = block.waveform.unit().ucum();
        // A decimal of the wire, read as one: 3 × 10⁻³ is 0.003 and not a neighbour of it.
        let factor: f64 = format!("{mantissa}e{exponent}").parse().unwrap_or(1.0);
        let mut data = json!({
            "origin": {"value": f64::from(block.offset) * factor, "unit": unit, "system": codes::UCUM, "code": unit},
            "factor": factor,
            "dimensions": 1,
            "data": samples(&block.samples),
        });
        match self.version {
            Version::R4 => set(&mut data, "period", json!(interval_ms)),
            Version::R5 => {
                set(&mut data, "interval", json!(interval_ms));
                set(&mut data, "intervalUnit", json!("ms"));
            }
        }
        data
    }
}

/// Samples with one space between; `E` where one is missing.
fn samples(samples: &[i16]) -> String {
    let word = |sample: &i16| match *sample {
        WaveBlock::MISSING => "E".to_owned(),
        value => value.to_string(),
    };
    samples.iter().map(word).collect::<Vec<_>>().join(" ")
}
