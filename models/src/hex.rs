//! Hexadecimal digits of fixed-size byte strings.

use ring::digest::{SHA256, digest};
use wardlight_core::hex;
pub(crate) use wardlight_core::hex::encode;

/// Exactly `2 * N` hexadecimal digits to bytes; anything else is `None`.
pub(crate) fn decode<const N: usize>(text: &str) -> Option<[u8; N]> {
    hex::decode(text)?.try_into().ok()
}

/// SHA-256 in hexadecimal digits.
pub(crate) fn sha256(content: &[u8]) -> String {
    encode(digest(&SHA256, content).as_ref())
}

#[cfg(test)]
mod tests {
    use super::{decode, encode};

    #[test]
    fn bytes_come_back() {
        assert_eq!(decode::<4>(&encode(&[0, 1, 0xab, 0xff])), Some([0, 1, 0xab, 0xff]));
    }

    #[test]
    fn signs_spaces_and_wrong_lengths_are_refused() {
        for text in ["+1ab", "0 ab", "ab", "abcdef", "äxyz", "zzzz"] {
            assert_eq!(decode::<2>(text), None, "{text}");
        }
    }
}
