//! Measured values: fixed-point numbers with their code, unit and quality, valid once constructed.

use serde::{Deserialize, Serialize};

use crate::codes::{self, AgeGroup, Numeric, Parameter};

/// A value in thousandths of its parameter's unit (37.1 °C is 37100). Integers, so that every replay agrees bit for bit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Milli(i32);

impl Milli {
    /// From thousandths.
    pub const fn new(thousandths: i32) -> Self {
        Self(thousandths)
    }

    /// From a whole number of units, saturating.
    pub const fn from_int(units: i32) -> Self {
        Self(units.saturating_mul(1000))
    }

    /// From a real number, rounded to the nearest thousandth; `None` for NaN, infinities and what does not fit.
    pub fn from_f64(units: f64) -> Option<Self> {
        let thousandths = (units * 1000.0).round();
        (thousandths.is_finite() && thousandths.abs() <= f64::from(i32::MAX)).then_some(Self(thousandths as i32))
    }

    /// Thousandths.
    pub const fn get(self) -> i32 {
        self.0
    }

    /// Units as a real number, for people and models.
    pub fn to_f64(self) -> f64 {
        f64::from(self.0) / 1000.0
    }

    /// Rounded half up to whole units: what is shown, scored and compared with limits.
    pub const fn rounded(self) -> i32 {
        (self.0.saturating_add(500)).div_euclid(1000)
    }

    /// Rounded half up to tenths of a unit: temperature as it is shown, scored and compared.
    pub const fn tenths(self) -> i32 {
        (self.0.saturating_add(50)).div_euclid(100)
    }
}

/// Quality bits as devices send them. An absent quality means [`Quality::VALID`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Quality(u16);

impl Quality {
    /// Measured and believed by the device.
    pub const VALID: Self = Self(1);
    /// The device doubts it: shown with a mark, scored, and alarmed.
    pub const QUESTIONABLE: Self = Self(2);
    /// A lead or sensor is off: no value.
    pub const LEAD_OFF: Self = Self(4);
    /// Disturbed by artefact: no value for scores and limits.
    pub const ARTEFACT: Self = Self(8);
    /// From a device in demo mode: shown as DEMO, never scored, never alarmed.
    pub const DEMO: Self = Self(16);
    /// Calibrating: no value.
    pub const CALIBRATING: Self = Self(32);

    /// From the wire's bits; unknown bits are refused by returning `None`.
    pub const fn from_bits(bits: u16) -> Option<Self> {
        if bits <= 63 { Some(Self(bits)) } else { None }
    }

    /// The wire's bits.
    pub const fn bits(self) -> u16 {
        self.0
    }

    /// Whether any bit of `other` is set.
    pub const fn has(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// Both.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Good enough for scores and limits: valid or questionable, and nothing that voids it.
    pub const fn usable(self) -> bool {
        self.0 & (1 | 2) != 0 && self.0 & (4 | 8 | 16 | 32) == 0
    }
}

/// Why a single reading was refused; the rest of its message stands.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum ReadingError {
    /// The code is not in the table of numerics.
    #[error("code {code}: not a numeric code of vitals/v1")]
    UnknownCode {
        /// The MDC code found.
        code: u32,
    },
    /// Outside what the instrument can report.
    #[error("{reference} ({code}) = {value}: outside the technical range {low} to {high} {unit}")]
    OutOfRange {
        /// The MDC code.
        code: u32,
        /// Its reference id.
        reference: &'static str,
        /// The value found.
        value: f64,
        /// Lowest value accepted.
        low: f64,
        /// Highest value accepted.
        high: f64,
        /// UCUM unit.
        unit: &'static str,
    },
}

/// One validated numeric reading. `value` is `None` where the device says it has none, or where it was out of range.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reading {
    numeric: &'static Numeric,
    value: Option<Milli>,
    quality: Quality,
}

impl Reading {
    /// Checks the code and the technical range.
    /// # Errors
    /// [`ReadingError`] with the code, the value and what was expected.
    pub fn new(code: u32, value: Option<Milli>, quality: Quality) -> Result<Self, ReadingError> {
        let numeric = codes::numeric(code).ok_or(ReadingError::UnknownCode { code })?;
        let (low, high) = numeric.technical;
        match value {
            Some(v) if quality.usable() && !(low..=high).contains(&v.get()) => Err(ReadingError::OutOfRange {
                code,
                reference: numeric.reference,
                value: v.to_f64(),
                low: f64::from(low) / 1000.0,
                high: f64::from(high) / 1000.0,
                unit: numeric.unit.ucum(),
            }),
            _ => Ok(Self { numeric, value, quality }),
        }
    }

    /// The same channel without a value: what remains of a reading that was out of range.
    pub fn unmeasurable(code: u32) -> Option<Self> {
        codes::numeric(code).map(|numeric| Self {
            numeric,
            value: None,
            quality: Quality::QUESTIONABLE,
        })
    }

    /// Its row in the table of numerics.
    pub const fn numeric(&self) -> &'static Numeric {
        self.numeric
    }

    /// What it measures.
    pub const fn parameter(&self) -> Parameter {
        self.numeric.parameter
    }

    /// The value as sent, whatever its quality.
    pub const fn value(&self) -> Option<Milli> {
        self.value
    }

    /// The quality as sent.
    pub const fn quality(&self) -> Quality {
        self.quality
    }

    /// The value if scores and limits may use it.
    pub fn usable(&self) -> Option<Milli> {
        self.value.filter(|_| self.quality.usable())
    }

    /// Whether the value is plausible for a patient of this age (kept and flagged if not).
    pub fn plausible(&self, age: AgeGroup) -> bool {
        let (low, high) = self.numeric.parameter.plausible(age);
        self.value.is_none_or(|v| (low..=high).contains(&v.get()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounding_is_half_up_on_both_sides_of_zero() {
        assert_eq!(Milli::new(91_500).rounded(), 92);
        assert_eq!(Milli::new(91_499).rounded(), 91);
        assert_eq!(Milli::new(-500).rounded(), 0);
        assert_eq!(Milli::new(-501).rounded(), -1);
        assert_eq!(Milli::new(38_040).tenths(), 380);
        assert_eq!(Milli::new(38_050).tenths(), 381);
    }

    #[test]
    fn impossible_numbers_are_no_numbers() {
        for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 1e12] {
            assert_eq!(Milli::from_f64(bad), None);
        }
    }

    #[test]
    fn the_technical_range_is_held_on_both_sides() {
        let hr = |v| Reading::new(147_842, Some(Milli::from_int(v)), Quality::VALID);
        assert!(hr(14).is_err());
        assert!(hr(15).is_ok());
        assert!(hr(350).is_ok());
        assert!(hr(351).is_err());
        assert!(Reading::new(1, None, Quality::VALID).is_err());
    }

    #[test]
    fn a_value_that_the_device_voids_is_kept_but_not_usable() {
        let r = Reading::new(147_842, Some(Milli::from_int(0)), Quality::LEAD_OFF).unwrap();
        assert_eq!(r.usable(), None);
        assert_eq!(r.value(), Some(Milli::from_int(0)));
    }
}
