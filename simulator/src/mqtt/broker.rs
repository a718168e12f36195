//! Where the broker is, and how devices prove who they are.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use rumqttc_v5::{MqttOptions, TlsConfiguration, Transport};

use crate::SimulatorError;

/// Default ports of MQTT, without and with TLS.
const PORT: u16 = 1883;
const TLS_PORT: u16 = 8883;

/// A broker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Broker {
    /// Host name or address.
    pub host: String,
    /// Port.
    pub port: u16,
    /// Whether the connection is encrypted.
    pub encrypted: bool,
    /// Certificates, needed where the connection is encrypted.
    pub tls: Option<Tls>,
}

/// Certificates for TLS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tls {
    /// PEM file of the authority that signed the broker's certificate.
    pub ca: PathBuf,
    /// Folder with `{client}.crt` and `{client}.key` (PEM) of each client; `None` where the broker asks for no certificate.
    pub identities: Option<PathBuf>,
}

impl FromStr for Broker {
    type Err = SimulatorError;

    /// Reads `mqtt://host[:port]`, `mqtts://host[:port]` or `host[:port]`.
    fn from_str(text: &str) -> Result<Self, SimulatorError> {
        let wrong = || SimulatorError::Setting(format!("broker {text:?}: expected mqtt://host[:port] or mqtts://host[:port]"));
        let (encrypted, rest) = match text.split_once("://") {
            Some(("mqtt" | "tcp", rest)) => (false, rest),
            Some(("mqtts" | "ssl", rest)) => (true, rest),
            Some(_) => return Err(wrong()),
            None => (false, text),
        };
        let rest = rest.trim_end_matches('/');
        let default = if encrypted { TLS_PORT } else { PORT };
        let (host, port) = match rest.rsplit_once(':') {
            Some((host, port)) if !host.ends_with(':') => (host, port.parse().map_err(|_e| wrong())?),
            _ => (rest, default),
        };
        let host = host.trim_start_matches('[').trim_end_matches(']');
        if host.is_empty() || host.contains(['/', ' ', '@']) {
            return Err(wrong());
        }
        Ok(Self {
            host: host.to_owned(),
            port,
            encrypted,
            tls: None,
        })
    }
}

impl fmt::Display for Broker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.encrypted { "mqtts" } else { "mqtt" };
        write!(f, "{scheme}://{}:{}", self.host, self.port)
    }
}

impl Broker {
    /// An error about this broker.
    pub(crate) fn fault(&self, what: impl Into<String>) -> SimulatorError {
        SimulatorError::Broker {
            broker: self.to_string(),
            what: what.into(),
        }
    }

    /// Options of a client; the folder of identities is looked up by the client's name.
    pub(super) fn options(&self, client: &str) -> Result<MqttOptions, SimulatorError> {
        let mut options = MqttOptions::new(client, rumqttc_v5::Broker::tcp(self.host.clone(), self.port));
        if self.encrypted {
            options.set_transport(Transport::Tls(self.tls_configuration(client)?));
        }
        Ok(options)
    }

    fn tls_configuration(&self, client: &str) -> Result<TlsConfiguration, SimulatorError> {
        let Some(tls) = &self.tls else {
            return Err(self.fault("TLS without the authority's certificate: expected a PEM file"));
        };
        let read = |path: &PathBuf| std::fs::read(path).map_err(SimulatorError::io(path));
        let client_auth = match &tls.identities {
            Some(folder) => Some((
                read(&folder.join(format!("{client}.crt")))?,
                read(&folder.join(format!("{client}.key")))?,
            )),
            None => None,
        };
        Ok(TlsConfiguration::Simple {
            ca: read(&tls.ca)?,
            alpn: None,
            client_auth,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read() {
        let show = |text: &str| text.parse::<Broker>().map(|b| b.to_string()).map_err(|e| e.to_string());
        assert_eq!(show("mqtt://127.0.0.1:1884").unwrap(), "mqtt://127.0.0.1:1884");
        assert_eq!(show("broker.ward").unwrap(), "mqtt://broker.ward:1883");
        assert_eq!(show("mqtts://broker.ward/").unwrap(), "mqtts://broker.ward:8883");
        for bad in ["http://x", "mqtt://", "mqtt://x:99999", "mqtt://a b", "mqtt://u@h"] {
            assert!(show(bad).unwrap_err().contains("expected mqtt://host[:port]"), "{bad}");
        }
    }

    #[test]
    fn tls_without_certificates_is_refused_with_a_reason() {
        let broker: Broker = "mqtts://broker.ward".parse().unwrap();
        assert!(
            broker
                .options("mon-01")
                .unwrap_err()
                .to_string()
                .contains("TLS without the authority's certificate")
        );
    }
}
