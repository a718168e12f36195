//! What is asked of a device from afar, as technicians see it.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;

use crate::setup::{DeviceSetup, SetupStep};

/// Twin of [`DeviceSetup`].
#[derive(Serialize, JsonSchema)]
#[schemars(
    rename = "Setup",
    description = "What is asked of a device from afar, and what it says to that."
)]
pub(crate) struct SetupJson<'a> {
    device: &'a str,
    /// Revision of the configuration that is desired.
    desired: Option<u32>,
    /// Revision that is in force.
    reported: Option<u32>,
    #[schemars(extend("enum" = ["in_force", "waiting", "rejected", "unanswered", null]))]
    state: Option<&'static str>,
    /// Settings that the device does not take, each with the reason.
    rejected: &'a BTreeMap<String, String>,
    /// The firmware that it runs.
    firmware: Option<&'a str>,
    /// The firmware that it should run.
    offered: Option<&'a str>,
}

impl<'a> From<&'a DeviceSetup> for SetupJson<'a> {
    fn from(setup: &'a DeviceSetup) -> Self {
        Self {
            device: setup.device.as_str(),
            desired: setup.desired,
            reported: setup.reported,
            state: setup.step.map(SetupStep::word),
            rejected: &setup.rejected,
            firmware: setup.firmware.as_deref(),
            offered: setup.offered.as_deref(),
        }
    }
}
