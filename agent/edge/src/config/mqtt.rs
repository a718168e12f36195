//! `[mqtt]`: the broker, the session with it, and the embedded broker.

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use reqwest::Url;
use wardlight_core::ids::SiteId;

use super::is_loopback;
use super::reader::Section;

/// Client identifiers are at most this long; every broker takes 23, Mosquitto and its like take more.
const MAX_CLIENT_ID: usize = 64;

/// Which protocol is spoken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum MqttVersion {
    /// MQTT 5: the broker keeps to our receive maximum and passes content types.
    V5,
    /// MQTT 3.1.1.
    V311,
}

/// Certificates for a broker behind TLS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TlsFiles {
    /// PEM file of the authority that signed the broker's certificate. Nothing else is trusted.
    pub(crate) ca_file: PathBuf,
    /// Our certificate chain and key, both PEM; `None` where the broker asks for no certificate.
    pub(crate) client: Option<(PathBuf, PathBuf)>,
    /// PEM file of the authorities' revocation lists; `None`: revocation is not looked at.
    pub(crate) crl_file: Option<PathBuf>,
}

/// The broker in our own process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct EmbeddedBroker {
    /// Loopback only.
    pub(crate) listen: SocketAddr,
    /// Where it keeps sessions and queues.
    pub(crate) dir: PathBuf,
}

/// The session with the broker.
#[derive(Clone, Debug)]
pub(crate) struct MqttConfig {
    /// Broker's host name or address.
    pub(crate) host: String,
    /// Broker's port. With an embedded broker on port 0 the caller puts the bound port here.
    pub(crate) port: u16,
    /// Certificates; `None` without TLS.
    pub(crate) tls: Option<TlsFiles>,
    /// Which protocol is spoken.
    pub(crate) version: MqttVersion,
    /// Fixed, because the broker keeps the session under it.
    pub(crate) client_id: String,
    /// User name and the file with the password.
    pub(crate) login: Option<(String, PathBuf)>,
    /// How many messages may be unacknowledged at once, 1 to 65535.
    pub(crate) receive_maximum: u16,
    /// Largest packet taken, in bytes; larger ones are skipped, reported and acknowledged when told.
    pub(crate) max_packet_bytes: usize,
    /// Silence after which the connection is probed.
    pub(crate) keep_alive: Duration,
    /// How long the broker keeps the session while we are away (MQTT 5).
    pub(crate) session_expiry: Duration,
    /// The embedded broker, where it is the one.
    pub(crate) embedded: Option<EmbeddedBroker>,
}

pub(super) fn read(mut section: Section<'_>, site: Option<&SiteId>) -> Option<MqttConfig> {
    let embedded = read_embedded(section.section("embedded"));
    let endpoint = read_endpoint(&mut section, embedded.as_ref());
    let tls = read_tls(&mut section, endpoint.as_ref());
    let version = section.choice(
        "version",
        MqttVersion::V5,
        &[("5", MqttVersion::V5), ("3.1.1", MqttVersion::V311)],
    );
    let client_id = read_client_id(&mut section, site);
    let login = read_login(&mut section);
    let receive_maximum = section.integer("receive_maximum", 8192, 1..=u64::from(u16::MAX));
    let max_packet_kib = section.integer("max_packet_kib", 64, 1..=16 * 1024);
    let keep_alive_s = section.integer("keep_alive_s", 30, 5..=3600);
    let session_expiry_days = section.integer("session_expiry_days", 7, 1..=365);
    section.finish();
    let endpoint = endpoint?;
    Some(MqttConfig {
        host: endpoint.host,
        port: endpoint.port,
        tls,
        version,
        client_id,
        login,
        receive_maximum: u16::try_from(receive_maximum).unwrap_or(u16::MAX),
        max_packet_bytes: usize::try_from(max_packet_kib * 1024).unwrap_or(usize::MAX),
        keep_alive: Duration::from_secs(keep_alive_s),
        session_expiry: Duration::from_secs(session_expiry_days * 24 * 3600),
        embedded,
    })
}

fn default_client_id(site: Option<&SiteId>) -> String {
    let name = site.map_or("site", SiteId::as_str);
    let mut id = format!("wardlight-{name}");
    id.truncate(MAX_CLIENT_ID);
    id
}

fn parse_client_id(text: &str) -> Result<String, String> {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    if (1..=MAX_CLIENT_ID).contains(&text.len()) && text.chars().all(plain) {
        return Ok(text.to_owned());
    }
    Err(format!("must be 1 to {MAX_CLIENT_ID} characters of A-Z a-z 0-9 . _ -"))
}

/// Under which name the broker keeps the agent's session.
pub(super) fn read_client_id(section: &mut Section<'_>, site: Option<&SiteId>) -> String {
    let named = section.parsed("client_id", parse_client_id);
    named.unwrap_or_else(|| default_client_id(site))
}

/// Where a broker is: `mqtt://HOST[:PORT]` or `mqtts://HOST[:PORT]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct BrokerUrl {
    host: String,
    port: u16,
    tls: bool,
}

impl BrokerUrl {
    /// Host name or address.
    pub(crate) fn host(&self) -> &str {
        &self.host
    }

    /// Port.
    pub(crate) const fn port(&self) -> u16 {
        self.port
    }

    /// Whether the connection is protected.
    pub(crate) fn is_tls(&self) -> bool {
        self.tls
    }

