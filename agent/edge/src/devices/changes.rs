//! What became of the devices between two looks at the registry, for the audit trail.

use std::collections::BTreeMap;

use wardlight_core::hex;
use wardlight_core::ids::DeviceId;
use wardlight_devices::{Firmware, Record as Device, Status, rfc3339, shown_settings};

use super::firmware::Audience;
use crate::audit::Record;

/// Every device, and the firmware there was, as of a look.
#[derive(Debug)]
pub(crate) struct Known {
    devices: BTreeMap<DeviceId, Seen>,
    firmware: BTreeMap<Audience, Firmware>,
}

/// What is compared of a device.
#[derive(Debug)]
struct Seen {
    /// Serial number of its newest certificate.
    serial: String,
    status: Status,
    /// Revision of the configuration that is desired.
    rev: Option<u32>,
}

impl Known {
    /// What the registry holds.
    pub(crate) fn of(devices: &[Device], firmware: &BTreeMap<Audience, Firmware>) -> Self {
        let known = devices.iter().map(|device| {
            let seen = Seen {
                serial: device.certificate.serial.clone(),
                status: device.status(),
                rev: device.desired.as_ref().map(|desired| desired.rev),
            };
            (device.id.clone(), seen)
        });
        Self {
            devices: known.collect(),
            firmware: firmware.clone(),
        }
    }

    /// How many there are. Who they are stands in the registry, with who changed them when; a list of thousands at every start would bury
    /// the rest of the trail.
    pub(crate) fn summary(&self) -> Record {
        let enrolled = self.devices.values().filter(|seen| seen.status == Status::Enrolled).count();
        let revoked = self.devices.len() - enrolled;
        Record::by_agent("devices", format!("{enrolled} enrolled, {revoked} revoked"))
    }

    /// What is different in `devices` and `firmware`.
    pub(crate) fn changes(&self, devices: &[Device], firmware: &BTreeMap<Audience, Firmware>) -> Vec<Record> {
        let both = |device| [self.access(device), self.configuration(device)];
        let offered = firmware
            .iter()
            .filter(|(whom, noted)| self.firmware.get(*whom) != Some(*noted));
        let withdrawn = self.firmware.iter().filter(|(whom, _)| !firmware.contains_key(*whom));
        let of_devices = devices.iter().flat_map(both).flatten();
        of_devices
            .chain(offered.map(|(whom, noted)| of_firmware("firmware_offered", whom, noted)))
            .chain(withdrawn.map(|(whom, noted)| of_firmware("firmware_withdrawn", whom, noted)))
            .collect()
    }

    /// Whether it may connect, and with what.
    fn access(&self, device: &Device) -> Option<Record> {
        let (serial, status) = (&device.certificate.serial, device.status());
        let until = || format!("certificate {serial} until {}", rfc3339(device.certificate.not_after));
        let (action, detail) = match (self.devices.get(&device.id), status) {
            (Some(seen), _) if seen.serial == *serial && seen.status == status => return None,
            (_, Status::Revoked) => ("device_revoked", device.reason.clone().unwrap_or_default()),
            (Some(seen), Status::Enrolled) if seen.status == Status::Enrolled => ("device_renewed", until()),
            (_, Status::Enrolled) => ("device_enrolled", format!("{}, {}", device.profile, until())),
        };
        Some(by_whom(device, action, detail))
    }

    /// What is asked of it from afar.
    fn configuration(&self, device: &Device) -> Option<Record> {
        let desired = device.desired.as_ref()?;
        let before = self.devices.get(&device.id).and_then(|seen| seen.rev);
        let detail = || format!("revision {}: {}", desired.rev, shown_settings(&desired.set));
        (before != Some(desired.rev)).then(|| by_whom(device, "device_configured", detail()))
    }
}

fn by_whom(device: &Device, action: &'static str, detail: String) -> Record {
    Record::at_command_line(action, device.changed_by.clone(), detail).of_device(device.id.as_str())
}

/// Who withdrew one stands nowhere, so the agent only says that it is gone.
fn of_firmware(action: &'static str, whom: &Audience, noted: &Firmware) -> Record {
    let Firmware { changed_by, notice } = noted;
    let detail = format!("{whom}: {}, SHA-256 {}", notice.version, hex::encode(&notice.sha256));
    let record = match action {
        "firmware_withdrawn" => Record::by_agent(action, detail),
        _ => Record::at_command_line(action, changed_by.clone(), detail),
    };
    match whom {
        Audience::Device(id) => record.of_device(id.as_str()),
        Audience::Profile(_) => record,
    }
}
