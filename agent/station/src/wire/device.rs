//! A device as the page and the API see it.

use schemars::JsonSchema;
use serde::Serialize;
use wardlight_core::time::Timestamp;
use wardlight_core::view::DeviceView;

/// Twin of [`DeviceView`].
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Device", description = "A device, at a bed or at none.")]
pub(crate) struct DeviceJson<'a> {
    device: &'a str,
    model: &'a str,
    bed: Option<&'a str>,
    live: bool,
    online: Option<bool>,
    last_received_at: Option<i64>,
    battery_percent: Option<u8>,
    demo: bool,
    skew_ms: Option<i64>,
    missed: u64,
}

impl<'a> From<&'a DeviceView> for DeviceJson<'a> {
    fn from(d: &'a DeviceView) -> Self {
        Self {
            device: d.device.as_str(),
            model: &d.model,
            bed: d.bed.as_ref().map(wardlight_core::ids::BedId::as_str),
            live: d.live,
            online: d.online,
            last_received_at: d.last_received_at.map(Timestamp::as_millis),
            battery_percent: d.battery_percent,
            demo: d.demo,
            skew_ms: d.skew_ms,
            missed: d.missed,
        }
    }
}
