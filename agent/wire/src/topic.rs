//! MQTT topics: `vitals/v1/{site}/{device}/…` from devices, `ward/v1/{site}/{unit}/{bed}/…` from the agent.

use std::fmt;
use std::str::FromStr;

use wardlight_core::codes::Waveform;
use wardlight_core::ids::{BadId, BedId, DeviceId, SiteId, UnitId};

/// What a device says, or is told, on a topic.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DeviceTopic {
    /// `birth`: the device describes itself. QoS 1, retained.
    Birth,
    /// `state`: on or off; also the last will. QoS 1, retained.
    State,
    /// `num`: numerics. QoS 1.
    Num,
    /// `wave/{code}`: one waveform. QoS 0.
    Wave(Waveform),
    /// `alarm`: the device's own alarms. QoS 1.
    Alarm,
    /// `event`: lead off, battery, demo mode, button. QoS 1.
    Event,
    /// `cmd`: from the agent to the device. QoS 1.
    Cmd,
}

impl DeviceTopic {
    /// The topic's first word: `birth`, `state`, `num`, `wave`, `alarm`, `event` or `cmd`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Birth => "birth",
            Self::State => "state",
            Self::Num => "num",
            Self::Wave(_) => "wave",
            Self::Alarm => "alarm",
            Self::Event => "event",
            Self::Cmd => "cmd",
        }
    }

    /// Quality of service of the topic.
    pub const fn qos(self) -> u8 {
        match self {
            Self::Wave(_) => 0,
            _ => 1,
        }
    }

    /// Whether messages on the topic are retained. Nothing measured ever is.
    pub const fn retained(self) -> bool {
        matches!(self, Self::Birth | Self::State)
    }
}

impl fmt::Display for DeviceTopic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Wave(waveform) => write!(f, "{}/{}", self.name(), waveform.code()),
            _ => f.write_str(self.name()),
        }
    }
}

/// What the agent says about a bed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum WardTopic {
    /// `alert`: an alarm changed. QoS 1, not retained.
    Alert,
    /// `score`: a score changed. QoS 1, not retained.
    Score,
    /// `tile`: the bed as a whole. Retained with a message expiry of 10 s.
    Tile,
}

impl fmt::Display for WardTopic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Alert => "alert",
            Self::Score => "score",
            Self::Tile => "tile",
        })
    }
}

/// A topic of the contract.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Topic {
    /// `vitals/v1/{site}/{device}/{kind}`.
    Device {
        /// Which site.
        site: SiteId,
        /// Which device.
        device: DeviceId,
        /// What about.
        kind: DeviceTopic,
    },
    /// `ward/v1/{site}/{unit}/{bed}/{kind}`.
    Ward {
        /// Which site.
        site: SiteId,
        /// Which unit.
        unit: UnitId,
        /// Which bed.
        bed: BedId,
        /// What about.
        kind: WardTopic,
    },
}

/// Why a topic was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TopicError {
    /// It is not built like any topic of the contract.
    #[error("topic {topic:?}: expected {expected}")]
    Shape {
        /// The topic found, cut at 200 characters.
        topic: String,
        /// What was expected.
        expected: &'static str,
    },
    /// One of its names is not allowed.
    #[error(transparent)]
    Name(#[from] BadId),
}

/// What a device's topic looks like.
pub(crate) const DEVICE_SHAPE: &str = "vitals/v1/{site}/{device}/birth, state, num, wave/{code}, alarm or event";
const ANY_SHAPE: &str = "vitals/v1/{site}/{device}/birth, state, num, wave/{code}, alarm, event or cmd, \
                         or ward/v1/{site}/{unit}/{bed}/alert, score or tile";

/// Cuts a topic for an error message.
pub(crate) fn clipped(topic: &str) -> String {
    topic.chars().take(200).collect()
}

fn misshapen(topic: &str) -> TopicError {
    TopicError::Shape {
        topic: clipped(topic),
        expected: ANY_SHAPE,
    }
}

