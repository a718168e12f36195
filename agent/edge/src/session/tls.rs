//! TLS to the broker: one trusted authority, our certificate, the server's name checked, `ring` underneath.

use std::path::Path;
use std::sync::Arc;

use rumqttc_v5::tokio_rustls::TlsConnector;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore};

use super::SessionError;
use crate::config::TlsFiles;

/// How to speak TLS, and to whom.
#[derive(Clone)]
pub(super) struct Tls {
    pub(super) connector: TlsConnector,
    pub(super) server_name: ServerName<'static>,
}

impl Tls {
    pub(super) fn new(files: &TlsFiles, host: &str) -> Result<Self, SessionError> {
        let mut roots = RootCertStore::empty();
        for certificate in certificates(&files.ca_file)? {
            roots.add(certificate).map_err(|error| fault(&files.ca_file, &error))?;
        }
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| fault(&files.ca_file, &error))?
            .with_root_certificates(roots);
        let config = match &files.client {
            None => builder.with_no_client_auth(),
            Some((cert_file, key_file)) => {
                let key = PrivateKeyDer::from_pem_file(key_file).map_err(|error| fault(key_file, &error))?;
                builder
                    .with_client_auth_cert(certificates(cert_file)?, key)
                    .map_err(|error| fault(cert_file, &error))?
            }
        };
        let server_name = ServerName::try_from(host.to_owned()).map_err(|error| SessionError::Host {
            host: host.to_owned(),
            problem: error.to_string(),
        })?;
        Ok(Self {
            connector: TlsConnector::from(Arc::new(config)),
            server_name,
        })
    }
}

/// The certificates of a PEM file, at least one.
pub(crate) fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, SessionError> {
    let certificates = CertificateDer::pem_file_iter(path)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|error| fault(path, &error))?;
    if certificates.is_empty() {
        return Err(fault(path, &"holds no certificate in PEM form"));
    }
    Ok(certificates)
}

fn fault(path: &Path, problem: &dyn std::fmt::Display) -> SessionError {
    SessionError::TlsFile {
        path: path.to_path_buf(),
        problem: problem.to_string(),
    }
}
