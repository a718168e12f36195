//! What a device says: one decoded, validated message of `vitals/v1`.

use std::collections::BTreeMap;

use crate::codes::{Unit, Waveform};
use crate::ids::DeviceId;
use crate::time::Timestamp;
use crate::vitals::{Quality, Reading};

/// One message of one device.
#[derive(Clone, Debug, PartialEq)]
pub struct Message {
    /// Who sent it: from the topic.
    pub device: DeviceId,
    /// Which start of the device; `None` where the sender does not number its starts (SenML).
    pub boot: Option<u32>,
    /// Sequence number within the boot, one counter per device over all its QoS 1 topics; wave blocks count on their own,
    /// per channel. `None` where the sender does not number (SenML, wills).
    pub seq: Option<u32>,
    /// Device time: of the values, or of the first sample of a wave block.
    pub sent_at: Timestamp,
    /// What it says.
    pub body: Body,
}

/// What a message says.
#[derive(Clone, Debug, PartialEq)]
pub enum Body {
    /// The device describes itself after a start.
    Birth(Birth),
    /// On or off; off is often the broker speaking for a device that vanished.
    State {
        /// Whether the device says that it is on.
        online: bool,
        /// Revision of the remote configuration that is in force. Nothing clinical: no bed asks for it.
        rev: Option<u32>,
        /// Settings of that revision that the device does not take, each with the reason.
        rejected: BTreeMap<String, String>,
    },
    /// Values measured together.
    Numerics(Vec<Reading>),
    /// A block of one waveform.
    Wave(WaveBlock),
    /// The device's own alarm.
    Alarm(DeviceAlarm),
    /// Something that happened to the device.
    Event(DeviceEvent),
}

impl Body {
    /// On or off, from a device that says nothing of its configuration.
    pub const fn state(online: bool) -> Self {
        Self::State {
            online,
            rev: None,
            rejected: BTreeMap::new(),
        }
    }
}

/// A device's description of itself.
#[derive(Clone, Debug, PartialEq)]
pub struct Birth {
    /// Maker's model, at most 64 characters.
    pub model: String,
    /// Firmware version, at most 64 characters.
    pub firmware: String,
    /// What it will send.
    pub channels: Vec<Channel>,
}

/// One announced channel.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Channel {
    /// MDC code, a numeric or a waveform.
    pub code: u32,
    /// Unit; always the unit of the code.
    pub unit: Unit,
    /// Samples per second, for waveforms.
    pub rate_hz: Option<f32>,
}

/// Consecutive samples of one waveform.
#[derive(Clone, Debug, PartialEq)]
pub struct WaveBlock {
    /// Which waveform.
    pub waveform: Waveform,
    /// Samples per second, 1 to 2000.
    pub rate_hz: f32,
    /// `(exponent, mantissa)`: value in the waveform's unit = (sample + offset) × mantissa × 10^exponent.
    pub scale: (i8, i32),
    /// Added to each sample before scaling.
    pub offset: i32,
    /// Raw samples; [`WaveBlock::MISSING`] marks a missing one.
    pub samples: Vec<i16>,
    /// Quality of the whole block.
    pub quality: Quality,
}

impl WaveBlock {
    /// Raw value of a missing sample.
    pub const MISSING: i16 = i16::MIN;
}

/// Priority of an alarm, lowest first (IEEE 11073-10207 `Lo`, `Me`, `Hi`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
pub enum Priority {
    /// Awareness.
    Low,
    /// Prompt response.
    Medium,
    /// Immediate response.
    High,
}

impl Priority {
    /// `low`, `medium` or `high`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
        }
    }
}

/// An alarm that the device itself raises or ends: passed through under the device's words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeviceAlarm {
    /// The device's name of the condition: `asystole`, `vf`, `vt`, `apnoea`, … ; 1 to 32 characters of `a-z 0-9 _`.
    pub condition: String,
    /// Whether the condition is present.
    pub present: bool,
    /// The device's priority.
    pub priority: Priority,
    /// The device's text, at most 64 characters.
    pub text: String,
}

/// Something that happened to the device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeviceEvent {
    /// A sensor came off or is back: of the given waveform or numeric code, or of the whole device.
    LeadOff {
        /// MDC code of the channel, if only one is concerned.
        code: Option<u32>,
        /// Off (true) or back on.
        off: bool,
    },
    /// Battery charge in percent, 0 to 100.
    Battery {
        /// Percent.
        percent: u8,
    },
    /// Demo mode began or ended.
    Demo {
        /// Whether the device is in demo mode.
        on: bool,
    },
    /// Somebody pressed the call button.
    Button,
}
