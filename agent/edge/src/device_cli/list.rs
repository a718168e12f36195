//! The registry, for people and for programs.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;

use serde_json::json;
use wardlight_devices::{Record, rfc3339};

use super::site::Site;
use crate::config::Config;
use crate::control::{self, Order, Reported};

/// Prints every device.
/// # Errors
/// If a record cannot be read.
pub(super) fn list(site: &Site, as_json: bool, output: &mut impl Write) -> anyhow::Result<()> {
    let records = site.registry.records()?;
    if as_json {
        let all: Vec<_> = records.iter().map(row).collect();
        writeln!(output, "{}", serde_json::to_string_pretty(&all)?)?;
        return Ok(());
    }
    for record in &records {
        writeln!(
            output,
            "{:<20} {:<18} {:<9} until {}{}",
            record.id.as_str(),
            record.profile,
            record.status().word(),
            rfc3339(record.certificate.not_after),
            record.reason.as_ref().map(|reason| format!("  {reason}")).unwrap_or_default()
        )?;
    }
    Ok(())
}

/// Prints what the registry holds of one device, and what the device reports of that to a running agent.
/// # Errors
/// If it was never enrolled.
pub(super) fn show(file: &Path, id: &str, output: &mut impl Write) -> anyhow::Result<()> {
    let record = Site::load(file)?.record(id)?;
    output.write_all(record.to_toml().as_bytes())?;
    match reported(file, id) {
        Ok(Some(reported)) => write!(output, "\n{}", toml::to_string(&BTreeMap::from([("reported", reported)]))?)?,
        Ok(None) => writeln!(output, "\n# Nothing is asked of it from afar.")?,
        Err(problem) => writeln!(output, "\n# What the device reports is not known here: {problem:#}")?,
    }
    Ok(())
}

/// Asks the running agent.
fn reported(file: &Path, id: &str) -> anyhow::Result<Option<Reported>> {
    let config = Config::load(file)?;
    control::ask(&config.journal.dir, &Order::Reported { device: id.to_owned() })
}

fn row(record: &Record) -> serde_json::Value {
    json!({
        "id": record.id.as_str(),
        "profile": record.profile,
        "status": record.status().word(),
        "serial": record.certificate.serial,
        "fingerprint": record.certificate.fingerprint,
        "not_before": rfc3339(record.certificate.not_before),
        "not_after": rfc3339(record.certificate.not_after),
        "enrolled_at": rfc3339(record.enrolled_at),
        "revoked_at": record.certificate.revoked_at.map(rfc3339),
        "reason": record.reason,
    })
}
