//! Numbers as they are written, before anything is asked of them.

use std::fmt;

use wardlight_core::vitals::Milli;

/// A number as written.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Number {
    /// An integer.
    Int(i64),
    /// `mantissa × 10^exponent`, exactly.
    Decimal {
        /// Digits.
        mantissa: i64,
        /// Power of ten.
        exponent: i32,
    },
    /// A binary float, or a number too long for the above.
    Float(f64),
}

impl Number {
    /// In thousandths, half away from zero; `None` for NaN, infinities and what does not fit.
    pub(crate) fn to_milli(self) -> Option<Milli> {
        match self {
            Self::Int(n) => n.checked_mul(1000).and_then(milli),
            Self::Decimal { mantissa, exponent: -1 } => mantissa.checked_mul(100).and_then(milli),
            Self::Decimal { mantissa, exponent } => thousandths(mantissa, exponent).and_then(milli),
            Self::Float(x) => Milli::from_f64(x),
        }
    }

    /// As an integer, if it is one: `1.0` is.
    pub(crate) fn to_i64(self) -> Option<i64> {
        match self {
            Self::Int(n) => Some(n),
            other => {
                let x = other.to_f64();
                let exact = x.fract() == 0.0 && x.abs() <= 9_007_199_254_740_992.0;
                exact.then_some(x as i64)
            }
        }
    }

    /// As the nearest double.
    pub(crate) fn to_f64(self) -> f64 {
        match self {
            Self::Int(n) => n as f64,
            Self::Float(x) => x,
            Self::Decimal { mantissa, exponent } => {
                let exact = mantissa.unsigned_abs() <= 1 << 53;
                match exponent {
                    // Both operands are exact doubles, so one rounding happens.
                    0..=22 if exact => mantissa as f64 * 10_f64.powi(exponent),
                    -22..=-1 if exact => mantissa as f64 / 10_f64.powi(-exponent),
                    _ => format!("{mantissa}e{exponent}").parse().unwrap_or(f64::NAN),
                }
            }
        }
    }
}

fn milli(thousandths: i64) -> Option<Milli> {
    i32::try_from(thousandths).ok().map(Milli::new)
}

fn thousandths(mantissa: i64, exponent: i32) -> Option<i64> {
    let shift = exponent.saturating_add(3);
    if mantissa == 0 || shift < -18 {
        return Some(0);
    }
    let power = 10_i64.checked_pow(shift.unsigned_abs());
    if shift >= 0 {
        return power.and_then(|p| mantissa.checked_mul(p));
    }
    let power = power?;
    let rest = (mantissa % power).unsigned_abs();
    let away = i64::from(rest >= power.unsigned_abs().div_ceil(2));
    Some(mantissa / power + away * mantissa.signum())
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Int(n) => write!(f, "{n}"),
            Self::Decimal { mantissa, exponent } if (-18..=0).contains(exponent) => {
                write!(
                    f,
                    "{}",
                    Self::Decimal {
                        mantissa: *mantissa,
                        exponent: *exponent
                    }
                    .to_f64()
                )
            }
            Self::Decimal { mantissa, exponent } => write!(f, "{mantissa}e{exponent}"),
            Self::Float(x) => write!(f, "{x:?}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decimal(mantissa: i64, exponent: i32) -> Number {
        Number::Decimal { mantissa, exponent }
    }

    #[test]
    fn decimals_become_exact_thousandths() {
        assert_eq!(decimal(371, -1).to_milli(), Some(Milli::new(37_100)));
        assert_eq!(decimal(-371, -1).to_milli(), Some(Milli::new(-37_100)));
        assert_eq!(decimal(12_345, -4).to_milli(), Some(Milli::new(1_235)));
        assert_eq!(decimal(-12_345, -4).to_milli(), Some(Milli::new(-1_235)));
        assert_eq!(decimal(12_344, -4).to_milli(), Some(Milli::new(1_234)));
        assert_eq!(decimal(2, 2).to_milli(), Some(Milli::from_int(200)));
        assert_eq!(decimal(i64::MAX, i32::MIN).to_milli(), Some(Milli::new(0)));
    }

    #[test]
    fn numbers_that_do_not_fit_are_no_thousandths() {
        for bad in [
            Number::Int(i64::MAX),
            Number::Int(2_147_484),
            decimal(1, 7),
            decimal(1, i32::MAX),
            Number::Float(f64::NAN),
            Number::Float(f64::INFINITY),
        ] {
            assert_eq!(bad.to_milli(), None, "{bad}");
        }
    }

    #[test]
    fn whole_floats_are_integers_and_others_are_not() {
        assert_eq!(Number::Float(250.0).to_i64(), Some(250));
        assert_eq!(decimal(2_500, -1).to_i64(), Some(250));
        assert_eq!(Number::Float(0.5).to_i64(), None);
        assert_eq!(Number::Float(f64::NAN).to_i64(), None);
        assert_eq!(Number::Float(1e300).to_i64(), None);
    }
}
