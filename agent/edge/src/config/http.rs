//! `[http]`: where the page and the API listen.

use std::net::SocketAddr;

use super::reader::Section;

/// Where the page and the API listen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct HttpConfig {
    /// Address and port; port 0 takes a free one.
    pub(crate) listen: SocketAddr,
}

pub(super) fn read(mut section: Section<'_>) -> HttpConfig {
    let allow_insecure = section.boolean("allow_insecure", false);
    let listen = section.parsed("listen", |text| {
        let address = text.parse::<SocketAddr>();
        let address = address.map_err(|_error| "must be ADDRESS:PORT, as in 127.0.0.1:8080")?;
        if address.ip().is_loopback() || allow_insecure {
            return Ok(address);
        }
        Err("the page has no TLS of its own, so anybody on the network could read it; listen on 127.0.0.1 behind a TLS proxy, or set http.allow_insecure = true")
    });
    section.finish();
    HttpConfig {
        listen: listen.unwrap_or(SocketAddr::from(([127, 0, 0, 1], 8080))),
    }
}
