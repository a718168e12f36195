//! What is flashed onto a device, or put beside its firmware: files by name, all in one folder.

mod config;
mod esp_idf;
mod phone;
mod zephyr;

use ring::digest::{SHA256, digest};
use wardlight_core::hex;
use wardlight_core::ids::{DeviceId, SiteId};

use crate::behaviour::Platform;
use crate::certificate::Certificate;
use crate::enrolment::{EnrolError, PrivateKey};
use crate::profile::Profile;

/// Authorities that the device trusts.
pub const CA_FILE: &str = "ca.pem";
/// The device's certificate.
pub const CERTIFICATE_FILE: &str = "device.pem";
/// The device's key.
pub const KEY_FILE: &str = "device.key";
/// The digests of all other files, as `sha256sum -c` reads them.
pub const SUMS_FILE: &str = "SHA256SUMS";
/// Silence after which a device probes its connection, in seconds.
const KEEP_ALIVE_S: u16 = 30;

/// Everything that one device needs to begin.
#[derive(Debug)]
pub struct Bundle<'a> {
    /// Which site.
    pub site: &'a SiteId,
    /// Which device.
    pub device: &'a DeviceId,
    /// Its model.
    pub profile: &'a Profile,
    /// Host name or address of the broker, as in its certificate.
    pub broker_host: &'a str,
    /// The broker's port for devices.
    pub broker_port: u16,
    /// The authorities that it trusts, the newest first; not empty.
    pub authorities: &'a [Certificate],
    /// Its certificate.
    pub certificate: &'a Certificate,
    /// Its key, where it did not make one itself.
    pub key: Option<&'a PrivateKey>,
}

/// One file of a bundle.
#[derive(Clone, PartialEq, Eq)]
pub struct BundleFile {
    /// Its name, without a folder.
    pub name: &'static str,
    /// What it holds. Perhaps a key, so it does not show itself.
    pub content: Vec<u8>,
}

impl std::fmt::Debug for BundleFile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} ({} bytes)", self.name, self.content.len())
    }
}

impl Bundle<'_> {
    /// Its files; the last is the list of their digests.
    /// # Errors
    /// [`EnrolError::TooLongForQr`] if the device's names are too long for the telephone's code.
    pub fn files(&self) -> Result<Vec<BundleFile>, EnrolError> {
        let trusted: String = self.authorities.iter().map(Certificate::pem).collect();
        let mut files = vec![
            file(CA_FILE, trusted),
            file(CERTIFICATE_FILE, self.certificate.pem()),
            file("config.json", config::json(self)),
        ];
        files.extend(self.key.map(|key| file(KEY_FILE, key.pem())));
        match self.profile.platform {
            Platform::EspIdf => files.extend([
                file("sdkconfig.defaults", esp_idf::SDKCONFIG),
                file("nvs.csv", esp_idf::nvs(self)),
            ]),
            Platform::Zephyr => files.extend([
                file("prj.conf", zephyr::prj_conf(self)),
                file("wardlight_device.h", zephyr::header(self)),
            ]),
            Platform::Phone => files.extend(phone::files(self)?),
            Platform::Gateway => {}
        }
        let sums = files.iter().map(|file| {
            let sum = hex::encode(digest(&SHA256, &file.content).as_ref());
            format!("{sum}  {}\n", file.name)
        });
        let sums: String = sums.collect();
        files.push(file(SUMS_FILE, sums));
        Ok(files)
    }
}

fn file(name: &'static str, content: impl Into<Vec<u8>>) -> BundleFile {
    let content = content.into();
    BundleFile { name, content }
}
