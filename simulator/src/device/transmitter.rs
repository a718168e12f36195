//! The part of a device that speaks `vitals/v1`: numbers, clock, encoding, store, faults.

use std::collections::BTreeMap;
use std::time::Duration;

use wardlight_core::ids::{DeviceId, SiteId};
use wardlight_core::message::{Birth, Body, Message};
use wardlight_core::time::Timestamp;
use wardlight_wire::{Format, encode};

use super::clock::DriftingClock;
use super::faults::Faults;
use super::link::Link;
use crate::random::Random;

/// How long a device is silent while it restarts.
const RESTART: Duration = Duration::from_secs(4);

/// One MQTT message to publish.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Publication {
    /// Who publishes.
    pub device: DeviceId,
    /// Where to.
    pub topic: String,
    /// What.
    pub payload: Vec<u8>,
    /// 0 or 1.
    pub qos: u8,
    /// Whether the broker keeps it.
    pub retain: bool,
    /// MQTT 5 content type.
    pub content_type: &'static str,
}

/// How a device writes its payloads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// Native CBOR.
    Cbor,
    /// Its JSON twin.
    Json,
}

impl Encoding {
    const fn format(self) -> Format {
        match self {
            Self::Cbor => Format::Cbor,
            Self::Json => Format::Json,
        }
    }

    fn encode(self, message: &Message) -> Vec<u8> {
        match self {
            Self::Cbor => encode::cbor(message),
            Self::Json => encode::json(message),
        }
    }
}

/// Numbers messages, stamps them with the device's clock, and sends, stores or damages them.
#[derive(Clone, Debug)]
pub struct Transmitter {
    site: SiteId,
    device: DeviceId,
    encoding: Encoding,
    birth: Birth,
    /// Revision of the remote configuration in force, and what of it was refused.
    configured: Option<(u32, BTreeMap<String, String>)>,
    boot: u32,
    seq: u32,
    wave_seq: BTreeMap<u32, u32>,
    clock: DriftingClock,
    link: Link,
    faults: Faults,
    /// Silent until then, and then a birth is due.
    starts_at: Option<Timestamp>,
}

impl Transmitter {
    /// A device that is switched on at `start`, with a clock off by up to 300 ms and 20 ppm.
    pub fn new(site: SiteId, device: DeviceId, encoding: Encoding, birth: Birth, seed: u64, start: Timestamp) -> Self {
        let mut random = Random::named(seed, device.as_str());
        Self {
            site,
            encoding,
            birth,
            configured: None,
            boot: 1 + random.below(1000) as u32,
            seq: 0,
            wave_seq: BTreeMap::new(),
            clock: DriftingClock {
                offset_ms: random.between(-300.0, 300.0) as i64,
                drift_ppm: random.between(-20.0, 20.0) as i32,
                set_at: start,
            },
            link: Link::default(),
            faults: Faults::none(Random::named(seed, "faults")),
            starts_at: Some(start),
            device,
        }
    }

    /// Who it is.
    pub const fn device(&self) -> &DeviceId {
        &self.device
    }

    /// Probabilities of faults, to be changed.
    pub const fn faults(&mut self) -> &mut Faults {
        &mut self.faults
    }

    /// Puts the clock ahead by `offset_ms` (behind if negative).
    pub const fn set_clock(&mut self, offset_ms: i64) {
        self.clock.offset_ms = offset_ms;
    }

    /// Takes the link down or up.
    pub const fn set_link(&mut self, up: bool) {
        self.link.set(up);
    }

    /// Messages that never left because the store was full or a restart emptied it.
    pub const fn dropped(&self) -> u64 {
        self.link.dropped()
    }

    /// Restarts: silent for four seconds, then a new boot id, numbers from 1, and a birth.
    pub fn restart(&mut self, now: Timestamp) {
        self.boot = self.boot.wrapping_add(1);
        self.seq = 0;
        self.wave_seq.clear();
        self.link.forget();
        self.starts_at = Some(now.plus(RESTART));
    }

    /// Says birth and state when they are due; `false` while the device is not running.
    pub fn running(&mut self, now: Timestamp, out: &mut Vec<Publication>) -> bool {
        match self.starts_at {
            Some(at) if now < at => false,
            Some(_) => {
                self.starts_at = None;
                self.announce(now, out);
                self.report(now, out);
                true
            }
            None => true,
        }
    }

    /// Describes the device: after a start, and when the agent asks.
    pub fn announce(&mut self, now: Timestamp, out: &mut Vec<Publication>) {
        self.send(Body::Birth(self.birth.clone()), now, out);
    }

    /// Says that it is on, and how it is configured.
    fn report(&mut self, now: Timestamp, out: &mut Vec<Publication>) {
        let (rev, rejected) = self.configured.clone().unzip();
        let state = Body::State {
            online: true,
            rev,
            rejected: rejected.unwrap_or_default(),
        };
        self.send(state, now, out);
    }

    /// A configuration is in force: says so, after a birth where what is sent has changed.
    pub(super) fn configured(
        &mut self,
        birth: Birth,
        rev: u32,
        rejected: BTreeMap<String, String>,
        now: Timestamp,
        out: &mut Vec<Publication>,
    ) {
        self.configured = Some((rev, rejected));
        let running = self.starts_at.is_none();
        if birth != self.birth {
            self.birth = birth;
            if running {
                self.announce(now, out);
            }
        }
        if running {
            self.report(now, out);
        }
    }

    /// Sends a message measured at the true time `at`.
    pub fn send(&mut self, body: Body, at: Timestamp, out: &mut Vec<Publication>) {
        let counter = match &body {
            Body::Wave(block) => self.wave_seq.entry(block.waveform.code()).or_insert(0),
            _ => &mut self.seq,
        };
        *counter = counter.wrapping_add(1);
        let message = Message {
            device: self.device.clone(),
            boot: Some(self.boot),
            seq: Some(*counter),
            sent_at: self.clock.show(at),
            body,
        };
        let publication = self.publication(&message);
        let faults = &mut self.faults;
        self.link.pass(publication, |message| faults.pass(message, out));
    }

    /// The last will: what the broker says when the device vanishes. It has no number, and its time is that of the start.
    pub fn will(&self) -> Publication {
        self.publication(&Message {
            device: self.device.clone(),
            boot: Some(self.boot),
            seq: None,
            sent_at: self.clock.show(self.clock.set_at),
            body: Body::state(false),
        })
    }

    fn publication(&self, message: &Message) -> Publication {
        let kind = encode::topic_kind(&message.body);
        Publication {
            device: self.device.clone(),
            topic: encode::topic_of(&self.site, message),
            payload: self.encoding.encode(message),
            qos: kind.qos(),
            retain: kind.retained(),
            content_type: self.encoding.format().content_type(),
        }
    }
}
