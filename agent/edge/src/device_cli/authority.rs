//! The site's authority: its beginning, and how another takes over.

use std::fs;
use std::io::Write;

use anyhow::{anyhow, bail};
use wardlight_devices::{Certificate, Status};

use super::site::Site;
use crate::devices::{Authorities, broker};

/// Makes the first authority.
/// # Errors
/// If there is one.
pub(super) fn create(site: &Site, output: &mut impl Write) -> anyhow::Result<()> {
    let _held = site.registry.change()?;
    if Authorities::load(&site.registry)?.is_some() {
        bail!("there is an authority; see `wardlight device rotate-ca`");
    }
    let authorities = site.authorities(output)?;
    site.publish(&authorities, output)
}

/// Another authority signs from now on.
/// # Errors
/// If there is none, or a change is underway.
pub(super) fn rotate(site: &Site, output: &mut impl Write) -> anyhow::Result<()> {
    let _held = site.registry.change()?;
    let before = Authorities::load(&site.registry)?.ok_or_else(|| anyhow!("there is no authority yet"))?;
    let authorities = before.rotate(&site.config.site, site.now)?;
    writeln!(
        output,
        "{:?} signs from now on. Renew every device: its new bundle trusts both authorities.\n\
         Then give the broker a certificate with enroll-broker, and end the change with rotate-ca --finish.",
        authorities.current.certificate().name()
    )?;
    site.publish(&authorities, output)
}

/// The former authority does not count any more.
/// # Errors
/// If no change is underway, or with everybody who still needs the former authority.
pub(super) fn finish(site: &Site, output: &mut impl Write) -> anyhow::Result<()> {
    let _held = site.registry.change()?;
    let mut authorities = Authorities::load(&site.registry)?.ok_or_else(|| anyhow!("there is no authority yet"))?;
    let Some(former) = &authorities.former else {
        bail!("no change of the authority is underway");
    };
    let mut left: Vec<String> = Vec::new();
    for record in site.registry.records()? {
        if record.status() == Status::Enrolled && former.issued(&record.certificate.issuer_key) {
            left.push(format!("device {}", record.id));
        }
    }
    let file = site.registry.broker().join(broker::CERTIFICATE);
    if file.exists() && former.issued(Certificate::read(&fs::read_to_string(file)?)?.issuer_key()) {
        left.push("the broker".to_owned());
    }
    if !left.is_empty() {
        bail!("the former authority is still needed by {}", left.join(", "));
    }
    authorities.finish()?;
    writeln!(output, "The former authority does not count any more.")?;
    site.publish(&authorities, output)
}
