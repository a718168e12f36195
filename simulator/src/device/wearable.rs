//! A wearable: pulse rate, saturation and temperatures every two seconds, in JSON, with a battery that runs down.

use std::collections::BTreeSet;
use std::time::Duration;

use wardlight_core::ids::{DeviceId, SiteId};
use wardlight_core::message::{Birth, Body, DeviceEvent};
use wardlight_core::time::Timestamp;
use wardlight_core::vitals::Quality;
use wardlight_wire::cmd::Desired;

use super::monitor::channel;
use super::observation::Observation;
use super::readings::push;
use super::settings::Settings;
use super::transmitter::{Encoding, Publication, Transmitter};
use crate::random::Random;

const PULSE_RATE: u32 = 149_514;
const SPO2: u32 = 150_456;
const TEMP_CORE: u32 = 150_368;
const TEMP_SKIN: u32 = 150_388;
const BATTERY: u32 = 67_996;

/// Values are sent this often, unless told otherwise.
const PERIOD: Duration = Duration::from_secs(2);
/// The battery's charge is said this often, and when it changes by scenario.
const BATTERY_PERIOD: Duration = Duration::from_mins(1);
/// Hours that a full battery lasts.
const BATTERY_HOURS: f64 = 48.0;
/// A wearable that moves more than this doubts its values.
const DISTURBED: f64 = 0.5;

/// A wearable.
#[derive(Clone, Debug)]
pub struct Wearable {
    transmitter: Transmitter,
    settings: Settings,
    battery_percent: f64,
    demo: bool,
    values_due_at: Timestamp,
    battery_due_at: Timestamp,
}

impl Wearable {
    /// A wearable put on at `start` with a battery between 60 and 100 percent.
    pub fn new(site: SiteId, device: DeviceId, seed: u64, start: Timestamp) -> Self {
        Self {
            transmitter: Transmitter::new(site, device, Encoding::Json, birth(), seed, start),
            settings: Settings::new(PERIOD, BTreeSet::new(), true),
            battery_percent: Random::named(seed, "battery").between(60.0, 100.0),
            demo: false,
            values_due_at: start,
            battery_due_at: start,
        }
    }

    /// Who it is.
    pub const fn device(&self) -> &DeviceId {
        self.transmitter.device()
    }

    /// Its transmitter, for faults, clock and link.
    pub const fn transmitter(&mut self) -> &mut Transmitter {
        &mut self.transmitter
    }

    /// Takes a configuration from afar.
    pub fn configure(&mut self, desired: &Desired, now: Timestamp, out: &mut Vec<Publication>) {
        let rejected = self.settings.take(desired);
        let birth = self.settings.birth(&birth());
        self.transmitter.configured(birth, desired.rev, rejected, now, out);
    }

    /// Sets the battery's charge; it is said at the next tick.
    pub const fn set_battery(&mut self, percent: f64, now: Timestamp) {
        self.battery_percent = percent.clamp(0.0, 100.0);
        self.battery_due_at = now;
    }

    /// Begins or ends demo mode.
    pub fn set_demo(&mut self, on: bool, now: Timestamp, out: &mut Vec<Publication>) {
        self.demo = on;
        self.transmitter.send(Body::Event(DeviceEvent::Demo { on }), now, out);
    }

    /// The patient presses the call button.
    pub fn press_button(&mut self, now: Timestamp, out: &mut Vec<Publication>) {
        self.transmitter.send(Body::Event(DeviceEvent::Button), now, out);
    }

    /// Takes what was seen during the tick of `tick` that ends at `now`.
    pub fn observe(&mut self, seen: &Observation, tick: Duration, now: Timestamp, out: &mut Vec<Publication>) {
        let low = f64::from(self.settings.battery_low_percent);
        let was_low = self.battery_percent <= low;
        self.battery_percent = (self.battery_percent - 100.0 * tick.as_secs_f64() / (BATTERY_HOURS * 3600.0)).max(0.0);
        if !was_low && self.battery_percent <= low {
            self.battery_due_at = now;
        }
        if !self.transmitter.running(now, out) {
            return;
        }
        if now >= self.battery_due_at {
            self.battery_due_at = now.plus(BATTERY_PERIOD);
            let percent = self.battery_percent as u8;
            self.transmitter.send(Body::Event(DeviceEvent::Battery { percent }), now, out);
        }
        if now >= self.values_due_at {
            self.values_due_at = now.plus(self.settings.interval);
            self.values(seen, now, out);
        }
    }

    fn values(&mut self, seen: &Observation, now: Timestamp, out: &mut Vec<Publication>) {
        let doubt = if seen.motion > DISTURBED {
            Quality::VALID.and(Quality::ARTEFACT)
        } else {
            Quality::VALID
        };
        let mark = |quality: Quality| if self.demo { quality.and(Quality::DEMO) } else { quality };
        let pulse = seen.measured.perfusion.is_none_or(|p| p > 0.25);
        let measured = &seen.measured;
        let mut readings = Vec::with_capacity(5);
        push(
            &mut readings,
            PULSE_RATE,
            measured.pulse_rate.filter(|_| pulse),
            0,
            mark(doubt),
        );
        if measured.spo2.is_some() {
            push(&mut readings, SPO2, measured.spo2.filter(|_| pulse), 0, mark(doubt));
        }
        if measured.temp_core.is_some() {
            push(&mut readings, TEMP_CORE, measured.temp_core, 1, mark(Quality::VALID));
        }
        push(&mut readings, TEMP_SKIN, measured.temp_skin, 1, mark(Quality::VALID));
        push(&mut readings, BATTERY, Some(self.battery_percent), 0, Quality::VALID);
        self.transmitter.send(Body::Numerics(readings), now, out);
    }
}

fn birth() -> Birth {
    Birth {
        model: "Simulated wearable".into(),
        firmware: env!("CARGO_PKG_VERSION").into(),
        channels: [PULSE_RATE, SPO2, TEMP_CORE, TEMP_SKIN, BATTERY]
            .into_iter()
            .map(channel)
            .collect(),
    }
}
