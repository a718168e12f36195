//! A simulated ward: patients, their devices, and the script they follow. No clock, no socket: the time is an argument.

mod bed;
mod daily_life;
mod people;
#[cfg(test)]
mod tests;

use std::path::PathBuf;
use std::time::Duration;

use wardlight_core::ids::{BedId, DeviceId, SiteId};
use wardlight_core::time::Timestamp;
use wardlight_wire::Cmd;

pub use bed::TICK;

use crate::SimulatorError;
use crate::device::Publication;
use crate::scenario::{BedScript, Scenario};
use crate::subject::Subject;
use bed::Bed;
use people::People;

/// What a ward is built from.
#[derive(Clone, Debug)]
pub struct WardSettings {
    /// Site, as in the devices' topics.
    pub site: SiteId,
    /// Fixes every patient, device and fault.
    pub seed: u64,
    /// Number of beds; `None` takes the scenario's.
    pub beds: Option<usize>,
    /// Folder of recordings: beds without a script then play `mitdb` records and `cinc2012` stays.
    pub recordings: Option<PathBuf>,
    /// When the devices are switched on.
    pub start: Timestamp,
}

/// Which device stands at which bed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attachment {
    /// The device.
    pub device: DeviceId,
    /// The bed.
    pub bed: BedId,
}

/// An alarm that follows from the script.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExpectedAlarm {
    /// Which bed.
    pub bed: BedId,
    /// Kind, as `wardlight_core::alarms::AlarmKind` displays it.
    pub kind: String,
    /// Not before.
    pub from: Timestamp,
    /// Not after.
    pub by: Timestamp,
    /// Whether it must be raised (`true`) or only may be.
    pub required: bool,
}

/// A ward that lives as its script says.
#[derive(Clone, Debug)]
pub struct SimulatedWard {
    start: Timestamp,
    duration: Duration,
    beds: Vec<Bed>,
    expected: Vec<ExpectedAlarm>,
    recorded: Vec<BedId>,
}

impl SimulatedWard {
    /// Builds the ward of a scenario.
    /// # Errors
    /// [`SimulatorError`] when the number of beds makes no sense or a recording cannot be read.
    pub fn new(settings: &WardSettings, scenario: &Scenario) -> Result<Self, SimulatorError> {
        let count = settings.beds.unwrap_or(scenario.beds);
        if !(1..=10_000).contains(&count) {
            return Err(SimulatorError::Setting(format!("beds = {count}: expected 1 to 10000")));
        }
        // Wearables stand at the last beds that the script knows; further beds have a monitor only.
        let scripted = scenario.beds.min(count);
        let wearables = scenario.wearables.min(scripted);
        let mut people = People::new(settings)?;
        let mut ward = Self {
            start: settings.start,
            duration: scenario.duration,
            beds: Vec::with_capacity(count),
            expected: Vec::new(),
            recorded: Vec::new(),
        };
        for number in 1..=count {
            let script = scenario.scripts.iter().find(|s| s.bed == number);
            let id = bed_id(number)?;
            let (subject, recorded) = people.next(number, script)?;
            if recorded {
                ward.recorded.push(id.clone());
            }
            ward.expect(&id, script, &scenario.may);
            let has_wearable = number <= scripted && number > scripted - wearables;
            let wearable = has_wearable.then(|| device_id("wear", number)).transpose()?;
            let devices = (device_id("mon", number)?, wearable);
            let mut bed = Bed::new(settings, number, id, subject, script, devices);
            if scenario.daily_life && script.is_none() && !recorded {
                bed.live(settings.seed.wrapping_mul(30_011).wrapping_add(number as u64));
            }
            ward.beds.push(bed);
        }
        Ok(ward)
    }

    /// A ward of one bed where `device` shows `subject`, without a script: the replay of a recording.
    /// # Errors
    /// Never for the first bed; the result is that of the names.
    pub fn of_one(settings: &WardSettings, device: DeviceId, subject: Subject) -> Result<Self, SimulatorError> {
        let id = bed_id(1)?;
        Ok(Self {
            start: settings.start,
            duration: Duration::ZERO,
            beds: vec![Bed::new(settings, 1, id.clone(), subject, None, (device, None))],
            expected: Vec::new(),
            recorded: vec![id],
        })
    }

    /// Devices and the beds they stand at.
    pub fn attachments(&self) -> Vec<Attachment> {
        let of_bed = |bed: &Bed| {
            let id = bed.id().clone();
            bed.devices()
                .into_iter()
                .map(move |device| Attachment { device, bed: id.clone() })
        };
        self.beds.iter().flat_map(of_bed).collect()
    }

    /// Beds in order.
    pub fn beds(&self) -> Vec<BedId> {
        self.beds.iter().map(|bed| bed.id().clone()).collect()
    }

    /// Beds that play a recording: what they alarm is not known beforehand.
    pub fn recorded_beds(&self) -> &[BedId] {
        &self.recorded
    }

    /// Alarms that must or may be raised.
    pub fn expected(&self) -> &[ExpectedAlarm] {
        &self.expected
    }

    /// When everything in the script has happened and been alarmed.
    pub fn ends_at(&self) -> Timestamp {
        self.start.plus(self.duration)
    }

    /// The last wills, one per device.
    pub fn wills(&mut self) -> Vec<Publication> {
        self.beds.iter_mut().flat_map(Bed::wills).collect()
    }

    /// When [`SimulatedWard::advance`] has something to do next.
    pub fn next_at(&self) -> Option<Timestamp> {
        self.beds.iter().map(Bed::next_at).min()
    }

    /// Lets everything happen that is due at `now` and appends what the devices publish, in the order of time within each bed.
    pub fn advance(&mut self, now: Timestamp, out: &mut Vec<Publication>) {
        for bed in &mut self.beds {
            bed.advance(now, out);
        }
    }

    /// The agent tells a device something.
    pub fn obey(&mut self, device: &DeviceId, cmd: &Cmd, now: Timestamp, out: &mut Vec<Publication>) {
        for bed in &mut self.beds {
            bed.obey(device, cmd, now, out);
        }
    }

    /// Every device says that it is off.
    pub fn switch_off(&mut self, now: Timestamp, out: &mut Vec<Publication>) {
        for bed in &mut self.beds {
            bed.switch_off(now, out);
        }
    }

    fn expect(&mut self, bed: &BedId, script: Option<&BedScript>, everywhere: &[String]) {
        for expectation in script.iter().flat_map(|script| &script.expect) {
            self.expected.push(ExpectedAlarm {
                bed: bed.clone(),
                kind: expectation.kind.clone(),
                from: self.start.plus(expectation.from),
                by: self.start.plus(expectation.by),
                required: true,
            });
        }
        for kind in script.iter().flat_map(|script| &script.may).chain(everywhere) {
            self.expected.push(ExpectedAlarm {
                bed: bed.clone(),
                kind: kind.clone(),
                from: self.start,
                by: self.ends_at(),
                required: false,
            });
        }
    }
}

fn bed_id(number: usize) -> Result<BedId, SimulatorError> {
    BedId::new(&format!("bed-{number:02}")).map_err(|e| SimulatorError::Setting(e.to_string()))
}

fn device_id(kind: &str, number: usize) -> Result<DeviceId, SimulatorError> {
    DeviceId::new(&format!("{kind}-{number:02}")).map_err(|e| SimulatorError::Setting(e.to_string()))
}
