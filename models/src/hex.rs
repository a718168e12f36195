//! Hexadecimal digits of fixed-size byte strings.

use std::fmt::Write;

use ring::digest::{SHA256, digest};

/// Exactly `2 * N` hexadecimal digits to bytes; anything else is `None`.
pub(crate) fn decode<const N: usize>(text: &str) -> Option<[u8; N]> {
    if text.len() != 2 * N || !text.is_ascii() {
        return None;
    }
    let mut bytes = [0; N];
    for (byte, pair) in bytes.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
        let digits = std::str::from_utf8(pair).ok()?;
        // `from_str_radix` would also take a sign.
        if !pair.iter().all(u8::is_ascii_hexdigit) {
            return None;
        }
        *byte = u8::from_str_radix(digits, 16).ok()?;
    }
    Some(bytes)
}

/// Bytes to lower-case hexadecimal digits.
pub(crate) fn encode(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
        // Writing to a String cannot fail.
        write!(text, "{byte:02x}").ok();
        text
    })
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
