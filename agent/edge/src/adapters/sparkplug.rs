//! Sparkplug B: the table of aliases that births give, the numbers that tell a loss, and the request for a rebirth.
//!
//! After a loss a birth may be among what is missing, and an alias may mean another metric. So a node in doubt is forgotten: nothing of
//! it is taken until it has described itself again, which it is asked for at once.

use std::collections::HashMap;
use std::time::Duration;

use bytes::Bytes;
use metrics::counter;
use tracing::warn;
use wardlight_core::codes;
use wardlight_core::ids::DeviceId;
use wardlight_core::message::{Birth, Body, Channel, DeviceEvent, Message};
use wardlight_core::time::Timestamp;
use wardlight_journal::Suspect;
use wardlight_wire::RejectedReading;
use wardlight_wire::sparkplug::{self, Kind, Meaning, Metric, MetricValue, Payload, SparkplugTopic};

use crate::config::SparkplugConfig;
use crate::desk::Ticket;
use crate::metrics as m;
use crate::pipeline::Pipeline;
use crate::record;
use crate::session::{Inbound, Outgoing};

/// Tables of nodes and devices; births beyond are refused.
const MAX_TABLES: usize = 4096;
/// A node is asked again after this time.
const ASK_EVERY: Duration = Duration::from_secs(5);
/// Messages are numbered 0 to 255.
const NUMBERS: u64 = 256;

/// See the [module](self).
#[derive(Debug)]
pub(crate) struct Sparkplug {
    named: HashMap<String, u32>,
    nodes: HashMap<String, Node>,
    asked: HashMap<String, Timestamp>,
}

#[derive(Debug)]
struct Node {
    /// Of which session of the node its will speaks.
    bd_seq: Option<u64>,
    next: u64,
    /// By device; `None` is the node itself.
    tables: HashMap<Option<String>, Table>,
}

#[derive(Debug)]
struct Table {
    aliases: HashMap<u64, Meaning>,
    names: HashMap<String, Meaning>,
    demo: bool,
    /// It measures something of a patient's.
    measures: bool,
}

/// What became of a message.
#[derive(Debug, Default)]
pub(crate) struct Taken {
    pub(crate) messages: Vec<Message>,
    pub(crate) rejected: Vec<RejectedReading>,
    /// Messages that are missing before it.
    pub(crate) missed: u64,
    /// The node must describe itself again.
    pub(crate) ask: bool,
}

impl Sparkplug {
    pub(crate) fn of(config: &SparkplugConfig) -> Self {
        Self {
            named: config.metrics.iter().cloned().collect(),
            nodes: HashMap::new(),
            asked: HashMap::new(),
        }
    }

    /// Takes a message of a node or its device.
    /// # Errors
    /// Why nobody can read it; nothing of the payload.
    pub(crate) fn take(&mut self, topic: &SparkplugTopic<'_>, payload: &[u8], now: Timestamp) -> Result<Taken, String> {
        let names = "expected names of A-Z a-z 0-9 . _ -, without a point in the node's, 64 characters together";
        let device = topic.device_id().ok_or(names)?;
        let payload = sparkplug::payload(payload).map_err(|error| error.to_string())?;
        let mut taken = Taken::default();
        let sent_at = payload.timestamp.unwrap_or(now);
        match (topic.kind, topic.device) {
            (Kind::Birth, None) => {
                let node = Node {
                    bd_seq: bd_seq(&payload),
                    next: (payload.seq.unwrap_or(0) + 1) % NUMBERS,
                    tables: HashMap::new(),
                };
                self.nodes.insert(topic.node.to_owned(), node);
                self.asked.remove(topic.node);
                self.describe(topic, &device, &payload, sent_at, &mut taken)?;
            }
            (Kind::Death, None) => self.bury(topic, bd_seq(&payload), sent_at, &mut taken),
            _ if !self.is_next(topic.node, payload.seq, &mut taken) => self.doubt(topic.node, now, &mut taken),
            (Kind::Birth, Some(_)) => self.describe(topic, &device, &payload, sent_at, &mut taken)?,
            (Kind::Death, Some(name)) => {
                let node = self.nodes.get_mut(topic.node);
                let table = node.and_then(|node| node.tables.remove(&Some(name.to_owned())));
                if table.is_some_and(|table| table.measures) {
                    taken.messages.push(state(device, false, sent_at));
                }
            }
            (Kind::Data, of) => {
                let table = self.nodes.get_mut(topic.node);
                let table = table.and_then(|node| node.tables.get_mut(&of.map(str::to_owned)));
                let understood = table.is_some_and(|table| table.take(&device, &payload, sent_at, &mut taken));
                if !understood {
                    self.doubt(topic.node, now, &mut taken);
                }
            }
        }
        Ok(taken)
    }

