//! What is asked of a device from afar.

use std::io::Write;

use anyhow::bail;
use wardlight_devices::{Status, configure, shown_settings};

use super::site::Site;
use crate::user_cli::whoami;

/// Writes the next revision of what is desired into the device's record, where a running agent finds it.
/// # Errors
/// If the device is not enrolled, or with every setting that its profile does not allow.
pub(super) fn run(site: &Site, id: &str, settings: &[String], clear: bool, output: &mut impl Write) -> anyhow::Result<()> {
    let _held = site.registry.change()?;
    let mut record = site.record(id)?;
    if record.status() == Status::Revoked {
        bail!("{id}: is revoked; nothing reaches it");
    }
    let profile = site.registry.profile(&record.profile)?;
    let desired = configure(&profile, record.desired.as_ref(), settings, clear)?;
    if record.desired.as_ref().is_some_and(|before| before.set == desired.set) {
        bail!("{id}: {} is what is desired already", shown_settings(&desired.set));
    }
    writeln!(
        output,
        "{id}: revision {} is desired: {}. `wardlight device show {id}` says what the device makes of it.",
        desired.rev,
        shown_settings(&desired.set)
    )?;
    record.desired = Some(desired);
    record.changed_by = whoami();
    site.registry.write(&record)
}
