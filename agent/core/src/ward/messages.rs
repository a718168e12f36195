//! What a device's message does to the bed it stands at.

use super::Ward;
use super::device::{Device, Standing};
use super::stay::Stay;
use crate::alarms::{AlarmKind, Moment, Scope};
use crate::codes::Parameter;
use crate::event::{Effect, Trigger};
use crate::message::{Body, DeviceEvent, Message, Priority};
use crate::time::Timestamp;
use crate::vitals::Quality;

impl Ward {
    pub(super) fn on_message(&mut self, message: &Message, now: Timestamp, effects: &mut Vec<Effect>) {
        if matches!(message.body, Body::Wave(_)) && !self.changes_lead(message) {
            // Waveforms are not journaled, so they must not change what a replay rebuilds.
            return;
        }
        self.make_room_for(message);
        let device = self.state.devices.entry(message.device.clone()).or_default();
        let standing = device.note_number(message, now);
        match standing {
            Standing::Duplicate => {
                effects.push(Effect::Duplicate);
                return;
            }
            Standing::New { missed: 0, .. } => {}
            Standing::New { missed, .. } => effects.push(Effect::Gap {
                device: message.device.clone(),
                missed,
            }),
        }
        note_device(device, message, now);
        let Some((bed, stay)) = device
            .bed
            .clone()
            .and_then(|bed| self.state.stays.get_mut(&bed).map(|stay| (bed, stay)))
        else {
            effects.push(Effect::Record(None));
            return;
        };
        if let Some((code, off)) = stay.lead_change(message) {
            stay.set_lead(&message.device, code, off, message.sent_at);
        }
        effects.push(Effect::Record(Some(stay.token)));
        let measured_at = if device.clock.is_wrong() { now } else { message.sent_at };
        let at = Moment {
            sent_at: message.sent_at,
            measured_at,
            received_at: now,
        };
        let token = stay.token;
        let trigger = Some(Trigger {
            sampled_at: message.sent_at,
            received_at: now,
        });
        let mut scope = Scope {
            bed: &bed,
            stay: token,
            now,
            trigger,
            out: effects,
        };
        if matches!(standing, Standing::New { restarted: true, .. }) {
            stay.forget_words_of(&message.device, &mut scope);
        }
        stay.take_body(message, device, at, &mut scope);
    }

    /// Whether a wave block says that its lead came off or is back.
    fn changes_lead(&self, message: &Message) -> bool {
        let bed = self.state.devices.get(&message.device).and_then(|d| d.bed.as_ref());
        bed.and_then(|bed| self.state.stays.get(bed))
            .is_some_and(|stay| stay.lead_change(message).is_some())
    }

    /// Keeps the devices at no bed bounded: the one not heard for longest goes.
    fn make_room_for(&mut self, message: &Message) {
        if self.state.devices.contains_key(&message.device) {
            return;
        }
        let unassigned = || self.state.devices.iter().filter(|(_, d)| d.bed.is_none());
        if unassigned().count() >= self.config.max_unassigned {
            let oldest = unassigned().min_by_key(|(_, d)| d.last_received_at).map(|(id, _)| id.clone());
            if let Some(oldest) = oldest {
                self.state.devices.remove(&oldest);
            }
        }
    }
}

fn note_device(device: &mut Device, message: &Message, now: Timestamp) {
    match &message.body {
        Body::Birth(birth) => device.describe(birth),
        Body::State { online, .. } => device.online = Some(*online),
        Body::Event(DeviceEvent::Battery { percent }) => device.note_battery(*percent, message.sent_at),
        Body::Event(DeviceEvent::Demo { on }) => device.note_demo(*on, message.sent_at),
        Body::Numerics(readings) => {
            if readings.iter().any(|r| r.quality().has(Quality::DEMO)) {
                device.note_demo(true, message.sent_at);
            } else if readings.iter().any(|r| r.quality().usable()) {
                device.note_demo(false, message.sent_at);
            }
            for reading in readings.iter().filter(|r| r.parameter() == Parameter::Battery) {
                if let Some(percent) = reading.usable().and_then(|v| u8::try_from(v.rounded()).ok()) {
                    device.note_battery(percent, message.sent_at);
                }
            }
        }
        Body::Wave(_) | Body::Alarm(_) | Body::Event(_) => {}
    }
    // A retained birth or state says nothing about now.
    if !matches!(message.body, Body::Birth(_) | Body::State { .. }) {
        device.note_clock(message.sent_at, now);
        device.last_received_at = Some(now);
        // A stored value that comes late does not make the device's last word older.
        let right = !device.clock.is_wrong();
        device.last_sent_at = if right {
            device.last_sent_at.max(message.sent_at)
        } else {
            message.sent_at
        };
    }
}

impl Stay {
    fn take_body(&mut self, message: &Message, device: &Device, at: Moment, scope: &mut Scope) {
        match &message.body {
            Body::Numerics(readings) => {
                for reading in readings {
                    self.take(reading, at, device.interval(), scope);
                }
                self.assess_news2(at, scope);
            }
            Body::Alarm(alarm) => self.take_device_alarm(&message.device, alarm, at.sent_at, scope),
            Body::Event(DeviceEvent::Button) => {
                self.alarms
                    .raise(&AlarmKind::CallButton, Priority::Medium, at.sent_at, None, scope);
                self.alarms.end(&AlarmKind::CallButton, scope);
            }
            Body::Event(DeviceEvent::LeadOff { code, off }) => {
                self.set_lead(&message.device, code.unwrap_or(0), *off, at.sent_at);
            }
            Body::Event(_) | Body::Wave(_) | Body::Birth(_) | Body::State { .. } => {}
        }
    }
}
