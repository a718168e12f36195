//! Identities that a resource has from what it says, so that sending it again is the same resource and not a second one.

use std::fmt;

use hmac_sha256::Hash;

/// The `id` of a resource: a UUID of version 8 (RFC 9562) from the SHA-256 of the parts that make it what it is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ResourceId(String);

impl ResourceId {
    /// The identity of these parts. Each is hashed with its length, so `["ab", "c"]` and `["a", "bc"]` differ.
    pub(crate) fn of(parts: &[&[u8]]) -> Self {
        let mut hash = Hash::new();
        for part in parts {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part);
        }
        let mut bits = 0_u128;
        for byte in hash.finalize().into_iter().take(16) {
            bits = bits << 8 | u128::from(byte);
        }
        // RFC 9562, section 5.8: version 8 in bits 48 to 51, variant 0b10 in bits 64 and 65.
        let bits = bits & !(0xF << 76) & !(0b11 << 62) | 8 << 76 | 0b10 << 62;
        let hex = format!("{bits:032x}");
        let mut text = String::with_capacity(36);
        for (at, digit) in hex.chars().enumerate() {
            if matches!(at, 8 | 12 | 16 | 20) {
                text.push('-');
            }
            text.push(digit);
        }
        Self(text)
    }

    /// As it stands in `id` and in the URL.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ResourceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_identity_is_a_uuid_and_follows_from_the_parts_and_their_borders() {
        let id = ResourceId::of(&[b"ab", b"c"]);
        assert_eq!(id, ResourceId::of(&[b"ab", b"c"]));
        assert_ne!(id, ResourceId::of(&[b"a", b"bc"]));
        let groups: Vec<_> = id.as_str().split('-').map(str::len).collect();
        assert_eq!(groups, [8, 4, 4, 4, 12]);
        assert_eq!(id.as_str().chars().nth(14), Some('8'), "{id}");
        assert!(matches!(id.as_str().chars().nth(19), Some('8' | '9' | 'a' | 'b')), "{id}");
    }
}
