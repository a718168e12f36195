//! Strings of JSON and their escapes.

use std::borrow::Cow;

use super::super::pull::Parse;
use super::Json;

impl<'a> Json<'a> {
    pub(super) fn string(&mut self) -> Parse<Cow<'a, str>> {
        self.eat(b'"', "a string")?;
        let from = self.at;
        loop {
            match self.peek() {
                Some(b'"') => {
                    let text = self.slice(from);
                    self.at += 1;
                    return Ok(Cow::Borrowed(text));
                }
                Some(b'\\') => return self.escaped(from).map(Cow::Owned),
                Some(0x20..) => self.at += 1,
                Some(_) => return self.fault("no control character in a string"),
                None => return self.fault("the closing quote of a string"),
            }
        }
    }

    /// The rest of a string that has escapes; `from` is where it began, `at` its first escape.
    fn escaped(&mut self, from: usize) -> Parse<String> {
        let mut out = String::from(self.slice(from));
        loop {
            let from = self.at;
            while let Some(b) = self.peek() {
                if b == b'"' || b == b'\\' || b < 0x20 {
                    break;
                }
                self.at += 1;
            }
            out.push_str(self.slice(from));
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(out);
                }
                Some(b'\\') => {
                    self.at += 1;
                    out.push(self.escape()?);
                }
                Some(_) => return self.fault("no control character in a string"),
                None => return self.fault("the closing quote of a string"),
            }
        }
    }

    fn escape(&mut self) -> Parse<char> {
        let c = match self.peek() {
            Some(b'"') => '"',
            Some(b'\\') => '\\',
            Some(b'/') => '/',
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => {
                self.at += 1;
                return self.unicode();
            }
            _ => return self.fault("an escape of JSON"),
        };
        self.at += 1;
        Ok(c)
    }

    fn unicode(&mut self) -> Parse<char> {
        let high = self.hex4()?;
        if !(0xD800..0xE000).contains(&high) {
            return char::from_u32(high).map_or_else(|| self.fault("a character"), Ok);
        }
        if high >= 0xDC00 || self.text.get(self.at..self.at + 2) != Some("\\u") {
            return self.fault("a surrogate pair");
        }
        self.at += 2;
        let low = self.hex4()?;
        if !(0xDC00..0xE000).contains(&low) {
            return self.fault("a surrogate pair");
        }
        let code = 0x1_0000 + ((high - 0xD800) << 10) + (low - 0xDC00);
        char::from_u32(code).map_or_else(|| self.fault("a character"), Ok)
    }

    fn hex4(&mut self) -> Parse<u32> {
        let digits = self.text.get(self.at..self.at + 4).unwrap_or("");
        if digits.len() != 4 || !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
            return self.fault("four hexadecimal digits");
        }
        self.at += 4;
        Ok(u32::from_str_radix(digits, 16).unwrap_or(0))
    }
}
