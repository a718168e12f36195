//! Certificates as they are issued, noted and revoked.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

use std::time::Duration;

use rcgen::{CertificateParams, KeyPair, PKCS_ED25519};
use wardlight_core::ids::{DeviceId, SiteId};
use wardlight_core::time::Timestamp;
use wardlight_devices::{
    Authority, Certificate, EnrolError, Holder, Issued, PrivateKey, PublicKey, Record, Revocation, Status, VALID_FOR,
    access_list, agent_name,
};
use x509_parser::prelude::{FromDer, X509Certificate};
use x509_parser::revocation_list::CertificateRevocationList;

const NOW: Timestamp = Timestamp::from_millis(1_796_000_000_000);

fn site() -> SiteId {
    SiteId::new("st-mary").unwrap()
}

fn device() -> DeviceId {
    DeviceId::new("mon-01").unwrap()
}

fn authority() -> Authority {
    Authority::create("st-mary devices", NOW).unwrap().0
}

fn issued_by(authority: &Authority) -> Certificate {
    let key = PrivateKey::generate().unwrap().public().unwrap();
    authority.issue(&Holder::Device(&device()), &key, NOW).unwrap()
}

#[test]
fn a_device_gets_a_client_certificate_under_its_own_name_from_the_authority() {
    let authority = authority();
    let certificate = issued_by(&authority);
    assert_eq!(certificate.name(), "mon-01");
    assert_eq!(certificate.not_after(), NOW.plus(VALID_FOR));
    assert!(certificate.not_before() < NOW);
    assert!(authority.issued(certificate.issuer_key()));
    let (_, own) = X509Certificate::from_der(authority.certificate().der()).unwrap();
    let (_, x509) = X509Certificate::from_der(certificate.der()).unwrap();
    x509.verify_signature(Some(own.public_key())).unwrap();
    let uses = x509.extended_key_usage().unwrap().unwrap().value;
    assert!(uses.client_auth && !uses.server_auth);
    assert!(!x509.is_ca() && own.is_ca());
}

#[test]
fn two_certificates_never_share_a_serial_number_even_for_one_key() {
    let authority = authority();
    let key = PrivateKey::generate().unwrap().public().unwrap();
    let serials = [0, 1].map(|_| {
        let certificate = authority.issue(&Holder::Device(&device()), &key, NOW).unwrap();
        certificate.serial().to_owned()
    });
    assert_ne!(serials[0], serials[1]);
    assert_eq!(serials[0].len(), 32);
}

#[test]
fn a_certificate_ends_with_its_authority_at_the_latest() {
    let authority = authority();
    let end = authority.certificate().not_after();
    let key = PrivateKey::generate().unwrap().public().unwrap();
    let late = end.minus(Duration::from_hours(24));
    let certificate = authority.issue(&Holder::Device(&device()), &key, late).unwrap();
    assert_eq!(certificate.not_after(), end);
}

#[test]
fn the_broker_s_certificate_names_hosts_and_addresses() {
    let hosts = ["broker.st-mary".to_owned(), "10.0.0.7".to_owned()];
    let key = PrivateKey::generate().unwrap().public().unwrap();
    let certificate = authority().issue(&Holder::Broker(&hosts), &key, NOW).unwrap();
    let (_, x509) = X509Certificate::from_der(certificate.der()).unwrap();
    let names = x509.subject_alternative_name().unwrap().unwrap().value;
    assert_eq!(names.general_names.len(), 2);
    assert!(x509.extended_key_usage().unwrap().unwrap().value.server_auth);
}

#[test]
fn of_a_request_only_the_proven_key_counts() {
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(vec!["another-device".to_owned()]).unwrap();
    params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let request = params.serialize_request(&key).unwrap().pem().unwrap();
    let asked = PublicKey::of_request(&request).unwrap();
    let certificate = authority().issue(&Holder::Device(&device()), &asked, NOW).unwrap();
    assert_eq!(certificate.name(), "mon-01");
    let (_, x509) = X509Certificate::from_der(certificate.der()).unwrap();
    assert!(!x509.is_ca() && x509.subject_alternative_name().unwrap().is_none());
    assert_eq!(x509.public_key().subject_public_key.data, key.public_key_raw());
}

#[test]
fn a_request_that_proves_nothing_or_has_another_kind_of_key_is_refused() {
    let told = |pem: &str| PublicKey::of_request(pem).unwrap_err().to_string();
    let key = KeyPair::generate_for(&PKCS_ED25519).unwrap();
    let params = CertificateParams::new(Vec::new()).unwrap();
    let request = params.serialize_request(&key).unwrap();
    assert_eq!(
        told(&request.pem().unwrap()),
        "certificate signing request: the key must be EC P-256"
    );

    let key = KeyPair::generate().unwrap();
    let request = params.serialize_request(&key).unwrap();
    // The last line of its text lies within the signature.
    let pem = request.pem().unwrap();
    let (before, last) = pem.split_once("\n-----END").unwrap().0.rsplit_once('\n').unwrap();
    let (first, rest) = last.split_at(1);
    let other = if first == "A" { "B" } else { "A" };
    let forged = format!("{before}\n{other}{rest}\n-----END CERTIFICATE REQUEST-----\n");
    assert!(
        told(&forged).ends_with("it is not signed by the key that is in it"),
        "{}",
        told(&forged)
    );
    assert!(told("nothing").starts_with("certificate signing request: "));
    assert!(told(authority().certificate().pem()).ends_with("the PEM block is a CERTIFICATE"));
}

