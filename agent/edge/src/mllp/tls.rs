//! TLS for senders of HL7: only certificates of one authority come in.

use std::sync::Arc;

use rumqttc_v5::tokio_rustls::TlsAcceptor;
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::PemObject;
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};

use crate::config::Hl7Tls;
use crate::session::certificates;

pub(super) fn acceptor(files: &Hl7Tls) -> anyhow::Result<TlsAcceptor> {
    let mut roots = RootCertStore::empty();
    for certificate in certificates(&files.ca)? {
        roots.add(certificate)?;
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let senders = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider)).build()?;
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_client_cert_verifier(senders)
        .with_single_cert(certificates(&files.cert)?, PrivateKeyDer::from_pem_file(&files.key)?)?;
    Ok(TlsAcceptor::from(Arc::new(config)))
}
