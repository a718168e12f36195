//! TLS: both certificates checked, the broker's name too.

use std::fs;
use std::path::{Path, PathBuf};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};

use super::mosquitto::Mosquitto;
use super::{Running, config};
use crate::config::{MqttConfig, MqttVersion, TlsFiles};
use crate::session::SessionEvent;

struct Certificates {
    folder: tempfile::TempDir,
}

impl Certificates {
    /// An authority, a broker under the name given, and a client.
    fn new(broker_name: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, "Test authority");
        let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        fs::write(folder.path().join("ca.pem"), authority.pem()).unwrap();
        for (file, name) in [("broker", broker_name), ("client", "wardlight-test")] {
            let key = KeyPair::generate().unwrap();
            let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
            params.distinguished_name.push(DnType::CommonName, name);
            let certificate = params.signed_by(&key, &authority).unwrap();
            fs::write(folder.path().join(format!("{file}.pem")), certificate.pem()).unwrap();
            fs::write(folder.path().join(format!("{file}.key")), key.serialize_pem()).unwrap();
        }
        Self { folder }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn broker(&self) -> (Mosquitto, u16) {
        let shown = |name: &str| Path::display(&self.path(name)).to_string();
        let port = super::mosquitto::free_port();
        let settings = format!(
            "listener {port} 127.0.0.1\ncafile {}\ncertfile {}\nkeyfile {}\nrequire_certificate true\nuse_identity_as_username true\n",
            shown("ca.pem"),
            shown("broker.pem"),
            shown("broker.key"),
        );
        (Mosquitto::start(&settings), port)
    }

    fn config(&self, port: u16, with_certificate: bool) -> MqttConfig {
        let mut config = config(port, MqttVersion::V5);
        config.host = "localhost".into();
        config.tls = Some(TlsFiles {
            ca_file: self.path("ca.pem"),
            client: with_certificate.then(|| (self.path("client.pem"), self.path("client.key"))),
            crl_file: None,
        });
        config
    }
}

#[tokio::test]
async fn a_client_certificate_opens_the_broker() {
    let certificates = Certificates::new("localhost");
    let (broker, port) = certificates.broker();
    let mut running = Running::start(&certificates.config(port, true), 2000);
    assert_eq!(running.event().await, SessionEvent::Connected { resumed: false });
    broker.publish("vitals/v1/s/mon-01/num", 1, super::numbers(0..1000));
    let (payloads, tickets) = running.payloads(1000).await;
    assert_eq!(payloads, super::numbers(0..1000));
    running.acker.ack(tickets);
    running.close().await;
}

#[tokio::test]
async fn without_a_certificate_the_broker_stays_shut() {
    let certificates = Certificates::new("localhost");
    let (_broker, port) = certificates.broker();
    let mut running = Running::start(&certificates.config(port, false), 10);
    assert!(matches!(running.event().await, SessionEvent::Disconnected { .. }));
}

#[tokio::test]
async fn a_broker_under_another_name_is_not_trusted() {
    let certificates = Certificates::new("broker.example.org");
    let (_broker, port) = certificates.broker();
    let mut running = Running::start(&certificates.config(port, true), 10);
    match running.event().await {
        SessionEvent::Disconnected { reason } => assert!(reason.contains("not valid for name"), "{reason}"),
        other => panic!("{other:?}"),
    }
}
