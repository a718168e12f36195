//! A device that must not send any more.

use std::io::Write;
use std::path::Path;

use wardlight_devices::Status;

use super::site::Site;
use crate::config::Config;
use crate::session;
use crate::user_cli::whoami;

/// Revokes every certificate of a device, takes its rights, and ends its connection. Asked again, it tells the broker again: the first time it
/// may have been out of reach.
/// # Errors
/// If it was never enrolled, or the disk does not let it; not if the broker cannot be told, which is said instead.
pub(super) fn run(file: &Path, id: &str, reason: &str, output: &mut impl Write) -> anyhow::Result<()> {
    let site = Site::load(file)?;
    let _held = site.registry.change()?;
    let mut record = site.record(id)?;
    if record.status() == Status::Enrolled {
        record.revoke(reason, site.now);
        record.changed_by = whoami();
        site.registry.write(&record)?;
    }
    writeln!(output, "{id}: no certificate of it counts any more.")?;
    let authorities = site.authorities(output)?;
    site.publish(&authorities, output)?;
    match cut(file, id) {
        Ok(()) => writeln!(output, "No connection of it is open.")?,
        Err(problem) => writeln!(
            output,
            "An open connection of it was not ended: {problem}. Once the broker has read its files the device can say nothing over it; \
             restart the broker to end it."
        )?,
    }
    Ok(())
}

/// Ends the device's connection, at the broker's door for agents.
fn cut(file: &Path, id: &str) -> Result<(), String> {
    let config = Config::load(file).map_err(|error| error.to_string())?;
    if config.mqtt.embedded.is_some() {
        return Err("the agent's own broker knows no certificates".to_owned());
    }
    let runtime = crate::runtime().map_err(|error| error.to_string())?;
    runtime.block_on(session::cut(&config.mqtt, id))
}
