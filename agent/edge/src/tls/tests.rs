//! The page's door with real certificates: who gets in, and why others do not.

use std::fs;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::mpsc;

use axum::serve::Listener;
use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, CertifiedIssuer, IsCa, KeyIdMethod, KeyPair,
    KeyUsagePurpose, RevokedCertParams, SerialNumber, date_time_ymd,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::*;
use crate::config::{ServerTlsFiles, TlsFiles};

type Authority = CertifiedIssuer<'static, KeyPair>;
type Change = fn(&mut CertificateParams);

fn authority() -> Authority {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

/// A certificate and its key, written as NAME.pem and NAME.key.
fn issue(folder: &Path, name: &str, by: &Authority, change: Change) {
    let mut params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    change(&mut params);
    let key = KeyPair::generate().unwrap();
    let certificate = params.signed_by(&key, by).unwrap();
    fs::write(folder.join(format!("{name}.pem")), certificate.pem()).unwrap();
    fs::write(folder.join(format!("{name}.key")), key.serialize_pem()).unwrap();
}

/// A folder with an authority, the page's certificate and a visitor's.
struct Place {
    folder: tempfile::TempDir,
    authority: Authority,
}

impl Place {
    fn new() -> Self {
        let place = Self {
            folder: tempfile::tempdir().unwrap(),
            authority: authority(),
        };
        fs::write(place.path("ca.pem"), place.authority.pem()).unwrap();
        place.issue("page", |_| {});
        place.issue("visitor", |_| {});
        place
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn issue(&self, name: &str, change: Change) {
        issue(self.folder.path(), name, &self.authority, change);
    }

    fn page(&self) -> ServerTlsFiles {
        ServerTlsFiles {
            cert: self.path("page.pem"),
            key: self.path("page.key"),
            client_ca: Some(self.path("ca.pem")),
            crl: None,
        }
    }

    fn visitor(&self, name: Option<&str>) -> TlsFiles {
        let client = name.map(|name| (self.path(&format!("{name}.pem")), self.path(&format!("{name}.key"))));
        TlsFiles {
            ca_file: self.path("ca.pem"),
            client,
            crl_file: None,
        }
    }

    /// A list that revokes this serial number.
    fn revoke(&self, serial: u8) -> PathBuf {
        let list = CertificateRevocationListParams {
            this_update: date_time_ymd(2020, 1, 1),
            next_update: date_time_ymd(2090, 1, 1),
            crl_number: SerialNumber::from(1),
            issuing_distribution_point: None,
            revoked_certs: vec![RevokedCertParams {
                serial_number: SerialNumber::from(u64::from(serial)),
                revocation_time: date_time_ymd(2020, 1, 1),
                reason_code: None,
                invalidity_date: None,
            }],
            key_identifier_method: KeyIdMethod::Sha256,
        };
        let path = self.path("crl.pem");
        fs::write(&path, list.signed_by(&self.authority).unwrap().pem().unwrap()).unwrap();
        path
    }
}

/// A page that answers each visitor with one byte, and what it refused.
struct Page {
    address: SocketAddr,
    refused: mpsc::Receiver<Refusal>,
}

async fn open(files: &ServerTlsFiles) -> Page {
    let tcp = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = tcp.local_addr().unwrap();
    let (sender, refused) = mpsc::sync_channel(16);
    let tls = ServerTls::new(files).unwrap();
    let mut listener = PageListener::new(tcp, Some(tls), move |_, reason| sender.send(reason).unwrap());
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await;
            tokio::spawn(async move { stream.write_all(b"!").await });
        }
    });
    Page { address, refused }
}

/// Connects and waits for the byte.
async fn visit(page: &Page, files: &TlsFiles) -> io::Result<u8> {
    let connector = Connector::new(files, "localhost").unwrap();
    let mut stream = connector.connect(TcpStream::connect(page.address).await?).await?;
    stream.read_u8().await
}

