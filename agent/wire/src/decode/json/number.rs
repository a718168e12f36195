//! Numbers of JSON, kept exact where that is possible.

use super::super::number::Number;
use super::super::pull::Parse;
use super::Json;

impl Json<'_> {
    /// Reads digits into `mantissa`; returns how many there were.
    fn digits(&mut self, mantissa: &mut u64) -> u32 {
        let mut count = 0;
        while let Some(digit @ b'0'..=b'9') = self.peek() {
            *mantissa = mantissa.wrapping_mul(10).wrapping_add(u64::from(digit - b'0'));
            self.at += 1;
            count += 1;
        }
        count
    }

    pub(super) fn number(&mut self) -> Parse<Number> {
        let from = self.at;
        let negative = self.peek() == Some(b'-');
        if negative {
            self.at += 1;
        }
        let zero = self.peek() == Some(b'0');
        let mut mantissa = 0;
        let whole = self.digits(&mut mantissa);
        if whole == 0 || (zero && whole > 1) {
            return self.fault("a number without a leading zero");
        }
        let (mut fraction, mut power) = (0, 0);
        let mut plain = true;
        if self.peek() == Some(b'.') {
            self.at += 1;
            fraction = self.digits(&mut mantissa);
            plain = false;
            if fraction == 0 {
                return self.fault("a digit after the point");
            }
        }
        if let Some(b'e' | b'E') = self.peek() {
            power = self.exponent()?;
            plain = false;
        }
        if whole + fraction > 18 {
            let text = self.slice(from);
            let exact = plain.then(|| text.parse().ok()).flatten();
            return Ok(exact.map_or_else(|| Number::Float(text.parse().unwrap_or(f64::NAN)), Number::Int));
        }
        let mantissa = if negative { -(mantissa as i64) } else { mantissa as i64 };
        if plain {
            return Ok(Number::Int(mantissa));
        }
        let exponent = power.saturating_sub_unsigned(fraction);
        Ok(Number::Decimal { mantissa, exponent })
    }

    fn exponent(&mut self) -> Parse<i32> {
        self.at += 1;
        let negative = self.peek() == Some(b'-');
        if let Some(b'+' | b'-') = self.peek() {
            self.at += 1;
        }
        let from = self.at;
        if self.digits(&mut 0) == 0 {
            return self.fault("a digit of the exponent");
        }
        let size: i32 = self.slice(from).parse().unwrap_or(i32::MAX);
        Ok(if negative { -size } else { size })
    }
}
