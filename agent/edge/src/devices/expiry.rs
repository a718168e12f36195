//! Certificates that end soon: a device that cannot connect is a bed that cannot alarm.

use std::fmt;
use std::fs;
use std::path::Path;
use std::time::Duration;

use wardlight_core::ids::DeviceId;
use wardlight_core::time::Timestamp;
use wardlight_devices::{Certificate, Status};

use super::{Authorities, Registry, broker, of_agents};

/// Time to renew a certificate by hand on every device of a site. (*ratify*)
pub(crate) const AHEAD: Duration = Duration::from_hours(6 * 7 * 24);

/// Whose certificate it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Whose {
    /// A device's.
    Device(DeviceId),
    /// The broker's.
    Broker,
    /// The agent's own.
    Agent,
    /// The authority's.
    Authority,
    /// The authority's of the agents.
    AgentsAuthority,
}

impl fmt::Display for Whose {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Device(id) => write!(f, "device {id}"),
            Self::Broker => f.write_str("broker"),
            Self::Agent => f.write_str("agent"),
            Self::Authority => f.write_str("authority"),
            Self::AgentsAuthority => f.write_str("authority of the agents"),
        }
    }
}

/// A certificate that ends soon, or has ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Ending {
    /// Whose it is.
    pub(crate) whose: Whose,
    /// When it ends.
    pub(crate) at: Timestamp,
}

impl Ending {
    /// What to do about it.
    pub(crate) fn remedy(&self) -> String {
        match &self.whose {
            Whose::Device(id) => format!("`wardlight device renew {id}`"),
            Whose::Broker => "`wardlight device enroll-broker --host NAME`".to_owned(),
            Whose::Agent => "`wardlight device enroll-agent`".to_owned(),
            Whose::AgentsAuthority => "`wardlight device enroll-agent --replace`".to_owned(),
            Whose::Authority => "`wardlight device rotate-ca`".to_owned(),
        }
    }
}

/// Every certificate that ends within [`AHEAD`], the most urgent first: devices, broker, authority, and the agent's own in `agent_file`.
/// # Errors
/// If a certificate or record cannot be read.
pub(crate) fn ending(registry: &Registry, agent_file: Option<&Path>, now: Timestamp) -> anyhow::Result<Vec<Ending>> {
    let mut all = Vec::new();
    let mut note = |whose, at: Timestamp| {
        if at < now.plus(AHEAD) {
            all.push(Ending { whose, at });
        }
    };
    for record in registry.records()? {
        if record.status() == Status::Enrolled {
            note(Whose::Device(record.id.clone()), record.certificate.not_after);
        }
    }
    if let Some(authorities) = Authorities::load(registry)? {
        note(Whose::Authority, authorities.current.certificate().not_after());
    }
    if let Some(agents) = of_agents(registry)? {
        note(Whose::AgentsAuthority, agents.certificate().not_after());
    }
    let broker_file = registry.broker().join(broker::CERTIFICATE);
    let files = [(Whose::Broker, Some(broker_file.as_path())), (Whose::Agent, agent_file)];
    for (whose, file) in files {
        if let Some(file) = file.filter(|file| file.exists()) {
            note(whose, Certificate::read(&fs::read_to_string(file)?)?.not_after());
        }
    }
    all.sort_by_key(|ending| ending.at);
    Ok(all)
}
