//! TLS for the tests' own MQTT client: `rustls`, blocking, read by one thread and written by another.

use std::fs;
use std::io::{self, Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore};

use crate::mqtt::Wire;

/// Who a client is and whom it trusts, all PEM.
#[derive(Clone, Debug)]
pub struct Identity {
    /// Authorities that it trusts.
    pub trusted: String,
    /// Its certificate.
    pub certificate: String,
    /// Its key.
    pub key: String,
    /// The name that the broker's certificate must have.
    pub broker: String,
}

impl Identity {
    /// What is in a bundle of enrolment; the broker is `localhost`.
    pub fn of(bundle: &Path) -> Self {
        let read = |name: &str| fs::read_to_string(bundle.join(name)).unwrap();
        Self {
            trusted: read("ca.pem"),
            certificate: read("device.pem"),
            key: read("device.key"),
            broker: "localhost".to_owned(),
        }
    }

    fn config(&self) -> ClientConfig {
        let certificates = |pem: &str| {
            let all = CertificateDer::pem_slice_iter(pem.as_bytes()).collect::<Result<Vec<_>, _>>();
            all.unwrap()
        };
        let mut roots = RootCertStore::empty();
        for authority in certificates(&self.trusted) {
            roots.add(authority).unwrap();
        }
        let key = PrivateKeyDer::from_pem_slice(self.key.as_bytes()).unwrap();
        ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_client_auth_cert(certificates(&self.certificate), key)
            .unwrap()
    }
}

/// A connection over TLS.
pub(crate) struct Tls {
    socket: TcpStream,
    /// Held only while bytes are taken or given, never while the network is waited for.
    connection: Mutex<ClientConnection>,
}

impl Tls {
    /// Connects and shakes hands. What the broker says of our certificate may come with the first read only: so TLS 1.3 has it.
    pub(crate) fn connect(identity: &Identity, port: u16) -> io::Result<Self> {
        let mut socket = TcpStream::connect(("127.0.0.1", port))?;
        socket.set_nodelay(true)?;
        socket.set_read_timeout(Some(Duration::from_secs(5)))?;
        let name = ServerName::try_from(identity.broker.clone()).unwrap();
        let mut connection = ClientConnection::new(Arc::new(identity.config()), name).unwrap();
        while connection.is_handshaking() {
            connection.complete_io(&mut socket)?;
        }
        Ok(Self {
            socket,
            connection: Mutex::new(connection),
        })
    }

    fn flush(&self, connection: &mut ClientConnection) -> io::Result<()> {
        while connection.wants_write() {
            connection.write_tls(&mut &self.socket)?;
        }
        Ok(())
    }
}

impl Wire for Tls {
    fn read(&self, into: &mut [u8]) -> io::Result<usize> {
        let mut sealed = [0; 16 * 1024];
        loop {
            match self.connection.lock().unwrap().reader().read(into) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                done => return done,
            }
            let read = self.socket.read(&mut sealed)?;
            let mut connection = self.connection.lock().unwrap();
            let mut left = &sealed[..read];
            loop {
                connection.read_tls(&mut left)?;
                connection.process_new_packets().map_err(io::Error::other)?;
                if left.is_empty() {
                    break;
                }
            }
            self.flush(&mut connection)?;
        }
    }

    fn write_all(&self, bytes: &[u8]) -> io::Result<()> {
        let mut connection = self.connection.lock().unwrap();
        connection.writer().write_all(bytes)?;
        self.flush(&mut connection)
    }

    fn socket(&self) -> &TcpStream {
        &self.socket
    }
}