/// Splits a device's topic into `(site, device, kind)` without copying.
pub(crate) fn device_parts(topic: &str) -> Option<(&str, &str, DeviceTopic)> {
    let (site, rest) = topic.strip_prefix("vitals/v1/")?.split_once('/')?;
    let (device, kind) = rest.split_once('/')?;
    let kind = match kind {
        "num" => DeviceTopic::Num,
        "birth" => DeviceTopic::Birth,
        "state" => DeviceTopic::State,
        "alarm" => DeviceTopic::Alarm,
        "event" => DeviceTopic::Event,
        "cmd" => DeviceTopic::Cmd,
        wave => {
            let code = wave.strip_prefix("wave/")?;
            let plain = code.bytes().all(|b| b.is_ascii_digit()) && !code.starts_with('0');
            let waveform = plain.then(|| code.parse().ok()).flatten().and_then(Waveform::from_code)?;
            DeviceTopic::Wave(waveform)
        }
    };
    Some((site, device, kind))
}

fn ward_parts(topic: &str) -> Option<(&str, &str, &str, WardTopic)> {
    let mut parts = topic.strip_prefix("ward/v1/")?.split('/');
    let (site, unit, bed) = (parts.next()?, parts.next()?, parts.next()?);
    let kind = match parts.next()? {
        "alert" => WardTopic::Alert,
        "score" => WardTopic::Score,
        "tile" => WardTopic::Tile,
        _ => return None,
    };
    parts.next().is_none().then_some((site, unit, bed, kind))
}

impl FromStr for Topic {
    type Err = TopicError;

    fn from_str(text: &str) -> Result<Self, TopicError> {
        if let Some((site, device, kind)) = device_parts(text) {
            return Ok(Self::Device {
                site: SiteId::new(site)?,
                device: DeviceId::new(device)?,
                kind,
            });
        }
        let (site, unit, bed, kind) = ward_parts(text).ok_or_else(|| misshapen(text))?;
        Ok(Self::Ward {
            site: SiteId::new(site)?,
            unit: UnitId::new(unit)?,
            bed: BedId::new(bed)?,
            kind,
        })
    }
}

impl fmt::Display for Topic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Device { site, device, kind } => write!(f, "vitals/v1/{site}/{device}/{kind}"),
            Self::Ward { site, unit, bed, kind } => write!(f, "ward/v1/{site}/{unit}/{bed}/{kind}"),
        }
    }
}

/// The filters, each with its QoS, under which the agent hears every device of a site. `cmd` is not among them: the agent
/// speaks there and need not hear itself.
pub fn subscriptions(site: &SiteId) -> Vec<(String, u8)> {
    let filter = |kind: &str, qos| (format!("vitals/v1/{site}/+/{kind}"), qos);
    vec![
        filter("birth", 1),
        filter("state", 1),
        filter("num", 1),
        filter("alarm", 1),
        filter("event", 1),
        filter("wave/+", 0),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_topic_reads_back_as_it_was_written() {
        for text in [
            "vitals/v1/north/mon-01/birth",
            "vitals/v1/north/mon-01/state",
            "vitals/v1/north/mon-01/num",
            "vitals/v1/north/mon-01/wave/131330",
            "vitals/v1/north/mon-01/alarm",
            "vitals/v1/north/mon-01/event",
            "vitals/v1/north/mon-01/cmd",
            "ward/v1/north/icu-2/bed-07/alert",
            "ward/v1/north/icu-2/bed-07/score",
            "ward/v1/north/icu-2/bed-07/tile",
        ] {
            assert_eq!(text.parse::<Topic>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn foreign_topics_are_refused() {
        for text in [
            "",
            "vitals/v1",
            "vitals/v2/north/mon-01/num",
            "vitals/v1/north/mon-01/num/extra",
            "vitals/v1/north/mon-01/wave",
            "vitals/v1/north/mon-01/wave/1",
            "vitals/v1/north/mon-01/wave/+131330",
            "vitals/v1/north/mon-01/wave/0131330",
            "vitals/v1/north/mon-01/wave/131330/x",
            "vitals/v1//mon-01/num",
            "vitals/v1/north/mon 01/num",
            "vitals/v1/north/+/num",
            "ward/v1/north/icu-2/bed-07",
            "ward/v1/north/icu-2/bed-07/num",
            "/vitals/v1/north/mon-01/num",
        ] {
            assert!(text.parse::<Topic>().is_err(), "{text:?} was taken");
        }
    }

    #[test]
    fn subscriptions_cover_what_devices_send_with_the_contract_s_qos() {
        let site = SiteId::new("north").unwrap();
        let filters = subscriptions(&site);
        assert_eq!(filters.len(), 6);
        assert!(filters.contains(&("vitals/v1/north/+/wave/+".into(), 0)));
        assert!(filters.iter().all(|(f, qos)| f.contains("wave") == (*qos == 0)));
    }
}
