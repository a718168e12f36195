//! What people ask for: admit, discharge, attach, detach, acknowledge, chart.

use super::Ward;
use super::stay::Stay;
use crate::alarms::{AlarmId, Scope};
use crate::event::{Command, Effect, Refusal};
use crate::ids::{BedId, DeviceId};
use crate::time::Timestamp;

impl Ward {
    pub(super) fn on_command(&mut self, command: Command, now: Timestamp, effects: &mut Vec<Effect>) -> Result<(), Refusal> {
        match command {
            Command::Admit { bed, stay, profile } => {
                self.configured(&bed)?;
                if self.state.stays.contains_key(&bed) {
                    return Err(Refusal::Occupied(bed));
                }
                self.state.stays.insert(bed, Stay::begin(stay, profile, now));
                Ok(())
            }
            Command::Discharge { bed } => self.discharge(bed, now, effects),
            Command::Attach { device, bed } => self.attach(device, bed),
            Command::Detach { device } => self.detach(device, now, effects),
            Command::Acknowledge { alarm, by } => self.acknowledge(alarm, &by, now, effects),
            Command::Chart {
                bed,
                consciousness,
                oxygen,
            } => {
                let Some(stay) = self.state.stays.get_mut(&bed) else {
                    return Err(Refusal::Empty(bed));
                };
                if let Some(level) = consciousness {
                    stay.consciousness = Some((level, now));
                }
                if let Some(given) = oxygen {
                    stay.oxygen = Some((given, now));
                    stay.limits.chart_oxygen(Some(given));
                }
                Ok(())
            }
        }
    }

    fn configured(&self, bed: &BedId) -> Result<(), Refusal> {
        if self.config.beds.iter().any(|(_, known)| known == bed) {
            return Ok(());
        }
        Err(Refusal::UnknownBed(bed.clone()))
    }

    /// The patient leaves: alarms clear, and so that nobody inherits another's data, the devices leave with the patient.
    fn discharge(&mut self, bed: BedId, now: Timestamp, effects: &mut Vec<Effect>) -> Result<(), Refusal> {
        let Some(mut stay) = self.state.stays.remove(&bed) else {
            return Err(Refusal::Empty(bed));
        };
        let mut scope = Scope::without_message(&bed, stay.token, now, effects);
        stay.alarms.clear_all(&mut scope);
        for device in self.state.devices.values_mut().filter(|d| d.bed.as_ref() == Some(&bed)) {
            device.bed = None;
        }
        Ok(())
    }

    /// A bed need not have a patient yet: monitors are often mounted first. Nothing is judged before the admission.
    fn attach(&mut self, device: DeviceId, bed: BedId) -> Result<(), Refusal> {
        self.configured(&bed)?;
        let known = self.state.devices.entry(device.clone()).or_default();
        match &known.bed {
            Some(elsewhere) if *elsewhere != bed => Err(Refusal::AttachedElsewhere {
                device,
                bed: elsewhere.clone(),
            }),
            _ => {
                known.bed = Some(bed);
                Ok(())
            }
        }
    }

    fn detach(&mut self, device: DeviceId, now: Timestamp, effects: &mut Vec<Effect>) -> Result<(), Refusal> {
        let bed = self.state.devices.get_mut(&device).and_then(|known| known.bed.take());
        let Some(bed) = bed else {
            return Err(Refusal::NotAttached(device));
        };
        if let Some(stay) = self.state.stays.get_mut(&bed) {
            let mut scope = Scope::without_message(&bed, stay.token, now, effects);
            stay.forget_devices_words(&mut scope);
        }
        Ok(())
    }

    fn acknowledge(&mut self, alarm: AlarmId, by: &str, now: Timestamp, effects: &mut Vec<Effect>) -> Result<(), Refusal> {
        for (bed, stay) in &mut self.state.stays {
            let mut scope = Scope::without_message(bed, stay.token, now, effects);
            if stay.alarms.acknowledge(&alarm, by, &mut scope) {
                return Ok(());
            }
        }
        Err(Refusal::NoSuchAlarm(alarm))
    }
}
