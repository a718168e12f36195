//! What became of the devices between two looks at the registry, for the audit trail.

use std::collections::BTreeMap;

use wardlight_core::ids::DeviceId;
use wardlight_devices::{Record as Device, Status, rfc3339};

use crate::audit::Record;

/// Every device with its newest certificate, as it was at a look.
#[derive(Debug)]
pub(crate) struct Known(BTreeMap<DeviceId, (String, Status)>);

impl Known {
    /// What the registry holds.
    pub(crate) fn of(devices: &[Device]) -> Self {
        let known = devices.iter().map(|device| {
            let seen = (device.certificate.serial.clone(), device.status());
            (device.id.clone(), seen)
        });
        Self(known.collect())
    }

    /// How many there are. Who they are stands in the registry, with who changed them when; a list of thousands at every start would bury
    /// the rest of the trail.
    pub(crate) fn summary(&self) -> Record {
        let enrolled = self.0.values().filter(|(_, status)| *status == Status::Enrolled).count();
        let revoked = self.0.len() - enrolled;
        Record::by_agent("devices", format!("{enrolled} enrolled, {revoked} revoked"))
    }

    /// What is different in `devices`.
    pub(crate) fn changes(&self, devices: &[Device]) -> Vec<Record> {
        devices.iter().filter_map(|device| self.change(device)).collect()
    }

    fn change(&self, device: &Device) -> Option<Record> {
        let (serial, status) = (&device.certificate.serial, device.status());
        let until = || format!("certificate {serial} until {}", rfc3339(device.certificate.not_after));
        let (action, detail) = match (self.0.get(&device.id), status) {
            (Some((known, before)), _) if known == serial && *before == status => return None,
            (_, Status::Revoked) => ("device_revoked", device.reason.clone().unwrap_or_default()),
            (Some((_, Status::Enrolled)), Status::Enrolled) => ("device_renewed", until()),
            (_, Status::Enrolled) => ("device_enrolled", format!("{}, {}", device.profile, until())),
        };
        Some(Record::at_command_line(action, device.changed_by.clone(), detail).of_device(device.id.as_str()))
    }
}
