//! What the broker reads, and telling it that something changed.

use std::fs;
use std::path::Path;

use anyhow::Context;
use rustix::process::{Pid, Signal, kill_process};
use wardlight_core::time::Timestamp;
use wardlight_devices::{Certificate, Listening, Status, access_list, mosquitto_conf};

use super::{Authorities, Registry, make, of_agents};
use crate::config::{BrokerUrl, EnrolmentConfig};
use crate::whole_file;

/// The broker's certificate.
pub(crate) const CERTIFICATE: &str = "broker.pem";
/// The broker's key.
pub(crate) const KEY: &str = "broker.key";
/// Who may write what. Every change of a device changes it or is written over it, so its age tells of changes.
pub(crate) const ACCESS: &str = "acl";
/// Where agents find the broker, unless `mqtt.url` says otherwise.
const AGENT_PORT: u16 = 8884;
/// Where devices find it, while nobody has said.
const DEVICE_PORT: u16 = 8883;

/// Writes everything that the broker reads, as it follows from authority and registry.
/// # Errors
/// If the disk does not let it.
pub(crate) fn publish(
    registry: &Registry,
    authorities: &Authorities,
    config: &EnrolmentConfig,
    now: Timestamp,
) -> anyhow::Result<()> {
    let records = registry.records()?;
    let folder = registry.broker();
    let write = |name: &str, content: &str| {
        let file = folder.join(name);
        whole_file::write_readable(&file, content.as_bytes()).with_context(|| file.display().to_string())
    };
    let trusted = authorities.trusted();
    write("ca.pem", &trusted.iter().map(Certificate::pem).collect::<String>())?;
    write("crl.pem", &authorities.revocation_lists(&records, now)?)?;
    let enrolled = records.iter().filter(|record| record.status() == Status::Enrolled);
    write(ACCESS, &access_list(&config.site, enrolled.map(|record| &record.id)))?;
    let agents = of_agents(registry)?;
    if let Some(agents) = &agents {
        write("agents.pem", agents.certificate().pem())?;
        write("agents-crl.pem", &agents.revocation_list(&[], now)?)?;
    }
    make(&folder.join("store"), 0o700).with_context(|| folder.display().to_string())?;
    let shown = std::path::absolute(&folder).with_context(|| folder.display().to_string())?;
    let pid_file = config.devices.broker_pid_file.as_deref();
    let pid_file = pid_file.map(std::path::absolute).transpose()?;
    let plugin = config.devices.broker_plugin.as_deref();
    let plugin = plugin.map(std::path::absolute).transpose()?;
    let agent_door = config.agent_door.as_ref().filter(|door| door.is_tls());
    let conf = mosquitto_conf(&Listening {
        folder: &shown.to_string_lossy(),
        device_port: config.device_door().map_or(DEVICE_PORT, |(_host, port)| port),
        agent_port: agents.map(|_authority| agent_door.map_or(AGENT_PORT, BrokerUrl::port)),
        pid_file: pid_file.as_ref().map(|path| path.to_string_lossy()).as_deref(),
        plugin: plugin.as_ref().map(|path| path.to_string_lossy()).as_deref(),
    });
    write("mosquitto.conf", &conf)
}

/// Tells the broker to read its files again. Returns what came of it, as a sentence for whoever changed something.
pub(crate) fn reload(pid_file: Option<&Path>) -> Result<&'static str, String> {
    let Some(file) = pid_file else {
        return Err("The broker was not told: set devices.broker_pid_file, or send it SIGHUP yourself.".to_owned());
    };
    signal(file).map_err(|problem| {
        format!(
            "The broker was not told: {}: {problem}. Send it SIGHUP yourself.",
            file.display()
        )
    })?;
    Ok("The broker reads its files again.")
}

fn signal(file: &Path) -> Result<(), String> {
    let text = fs::read_to_string(file).map_err(|error| error.to_string())?;
    let number: Option<i32> = text.trim().parse().ok();
    let pid = number.and_then(Pid::from_raw).ok_or("holds no process identifier")?;
    // Whoever has this number by now must not be ended by a signal that was not for him.
    let name = fs::read_to_string(format!("/proc/{}/comm", pid.as_raw_nonzero())).unwrap_or_default();
    if name.trim() != "mosquitto" {
        return Err(format!("process {} is no mosquitto", pid.as_raw_nonzero()));
    }
    kill_process(pid, Signal::HUP).map_err(|error| error.to_string())
}
