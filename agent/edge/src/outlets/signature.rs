//! The signature of a webhook: HMAC-SHA-256 over `{timestamp}.{body}`, so that a receiver can tell who sent it and when.

use std::fmt::Write;

use ring::hmac;

/// The key of one receiver.
pub(super) struct Signer(hmac::Key);

impl Signer {
    pub(super) fn new(secret: &[u8]) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, secret))
    }

    /// The value of `X-Wardlight-Signature`: `sha256=` and 64 hex digits. `timestamp_s` is in seconds since 1970.
    pub(super) fn sign(&self, timestamp_s: i64, body: &[u8]) -> String {
        let mut context = hmac::Context::with_key(&self.0);
        context.update(timestamp_s.to_string().as_bytes());
        context.update(b".");
        context.update(body);
        let mut value = "sha256=".to_owned();
        for byte in context.sign().as_ref() {
            // Writing to a String cannot fail.
            write!(value, "{byte:02x}").ok();
        }
        value
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `printf '1767225600.{"v":1}' | openssl dgst -sha256 -hmac secret`
    #[test]
    fn the_signature_is_what_openssl_computes() {
        assert_eq!(
            Signer::new(b"secret").sign(1_767_225_600, br#"{"v":1}"#),
            "sha256=3854eab508ab80de7baab584e7e4c8c7435b8577a86f5d615f8f34fa02d26ff7"
        );
    }
}
