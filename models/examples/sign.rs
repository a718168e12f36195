//! Makes a signing key and signs packages.
//!
//! ```text
//! cargo run -p wardlight-models --example sign -- new-key PRIVATE_KEY_FILE PUBLIC_KEY_FILE
//! cargo run -p wardlight-models --example sign -- sign PRIVATE_KEY_FILE PACKAGE_DIR
//! ```
//!
//! The private key file holds the PKCS#8 document of an Ed25519 key. It is created with mode 600 and never overwritten;
//! keep it outside the repository.

use std::fmt::Write as _;
use std::fs::{self, OpenOptions};
use std::io::{Error, Result, Write as _};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use ring::error::KeyRejected;
use ring::rand::SystemRandom;
use ring::signature::{Ed25519KeyPair, KeyPair};

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["new-key", private, public] => new_key(Path::new(private), Path::new(public)),
        ["sign", private, package] => sign(Path::new(private), Path::new(package)),
        _ => Err(Error::other(
            "usage: sign new-key PRIVATE_KEY_FILE PUBLIC_KEY_FILE | sign PRIVATE_KEY_FILE PACKAGE_DIR",
        )),
    }
}

fn new_key(private: &Path, public: &Path) -> Result<()> {
    let document = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).map_err(|cause| Error::other(cause.to_string()))?;
    let pair = Ed25519KeyPair::from_pkcs8(document.as_ref()).map_err(rejected)?;
    OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(private)?
        .write_all(document.as_ref())?;
    let key = hex(pair.public_key().as_ref());
    fs::write(
        public,
        format!("# Ed25519 public keys that sign model packages, hexadecimal, one a line.\n{key}\n"),
    )
}

fn sign(private: &Path, package: &Path) -> Result<()> {
    let pair = Ed25519KeyPair::from_pkcs8_maybe_unchecked(&fs::read(private)?).map_err(rejected)?;
    let manifest = fs::read(package.join("manifest.toml"))?;
    fs::write(
        package.join("manifest.sig"),
        format!("{}\n", hex(pair.sign(&manifest).as_ref())),
    )
}

fn rejected(cause: KeyRejected) -> Error {
    Error::other(format!("private key: {cause}"))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a String cannot fail.
        write!(text, "{byte:02x}").ok();
        text
    })
}
