//! TLS to the broker: its authority, our certificate, the server's name and, if there is a list, revocation checked.

use std::io;
use std::sync::Arc;

use rustls::ClientConfig;
use rustls::client::WebPkiServerVerifier;
use rustls::pki_types::ServerName;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use super::{Stream, TlsFileError, VERSIONS, authorities, certificates, fault, key, provider, revoked};
use crate::config::TlsFiles;

/// How to speak TLS, and to whom. Made anew for each connection, so that changed files count from the next one on.
pub(crate) struct Connector {
    connector: TlsConnector,
    server: ServerName<'static>,
}

impl Connector {
    /// Reads the files.
    ///
    /// # Errors
    /// Which file cannot be used and why, or that `host` is no name a certificate could have.
    pub(crate) fn new(files: &TlsFiles, host: &str) -> Result<Self, TlsFileError> {
        let lists = revoked(files.crl_file.as_deref())?;
        let unusable = |error: &dyn std::fmt::Display| fault(&files.ca_file, error);
        let verifier = WebPkiServerVerifier::builder_with_provider(authorities(&files.ca_file)?, provider());
        let verifier = if lists.is_empty() {
            verifier
        } else {
            // An authority that has no list here has revoked nobody.
            let verifier = verifier.with_crls(lists).only_check_end_entity_revocation();
            verifier.allow_unknown_revocation_status()
        };
        let verifier = verifier.build().map_err(|error| unusable(&error))?;
        let builder = ClientConfig::builder_with_provider(provider())
            .with_protocol_versions(VERSIONS)
            .map_err(|error| unusable(&error))?
            .with_webpki_verifier(verifier);
        let config = match &files.client {
            None => builder.with_no_client_auth(),
            Some((cert_file, key_file)) => builder
                .with_client_auth_cert(certificates(cert_file)?, key(key_file)?)
                .map_err(|error| fault(cert_file, &error))?,
        };
        let server = ServerName::try_from(host.to_owned()).map_err(|error| unusable(&format!("{host:?}: {error}")))?;
        Ok(Self {
            connector: TlsConnector::from(Arc::new(config)),
            server,
        })
    }

    /// Shakes hands over `tcp`.
    ///
    /// # Errors
    /// As the handshake fails.
    pub(crate) async fn connect(&self, tcp: TcpStream) -> io::Result<Box<dyn Stream>> {
        let stream = self.connector.connect(self.server.clone(), tcp).await?;
        Ok(Box::new(stream))
    }
}
