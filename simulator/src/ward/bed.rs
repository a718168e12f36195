//! One bed: a patient, a monitor, perhaps a wearable, and what happens to them.

use std::collections::VecDeque;
use std::time::Duration;

use wardlight_core::ids::{BedId, DeviceId};
use wardlight_core::message::Body;
use wardlight_core::time::Timestamp;
use wardlight_wire::Cmd;

use super::WardSettings;
use super::daily_life::DailyLife;
use crate::device::{Monitor, MonitorOptions, Publication, Wearable};
use crate::scenario::{Act, BedScript, Happening};
use crate::subject::Subject;

/// Sensors are read and waves sent this often.
pub const TICK: Duration = Duration::from_millis(500);

/// Hours of values that a monitor has stored when it is switched on, so that trends and the risk estimate have a past.
const STORED_HOURS: u32 = 12;
/// It sends them once it is connected and has been heard live.
const RECALL_AFTER: Duration = Duration::from_secs(6);

/// A bed.
#[derive(Clone, Debug)]
pub(super) struct Bed {
    id: BedId,
    subject: Subject,
    monitor: Monitor,
    wearable: Option<Wearable>,
    happenings: VecDeque<Happening>,
    daily_life: Option<DailyLife>,
    start: Timestamp,
    next_at: Timestamp,
    /// When the monitor sends what it had stored before the start; a recording has no such past.
    recall_at: Option<Timestamp>,
}

impl Bed {
    pub(super) fn new(
        settings: &WardSettings,
        number: usize,
        id: BedId,
        subject: Subject,
        script: Option<&BedScript>,
        devices: (DeviceId, Option<DeviceId>),
    ) -> Self {
        let seed = settings.seed.wrapping_mul(20_011).wrapping_add(number as u64);
        let options = MonitorOptions {
            arterial_line: script.map_or_else(|| !matches!(subject, Subject::Simulated(_)), |s| s.arterial_line),
            waveforms: subject.waveforms(),
        };
        // Beds take turns within a tick, so that they do not all speak at the same instant.
        let turn = TICK.mul_f64((number * 7 % 16) as f64 / 16.0);
        let start = settings.start;
        let site = || settings.site.clone();
        let (device, wearable) = devices;
        let monitor = Monitor::new(site(), device, &options, seed, start);
        let simulated = matches!(subject, Subject::Simulated(_));
        let recall_at = simulated.then(|| start.plus(RECALL_AFTER));
        Self {
            id,
            subject,
            monitor,
            wearable: wearable.map(|device| Wearable::new(site(), device, seed, start)),
            happenings: script.map(|s| s.happenings.clone().into()).unwrap_or_default(),
            daily_life: None,
            start,
            next_at: start.plus(TICK).plus(turn),
            recall_at,
        }
    }

    /// Lets the patient lead the daily life that the seed fixes.
    pub(super) fn live(&mut self, seed: u64) {
        self.daily_life = Some(DailyLife::new(seed, self.start));
    }

    pub(super) const fn id(&self) -> &BedId {
        &self.id
    }

    pub(super) const fn next_at(&self) -> Timestamp {
        self.next_at
    }

    pub(super) fn devices(&self) -> Vec<DeviceId> {
        let monitor = self.monitor.device().clone();
        let wearable = self.wearable.as_ref().map(|w| w.device().clone());
        std::iter::once(monitor).chain(wearable).collect()
    }

    pub(super) fn wills(&mut self) -> Vec<Publication> {
        let monitor = self.monitor.transmitter().will();
        let wearable = self.wearable.as_mut().map(|w| w.transmitter().will());
        std::iter::once(monitor).chain(wearable).collect()
    }

    /// A device of this bed is told something. It is a simulation: a firmware is not fetched.
    pub(super) fn obey(&mut self, device: &DeviceId, cmd: &Cmd, now: Timestamp, out: &mut Vec<Publication>) {
        if self.monitor.device() == device {
            match cmd {
                Cmd::Rebirth => self.monitor.transmitter().announce(now, out),
                Cmd::Config(desired) => self.monitor.configure(desired, now, out),
                Cmd::Firmware(_) => {}
            }
        }
        if let Some(wearable) = self.wearable.as_mut().filter(|w| w.device() == device) {
            match cmd {
                Cmd::Rebirth => wearable.transmitter().announce(now, out),
                Cmd::Config(desired) => wearable.configure(desired, now, out),
                Cmd::Firmware(_) => {}
            }
        }
    }

    pub(super) fn switch_off(&mut self, now: Timestamp, out: &mut Vec<Publication>) {
        let off = || Body::state(false);
        self.monitor.transmitter().send(off(), now, out);
        if let Some(wearable) = &mut self.wearable {
            wearable.transmitter().send(off(), now, out);
        }
    }

    pub(super) fn advance(&mut self, now: Timestamp, out: &mut Vec<Publication>) {
        while self.next_at <= now {
            let at = self.next_at;
            self.next_at = at.plus(TICK);
            while let Some(due) = self.happenings.pop_front_if(|h| self.start.plus(h.at) <= at) {
                self.happen(due.act, at, out);
            }
            while let Some(act) = self.daily_life.as_mut().and_then(|life| life.due(at)) {
                self.happen(act, at, out);
            }
            let seen = self.subject.advance(TICK);
            self.monitor.observe(&seen, TICK, at, out);
            if self.recall_at.take_if(|due| *due <= at).is_some() {
                self.monitor.recall(STORED_HOURS, &seen, at, out);
            }
            if let Some(wearable) = &mut self.wearable {
                wearable.observe(&seen, TICK, at, out);
            }
        }
    }

    fn happen(&mut self, act: Act, now: Timestamp, out: &mut Vec<Publication>) {
        match act {
            Act::Rhythm(_) | Act::Drive { .. } | Act::Motion(_) => self.happen_to_patient(act),
            Act::Battery(_) | Act::Button | Act::WearableDemo(_) => self.happen_to_wearable(act, now, out),
            Act::LeadOff(off) => self.monitor.set_lead_off(off, now, out),
            Act::Link(up) => self.monitor.transmitter().set_link(up),
            Act::Restart => self.monitor.restart(now),
            Act::ClockAheadMs(ms) => self.monitor.transmitter().set_clock(ms),
            Act::Faults {
                duplicate,
                reorder,
                malformed,
            } => {
                let faults = self.monitor.transmitter().faults();
                (faults.duplicate, faults.reorder, faults.malformed) = (duplicate, reorder, malformed);
            }
            Act::Cuff => self.monitor.measure_cuff(now),
            Act::MonitorDemo(on) => self.monitor.set_demo(on, now, out),
        }
    }

    fn happen_to_patient(&mut self, act: Act) {
        let Some(simulated) = self.subject.simulated() else { return };
        match act {
            Act::Rhythm(rhythm) => simulated.patient.set_rhythm(rhythm),
            Act::Drive { driver, to, over_s } => {
                let over = Duration::try_from_secs_f64(over_s).unwrap_or_default();
                simulated.patient.drive(driver, to, over);
            }
            Act::Motion(intensity) => simulated.patient.set_motion(intensity),
            _ => {}
        }
    }

    fn happen_to_wearable(&mut self, act: Act, now: Timestamp, out: &mut Vec<Publication>) {
        let Some(wearable) = &mut self.wearable else { return };
        match act {
            Act::Battery(percent) => wearable.set_battery(percent, now),
            Act::Button => wearable.press_button(now, out),
            Act::WearableDemo(on) => wearable.set_demo(on, now, out),
            _ => {}
        }
    }
}
