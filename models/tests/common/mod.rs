//! What the tests of this crate share: the shipped package, and altered copies of it signed with a throw-away key.

use std::fs;
use std::path::{Path, PathBuf};

use ring::digest::{SHA256, digest};
use ring::signature::{Ed25519KeyPair, KeyPair};
use tempfile::TempDir;
use wardlight_models::TrustedKeys;

/// The shipped package.
pub fn shipped() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("packages/deterioration")
}

/// A package of random weights with onnxruntime's logits, made by `models/training/example_cnn.py`.
pub fn example(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/packages").join(name)
}

/// A copy of a package that a test may alter and sign again.
pub struct Copy {
    folder: TempDir,
    pair: Ed25519KeyPair,
}

impl Copy {
    /// An exact copy, still with the shipped signature.
    pub fn new() -> Self {
        Self::of(&shipped())
    }

    /// An exact copy of the package in `folder`.
    pub fn of(package: &Path) -> Self {
        let folder = TempDir::new().unwrap();
        for entry in fs::read_dir(package).unwrap() {
            let entry = entry.unwrap();
            fs::copy(entry.path(), folder.path().join(entry.file_name())).unwrap();
        }
        // A key for tests only: any 32 bytes are a seed.
        Self {
            folder,
            pair: Ed25519KeyPair::from_seed_unchecked(&[7; 32]).unwrap(),
        }
    }

    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    pub fn read(&self, name: &str) -> Vec<u8> {
        fs::read(self.path().join(name)).unwrap()
    }

    pub fn write(&self, name: &str, content: &[u8]) {
        fs::write(self.path().join(name), content).unwrap();
    }

    /// Replaces `from`, which must occur, by `to` in a text file.
    pub fn replace(&self, name: &str, from: &str, to: &str) {
        let text = String::from_utf8(self.read(name)).unwrap();
        assert!(text.contains(from), "{name} has no {from:?}");
        self.write(name, text.replacen(from, to, 1).as_bytes());
    }

    /// Writes a file, its digest into the manifest, and a new signature: a package whose maker holds a trusted key.
    pub fn publish(&self, name: &str, content: &[u8]) {
        let old = hex(digest(&SHA256, &self.read(name)).as_ref());
        self.write(name, content);
        self.replace("manifest.toml", &old, &hex(digest(&SHA256, content).as_ref()));
        self.sign();
    }

    /// Signs the manifest as it stands, with the test key.
    pub fn sign(&self) {
        let signature = self.pair.sign(&self.read("manifest.toml"));
        self.write("manifest.sig", hex(signature.as_ref()).as_bytes());
    }

    /// The public half of the test key.
    pub fn keys(&self) -> TrustedKeys {
        TrustedKeys::parse(&hex(self.pair.public_key().as_ref())).unwrap()
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}
