//! Devices with their channels, as they described themselves at their birth, and this software.

use serde_json::{Value, json};
use wardlight_core::codes::{self as table, Waveform};
use wardlight_core::ids::DeviceId;
use wardlight_core::message::{Birth, Channel};

use super::{Mapping, Resource, Version, codes, set};

impl Mapping {
    /// The device, and a `DeviceMetric` for each channel that it announced.
    pub fn device(&self, device: &DeviceId, birth: &Birth) -> Vec<Resource> {
        let mut body = self.described(device.as_str(), "device", &birth.firmware);
        if !birth.model.is_empty() {
            set(&mut body, "modelNumber", json!(birth.model));
        }
        let id = self.id("device", &[device.as_str().as_bytes()]);
        let mut all = vec![Resource::new("Device", id, body)];
        all.extend(birth.channels.iter().map(|channel| self.metric(device, channel)));
        all
    }

    /// This software, which makes the scores and flags.
    pub fn agent(&self, software_version: &str) -> Resource {
        let mut body = self.described(self.site.as_str(), "agent", software_version);
        set(&mut body, "modelNumber", json!("Wardlight"));
        Resource::new("Device", self.id("agent", &[]), body)
    }

    fn described(&self, name: &str, space: &str, version: &str) -> Value {
        let mut body = json!({
            "identifier": [{"system": self.system(space), "value": name}],
            "status": "active",
        });
        match self.version {
            Version::R4 => set(&mut body, "deviceName", json!([{"name": name, "type": "user-friendly-name"}])),
            Version::R5 => set(&mut body, "name", json!([{"value": name, "type": "user-friendly-name"}])),
        }
        if !version.is_empty() {
            set(&mut body, "version", json!([{"value": version}]));
        }
        body
    }

    fn metric(&self, device: &DeviceId, channel: &Channel) -> Resource {
        let code = channel.code;
        let kind = match (Waveform::from_code(code), table::numeric(code)) {
            (Some(waveform), _) => codes::waveform(waveform),
            (None, Some(numeric)) => codes::numeric(numeric),
            // The decoder refuses other codes; the number alone is still true.
            (None, None) => json!({"coding": [{"system": codes::MDC, "code": code.to_string()}]}),
        };
        let mut body = json!({
            "identifier": [{"system": self.system("channel"), "value": format!("{device}.{code}")}],
            "type": kind,
            "unit": {"coding": [{"system": codes::UCUM, "code": channel.unit.ucum()}]},
            "category": "measurement",
        });
        let device_is = match self.version {
            Version::R4 => "source",
            Version::R5 => "device",
        };
        set(&mut body, device_is, self.device_reference(device));
        let id = self.id("channel", &[device.as_str().as_bytes(), &code.to_be_bytes()]);
        Resource::new("DeviceMetric", id, body)
    }
}
