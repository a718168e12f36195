//! The one configuration file, `agent.toml`: read, checked, and turned into a [`Config`] that needs no further checks.
//!
//! Every fault is found before the first is reported, each with its path and the value that stands there:
//! `agent.toml: journal.max_mib = 0: must be at least 1`. Secrets are paths to files, never values.
//! `docs/configuration.md` lists every key; a test holds the two together.

mod devices;
mod fhir;
mod hl7;
mod hl7_alarms;
mod http;
mod journal;
mod model;
mod mqtt;
mod outgoing;
mod people;
mod reader;
pub(crate) mod secret;
mod site;
mod sparkplug;
#[cfg(test)]
mod tests;
mod webhook;

use std::fmt;
use std::fs;
use std::io;
use std::net::IpAddr;
use std::path::{Path, PathBuf};

pub(crate) use devices::{DevicesConfig, EnrolmentConfig};
pub(crate) use fhir::{FhirConfig, LoginConfig};
pub(crate) use hl7::{Hl7Config, Hl7Listen};
pub(crate) use hl7_alarms::Hl7AlarmsConfig;
pub(crate) use http::{HttpConfig, ServerTlsFiles};
pub(crate) use journal::{JournalConfig, Waveforms};
pub(crate) use model::{Gpu, ModelConfig};
pub(crate) use mqtt::{BrokerUrl, EmbeddedBroker, MqttConfig, MqttVersion, TlsFiles};
pub(crate) use people::PeopleConfig;
pub(crate) use site::Unit;
pub(crate) use sparkplug::SparkplugConfig;
pub(crate) use webhook::WebhookConfig;

use reader::{Fault, Findings, Section};
use wardlight_core::ids::SiteId;

/// The agent's configuration, checked.
#[derive(Clone, Debug)]
pub(crate) struct Config {
    /// The hospital site, as in the topics' `{site}`.
    pub(crate) site: SiteId,
    /// Nursing units and their beds, in the order of the file. No bed name is repeated.
    pub(crate) units: Vec<Unit>,
    /// The broker and the session with it.
    pub(crate) mqtt: MqttConfig,
    /// The encrypted journal.
    pub(crate) journal: JournalConfig,
    /// The page and the API.
    pub(crate) http: HttpConfig,
    /// Who may log in.
    pub(crate) people: PeopleConfig,
    /// Where alarms are posted.
    pub(crate) webhooks: Vec<WebhookConfig>,
    /// The hospital's FHIR server.
    pub(crate) fhir: Option<FhirConfig>,
    /// The `deterioration` model.
    pub(crate) model: ModelConfig,
    /// Devices: how many strangers are remembered, and who starts at which bed.
    pub(crate) devices: DevicesConfig,
    /// Monitors and the admission system that speak HL7 v2.
    pub(crate) hl7: Hl7Config,
    /// Sparkplug B nodes, where they are heard.
    pub(crate) sparkplug: Option<SparkplugConfig>,
}

/// Why there is no [`Config`].
#[derive(Debug, thiserror::Error)]
pub(crate) enum ConfigError {
    /// The file cannot be read.
    #[error("{}: cannot be read: {source}", file.display())]
    Unreadable {
        /// Which file.
        file: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file is not TOML, so nothing in it could be checked.
    #[error("{}: not valid TOML: {message}", file.display())]
    Syntax {
        /// Which file.
        file: PathBuf,
        /// Where and what.
        message: String,
    },
    /// The file is TOML and says something that cannot be.
    #[error("{0}")]
    Faults(FaultList),
}

/// All faults of one file, one line each.
#[derive(Debug)]
pub(crate) struct FaultList {
    file: PathBuf,
    faults: Vec<Fault>,
}

impl fmt::Display for FaultList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.file.file_name().unwrap_or(self.file.as_os_str());
        for (index, fault) in self.faults.iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            write!(f, "{}: {fault}", name.to_string_lossy())?;
        }
        Ok(())
    }
}

impl Config {
    /// Reads and checks the file. Relative paths in it start at its folder.
    ///
    /// # Errors
    /// [`ConfigError`] with every fault, one line each.
    pub(crate) fn load(file: &Path) -> Result<Self, ConfigError> {
        let text = fs::read_to_string(file).map_err(|source| ConfigError::Unreadable {
            file: file.to_path_buf(),
            source,
        })?;
        Self::parse(&text, file)
    }

    /// As [`Config::load`] for a text that is in memory already; `file` is for messages and relative paths.
    ///
    /// # Errors
    /// [`ConfigError`] with every fault, one line each.
    pub(crate) fn parse(text: &str, file: &Path) -> Result<Self, ConfigError> {
        let table = text.parse::<toml::Table>().map_err(|error| ConfigError::Syntax {
            file: file.to_path_buf(),
            message: error.to_string().trim_end().to_owned(),
        })?;
        let findings = Findings::new(file.parent().unwrap_or(Path::new("")));
        let config = read(Section::root(table, &findings));
        let faults = findings.into_faults();
        match config {
            Some(config) if faults.is_empty() => Ok(config),
            _ => Err(ConfigError::Faults(FaultList {
                file: file.to_path_buf(),
                faults,
            })),
        }
    }

    /// Every bed of every unit, in the file's order.
    pub(crate) fn beds(&self) -> impl Iterator<Item = &wardlight_core::ids::BedId> {
        self.units.iter().flat_map(|unit| &unit.beds)
    }
}

/// Only `people.users_file` of the file: what makes the users' file cannot ask for a configuration that has one already.
///
/// # Errors
/// What is wrong, with the file.
pub(crate) fn users_file(file: &Path) -> Result<PathBuf, String> {
    let noun = |problem: String| format!("{}: {problem}", file.display());
    let text = fs::read_to_string(file).map_err(|error| noun(format!("cannot be read: {error}")))?;
    let table = text
        .parse::<toml::Table>()
        .map_err(|error| noun(format!("not valid TOML: {error}")))?;
    let named = table.get("people").and_then(|people| people.get("users_file")?.as_str());
    let missing = "people.users_file: is missing; write [people] users_file = \"users.toml\" into it first";
    let named = named.ok_or_else(|| noun(missing.to_owned()))?;
    Ok(file.parent().unwrap_or(Path::new("")).join(named))
}

/// `None` only where a fault was reported.
fn read(mut root: Section<'_>) -> Option<Config> {
    let site = site::read_site(root.section("site"));
    let units = site::read_units(&mut root);
    let mqtt = mqtt::read(root.section("mqtt"), site.as_ref());
    let journal = journal::read(root.section("journal"));
    let people = people::read(root.section("people"));
    let http = http::read(root.section("http"), people.users_file.is_some());
    let webhooks = root.sections("webhook").into_iter().map(webhook::read);
    let webhooks = webhooks.collect::<Vec<_>>();
    let fhir = fhir::read(root.section("fhir"));
    let model = model::read(root.section("model"));
    let devices = devices::read(root.section("devices"), &units);
    let hl7 = hl7::read(root.section("hl7"), &units);
    let sparkplug = sparkplug::read(root.section("sparkplug"));
    root.finish();
    Some(Config {
        site: site?,
        units,
        mqtt: mqtt?,
        journal,
        http,
        people,
        webhooks: webhooks.into_iter().collect::<Option<_>>()?,
        fhir,
        model,
        devices,
        hl7,
        sparkplug,
    })
}

/// Whether only this machine can be reached under that name.
fn is_loopback(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    host.eq_ignore_ascii_case("localhost") || bare.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}
