//! What the devices of a bed say of themselves: sensors that are off, and their own alarms. Each device's words stand apart,
//! so that one that starts anew takes back its own only.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::stay::Stay;
use crate::alarms::{AlarmKind, Scope, is_red_device_condition};
use crate::ids::DeviceId;
use crate::message::{Body, DeviceAlarm, Message, Priority};
use crate::time::Timestamp;
use crate::vitals::Quality;

/// Alarms that stand at one bed, beyond which a device's further conditions are told as one.
const STANDING_MAX: usize = 64;
/// Sensors of one device that can be off.
const LEADS_MAX: usize = 32;

/// What one device has said.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Words {
    /// Sensors that are off, by channel code, each since when; 0 stands for the whole device.
    leads_off: Vec<(u32, Timestamp)>,
    /// Its own alarms whose condition is present.
    conditions: Vec<String>,
}

/// What all devices of a bed have said.
pub(crate) type Said = BTreeMap<DeviceId, Words>;

impl Stay {
    /// Notes a sensor that came off or is back; `code` 0 stands for the whole device.
    pub(crate) fn set_lead(&mut self, device: &DeviceId, code: u32, off: bool, sent_at: Timestamp) {
        if !off {
            let Some(words) = self.said.get_mut(device) else { return };
            words.leads_off.retain(|(known, _)| *known != code && code != 0);
            return;
        }
        let leads_off = &mut self.said.entry(device.clone()).or_default().leads_off;
        if leads_off.len() < LEADS_MAX && !leads_off.iter().any(|(known, _)| *known == code) {
            leads_off.push((code, sent_at));
        }
    }

    /// Whether a wave block's own lead is off, if that is news.
    pub(crate) fn lead_change(&self, message: &Message) -> Option<(u32, bool)> {
        let Body::Wave(block) = &message.body else { return None };
        let code = block.waveform.code();
        let off = block.quality.has(Quality::LEAD_OFF);
        let words = self.said.get(&message.device);
        let known = words.is_some_and(|words| words.leads_off.iter().any(|(c, _)| *c == code));
        (known != off).then_some((code, off))
    }

    /// Sensors that are off, of any device, each since when.
    pub(crate) fn leads_off(&self) -> impl Iterator<Item = (u32, Timestamp)> {
        self.said.values().flat_map(|words| words.leads_off.iter().copied())
    }

    /// Passes the monitor's own alarm on. What kills at once is red here whatever priority the monitor gives it.
    pub(crate) fn take_device_alarm(&mut self, device: &DeviceId, alarm: &DeviceAlarm, onset_at: Timestamp, scope: &mut Scope) {
        let red = is_red_device_condition(&alarm.condition);
        // However many conditions a faulty device makes up, the bed's list stays bounded.
        let crowded = !red && self.alarms.count() >= STANDING_MAX;
        let condition = if crowded { "other" } else { &alarm.condition };
        let words = self.said.entry(device.clone()).or_default();
        words.conditions.retain(|known| known != condition);
        let kind = AlarmKind::Device(condition.to_owned());
        if alarm.present {
            if words.conditions.len() < STANDING_MAX {
                words.conditions.push(condition.to_owned());
            }
            let priority = if red { Priority::High } else { alarm.priority };
            self.alarms.raise(&kind, priority, onset_at, None, scope);
        } else if !self.is_said(condition) {
            self.alarms.end(&kind, scope);
        }
    }

    /// A device started anew or left the bed: what it had said of itself no longer holds.
    pub(crate) fn forget_words_of(&mut self, device: &DeviceId, scope: &mut Scope) {
        let Some(words) = self.said.remove(device) else { return };
        for condition in words.conditions {
            if !self.is_said(&condition) {
                self.alarms.end(&AlarmKind::Device(condition), scope);
            }
        }
    }

    fn is_said(&self, condition: &str) -> bool {
        self.said
            .values()
            .any(|words| words.conditions.iter().any(|known| known == condition))
    }
}