#[test]
fn an_authority_is_read_back_and_a_foreign_key_is_refused() {
    let (authority, key) = Authority::create("st-mary devices", NOW).unwrap();
    let pem = authority.certificate().pem().to_owned();
    let again = Authority::load(&pem, &key.pem()).unwrap();
    assert!(again.issued(issued_by(&authority).issuer_key()));
    let foreign = PrivateKey::generate().unwrap().pem();
    assert!(matches!(Authority::load(&pem, &foreign), Err(EnrolError::ForeignKey { .. })));
}

#[test]
fn the_revocation_list_names_what_was_revoked_and_lasts_as_long_as_the_authority() {
    let authority = authority();
    let certificate = issued_by(&authority);
    let revoked = Revocation {
        serial: certificate.serial().to_owned(),
        at: NOW,
    };
    let list = authority.revocation_list(&[revoked], NOW).unwrap();
    let (_, block) = x509_parser::pem::parse_x509_pem(list.as_bytes()).unwrap();
    let (_, list) = CertificateRevocationList::from_der(&block.contents).unwrap();
    let (_, own) = X509Certificate::from_der(authority.certificate().der()).unwrap();
    list.verify_signature(own.public_key()).unwrap();
    let serials: Vec<_> = list
        .iter_revoked_certificates()
        .map(|one| one.raw_serial().to_vec())
        .collect();
    let (_, x509) = X509Certificate::from_der(certificate.der()).unwrap();
    assert_eq!(serials, [x509.raw_serial()]);
    assert_eq!(
        list.next_update().unwrap().timestamp() * 1000,
        authority.certificate().not_after().as_millis()
    );
}

fn record(certificate: &Certificate) -> Record {
    Record {
        id: device(),
        profile: "wearable".to_owned(),
        certificate: Issued::of(certificate),
        former: Vec::new(),
        reason: None,
        enrolled_at: NOW,
        changed_by: "klein".to_owned(),
        desired: Some(toml::from_str("rev = 3\n[set]\ninterval_ms = 1000\nwaves = [131330]").unwrap()),
    }
}

#[test]
fn a_record_is_read_back_as_it_was_written() {
    let authority = authority();
    let mut record = record(&issued_by(&authority));
    record.renew(&issued_by(&authority), NOW);
    assert_eq!(Record::parse("mon-01.toml", &record.to_toml()).unwrap(), record);
    record.revoke("lost on the way to the laundry", NOW);
    let text = record.to_toml();
    assert!(text.contains("status = \"revoked\""), "{text}");
    assert_eq!(Record::parse("mon-01.toml", &text).unwrap(), record);
}

#[test]
fn a_record_that_contradicts_itself_is_refused() {
    let text = record(&issued_by(&authority())).to_toml();
    for (wrong, said) in [
        (text.replace("\"enrolled\"", "\"revoked\""), "status = \"revoked\": expected"),
        (text.replace("enrolled_at = \"2", "enrolled_at = \"x2"), "enrolled_at = \"x2"),
        (text.replace("profile", "colour"), "unknown field `colour`"),
    ] {
        let error = Record::parse("mon-01.toml", &wrong).unwrap_err().to_string();
        assert!(error.starts_with("mon-01.toml: ") && error.contains(said), "{error}");
    }
}

#[test]
fn who_is_revoked_loses_every_certificate_that_was_still_usable() {
    let authority = authority();
    let (first, second) = (issued_by(&authority), issued_by(&authority));
    let mut record = record(&first);
    record.renew(&second, NOW);
    assert_eq!(record.status(), Status::Enrolled);
    assert_eq!(record.revoked_of(|key| authority.issued(key)).count(), 0);
    record.revoke("lost", NOW);
    assert_eq!(record.status(), Status::Revoked);
    let revoked = record.revoked_of(|key| authority.issued(key)).map(|one| one.serial);
    assert_eq!(revoked.collect::<Vec<_>>(), [second.serial(), first.serial()]);
    let other = self::authority();
    assert_eq!(record.revoked_of(|key| other.issued(key)).count(), 0);
    // What has ended by itself needs no revocation.
    record.renew(&issued_by(&authority), NOW.plus(VALID_FOR));
    assert_eq!(record.former.len(), 0);
}

#[test]
fn a_device_has_rights_under_its_own_name_only_and_cannot_be_the_agent() {
    let list = access_list(&site(), [&device()]);
    let entry = "user mon-01\ntopic write vitals/v1/st-mary/mon-01/#\ntopic read vitals/v1/st-mary/mon-01/cmd\n";
    assert!(list.ends_with(entry), "{list}");
    assert!(
        list.contains("user wardlight:st-mary\ntopic read vitals/v1/st-mary/#\n"),
        "{list}"
    );
    assert!(DeviceId::new(&agent_name(&site())).is_err());
}
