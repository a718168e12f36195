//! TLS at the agent's doors: version 1.3, `ring` underneath, certificates and keys from PEM files that are read anew when they change.

mod client;
mod listener;
mod server;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, CertificateRevocationListDer, PrivateKeyDer};
use rustls::{AlertDescription, CertificateError, Error, RootCertStore};
use tokio::io::{AsyncRead, AsyncWrite};

pub(crate) use client::Connector;
pub(crate) use listener::PageListener;
pub(crate) use server::{ServerTls, handshake};

/// TCP, or TLS over it.
pub(crate) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// The one version that is spoken.
const VERSIONS: &[&rustls::SupportedProtocolVersion] = &[&rustls::version::TLS13];

/// A file of a certificate, a key or an authority cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("{}: {problem}", path.display())]
pub(crate) struct TlsFileError {
    path: PathBuf,
    problem: String,
}

/// Why a handshake failed, in words that are few enough to count by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Refusal {
    /// The certificate's time is over.
    Expired,
    /// Its time has not begun; or a clock is wrong.
    NotYetValid,
    /// Another authority signed it.
    UnknownAuthority,
    /// It is for another name.
    WrongName,
    /// It is on the revocation list.
    Revoked,
    /// There is none where one is asked for.
    NoCertificate,
    /// A version or cipher that is not spoken here, or no TLS at all.
    Protocol,
    /// Anything else.
    Other,
}

impl Refusal {
    /// Of an error of a handshake or of the first reading after it; `None` if it is none of TLS.
    pub(crate) fn of(error: &io::Error) -> Option<Self> {
        let error = error.get_ref()?.downcast_ref::<Error>()?;
        Some(match error {
            Error::InvalidCertificate(error) => Self::of_certificate(error),
            Error::NoCertificatesPresented => Self::NoCertificate,
            Error::AlertReceived(alert) => Self::of_alert(*alert),
            Error::PeerIncompatible(_) | Error::InvalidMessage(_) | Error::InappropriateMessage { .. } => Self::Protocol,
            _ => Self::Other,
        })
    }

    fn of_certificate(error: &CertificateError) -> Self {
        match error {
            CertificateError::Expired | CertificateError::ExpiredContext { .. } => Self::Expired,
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => Self::NotYetValid,
            CertificateError::UnknownIssuer | CertificateError::BadSignature => Self::UnknownAuthority,
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => Self::WrongName,
            CertificateError::Revoked => Self::Revoked,
            _ => Self::Other,
        }
    }

    /// What the other side says of our certificate.
    fn of_alert(alert: AlertDescription) -> Self {
        match alert {
            AlertDescription::CertificateExpired => Self::Expired,
            AlertDescription::UnknownCA => Self::UnknownAuthority,
            AlertDescription::CertificateRevoked => Self::Revoked,
            AlertDescription::CertificateRequired => Self::NoCertificate,
            AlertDescription::ProtocolVersion | AlertDescription::HandshakeFailure => Self::Protocol,
            _ => Self::Other,
        }
    }

    /// Label of the counter.
    pub(crate) const fn label(self) -> &'static str {
        match self {
            Self::Expired => "expired",
            Self::NotYetValid => "not_yet_valid",
            Self::UnknownAuthority => "unknown_authority",
            Self::WrongName => "wrong_name",
            Self::Revoked => "revoked",
            Self::NoCertificate => "no_certificate",
            Self::Protocol => "protocol",
            Self::Other => "other",
        }
    }
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}

/// The certificates of a PEM file, at least one.
fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsFileError> {
    let certificates: Vec<_> = CertificateDer::pem_file_iter(path)
        .and_then(Iterator::collect)
        .map_err(|error| fault(path, &error))?;
    if certificates.is_empty() {
        return Err(fault(path, &"holds no certificate in PEM form"));
    }
    Ok(certificates)
}

fn key(path: &Path) -> Result<PrivateKeyDer<'static>, TlsFileError> {
    PrivateKeyDer::from_pem_file(path).map_err(|error| fault(path, &error))
}

/// The authorities of a PEM file.
fn authorities(path: &Path) -> Result<Arc<RootCertStore>, TlsFileError> {
    let mut roots = RootCertStore::empty();
    for certificate in certificates(path)? {
        roots.add(certificate).map_err(|error| fault(path, &error))?;
    }
    Ok(Arc::new(roots))
}

/// The revocation lists of a PEM file; none without a file.
fn revoked(path: Option<&Path>) -> Result<Vec<CertificateRevocationListDer<'static>>, TlsFileError> {
    let Some(path) = path else { return Ok(Vec::new()) };
    CertificateRevocationListDer::pem_file_iter(path)
        .and_then(Iterator::collect)
        .map_err(|error| fault(path, &error))
}

fn fault(path: &Path, problem: &dyn std::fmt::Display) -> TlsFileError {
    TlsFileError {
        path: path.to_path_buf(),
        problem: problem.to_string(),
    }
}

#[cfg(test)]
mod tests;
