//! Certificates, as far as enrolment looks into them.

use ring::digest::{SHA256, digest};
use wardlight_core::hex;
use wardlight_core::time::Timestamp;
use x509_parser::pem::parse_x509_pem;
use x509_parser::prelude::{FromDer, X509Certificate};

use crate::enrolment::EnrolError;

/// An X.509 certificate and what the registry notes of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certificate {
    pem: String,
    der: Vec<u8>,
    name: String,
    serial: String,
    not_before: Timestamp,
    not_after: Timestamp,
    issuer_key: String,
}

impl Certificate {
    /// Reads the first certificate of a PEM text.
    /// # Errors
    /// [`EnrolError::Unreadable`] if it holds none, or one without a common name.
    pub fn read(pem: &str) -> Result<Self, EnrolError> {
        let unreadable = |problem: &dyn std::fmt::Display| EnrolError::Unreadable {
            what: "certificate",
            problem: problem.to_string(),
        };
        let (_rest, block) = parse_x509_pem(pem.as_bytes()).map_err(|error| unreadable(&error))?;
        if block.label != "CERTIFICATE" {
            return Err(unreadable(&format_args!("the PEM block is a {}", block.label)));
        }
        let (_rest, x509) = X509Certificate::from_der(&block.contents).map_err(|error| unreadable(&error))?;
        let name = x509.subject().iter_common_name().next().and_then(|name| name.as_str().ok());
        let name = name.ok_or_else(|| unreadable(&"it has no common name"))?.to_owned();
        let seconds = |at: x509_parser::time::ASN1Time| Timestamp::from_millis(at.timestamp().saturating_mul(1000));
        let mut issuer_key = None;
        for extension in x509.extensions() {
            if let x509_parser::extensions::ParsedExtension::AuthorityKeyIdentifier(found) = extension.parsed_extension() {
                issuer_key = found.key_identifier.as_ref().map(|key| hex::encode(key.0));
            }
        }
        Ok(Self {
            pem: pem.to_owned(),
            name,
            serial: hex::encode(x509.raw_serial()),
            not_before: seconds(x509.validity().not_before),
            not_after: seconds(x509.validity().not_after),
            issuer_key: issuer_key.unwrap_or_default(),
            der: block.contents,
        })
    }

    /// Whether it is for this key, given as SubjectPublicKeyInfo in DER.
    pub(crate) fn is_of_key(&self, public: &[u8]) -> bool {
        let parsed = X509Certificate::from_der(&self.der);
        parsed.is_ok_and(|(_rest, x509)| x509.public_key().raw == public)
    }

    /// As PEM.
    pub fn pem(&self) -> &str {
        &self.pem
    }

    /// As DER.
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    /// Common name of its holder: a device's identifier, a broker's host, or what an authority is called.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Serial number in hexadecimal.
    pub fn serial(&self) -> &str {
        &self.serial
    }

    /// SHA-256 of the DER in hexadecimal, as `openssl x509 -fingerprint -sha256` shows it but for the colons.
    pub fn fingerprint(&self) -> String {
        hex::encode(digest(&SHA256, &self.der).as_ref())
    }

    /// From when on it is valid.
    pub const fn not_before(&self) -> Timestamp {
        self.not_before
    }

    /// Until when it is valid.
    pub const fn not_after(&self) -> Timestamp {
        self.not_after
    }

    /// Identifier of the key that signed it, in hexadecimal; empty in one that signed itself.
    pub fn issuer_key(&self) -> &str {
        &self.issuer_key
    }
}