#[tokio::test]
async fn a_visitor_with_a_certificate_gets_in_and_each_other_is_refused_with_its_reason() {
    let place = Place::new();
    let mut files = place.page();
    files.crl = Some(place.revoke(77));
    place.issue("expired", |params| {
        params.not_before = date_time_ymd(2020, 1, 1);
        params.not_after = date_time_ymd(2021, 1, 1);
    });
    place.issue("early", |params| params.not_before = date_time_ymd(2089, 1, 1));
    place.issue("revoked", |params| params.serial_number = Some(SerialNumber::from(77)));
    issue(place.folder.path(), "stranger", &authority(), |_| {});
    let page = open(&files).await;
    assert_eq!(visit(&page, &place.visitor(Some("visitor"))).await.unwrap(), b'!');
    let cases = [
        (None, Refusal::NoCertificate),
        (Some("expired"), Refusal::Expired),
        (Some("early"), Refusal::NotYetValid),
        (Some("revoked"), Refusal::Revoked),
        (Some("stranger"), Refusal::UnknownAuthority),
    ];
    for (visitor, reason) in cases {
        visit(&page, &place.visitor(visitor)).await.unwrap_err();
        assert_eq!(page.refused.recv().unwrap(), reason, "{visitor:?}");
    }
}

#[tokio::test]
async fn whoever_speaks_no_tls_holds_up_nobody_and_is_refused() {
    let place = Place::new();
    let page = open(&place.page()).await;
    let _silent = TcpStream::connect(page.address).await.unwrap();
    let mut plain = TcpStream::connect(page.address).await.unwrap();
    plain.write_all(b"GET / HTTP/1.1\r\n\r\n").await.unwrap();
    assert_eq!(visit(&page, &place.visitor(Some("visitor"))).await.unwrap(), b'!');
    plain.read_to_end(&mut Vec::new()).await.ok();
    assert_eq!(page.refused.recv().unwrap(), Refusal::Protocol);
}

#[tokio::test]
async fn a_server_that_is_expired_revoked_early_foreign_or_another_is_refused_with_its_reason() {
    let cases: [(Change, Refusal); 4] = [
        (|params| params.not_after = date_time_ymd(2021, 1, 1), Refusal::Expired),
        (|params| params.not_before = date_time_ymd(2089, 1, 1), Refusal::NotYetValid),
        (|params| params.serial_number = Some(SerialNumber::from(77)), Refusal::Revoked),
        (|params| params.subject_alt_names.clear(), Refusal::WrongName),
    ];
    for (change, reason) in cases {
        let place = Place::new();
        place.issue("page", change);
        let page = open(&place.page()).await;
        let mut files = place.visitor(Some("visitor"));
        files.crl_file = Some(place.revoke(77));
        let error = visit(&page, &files).await.unwrap_err();
        assert_eq!(Refusal::of(&error), Some(reason), "{error}");
    }
    let (place, other) = (Place::new(), Place::new());
    let page = open(&place.page()).await;
    let error = visit(&page, &other.visitor(Some("visitor"))).await.unwrap_err();
    assert_eq!(Refusal::of(&error), Some(Refusal::UnknownAuthority), "{error}");
}

#[tokio::test]
async fn a_new_certificate_counts_from_the_next_connection_on_and_a_broken_one_changes_nothing() {
    let place = Place::new();
    let files = place.page();
    let page = open(&files).await;
    let visitor = place.visitor(Some("visitor"));
    assert!(visit(&page, &visitor).await.is_ok());

    fs::write(&files.cert, "no certificate").unwrap();
    assert!(visit(&page, &visitor).await.is_ok(), "the former one goes on");

    // Another authority: those of the former one are out, those of the new one in, without a restart.
    let other = Place::new();
    for name in ["page.pem", "page.key", "ca.pem"] {
        fs::copy(other.path(name), place.path(name)).unwrap();
    }
    assert!(visit(&page, &other.visitor(Some("visitor"))).await.is_ok());
    assert!(visit(&page, &place.visitor(Some("visitor"))).await.is_err());
}

#[tokio::test]
async fn nothing_older_than_tls_1_3_is_spoken() {
    let place = Place::new();
    let page = open(&place.page()).await;
    let config = rustls::ClientConfig::builder_with_provider(provider())
        .with_protocol_versions(&[&rustls::version::TLS12])
        .unwrap()
        .with_root_certificates(authorities(&place.path("ca.pem")).unwrap())
        .with_no_client_auth();
    let connector = tokio_rustls::TlsConnector::from(Arc::new(config));
    let tcp = TcpStream::connect(page.address).await.unwrap();
    let error = connector.connect("localhost".try_into().unwrap(), tcp).await.unwrap_err();
    assert_eq!(Refusal::of(&error), Some(Refusal::Protocol), "{error}");
    assert_eq!(page.refused.recv().unwrap(), Refusal::Protocol);
}

#[test]
fn a_file_that_cannot_be_used_is_named() {
    let place = Place::new();
    let mut files = place.page();
    files.key = place.path("none.key");
    let error = ServerTls::new(&files).err().unwrap().to_string();
    assert!(error.contains("none.key"), "{error}");
}
