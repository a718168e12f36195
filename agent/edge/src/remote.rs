//! What devices are told from afar: what the registry wants of each, what it says to that, and what is therefore to be sent.
//!
//! On the Ward's thread and beside the Ward: nothing of it is journaled, changes a replay, or raises an alarm. After a start it is rebuilt
//! from the births and states that the broker keeps.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use wardlight_core::ids::DeviceId;
use wardlight_core::message::{Body, Message};
use wardlight_core::time::Timestamp;
use wardlight_station::{DeviceSetup, SetupStep};
use wardlight_wire::Cmd;
use wardlight_wire::cmd::{Desired, FirmwareNotice};

/// A configuration that a device does not answer is sent again after this.
const AGAIN: Duration = Duration::from_mins(1);
/// Sent so often without an answer it is a technician's matter. (*ratify*)
const UNANSWERED: u32 = 3;
/// Devices whose words are kept, beside those of which something is wanted.
const MAX_OTHERS: usize = 4096;
/// Commands in one look: alarms go through the same queue to the broker.
const PER_LOOK: usize = 32;

/// What is wanted of one device.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Wanted {
    /// How it is to be configured.
    pub(crate) configuration: Option<Desired>,
    /// Which firmware it should run.
    pub(crate) firmware: Option<FirmwareNotice>,
}

/// What is wanted of each device.
pub(crate) type WantedOfAll = BTreeMap<DeviceId, Wanted>;

/// See the [module](self).
#[derive(Debug, Default)]
pub(crate) struct Remote {
    wanted: WantedOfAll,
    said: HashMap<DeviceId, Said>,
    /// Whether what is shown may have changed.
    changed: bool,
}

/// What a device said of itself, and what it was told since.
#[derive(Debug, Default)]
struct Said {
    boot: Option<u32>,
    online: bool,
    rev: Option<u32>,
    rejected: BTreeMap<String, String>,
    firmware: Option<String>,
    /// The configuration that it has not answered yet.
    asked: Option<Asked>,
    /// The version of which it was told since its last birth.
    offered: Option<String>,
}

#[derive(Clone, Copy, Debug)]
struct Asked {
    rev: u32,
    times: u32,
    last: Timestamp,
}

impl Remote {
    /// The registry wants this of the devices from now on.
    pub(crate) fn want(&mut self, wanted: WantedOfAll) {
        self.wanted = wanted;
        self.changed = true;
    }

    /// A device said something; `kept` if it is the broker's copy of what it once said. Returns whether it may have to be told something.
    pub(crate) fn hear(&mut self, message: &Message, kept: bool) -> bool {
        if !matches!(message.body, Body::Birth(_) | Body::State { .. }) {
            return false;
        }
        let device = &message.device;
        let is_wanted = self.wanted.contains_key(device);
        if !is_wanted && !self.said.contains_key(device) && self.said.len() >= MAX_OTHERS + self.wanted.len() {
            return false;
        }
        self.changed |= is_wanted;
        let said = self.said.entry(device.clone()).or_default();
        match &message.body {
            Body::Birth(birth) => {
                said.begin(message.boot);
                said.firmware = Some(birth.firmware.clone());
                said.offered = None;
                // The broker keeps a birth also of a device that is off.
                said.online |= !kept;
            }
            Body::State { online: false, .. } => {
                said.online = false;
                said.asked = None;
            }
            Body::State { rev, rejected, .. } => {
                said.begin(message.boot);
                said.online = true;
                said.rev = *rev;
                said.rejected.clone_from(rejected);
            }
            _ => {}
        }
        is_wanted
    }

    /// What a device is to be told now; asked after each of its births and states.
    pub(crate) fn due(&mut self, device: &DeviceId, now: Timestamp) -> Vec<Cmd> {
        let (Some(wanted), Some(said)) = (self.wanted.get(device), self.said.get_mut(device)) else {
            return Vec::new();
        };
        let due = said.due(wanted, now);
        self.changed |= !due.is_empty();
        due
    }

    /// What devices are to be told now, a bounded number at a time: something else is wanted, or they did not answer.
    pub(crate) fn look(&mut self, now: Timestamp) -> Vec<(DeviceId, Cmd)> {
        let mut all = Vec::new();
        for (device, wanted) in &self.wanted {
            if all.len() >= PER_LOOK {
                break;
            }
            if let Some(said) = self.said.get_mut(device) {
                all.extend(said.due(wanted, now).into_iter().map(|cmd| (device.clone(), cmd)));
            }
        }
        self.changed |= !all.is_empty();
        all
    }

    /// How far every device is of which something is wanted, if that may have changed since it was asked last.
    pub(crate) fn setups(&mut self) -> Option<Vec<DeviceSetup>> {
        if !std::mem::take(&mut self.changed) {
            return None;
        }
        let silent = Said::default();
        let setup = |(device, wanted): (&DeviceId, &Wanted)| {
            let said = self.said.get(device).unwrap_or(&silent);
            DeviceSetup {
                device: device.clone(),
                desired: wanted.configuration.as_ref().map(|desired| desired.rev),
                reported: said.rev,
                step: wanted.configuration.as_ref().map(|desired| said.step(desired.rev)),
                rejected: said.rejected.clone(),
                firmware: said.firmware.clone(),
                offered: wanted.firmware.as_ref().map(|notice| notice.version.clone()),
            }
        };
        Some(self.wanted.iter().map(setup).collect())
    }
}

impl Said {
    /// A start of the device: of another one nothing holds any more.
    fn begin(&mut self, boot: Option<u32>) {
        if self.boot != boot {
            *self = Self {
                boot,
                online: self.online,
                firmware: self.firmware.take(),
                offered: self.offered.take(),
                ..Self::default()
            };
        }
    }

    fn due(&mut self, wanted: &Wanted, now: Timestamp) -> Vec<Cmd> {
        let mut due = Vec::new();
        if !self.online {
            return due;
        }
        if let Some(desired) = wanted.configuration.as_ref().filter(|desired| self.asks(desired.rev, now)) {
            due.push(Cmd::Config(desired.clone()));
        }
        if let Some(notice) = &wanted.firmware {
            let runs = self.firmware.as_ref();
            if runs.is_some_and(|version| *version != notice.version) && self.offered.as_ref() != Some(&notice.version) {
                self.offered = Some(notice.version.clone());
                due.push(Cmd::Firmware(notice.clone()));
            }
        }
        due
    }

    /// Whether it is to be asked for this revision now, which is noted.
    fn asks(&mut self, rev: u32, now: Timestamp) -> bool {
        if self.rev == Some(rev) {
            self.asked = None;
            return false;
        }
        let before = self.asked.filter(|asked| asked.rev == rev);
        if before.is_some_and(|asked| now.since(asked.last) < AGAIN) {
            return false;
        }
        let times = before.map_or(0, |asked| asked.times).saturating_add(1);
        self.asked = Some(Asked { rev, times, last: now });
        true
    }

    fn step(&self, rev: u32) -> SetupStep {
        let unanswered = self.asked.is_some_and(|asked| asked.rev == rev && asked.times >= UNANSWERED);
        match self.rev == Some(rev) {
            true if self.rejected.is_empty() => SetupStep::InForce,
            true => SetupStep::Rejected,
            false if unanswered => SetupStep::Unanswered,
            false => SetupStep::Waiting,
        }
    }
}

#[cfg(test)]
mod tests;