    /// Whether nothing is missing before a message.
    fn is_next(&mut self, node: &str, seq: Option<u64>, taken: &mut Taken) -> bool {
        let (Some(node), Some(seq)) = (self.nodes.get_mut(node), seq) else {
            return false;
        };
        taken.missed = (seq + NUMBERS - node.next) % NUMBERS;
        node.next = (seq + 1) % NUMBERS;
        taken.missed == 0
    }

    fn doubt(&mut self, node: &str, now: Timestamp, taken: &mut Taken) {
        self.nodes.remove(node);
        self.asked.retain(|_, at| now.since(*at) < ASK_EVERY);
        if self.asked.len() < MAX_TABLES && !self.asked.contains_key(node) {
            self.asked.insert(node.to_owned(), now);
            taken.ask = true;
        }
    }

    fn bury(&mut self, topic: &SparkplugTopic<'_>, bd_seq: Option<u64>, at: Timestamp, taken: &mut Taken) {
        // A will of an earlier session comes late: the node has come back since.
        let Some(node) = self.nodes.remove(topic.node) else { return };
        if node.bd_seq != bd_seq {
            self.nodes.insert(topic.node.to_owned(), node);
            return;
        }
        for (name, _) in node.tables.iter().filter(|(_, table)| table.measures) {
            let device = name.as_deref();
            let id = SparkplugTopic { device, ..*topic }.device_id();
            taken.messages.extend(id.map(|device| state(device, false, at)));
        }
    }

    fn describe(
        &mut self,
        topic: &SparkplugTopic<'_>,
        device: &DeviceId,
        payload: &Payload<'_>,
        sent_at: Timestamp,
        taken: &mut Taken,
    ) -> Result<(), String> {
        let tables = self.nodes.values().map(|node| node.tables.len()).sum::<usize>();
        let Some(node) = self.nodes.get_mut(topic.node).filter(|_| tables < MAX_TABLES) else {
            return Err(format!("expected at most {MAX_TABLES} nodes and devices"));
        };
        let mut table = Table {
            aliases: HashMap::new(),
            names: HashMap::new(),
            demo: false,
            measures: false,
        };
        let mut channels: Vec<Channel> = Vec::new();
        for metric in &payload.metrics {
            let meaning = sparkplug::meaning(metric, |name| self.named.get(name).copied()).unwrap_or_else(|rejected| {
                taken.rejected.push(rejected);
                Meaning::Foreign
            });
            if let Meaning::Numeric { code, .. } = meaning {
                let known = channels.iter().any(|channel| channel.code == code);
                channels.extend(codes::numeric(code).filter(|_| !known).map(|numeric| Channel {
                    code,
                    unit: numeric.unit,
                    rate_hz: None,
                }));
            }
            match (metric.alias, metric.name) {
                (Some(alias), _) => table.aliases.insert(alias, meaning),
                (None, Some(name)) => table.names.insert(name.to_owned(), meaning),
                (None, None) => None,
            };
        }
        if !channels.is_empty() {
            table.measures = true;
            let birth = Birth {
                model: "Sparkplug B".to_owned(),
                firmware: "spBv1.0".to_owned(),
                channels,
            };
            taken.messages.push(message(device.clone(), sent_at, Body::Birth(birth)));
            taken.messages.push(state(device.clone(), true, sent_at));
            // A device that reports changes only says here what has not changed since.
            table.take(device, payload, sent_at, taken);
        }
        node.tables.insert(topic.device.map(str::to_owned), table);
        Ok(())
    }
}

