//! The public keys whose signature makes a package trustworthy.

use ring::signature::{ED25519, UnparsedPublicKey};

use crate::ModelError;
use crate::hex;

/// Ed25519 public keys. A package counts as signed if any of them made its signature.
#[derive(Clone, Debug)]
pub struct TrustedKeys(Vec<[u8; 32]>);

impl TrustedKeys {
    /// The key of this repository's releases, `models/keys/release.pub`. A fork replaces that file with its own.
    ///
    /// # Errors
    /// [`ModelError::KeyFormat`] if the file that was compiled in holds no valid key.
    pub fn release() -> Result<Self, ModelError> {
        Self::parse(include_str!("../keys/release.pub"))
    }

    /// The release's keys and those of a site that brings models of its own, as [`TrustedKeys::parse`] reads them.
    ///
    /// # Errors
    /// [`ModelError::KeyFormat`] with the line that is no key.
    pub fn release_and(site: &str) -> Result<Self, ModelError> {
        let mut keys = Self::release()?;
        keys.0.extend(Self::parse(site)?.0);
        Ok(keys)
    }

    /// Reads keys from text: one key of 64 hexadecimal digits a line; `#` starts a comment.
    ///
    /// # Errors
    /// [`ModelError::KeyFormat`] with the line that is no key.
    pub fn parse(text: &str) -> Result<Self, ModelError> {
        let mut keys = Vec::new();
        for (index, line) in text.lines().enumerate() {
            let content = line.split('#').next().unwrap_or_default().trim();
            if content.is_empty() {
                continue;
            }
            keys.push(hex::decode(content).ok_or(ModelError::KeyFormat { line: index + 1 })?);
        }
        Ok(Self(keys))
    }

    /// How many keys are trusted.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether no key is trusted; then no package is.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn verify(&self, message: &[u8], signature: &[u8; 64]) -> bool {
        self.0
            .iter()
            .any(|key| UnparsedPublicKey::new(&ED25519, key).verify(message, signature).is_ok())
    }
}
