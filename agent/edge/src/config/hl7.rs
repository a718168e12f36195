//! `[hl7]`: who may send HL7 v2, which of the hospital's locations are our beds, and who is told of alarms.

use std::collections::HashMap;
use std::net::SocketAddr;

use wardlight_core::ids::BedId;
use wardlight_wire::hl7::time::{Zone, zone};

use super::ServerTlsFiles;
use super::hl7_alarms::{self, Hl7AlarmsConfig};
use super::reader::Section;
use super::site::Unit;

/// HL7 v2 as input.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Hl7Config {
    /// The door; `None` without one.
    pub(crate) listen: Option<Hl7Listen>,
    /// Of times that have none.
    pub(crate) zone: Zone,
    /// How often monitors send numerics.
    pub(crate) interval_s: u16,
    /// PV1-3, `unit^room^bed`, to our bed.
    pub(crate) beds: HashMap<String, BedId>,
    /// The alarm manager, if there is one.
    pub(crate) alarms: Option<Hl7AlarmsConfig>,
}

/// Where HL7 v2 is taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Hl7Listen {
    pub(crate) address: SocketAddr,
    /// The senders' authority is in it: without a certificate nobody comes in.
    pub(crate) tls: Option<ServerTlsFiles>,
    pub(crate) max_message_bytes: usize,
    pub(crate) max_connections: usize,
}

pub(super) fn read(mut section: Section<'_>, units: &[Unit]) -> Hl7Config {
    let (listen, zone, interval_s) = read_listen(section.section("listen"));
    let alarms = hl7_alarms::read(section.section("alarms"));
    let mut beds = HashMap::new();
    for (location, bed) in section.pairs("beds") {
        let key = format!("beds.{location:?}");
        let found = format!("{bed:?}");
        match BedId::new(&bed) {
            Ok(bed) if units.iter().any(|unit| unit.beds.contains(&bed)) => {
                if beds.values().any(|known| *known == bed) {
                    section.fault(&key, found, "another location is this bed");
                }
                beds.insert(location, bed);
            }
            Ok(_) => section.fault(&key, found, "no [[unit]] has this bed"),
            Err(error) => section.fault(&key, found, error.to_string()),
        }
    }
    section.finish();
    Hl7Config {
        listen,
        zone,
        interval_s,
        beds,
        alarms,
    }
}

fn read_listen(mut section: Section<'_>) -> (Option<Hl7Listen>, Zone, u16) {
    let present = section.is_present();
    let address = section.parsed("address", |text| {
        let shape = "must be ADDRESS:PORT, as in 127.0.0.1:2575";
        text.parse::<SocketAddr>().map_err(|_no_address| shape)
    });
    let allow_insecure = section.boolean("allow_insecure", false);
    let ca_file = section.existing_file("ca_file");
    let cert_file = section.existing_file("cert_file");
    let key_file = section.secret_file("key_file");
    let crl_file = section.existing_file("crl_file");
    let zone = section.parsed("zone", |text| zone(text).ok_or("must be +HHMM or -HHMM"));
    let interval_s = section.integer("interval_s", 1, 1..=3600);
    let max_message_kib = section.integer("max_message_kib", 256, 1..=16 * 1024);
    let max_connections = section.integer("max_connections", 64, 1..=4096);
    if present && address.is_none() && !section.has("address") {
        section.missing("address", "is missing or wrong; for example address = \"127.0.0.1:2575\"");
    }
    let tls = match (ca_file, cert_file, key_file) {
        (Some(ca_file), Some(cert_file), Some(key_file)) => Some(ServerTlsFiles {
            cert: cert_file,
            key: key_file,
            client_ca: Some(ca_file),
            crl: crl_file,
        }),
        (None, None, None) => None,
        _ => {
            section.missing("cert_file", "ca_file, cert_file and key_file go together");
            None
        }
    };
    if let Some(address) = address.filter(|address| !address.ip().is_loopback() && tls.is_none() && !allow_insecure) {
        let problem = "without TLS anybody on the network can read and forge vitals and admissions; give ca_file, cert_file and key_file, or set hl7.listen.allow_insecure = true if you know that the network is closed";
        section.fault("address", format_args!("\"{address}\""), problem);
    }
    section.finish();
    let bounded = |number: u64| usize::try_from(number).unwrap_or(usize::MAX);
    let listen = address.map(|address| Hl7Listen {
        address,
        tls,
        max_message_bytes: bounded(max_message_kib * 1024),
        max_connections: bounded(max_connections),
    });
    (listen, zone.unwrap_or(0), u16::try_from(interval_s).unwrap_or(u16::MAX))
}
