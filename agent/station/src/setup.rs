//! What is asked of devices from afar, for technicians.

use std::collections::BTreeMap;

use wardlight_core::ids::DeviceId;

/// How far a device is with what is asked of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeviceSetup {
    /// Which device.
    pub device: DeviceId,
    /// Revision of the configuration that is desired, if one is.
    pub desired: Option<u32>,
    /// Revision that the device says is in force.
    pub reported: Option<u32>,
    /// How far it is with that; `None` if no configuration is desired.
    pub step: Option<SetupStep>,
    /// Settings that it does not take, each with its reason.
    pub rejected: BTreeMap<String, String>,
    /// The firmware that it says it runs.
    pub firmware: Option<String>,
    /// The firmware that it should run, if somebody said.
    pub offered: Option<String>,
}

/// How far a device is with a configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SetupStep {
    /// It says that all of it is in force.
    InForce,
    /// It is off, or was just asked.
    Waiting,
    /// It does not take some of it.
    Rejected,
    /// It was asked more than once and does not answer.
    Unanswered,
}

impl SetupStep {
    /// Its word in the API.
    pub const fn word(self) -> &'static str {
        match self {
            Self::InForce => "in_force",
            Self::Waiting => "waiting",
            Self::Rejected => "rejected",
            Self::Unanswered => "unanswered",
        }
    }
}
