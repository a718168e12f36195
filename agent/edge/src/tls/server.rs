//! TLS of a door (the page, HL7): its certificate and, where the hospital wants it, only for those who have one themselves.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use rustls::ServerConfig;
use rustls::server::WebPkiClientVerifier;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tracing::{error, info};

use super::{Stream, TlsFileError, VERSIONS, authorities, certificates, fault, key, provider, revoked};
use crate::config::ServerTlsFiles;

/// Longest wait for a handshake.
const HANDSHAKE: Duration = Duration::from_secs(10);

/// When a file was changed last and its size; `None` if it is not there.
type Seen = Option<(SystemTime, u64)>;

/// A door's side of TLS, made again when one of its files changes.
pub(crate) struct ServerTls {
    files: ServerTlsFiles,
    seen: Vec<Seen>,
    config: Arc<ServerConfig>,
}

impl ServerTls {
    /// Reads the files.
    ///
    /// # Errors
    /// Which file cannot be used and why.
    pub(crate) fn new(files: &ServerTlsFiles) -> Result<Self, TlsFileError> {
        Ok(Self {
            files: files.clone(),
            // Before the files are read: what changes meanwhile is read again.
            seen: look(files),
            config: read(files)?,
        })
    }

    /// What the next connection gets. Files that changed and cannot be used are logged once, and what was there goes on.
    pub(crate) fn acceptor(&mut self) -> TlsAcceptor {
        let now = look(&self.files);
        if now != self.seen {
            self.seen = now;
            match read(&self.files) {
                Ok(config) => {
                    self.config = config;
                    info!(file = %self.files.cert.display(), "A certificate was read anew.");
                }
                Err(error) => error!(%error, "A certificate changed and cannot be used; the former one goes on."),
            }
        }
        TlsAcceptor::from(Arc::clone(&self.config))
    }
}

/// The stream of a connection that came in: TCP, or TLS over it once the handshake is through.
///
/// # Errors
/// What the handshake failed of; it takes ten seconds at most.
pub(crate) async fn handshake(tcp: TcpStream, acceptor: Option<TlsAcceptor>) -> io::Result<Box<dyn Stream>> {
    let Some(acceptor) = acceptor else { return Ok(Box::new(tcp)) };
    match timeout(HANDSHAKE, acceptor.accept(tcp)).await {
        Ok(stream) => Ok(Box::new(stream?)),
        Err(_elapsed) => Err(io::Error::new(io::ErrorKind::TimedOut, "the handshake takes too long")),
    }
}

fn look(files: &ServerTlsFiles) -> Vec<Seen> {
    let all = [
        Some(&files.cert),
        Some(&files.key),
        files.client_ca.as_ref(),
        files.crl.as_ref(),
    ];
    let seen = |path: &PathBuf| {
        let metadata = path.metadata().ok()?;
        Some((metadata.modified().ok()?, metadata.len()))
    };
    all.into_iter().flatten().map(seen).collect()
}

fn read(files: &ServerTlsFiles) -> Result<Arc<ServerConfig>, TlsFileError> {
    let unusable = |error: &dyn std::fmt::Display| fault(&files.cert, error);
    let builder = ServerConfig::builder_with_provider(provider())
        .with_protocol_versions(VERSIONS)
        .map_err(|error| unusable(&error))?;
    let builder = match &files.client_ca {
        None => builder.with_no_client_auth(),
        Some(ca_file) => {
            let lists = revoked(files.crl.as_deref())?;
            let verifier = WebPkiClientVerifier::builder_with_provider(authorities(ca_file)?, provider());
            let verifier = if lists.is_empty() {
                verifier
            } else {
                // An authority that has no list here has revoked nobody.
                let verifier = verifier.with_crls(lists).only_check_end_entity_revocation();
                verifier.allow_unknown_revocation_status()
            };
            builder.with_client_cert_verifier(verifier.build().map_err(|error| fault(ca_file, &error))?)
        }
    };
    let config = builder
        .with_single_cert(certificates(&files.cert)?, key(&files.key)?)
        .map_err(|error| unusable(&error))?;
    Ok(Arc::new(config))
}
