//! Sparkplug B as an adapter for numerics: what industrial gateways speak.
//!
//! Here is what one message says by itself: its topic, its metrics, what each of them is a channel of. Births give metrics an alias and
//! later messages only say that, so whoever hears them keeps a table; this crate keeps nothing.

mod metric;
mod protobuf;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use wardlight_core::codes;
use wardlight_core::ids::DeviceId;
use wardlight_core::message::{Body, Message};
use wardlight_core::time::Timestamp;
use wardlight_core::vitals::Quality;

use super::readings::{self, Readings, Refused, without_value};
use crate::error::{RejectReason, RejectedReading};
pub use metric::{Metric, MetricValue, Payload, payload};
pub use protobuf::Malformed;

/// What a message is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `NBIRTH`, `DBIRTH`: every metric by name.
    Birth,
    /// `NDEATH`, `DDEATH`: nothing that was said holds any longer.
    Death,
    /// `NDATA`, `DDATA`: what changed.
    Data,
}

/// A topic that a node publishes to: `spBv1.0/{group}/{type}/{node}[/{device}]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SparkplugTopic<'a> {
    /// The group of nodes.
    pub group: &'a str,
    /// What about.
    pub kind: Kind,
    /// The edge node.
    pub node: &'a str,
    /// The device at the node; `None` is the node itself.
    pub device: Option<&'a str>,
}

impl<'a> SparkplugTopic<'a> {
    /// Reads a topic; `None` for commands, STATE and whatever is no Sparkplug.
    pub fn read(text: &'a str) -> Option<Self> {
        let mut parts = text.strip_prefix("spBv1.0/")?.split('/');
        let (group, kind, node) = (parts.next()?, parts.next()?, parts.next()?);
        let device = parts.next();
        if parts.next().is_some() {
            return None;
        }
        let kind = match (kind, device.is_some()) {
            ("NBIRTH", false) | ("DBIRTH", true) => Kind::Birth,
            ("NDEATH", false) | ("DDEATH", true) => Kind::Death,
            ("NDATA", false) | ("DDATA", true) => Kind::Data,
            _ => return None,
        };
        Some(Self {
            group,
            kind,
            node,
            device,
        })
    }

    /// The device's name here: `{node}.{device}`, or `{node}` for the node itself. `None` if it cannot be one; a node whose name has a
    /// point could share a name with a device of another.
    pub fn device_id(&self) -> Option<DeviceId> {
        if self.node.contains('.') {
            return None;
        }
        match self.device {
            None => DeviceId::new(self.node).ok(),
            Some("") => None,
            Some(device) => DeviceId::new(&format!("{}.{device}", self.node)).ok(),
        }
    }
}

/// The filters under which the nodes of a group are heard. Commands are not among them.
pub fn subscriptions(group: &str) -> Vec<String> {
    let of_node = ["NBIRTH", "NDEATH", "NDATA"].map(|kind| format!("spBv1.0/{group}/{kind}/+"));
    let of_device = ["DBIRTH", "DDEATH", "DDATA"].map(|kind| format!("spBv1.0/{group}/{kind}/+/+"));
    of_node.into_iter().chain(of_device).collect()
}

/// What a metric of a birth stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Meaning {
    /// A numeric of `vitals/v1`, whose values come as this data type.
    Numeric {
        /// MDC code.
        code: u32,
        /// Sparkplug's data type, 1 to 10.
        datatype: u64,
    },
    /// Whether the device is in demo mode.
    Demo,
    /// Nothing of a patient's.
    Foreign,
}

/// What a metric of a birth stands for, by the last part of its name: a code, a reference id (`MDC_…`), what `named` says of the
/// whole name, or `Demo`.
/// # Errors
/// A known code whose unit (`engUnit`) is another.
pub fn meaning(metric: &Metric<'_>, named: impl Fn(&str) -> Option<u32>) -> Result<Meaning, RejectedReading> {
    let name = metric.name.unwrap_or("");
    let last = name.rsplit('/').next().unwrap_or("");
    if last.eq_ignore_ascii_case("demo") {
        return Ok(Meaning::Demo);
    }
    let numeric = named(name)
        .or_else(|| last.parse().ok())
        .and_then(codes::numeric)
        .or_else(|| codes::numeric_named(last));
    let Some(numeric) = numeric else {
        return Ok(Meaning::Foreign);
    };
    let refused = |reason, found: String, expected: String| RejectedReading {
        field: "metric".to_owned(),
        code: Some(numeric.code),
        reason,
        found,
        expected,
    };
    if let Some(unit) = metric.unit.filter(|unit| !numeric.unit.matches(unit)) {
        let found = super::pull::quoted(unit);
        return Err(refused(
            RejectReason::WrongUnit,
            found,
            format!("engUnit {:?}", numeric.unit.ucum()),
        ));
    }
    match metric.datatype {
        Some(datatype @ 1..=10) => Ok(Meaning::Numeric {
            code: numeric.code,
            datatype,
        }),
        other => {
            let expected = "a numeric data type, 1 to 10".to_owned();
            Err(refused(RejectReason::BadShape, format!("{other:?}"), expected))
        }
    }
}

/// What was measured, as messages without boot and number, the oldest first: one for each time that metrics carry.
pub fn numerics(
    device: &DeviceId,
    values: &[(u32, u64, &Metric<'_>)],
    demo: bool,
    sent_at: Timestamp,
) -> (Vec<Message>, Vec<RejectedReading>) {
    let mut instants = BTreeMap::<Timestamp, Readings>::new();
    for (code, datatype, metric) in values {
        let at = metric.timestamp.unwrap_or(sent_at);
        let quality = if demo {
            metric.quality.and(Quality::DEMO)
        } else {
            metric.quality
        };
        let outcome = reading(*code, *datatype, metric, quality);
        let readings = instants.entry(at).or_default();
        readings.settle(outcome, Some(*code), || "metric".to_owned());
    }
    let mut rejected = Vec::new();
    let messages = instants.into_iter().map(|(sent_at, readings)| {
        rejected.extend(readings.rejected);
        Message {
            device: device.clone(),
            boot: None,
            seq: None,
            sent_at,
            body: Body::Numerics(readings.taken),
        }
    });
    (messages.collect(), rejected)
}

fn reading(code: u32, datatype: u64, metric: &Metric<'_>, quality: Quality) -> Result<wardlight_core::vitals::Reading, Refused> {
    let refused = |objection| Refused {
        objection,
        remains: without_value(code, Some(quality)),
    };
    let number = match metric.value {
        None => None,
        Some(value) => Some(value.number(metric.datatype.unwrap_or(datatype)).ok_or_else(|| {
            let expected = "a value of the metric's data type".to_owned();
            refused((RejectReason::NotANumber, format!("{value:?}"), expected))
        })?),
    };
    readings::reading(code, number, quality).map_err(refused)
}

/// The payload of `NCMD`: describe yourself again.
pub fn rebirth(now: Timestamp) -> Vec<u8> {
    const NAME: &[u8] = b"Node Control/Rebirth";
    const BOOLEAN: u8 = 11;
    let mut metric = vec![0x0A, NAME.len() as u8];
    metric.extend_from_slice(NAME);
    metric.extend([0x20, BOOLEAN, 0x70, 1]);
    let mut payload = vec![0x08];
    let mut ms = u64::try_from(now.as_millis()).unwrap_or(0);
    while ms > 0x7F {
        payload.push((ms & 0x7F) as u8 | 0x80);
        ms >>= 7;
    }
    payload.extend([ms as u8, 0x12, metric.len() as u8]);
    payload.extend(metric);
    payload
}
