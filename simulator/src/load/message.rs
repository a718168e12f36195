//! What the devices of a load say.

use wardlight_core::codes::numeric;
use wardlight_core::ids::{DeviceId, SiteId};
use wardlight_core::message::{Birth, Body, Channel, Message};
use wardlight_core::time::Timestamp;
use wardlight_core::vitals::{Milli, Quality, Reading};
use wardlight_wire::encode;

use crate::SimulatorError;

/// How payloads are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PayloadFormat {
    /// The JSON twin, about 200 bytes.
    Json,
    /// Native CBOR, about 100 bytes.
    Cbor,
}

impl PayloadFormat {
    fn encode(self, message: &Message) -> Vec<u8> {
        match self {
            Self::Json => encode::json(message),
            Self::Cbor => encode::cbor(message),
        }
    }
}

/// Codes and values in thousandths: heart rate, saturation, pulse, respiration, temperature, cuff pressures.
const VALUES: [(u32, i32); 7] = [
    (147_842, 78_000),
    (150_456, 97_000),
    (149_530, 78_000),
    (151_578, 15_000),
    (150_368, 36_800),
    (150_021, 122_000),
    (150_022, 71_000),
];

/// One device of a load.
#[derive(Clone, Debug)]
pub(super) struct LoadDevice {
    pub(super) number: u32,
    pub(super) topic: String,
    birth_topic: String,
    id: DeviceId,
    boot: u32,
}

impl LoadDevice {
    pub(super) fn new(site: &SiteId, number: usize, boot: u32) -> Result<Self, SimulatorError> {
        let id = DeviceId::new(&format!("load-{number:05}")).map_err(|e| SimulatorError::Setting(e.to_string()))?;
        let topic = |kind: &str| format!("vitals/v1/{site}/{id}/{kind}");
        Ok(Self {
            number: number as u32,
            topic: topic("num"),
            birth_topic: topic("birth"),
            id,
            boot,
        })
    }

    /// Topic and payload of message `seq`, sent at `at`. The values wander with the number and stay far from every limit.
    pub(super) fn numerics(&self, seq: u32, at: Timestamp, format: PayloadFormat) -> Vec<u8> {
        let wander = i32::try_from((seq.wrapping_mul(7).wrapping_add(self.number)) % 5).unwrap_or(0);
        let step = |code: u32| {
            if matches!(code, 147_842 | 149_530) {
                1000 * wander
            } else {
                100 * (wander % 2)
            }
        };
        let reading = |(code, value): (u32, i32)| Reading::new(code, Some(Milli::new(value + step(code))), Quality::VALID).ok();
        format.encode(&self.message(seq, at, Body::Numerics(VALUES.into_iter().filter_map(reading).collect())))
    }

    /// Topic and payload of the birth, with number 1.
    pub(super) fn birth(&self, at: Timestamp, format: PayloadFormat) -> (&str, Vec<u8>) {
        let channel = |(code, _): (u32, i32)| {
            let unit = numeric(code)?.unit;
            Some(Channel {
                code,
                unit,
                rate_hz: None,
            })
        };
        let birth = Birth {
            model: "Load generator".into(),
            firmware: env!("CARGO_PKG_VERSION").into(),
            channels: VALUES.into_iter().filter_map(channel).collect(),
        };
        (&self.birth_topic, format.encode(&self.message(1, at, Body::Birth(birth))))
    }

    fn message(&self, seq: u32, at: Timestamp, body: Body) -> Message {
        Message {
            device: self.id.clone(),
            boot: Some(self.boot),
            seq: Some(seq),
            sent_at: at,
            body,
        }
    }
}
