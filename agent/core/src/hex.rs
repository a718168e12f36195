//! Hexadecimal digits, as keys, serial numbers and signatures are written.

use std::fmt::Write;

/// Two lower-case digits for each byte.
pub fn encode(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
        // Writing to a String cannot fail.
        write!(text, "{byte:02x}").ok();
        text
    })
}

/// The bytes of pairs of digits of either case; `None` for anything else.
pub fn decode(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: &u8| char::from(*byte).to_digit(16);
    let byte = |pair: &[u8]| match pair {
        [high, low] => u8::try_from(digit(high)? * 16 + digit(low)?).ok(),
        _ => None,
    };
    text.as_bytes().chunks(2).map(byte).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_come_back_in_either_case() {
        let bytes = [0, 1, 0xab, 0xff];
        assert_eq!(encode(&bytes), "0001abff");
        assert_eq!(decode("0001abff").as_deref(), Some(&bytes[..]));
        assert_eq!(decode("0001ABFF").as_deref(), Some(&bytes[..]));
        assert_eq!(decode(""), Some(Vec::new()));
    }

    #[test]
    fn signs_spaces_half_pairs_and_other_letters_are_refused() {
        for text in ["+1ab", "0 ab", "abc", "äx", "zz"] {
            assert_eq!(decode(text), None, "{text}");
        }
    }
}