    /// Whether the broker is on this machine.
    pub(crate) fn is_loopback(&self) -> bool {
        is_loopback(&self.host)
    }

    /// Reads a URL; without a port, 1883 or 8883.
    ///
    /// # Errors
    /// What was expected, as a clause that does not repeat credentials.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let shape = "must be mqtt://HOST[:PORT] or mqtts://HOST[:PORT]";
        let url = Url::parse(text).map_err(|error| format!("{shape}: {error}"))?;
        let tls = match url.scheme() {
            "mqtt" => false,
            "mqtts" => true,
            _ => return Err(shape.to_owned()),
        };
        if !url.username().is_empty() || url.password().is_some() {
            return Err("must hold no credentials; use mqtt.username and mqtt.password_file".to_owned());
        }
        let plain = matches!(url.path(), "" | "/") && url.query().is_none() && url.fragment().is_none();
        let host = url.host_str().filter(|host| plain && !host.is_empty()).ok_or(shape)?;
        Ok(Self {
            host: host.trim_start_matches('[').trim_end_matches(']').to_owned(),
            port: url.port().unwrap_or(if tls { 8883 } else { 1883 }),
            tls,
        })
    }
}

impl fmt::Display for BrokerUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.tls { "mqtts" } else { "mqtt" };
        if self.host.contains(':') {
            return write!(f, "{scheme}://[{}]:{}", self.host, self.port);
        }
        write!(f, "{scheme}://{}:{}", self.host, self.port)
    }
}

fn read_endpoint(section: &mut Section<'_>, embedded: Option<&EmbeddedBroker>) -> Option<BrokerUrl> {
    let allow_insecure = section.boolean("allow_insecure", false);
    if let Some(embedded) = embedded {
        if let Some(url) = section.string("url") {
            let problem = "must be absent while mqtt.embedded.enabled is true: the agent then talks to its own broker";
            section.fault("url", format_args!("{url:?}"), problem);
        }
        return Some(BrokerUrl {
            host: embedded.listen.ip().to_string(),
            port: embedded.listen.port(),
            tls: false,
        });
    }
    let endpoint = section.required("url", "\"mqtt://127.0.0.1:1883\"", BrokerUrl::parse)?;
    if !endpoint.tls && !allow_insecure && !endpoint.is_loopback() {
        let problem = "without TLS anybody on the network can read and forge vitals; use mqtts://, or set mqtt.allow_insecure = true if you know that the network is closed";
        section.fault("url", format_args!("\"{endpoint}\""), problem);
    }
    Some(endpoint)
}

fn read_tls(section: &mut Section<'_>, endpoint: Option<&BrokerUrl>) -> Option<TlsFiles> {
    let ca_missing = !section.has("ca_file");
    let ca_file = section.existing_file("ca_file");
    let cert_file = section.existing_file("cert_file");
    let key_file = section.secret_file("key_file");
    let crl_file = section.existing_file("crl_file");
    if endpoint.is_some_and(|endpoint| !endpoint.tls) {
        let given = [
            ("ca_file", &ca_file),
            ("cert_file", &cert_file),
            ("key_file", &key_file),
            ("crl_file", &crl_file),
        ];
        for (key, path) in given {
            if let Some(path) = path {
                let problem = "has no effect without TLS; write mqtt.url as mqtts://, or remove it";
                section.fault(key, format_args!("{:?}", path.display().to_string()), problem);
            }
        }
        return None;
    }
    if ca_missing && endpoint.is_some() {
        section.missing("ca_file", "is missing: mqtts:// needs the PEM file of the broker's authority");
    }
    let client = match (cert_file, key_file) {
        (Some(cert), Some(key)) => Some((cert, key)),
        (None, None) => None,
        (Some(_), None) => {
            section.missing("key_file", "is missing: cert_file needs its key");
            None
        }
        (None, Some(_)) => {
            section.missing("cert_file", "is missing: key_file needs its certificate");
            None
        }
    };
    Some(TlsFiles {
        ca_file: ca_file?,
        client,
        crl_file,
    })
}

fn read_login(section: &mut Section<'_>) -> Option<(String, PathBuf)> {
    let username = section.string("username");
    let password_file = section.secret_file("password_file");
    match (username, password_file) {
        (Some(username), Some(file)) => Some((username, file)),
        (None, None) => None,
        (Some(_), None) => {
            section.missing("password_file", "is missing: username needs a file with its password");
            None
        }
        (None, Some(_)) => {
            section.missing("username", "is missing: password_file needs a user name");
            None
        }
    }
}

fn read_embedded(mut section: Section<'_>) -> Option<EmbeddedBroker> {
    let enabled = section.boolean("enabled", section.is_present());
    let listen = section.parsed("listen", parse_loopback);
    let dir = section.path_or("dir", "broker");
    section.finish();
    enabled.then(|| EmbeddedBroker {
        listen: listen.unwrap_or(SocketAddr::from(([127, 0, 0, 1], 1883))),
        dir,
    })
}

fn parse_loopback(text: &str) -> Result<SocketAddr, String> {
    let address = text
        .parse::<SocketAddr>()
        .map_err(|_error| "must be ADDRESS:PORT, as in 127.0.0.1:1883".to_owned())?;
    if !address.ip().is_loopback() {
        return Err(
            "must be a loopback address: the embedded broker knows neither TLS nor users; for other machines run Mosquitto and set mqtt.url".to_owned(),
        );
    }
    Ok(address)
}
