//! `[hl7.alarms]`: the hospital's alarm manager, if there is one.

use std::time::Duration;

use super::is_loopback;
use super::reader::Section;

/// An alarm manager that takes PCD-04 over MLLP.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Hl7AlarmsConfig {
    /// `host:port`.
    pub(crate) address: String,
    /// Longest wait for a connection, and for an acknowledgement.
    pub(crate) timeout: Duration,
    /// Most alarms waiting.
    pub(crate) queue: usize,
}

/// `None` without the table, and where a fault was reported.
pub(super) fn read(mut section: Section<'_>) -> Option<Hl7AlarmsConfig> {
    if !section.is_present() {
        return None;
    }
    let allow_insecure = section.boolean("allow_insecure", false);
    let address = section.required("address", "\"127.0.0.1:2575\"", |text| parse(text, allow_insecure));
    let timeout_s = section.integer("timeout_s", 5, 1..=60);
    let queue = section.integer("queue", 256, 1..=65_536);
    section.finish();
    Some(Hl7AlarmsConfig {
        address: address?,
        timeout: Duration::from_secs(timeout_s),
        queue: usize::try_from(queue).unwrap_or(usize::MAX),
    })
}

fn parse(text: &str, allow_insecure: bool) -> Result<String, String> {
    let parts = text.rsplit_once(':').filter(|(host, _)| !host.is_empty());
    let Some((host, port)) = parts else {
        return Err("must be host:port".to_owned());
    };
    if !port.parse::<u16>().is_ok_and(|port| port > 0) {
        return Err("must be host:port, with a port of 1 to 65535".to_owned());
    }
    if is_loopback(host) || allow_insecure {
        return Ok(text.to_owned());
    }
    Err(
        "MLLP has no TLS, so alarms would travel in clear; put a TLS tunnel on this machine before it, or set \
         hl7.alarms.allow_insecure = true if you know that the network is closed"
            .to_owned(),
    )
}
