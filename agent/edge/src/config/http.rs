//! `[http]`: where the page and the API listen, and how they are protected.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

use super::reader::Section;

/// Where the page and the API listen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct HttpConfig {
    /// Address and port; port 0 takes a free one.
    pub(crate) listen: SocketAddr,
    /// Names under which the page may be opened, beside addresses and `localhost`.
    pub(crate) hosts: Vec<String>,
    /// Certificates; `None`: no TLS.
    pub(crate) tls: Option<ServerTlsFiles>,
}

/// Certificates of a door, all PEM.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ServerTlsFiles {
    /// Its certificate and those between it and its authority.
    pub(crate) cert: PathBuf,
    /// Its key.
    pub(crate) key: PathBuf,
    /// Authorities whose certificates visitors must have; `None`: visitors need none.
    pub(crate) client_ca: Option<PathBuf>,
    /// Their revocation lists.
    pub(crate) crl: Option<PathBuf>,
}

/// `with_login`: people prove who they are.
pub(super) fn read(mut section: Section<'_>, with_login: bool) -> HttpConfig {
    let allow_insecure = section.boolean("allow_insecure", false);
    let tls = read_tls(&mut section);
    let known_visitors = with_login || tls.as_ref().is_some_and(|tls| tls.client_ca.is_some());
    let listen = section.parsed("listen", |text| {
        let address = text.parse::<SocketAddr>();
        let address = address.map_err(|_error| "must be ADDRESS:PORT, as in 127.0.0.1:8080")?;
        match (&tls, known_visitors) {
            _ if address.ip().is_loopback() || allow_insecure => Ok(address),
            (None, _) => Err("without TLS anybody on the network could read the page; set http.cert_file and http.key_file, listen on 127.0.0.1 behind a TLS proxy, or set http.allow_insecure = true"),
            (Some(_), false) => Err("everybody on the network could act at the page; set people.users_file or http.client_ca_file, or http.allow_insecure = true"),
            (Some(_), true) => Ok(address),
        }
    });
    let hosts = section.list("hosts", |name| {
        let name = Some(name).filter(|name| is_dns_name(name));
        name.map(str::to_owned)
            .ok_or("must be a name as in https://NAME/, without scheme, port and path")
    });
    section.finish();
    HttpConfig {
        listen: listen.unwrap_or(SocketAddr::from(([127, 0, 0, 1], 8080))),
        hosts,
        tls,
    }
}

fn read_tls(section: &mut Section<'_>) -> Option<ServerTlsFiles> {
    let cert_file = section.existing_file("cert_file");
    let key_file = section.secret_file("key_file");
    let client_ca_file = section.existing_file("client_ca_file");
    let crl_file = section.existing_file("crl_file");
    if crl_file.is_some() && client_ca_file.is_none() {
        section.missing("client_ca_file", "is missing: crl_file is about the certificates of visitors");
    }
    match (cert_file, key_file) {
        (Some(cert_file), Some(key_file)) => {
            return Some(ServerTlsFiles {
                cert: cert_file,
                key: key_file,
                client_ca: client_ca_file,
                crl: crl_file,
            });
        }
        (Some(_), None) => section.missing("key_file", "is missing: cert_file needs its key"),
        (None, Some(_)) => section.missing("cert_file", "is missing: key_file needs its certificate"),
        (None, None) if client_ca_file.is_some() => {
            section.missing("cert_file", "is missing: without TLS visitors show no certificates");
        }
        (None, None) => {}
    }
    None
}

fn is_dns_name(text: &str) -> bool {
    let label = |label: &str| !label.is_empty() && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    text.len() <= 253 && text.split('.').all(label) && text.parse::<IpAddr>().is_err()
}
