//! The site's authority: it signs the certificates of devices and of the broker, and says which of them no longer count.

use std::net::IpAddr;
use std::time::Duration;

use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa,
    Issuer, KeyIdMethod, KeyPair, KeyUsagePurpose, PublicKeyData, RevokedCertParams, SanType, SerialNumber,
};
use ring::rand::{SecureRandom, SystemRandom};
use wardlight_core::hex;
use wardlight_core::ids::DeviceId;
use wardlight_core::time::Timestamp;

use crate::certificate::Certificate;
use crate::dates::{date, whole_second};
use crate::enrolment::{EnrolError, PrivateKey, PublicKey};

/// How long a certificate of a device, the broker or the agent is valid: a year and a month to renew it in. (*ratify*)
pub const VALID_FOR: Duration = Duration::from_hours(397 * 24);
/// How long an authority is valid: longer than a device is in use. (*ratify*)
pub const AUTHORITY_VALID_FOR: Duration = Duration::from_hours(3653 * 24);
/// Certificates begin this long before they are made, for clocks that are behind.
const BACKDATED: Duration = Duration::from_hours(1);
/// Random bytes of a serial number; RFC 5280 allows 20 in all.
const SERIAL_BYTES: usize = 16;

/// Whom a certificate of the authority is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Holder<'a> {
    /// A device; its identifier is the common name, and so its user name at the broker.
    Device(&'a DeviceId),
    /// An agent, under the name that the broker's access list has for it.
    Agent(&'a str),
    /// The broker, under the names and addresses by which it is reached; not empty.
    Broker(&'a [String]),
}

/// A certificate that no longer counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Revocation {
    /// Its serial number in hexadecimal.
    pub serial: String,
    /// Since when.
    pub at: Timestamp,
}

/// An authority, able to sign.
#[derive(Debug)]
pub struct Authority {
    certificate: Certificate,
    key_id: String,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    /// Makes an authority that is called so, and a number behind it; returns it with its key.
    /// # Errors
    /// If the system has no random numbers.
    pub fn create(name: &str, now: Timestamp) -> Result<(Self, PrivateKey), EnrolError> {
        let key = PrivateKey::generate()?;
        let mut params = params(now, AUTHORITY_VALID_FOR)?;
        // Two authorities of one site must not be called alike: whoever checks a certificate finds its revocation list by this name.
        let number = params.serial_number.as_ref().map(SerialNumber::to_bytes).unwrap_or_default();
        let number = hex::encode(number.get(..4).unwrap_or_default());
        params.distinguished_name.push(DnType::CommonName, format!("{name} {number}"));
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let signed = CertifiedIssuer::self_signed(params, &key.0)?;
        Ok((Self::load(&signed.pem(), &key.pem())?, key))
    }

    /// An authority from its certificate and key, both PEM.
    /// # Errors
    /// If one cannot be read, or they do not belong together.
    pub fn load(certificate: &str, key: &str) -> Result<Self, EnrolError> {
        let key = PrivateKey::read(key)?.0;
        let issuer = Issuer::from_ca_cert_pem(certificate, key)?;
        let certificate = Certificate::read(certificate)?;
        let public = issuer.key().subject_public_key_info();
        if !certificate.is_of_key(&public) {
            return Err(EnrolError::ForeignKey {
                certificate: certificate.name().to_owned(),
            });
        }
        let key_id = hex::encode(&CertificateParams::default().key_identifier(issuer.key()));
        Ok(Self {
            certificate,
            key_id,
            issuer,
        })
    }

    /// Its own certificate: what devices, broker and agent trust.
    pub const fn certificate(&self) -> &Certificate {
        &self.certificate
    }

    /// Whether it signed the certificate with this [`Certificate::issuer_key`].
    pub fn issued(&self, issuer_key: &str) -> bool {
        self.key_id == issuer_key
    }

    /// Issues a certificate for a key. It ends with the authority at the latest.
    /// # Errors
    /// If the system has no random numbers, or a broker's name is no name of a host.
    pub fn issue(&self, holder: &Holder<'_>, key: &PublicKey, now: Timestamp) -> Result<Certificate, EnrolError> {
        let left = self.certificate.not_after().since(now);
        let mut params = params(now, VALID_FOR.min(left))?;
        params.use_authority_key_identifier_extension = true;
        match holder {
            Holder::Device(device) => {
                params.distinguished_name.push(DnType::CommonName, device.as_str());
                params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
            }
            Holder::Agent(name) => {
                params.distinguished_name.push(DnType::CommonName, *name);
                params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
            }
            Holder::Broker(hosts) => {
                params
                    .distinguished_name
                    .push(DnType::CommonName, hosts.first().map_or("", String::as_str));
                params.subject_alt_names = hosts.iter().map(|host| alternative(host)).collect::<Result<_, _>>()?;
                params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
            }
        }
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        Certificate::read(&params.signed_by(&key.0, &self.issuer)?.pem())
    }

    /// The list of certificates that no longer count, as PEM. It ends with the authority: brokers refuse everybody once a list
    /// has ended, and a ward must not go blind because nobody renewed one.
    /// # Errors
    /// If a serial number is not hexadecimal.
    pub fn revocation_list(&self, revoked: &[Revocation], now: Timestamp) -> Result<String, EnrolError> {
        let revoked = revoked.iter().map(|one| {
            let serial = hex::decode(&one.serial).ok_or_else(|| EnrolError::Unreadable {
                what: "serial number",
                problem: format!("{:?} is not hexadecimal", one.serial),
            })?;
            Ok(RevokedCertParams {
                serial_number: SerialNumber::from(serial),
                revocation_time: date(one.at),
                reason_code: None,
                invalidity_date: None,
            })
        });
        let list = CertificateRevocationListParams {
            this_update: date(now.minus(BACKDATED)),
            next_update: date(self.certificate.not_after()),
            crl_number: SerialNumber::from(u64::try_from(now.as_millis()).unwrap_or_default()),
            issuing_distribution_point: None,
            revoked_certs: revoked.collect::<Result<_, EnrolError>>()?,
            key_identifier_method: KeyIdMethod::Sha256,
        };
        Ok(list.signed_by(&self.issuer)?.pem()?)
    }
}

/// What all certificates have: a random serial number and a validity.
fn params(now: Timestamp, valid_for: Duration) -> Result<CertificateParams, EnrolError> {
    let mut serial = [0; SERIAL_BYTES];
    let filled = SystemRandom::new().fill(&mut serial);
    filled.map_err(|_unspecified| rcgen::Error::RingUnspecified)?;
    // A serial number is positive, and a leading zero would not be kept.
    if let Some(first) = serial.first_mut() {
        *first = *first & 0x7f | 0x40;
    }
    let mut params = CertificateParams::default();
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.serial_number = Some(SerialNumber::from(serial.to_vec()));
    params.not_before = date(whole_second(now.minus(BACKDATED)));
    params.not_after = date(whole_second(now.plus(valid_for)));
    Ok(params)
}

fn alternative(host: &str) -> Result<SanType, EnrolError> {
    Ok(match host.parse::<IpAddr>() {
        Ok(address) => SanType::IpAddress(address),
        Err(_name) => SanType::DnsName(host.to_owned().try_into()?),
    })
}