impl Table {
    /// Takes the metrics of a message; `false`, and nothing is taken, if one of them was in no birth.
    fn take(&mut self, device: &DeviceId, payload: &Payload<'_>, sent_at: Timestamp, taken: &mut Taken) -> bool {
        let mut values: Vec<(u32, u64, &Metric<'_>)> = Vec::new();
        let mut demo = None;
        for metric in &payload.metrics {
            let meaning = match (metric.alias, metric.name) {
                (Some(alias), _) => self.aliases.get(&alias),
                (None, name) => name.and_then(|name| self.names.get(name)),
            };
            match (meaning, metric.value) {
                (None, _) => return false,
                (Some(Meaning::Numeric { code, datatype }), _) => values.push((*code, *datatype, metric)),
                (Some(Meaning::Demo), Some(MetricValue::Boolean(on))) => demo = Some(on),
                (Some(Meaning::Demo | Meaning::Foreign), _) => {}
            }
        }
        if let Some(on) = demo.filter(|_| self.measures) {
            self.demo = on;
            let event = Body::Event(DeviceEvent::Demo { on });
            taken.messages.push(message(device.clone(), sent_at, event));
        }
        let (messages, rejected) = sparkplug::numerics(device, &values, self.demo, sent_at);
        taken.messages.extend(messages);
        taken.rejected.extend(rejected);
        true
    }
}

fn bd_seq(payload: &Payload<'_>) -> Option<u64> {
    let metric = payload.metrics.iter().find(|metric| metric.name == Some("bdSeq"));
    match metric?.value? {
        MetricValue::Bits(number) => Some(number),
        MetricValue::Real(_) | MetricValue::Boolean(_) | MetricValue::Other => None,
    }
}

fn message(device: DeviceId, sent_at: Timestamp, body: Body) -> Message {
    Message {
        device,
        boot: None,
        seq: None,
        sent_at,
        body,
    }
}

fn state(device: DeviceId, online: bool, at: Timestamp) -> Message {
    message(device, at, Body::state(online))
}

impl Pipeline {
    /// Takes a message under `spBv1.0/`.
    pub(crate) fn on_sparkplug(&mut self, inbound: &Inbound, now: Timestamp) {
        let ticket = inbound.ticket.map_or(Ticket::Nothing, Ticket::Puback);
        let topic = SparkplugTopic::read(&inbound.topic);
        let (Some(sparkplug), Some(topic)) = (&mut self.adapters.sparkplug, topic) else {
            // A command to a node, or what another host says.
            self.desk.submit(Vec::new(), Vec::new(), ticket);
            return;
        };
        let mut reasons = Vec::new();
        let taken = sparkplug.take(&topic, &inbound.payload, now).unwrap_or_else(|reason| {
            counter!(m::REFUSED, "reason" => "sparkplug", "qos" => "0").increment(1);
            warn!(reason, "Sparkplug message refused and quarantined.");
            reasons.push(reason);
            Taken::default()
        });
        if taken.missed > 0 {
            counter!(m::MISSED).increment(taken.missed);
            warn!(missed = taken.missed, "Sparkplug messages are missing.");
        }
        if taken.ask {
            counter!(m::REBIRTHS).increment(1);
            self.outlets.tell(Outgoing {
                topic: format!("spBv1.0/{}/NCMD/{}", topic.group, topic.node),
                payload: Bytes::from(sparkplug::rebirth(now)),
                content_type: "application/octet-stream",
                at_least_once: false,
                retain: false,
                expiry_s: None,
            });
        }
        counter!(m::REJECTED).increment(taken.rejected.len() as u64);
        reasons.extend(taken.rejected.iter().map(ToString::to_string));
        let entries = self.on_adapted(taken.messages, inbound.live, now);
        let stay = topic.device_id().and_then(|device| self.stay_at(&device));
        let suspect = (!reasons.is_empty() && !inbound.live).then(|| Suspect {
            stay: record::stay_key(stay),
            source: inbound.topic.clone(),
            reason: reasons.join("; "),
            at_ms: now.as_millis(),
            body: inbound.payload.to_vec(),
        });
        self.desk.submit(entries, suspect.into_iter().collect(), ticket);
    }
}
