//! Numbers for messages of formats that have none of their own, so that they are told apart like those of any device.

use std::collections::HashMap;

use wardlight_core::ids::DeviceId;
use wardlight_core::message::{Body, Message};
use wardlight_core::time::Timestamp;

/// Devices remembered. Beyond, all begin anew, as after a restart.
const MAX_DEVICES: usize = 16_384;

/// See the [module](self).
#[derive(Debug, Default)]
pub(crate) struct Numbering {
    devices: HashMap<DeviceId, Numbers>,
}

#[derive(Debug)]
struct Numbers {
    boot: u32,
    seq: u32,
    /// Of each waveform, which count on their own.
    waves: HashMap<u32, u32>,
}

impl Numbering {
    /// Whether the device has been heard since the agent's start.
    pub(crate) fn knows(&self, device: &DeviceId) -> bool {
        self.devices.contains_key(device)
    }

    /// Gives a message its boot and number. A birth begins a boot, and so does the first word of a device.
    pub(crate) fn number(&mut self, message: &mut Message, now: Timestamp) {
        if matches!(message.body, Body::Birth(_)) || !self.knows(&message.device) {
            self.begin(&message.device, now);
        }
        let Some(numbers) = self.devices.get_mut(&message.device) else {
            return;
        };
        message.boot = Some(numbers.boot);
        message.seq = match &message.body {
            Body::Birth(_) | Body::State { .. } => None,
            Body::Wave(block) => {
                let seq = numbers.waves.entry(block.waveform.code()).or_default();
                *seq += 1;
                Some(*seq)
            }
            Body::Numerics(_) | Body::Alarm(_) | Body::Event(_) => {
                numbers.seq += 1;
                Some(numbers.seq)
            }
        };
    }

    /// The low bits of the time in milliseconds name a boot: never one that the Ward still remembers, also after a restart of the agent.
    fn begin(&mut self, device: &DeviceId, now: Timestamp) {
        if self.devices.len() >= MAX_DEVICES && !self.knows(device) {
            self.devices.clear();
        }
        let boot = now.as_millis() as u32;
        let last = self.devices.get(device).map(|numbers| numbers.boot);
        let boot = if last == Some(boot) { boot.wrapping_add(1) } else { boot };
        let numbers = Numbers {
            boot,
            seq: 0,
            waves: HashMap::new(),
        };
        self.devices.insert(device.clone(), numbers);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(body: Body) -> Message {
        Message {
            device: DeviceId::new("d").unwrap(),
            boot: None,
            seq: None,
            sent_at: Timestamp::default(),
            body,
        }
    }

    #[test]
    fn no_two_boots_of_a_device_share_a_name_and_numbers_go_up() {
        let mut numbering = Numbering::default();
        let birth = || {
            message(Body::Birth(wardlight_core::message::Birth {
                model: String::new(),
                firmware: String::new(),
                channels: Vec::new(),
            }))
        };
        let now = Timestamp::from_millis(1_767_225_600_000);
        let mut boots = Vec::new();
        for _ in 0..3 {
            let mut birth = birth();
            numbering.number(&mut birth, now);
            boots.push(birth.boot);
            for expected in 1..3 {
                let mut values = message(Body::Numerics(Vec::new()));
                numbering.number(&mut values, now);
                assert_eq!((values.boot, values.seq), (birth.boot, Some(expected)));
            }
        }
        boots.dedup();
        assert_eq!(boots.len(), 3);
    }
}
