//! `[devices]`: how devices are taken, and what enrolment needs to know.

use std::fs;
use std::path::{Path, PathBuf};

use wardlight_core::ids::{BedId, DeviceId, SiteId};

use super::mqtt::BrokerUrl;
use super::reader::{Findings, Section};
use super::site::{self, Unit};
use super::{ConfigError, FaultList, mqtt};

/// Where devices find the broker, unless `devices.broker` says otherwise.
const DEVICE_PORT: u16 = 8883;

/// How devices are taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct DevicesConfig {
    /// How many devices without a bed are remembered; further ones are counted and quarantined.
    pub(crate) max_unknown: usize,
    /// Devices that are attached at the first start, when the journal knows no binding for them.
    pub(crate) attach: Vec<(DeviceId, BedId)>,
    /// The folder of the authority, the registry and what the broker reads.
    pub(crate) dir: PathBuf,
    /// Where the broker notes its process identifier, so that it can be told of changes.
    pub(crate) broker_pid_file: Option<PathBuf>,
    /// Mosquitto's plugin that says who writes under another's name.
    pub(crate) broker_plugin: Option<PathBuf>,
    /// Where devices find the broker; `None`: on the host of `mqtt.url`.
    broker: Option<BrokerUrl>,
}

pub(super) fn read(mut section: Section<'_>, units: &[Unit]) -> DevicesConfig {
    let max_unknown = section.integer("max_unknown", 256, 1..=100_000);
    let mut attach = Vec::new();
    for (device, bed) in section.pairs("attach") {
        let key = format!("attach.{device}");
        let found = format!("{bed:?}");
        match (DeviceId::new(&device), BedId::new(&bed)) {
            (Ok(device), Ok(bed)) if units.iter().any(|unit| unit.beds.contains(&bed)) => attach.push((device, bed)),
            (Ok(_), Ok(_)) => section.fault(&key, found, "no [[unit]] has this bed"),
            (Err(error), _) | (_, Err(error)) => section.fault(&key, found, error.to_string()),
        }
    }
    let config = DevicesConfig {
        max_unknown: usize::try_from(max_unknown).unwrap_or(usize::MAX),
        attach,
        dir: section.path_or("dir", "devices"),
        broker_pid_file: section.path("broker_pid_file"),
        broker_plugin: section.existing_file("broker_plugin"),
        broker: section.parsed("broker", secured),
    };
    section.finish();
    config
}

fn secured(text: &str) -> Result<BrokerUrl, String> {
    let url = BrokerUrl::parse(text)?;
    if url.is_tls() {
        return Ok(url);
    }
    Err("must be mqtts://HOST[:PORT]: a certificate needs TLS".to_owned())
}

/// What enrolment needs of the configuration. What makes certificates cannot ask for a file that names certificates that are there.
#[derive(Clone, Debug)]
pub(crate) struct EnrolmentConfig {
    /// The site.
    pub(crate) site: SiteId,
    /// `[devices]`.
    pub(crate) devices: DevicesConfig,
    /// Where the agent finds the broker; `None` while it runs its own.
    pub(crate) agent_door: Option<BrokerUrl>,
    /// Client identifier of the agent's session.
    pub(crate) client_id: String,
    /// Where the agent's certificate and key are, or will be.
    pub(crate) agent_files: Option<(PathBuf, PathBuf)>,
}

impl EnrolmentConfig {
    /// Reads and checks what is needed; the rest of the file may be wrong.
    /// # Errors
    /// [`ConfigError`] with every fault, one line each.
    pub(crate) fn load(file: &Path) -> Result<Self, ConfigError> {
        let text = fs::read_to_string(file).map_err(|source| ConfigError::Unreadable {
            file: file.to_path_buf(),
            source,
        })?;
        let table = text.parse::<toml::Table>().map_err(|error| ConfigError::Syntax {
            file: file.to_path_buf(),
            message: error.to_string().trim_end().to_owned(),
        })?;
        let findings = Findings::new(file.parent().unwrap_or(Path::new("")));
        let mut root = Section::root(table, &findings);
        let site = site::read_site(root.section("site"));
        let units = site::read_units(&mut root);
        let devices = read(root.section("devices"), &units);
        let mut mqtt = root.section("mqtt");
        let agent_door = mqtt.parsed("url", BrokerUrl::parse);
        let device_port = devices.broker.as_ref().map_or(DEVICE_PORT, BrokerUrl::port);
        if let Some(agents) = agent_door.as_ref().filter(|door| door.is_tls() && door.port() == device_port) {
            let problem = "must have another port than devices.broker (8883 unless said): agents and devices have a door each";
            mqtt.fault("url", format_args!("\"{agents}\""), problem);
        }
        let client_id = mqtt::read_client_id(&mut mqtt, site.as_ref());
        let (certificate, key) = (mqtt.path("cert_file"), mqtt.path("key_file"));
        let faults = findings.into_faults();
        match site {
            Some(site) if faults.is_empty() => Ok(Self {
                site,
                devices,
                agent_door,
                client_id,
                agent_files: certificate.zip(key),
            }),
            _ => Err(ConfigError::Faults(FaultList {
                file: file.to_path_buf(),
                faults,
            })),
        }
    }

    /// Host and port under which devices find the broker.
    pub(crate) fn device_door(&self) -> Option<(&str, u16)> {
        match (&self.devices.broker, &self.agent_door) {
            (Some(door), _) => Some((door.host(), door.port())),
            (None, Some(agents)) => Some((agents.host(), DEVICE_PORT)),
            (None, None) => None,
        }
    }
}
