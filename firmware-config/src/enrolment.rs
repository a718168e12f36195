//! Keys, requests and what can go wrong with them.

use std::fmt;

use rcgen::{KeyPair, PublicKeyData, SubjectPublicKeyInfo};
use x509_parser::certification_request::X509CertificationRequest;
use x509_parser::pem::parse_x509_pem;
use x509_parser::prelude::FromDer;

/// Why a certificate could not be issued or read.
#[derive(Debug, thiserror::Error)]
pub enum EnrolError {
    /// A PEM text that cannot be used.
    #[error("{what}: {problem}")]
    Unreadable {
        /// What it should have been.
        what: &'static str,
        /// What is wrong with it.
        problem: String,
    },
    /// The authority's key does not belong to its certificate.
    #[error("the authority's key does not belong to its certificate {certificate:?}")]
    ForeignKey {
        /// What the authority is called.
        certificate: String,
    },
    /// A record of the registry that cannot be read.
    #[error("{file}: {problem}")]
    Record {
        /// Which file.
        file: String,
        /// What is wrong in it.
        problem: String,
    },
    /// The library for certificates, or the system's random numbers, failed.
    #[error("certificate: {0}")]
    Crypto(#[from] rcgen::Error),
    /// The content is longer than any QR code.
    #[error("{bytes} bytes are too long for a QR code")]
    TooLongForQr {
        /// How long it is.
        bytes: usize,
    },
}

/// A private key, EC P-256. It does not show itself.
pub struct PrivateKey(pub(crate) KeyPair);

impl PrivateKey {
    /// Makes one from the system's random numbers.
    /// # Errors
    /// If there are none.
    pub fn generate() -> Result<Self, EnrolError> {
        Ok(Self(KeyPair::generate()?))
    }

    /// Reads one from PKCS #8 in PEM.
    /// # Errors
    /// If it is none.
    pub fn read(pem: &str) -> Result<Self, EnrolError> {
        Ok(Self(KeyPair::from_pem(pem)?))
    }

    /// As PKCS #8 in PEM: a secret.
    pub fn pem(&self) -> String {
        self.0.serialize_pem()
    }

    /// As PKCS #8 in DER: a secret.
    pub fn der(&self) -> &[u8] {
        self.0.serialized_der()
    }

    /// Its public half.
    /// # Errors
    /// Never for a key that was made or read here.
    pub fn public(&self) -> Result<PublicKey, EnrolError> {
        Ok(PublicKey(SubjectPublicKeyInfo::from_der(&self.0.subject_public_key_info())?))
    }
}

impl fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PrivateKey(…)")
    }
}

/// The key that a certificate is issued for.
#[derive(Clone, Debug)]
pub struct PublicKey(pub(crate) SubjectPublicKeyInfo);

impl PublicKey {
    /// Takes the key of a certificate signing request in PEM, once the request proves that its sender holds the private half.
    /// Nothing else of the request counts: names and uses are the authority's to say.
    /// # Errors
    /// [`EnrolError::Unreadable`] if it is no request, its signature is not by its own key, or the key is not EC P-256.
    pub fn of_request(pem: &str) -> Result<Self, EnrolError> {
        let unreadable = |problem: String| EnrolError::Unreadable {
            what: "certificate signing request",
            problem,
        };
        let (_rest, block) = parse_x509_pem(pem.as_bytes()).map_err(|error| unreadable(error.to_string()))?;
        if !block.label.ends_with("CERTIFICATE REQUEST") {
            return Err(unreadable(format!("the PEM block is a {}", block.label)));
        }
        let (_rest, request) =
            X509CertificationRequest::from_der(&block.contents).map_err(|error| unreadable(error.to_string()))?;
        let signed = request.verify_signature();
        signed.map_err(|_invalid| unreadable("it is not signed by the key that is in it".to_owned()))?;
        let key = SubjectPublicKeyInfo::from_der(request.certification_request_info.subject_pki.raw)?;
        if *key.algorithm() != rcgen::PKCS_ECDSA_P256_SHA256 {
            return Err(unreadable("the key must be EC P-256".to_owned()));
        }
        Ok(Self(key))
    }
}
