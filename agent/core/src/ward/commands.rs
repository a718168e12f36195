//! What people ask for: each command is carried out whole or refused whole.

use std::time::Duration;

use super::Ward;
use super::stay::Stay;
use crate::alarms::{AlarmId, LONGEST_PAUSE, Scope};
use crate::event::{Command, Effect, Order, Refusal, Transition};
use crate::handover::Handover;
use crate::ids::{BedId, DeviceId};
use crate::people::Actor;
use crate::time::Timestamp;

impl Ward {
    pub(super) fn on_order(&mut self, order: Order, now: Timestamp, effects: &mut Vec<Effect>) -> Result<(), Refusal> {
        let Order { by, command } = order;
        if !command.is_open_to(by.role) {
            return Err(Refusal::NotAllowed(by.role));
        }
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
            Command::Transfer { from, to, with_devices } => self.transfer(from, to, with_devices, now, effects),
            Command::Attach { device, bed } => self.attach(device, bed),
            Command::Detach { device } => self.detach(device, now, effects),
            Command::Acknowledge { alarm } => self.acknowledge(alarm, &by, now, effects),
            Command::Escalate { alarm } => self.send_on(alarm, Transition::Escalated, now, effects),
            Command::Respond { alarm, accept: false } => self.send_on(alarm, Transition::Rejected, now, effects),
            Command::Respond { alarm, accept: true } => self.accept(alarm, &by, now, effects),
            Command::PauseAudio { bed, length } => self.pause_audio(bed, length, &by, now),
            Command::ResumeAudio { bed } => self.resume_audio(bed),
            Command::SetAlarm { bed, kind, how } => {
                let (stay, mut scope) = self.stay(&bed, now, effects)?;
                if stay.alarms.set(&kind, how, &by.name, &mut scope) {
                    return Ok(());
                }
                Err(Refusal::RedStaysOn(kind))
            }
            Command::SetLimits {
                bed,
                parameter,
                low,
                high,
                delay,
            } => {
                let (stay, mut scope) = self.stay(&bed, now, effects)?;
                stay.limits.set(parameter, (low, high), delay, &by, now)?;
                stay.reassess(parameter, &mut scope);
                Ok(())
            }
            Command::HandOver { bed, note } => {
                if let Some(row) = note.too_long() {
                    return Err(Refusal::TextTooLong(row));
                }
                let (stay, _) = self.stay(&bed, now, effects)?;
                stay.handover = Some(Handover {
                    note,
                    by: by.name,
                    at: now,
                    read_back: None,
                });
                Ok(())
            }
            Command::ReadBack { bed } => {
                let (stay, _) = self.stay(&bed, now, effects)?;
                let Some(handover) = &mut stay.handover else {
                    return Err(Refusal::NoHandover(bed));
                };
                handover.read_back = Some((by.name, now));
                Ok(())
            }
            Command::ResetLimits { bed } => {
                let (stay, mut scope) = self.stay(&bed, now, effects)?;
                stay.reset_limits(&mut scope);
                Ok(())
            }
            Command::Revise { bed, profile } => {
                let (stay, mut scope) = self.stay(&bed, now, effects)?;
                let another_age = stay.profile.age_group != profile.age_group;
                stay.profile = profile;
                if another_age {
                    stay.reset_limits(&mut scope);
                }
                Ok(())
            }
            Command::Chart {
                bed,
                consciousness,
                oxygen,
            } => {
                let (stay, _) = self.stay(&bed, now, effects)?;
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

    /// The patient in a bed, and where what happens to them goes.
    fn stay<'a>(
        &'a mut self,
        bed: &'a BedId,
        now: Timestamp,
        effects: &'a mut Vec<Effect>,
    ) -> Result<(&'a mut Stay, Scope<'a>), Refusal> {
        match self.state.stays.get_mut(bed) {
            Some(stay) => {
                let scope = Scope::without_message(bed, stay.token, now, effects);
                Ok((stay, scope))
            }
            None => Err(Refusal::Empty(bed.clone())),
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
            stay.forget_words_of(&device, &mut scope);
        }
        Ok(())
    }

    /// The patient goes to a free bed. Alarms are named after their bed, so they clear here and begin anew there.
    fn transfer(
        &mut self,
        from: BedId,
        to: BedId,
        with_devices: bool,
        now: Timestamp,
        effects: &mut Vec<Effect>,
    ) -> Result<(), Refusal> {
        self.configured(&to)?;
        if self.state.stays.contains_key(&to) {
            return Err(Refusal::Occupied(to));
        }
        let Some(mut stay) = self.state.stays.remove(&from) else {
            return Err(Refusal::Empty(from));
        };
        let mut scope = Scope::without_message(&from, stay.token, now, effects);
        stay.leave_bed(with_devices, &mut scope);
        for device in self.state.devices.values_mut().filter(|d| d.bed.as_ref() == Some(&from)) {
            device.bed = with_devices.then(|| to.clone());
        }
        self.state.stays.insert(to, stay);
        Ok(())
    }

    fn acknowledge(&mut self, alarm: AlarmId, by: &Actor, now: Timestamp, effects: &mut Vec<Effect>) -> Result<(), Refusal> {
        for (bed, stay) in &mut self.state.stays {
            let mut scope = Scope::without_message(bed, stay.token, now, effects);
            if stay.alarms.acknowledge(&alarm, &by.name, &mut scope) {
                return Ok(());
            }
        }
        Err(Refusal::NoSuchAlarm(alarm))
    }

    fn send_on(&mut self, alarm: AlarmId, how: Transition, now: Timestamp, effects: &mut Vec<Effect>) -> Result<(), Refusal> {
        for (bed, stay) in &mut self.state.stays {
            let mut scope = Scope::without_message(bed, stay.token, now, effects);
            match stay.alarms.send_on(&alarm, how, &mut scope) {
                None => {}
                Some(true) => return Ok(()),
                Some(false) => return Err(Refusal::NobodyFurther(alarm)),
            }
        }
        Err(Refusal::NoSuchAlarm(alarm))
    }

    fn accept(&mut self, alarm: AlarmId, by: &Actor, now: Timestamp, effects: &mut Vec<Effect>) -> Result<(), Refusal> {
        for (bed, stay) in &mut self.state.stays {
            let mut scope = Scope::without_message(bed, stay.token, now, effects);
            if stay.alarms.accept(&alarm, &by.name, &mut scope) {
                return Ok(());
            }
        }
        Err(Refusal::NoSuchAlarm(alarm))
    }

    fn pause_audio(&mut self, bed: Option<BedId>, length: Duration, by: &Actor, now: Timestamp) -> Result<(), Refusal> {
        if length.is_zero() || length > LONGEST_PAUSE {
            return Err(Refusal::PauseTooLong(length));
        }
        for stay in self.stays_of(bed)? {
            stay.alarms.pause_audio(length, &by.name, now);
        }
        Ok(())
    }

    fn resume_audio(&mut self, bed: Option<BedId>) -> Result<(), Refusal> {
        for stay in self.stays_of(bed)? {
            stay.alarms.resume_audio();
        }
        Ok(())
    }

    /// The stay in a bed, or with `None` every stay.
    fn stays_of(&mut self, bed: Option<BedId>) -> Result<Vec<&mut Stay>, Refusal> {
        let Some(bed) = bed else {
            return Ok(self.state.stays.values_mut().collect());
        };
        match self.state.stays.get_mut(&bed) {
            Some(stay) => Ok(vec![stay]),
            None => Err(Refusal::Empty(bed)),
        }
    }
}
