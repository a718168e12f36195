//! HL7 points in time: `YYYYMMDD[HHMM[SS[.S…]]][+/-ZZZZ]`.

use wardlight_core::time::Timestamp;

/// Minutes east of UTC.
pub type Zone = i64;

/// A time as it stands, of whatever zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Instant {
    /// Milliseconds since 1970 as a clock of its zone shows them.
    local_ms: i64,
    zone: Option<Zone>,
}

impl Instant {
    /// Reads one; a date alone is its midnight. `None` if it is no time, or less than a day.
    pub(crate) fn read(text: &str) -> Option<Self> {
        let (digits, zone) = match text.find(['+', '-']) {
            Some(at) => (text.get(..at)?, Some(zone(text.get(at..)?)?)),
            None => (text, None),
        };
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        if !matches!(whole.len(), 8 | 10 | 12 | 14) || fraction.len() > 9 {
            return None;
        }
        let part = |from: usize, to: usize, range: std::ops::RangeInclusive<i64>| {
            let text = whole.get(from..to.min(whole.len())).filter(|text| !text.is_empty());
            let value = text.map_or(Some(0), number)?;
            (text.is_none() || range.contains(&value)).then_some(value)
        };
        let (year, month, day) = (part(0, 4, 1900..=9999)?, part(4, 6, 1..=12)?, part(6, 8, 1..=31)?);
        let (hour, minute) = (part(8, 10, 0..=23)?, part(10, 12, 0..=59)?);
        // 60 is a leap second.
        let second = part(12, 14, 0..=60)?;
        let thousandths: String = fraction.chars().chain("000".chars()).take(3).collect();
        let ms = number(&thousandths)?;
        let days = days_since_1970(year, month, day);
        // A 31st of February comes out as a day of March.
        (date(days) == (year, month, day)).then_some(())?;
        let local_ms = (((days * 24 + hour) * 60 + minute) * 60 + second) * 1000 + ms;
        Some(Self { local_ms, zone })
    }

    pub(crate) const fn zone(self) -> Option<Zone> {
        self.zone
    }

    /// As a point in time; of `zone` if it does not say its own.
    pub(crate) fn at(self, zone: Zone) -> Timestamp {
        Timestamp::from_millis(self.local_ms - self.zone.unwrap_or(zone) * 60_000)
    }

    /// The day it shows.
    pub(crate) const fn day(self) -> i64 {
        self.local_ms.div_euclid(86_400_000)
    }
}

/// Reads a zone, `+ZZZZ` or `-ZZZZ`.
pub fn zone(text: &str) -> Option<Zone> {
    let (sign, digits) = match text.split_at_checked(1)? {
        ("+", digits) => (1, digits),
        ("-", digits) => (-1, digits),
        _ => return None,
    };
    (digits.len() == 4).then_some(())?;
    let (hours, minutes) = (number(digits.get(..2)?)?, number(digits.get(2..)?)?);
    (hours <= 14 && minutes < 60).then_some(sign * (hours * 60 + minutes))
}

/// A point in time as HL7 writes it, in UTC to the millisecond.
pub fn write(at: Timestamp) -> String {
    let ms = at.as_millis();
    let (days, in_day) = (ms.div_euclid(86_400_000), ms.rem_euclid(86_400_000));
    let (year, month, day) = date(days);
    let (hour, minute, second) = (in_day / 3_600_000, in_day / 60_000 % 60, in_day / 1000 % 60);
    format!(
        "{year:04}{month:02}{day:02}{hour:02}{minute:02}{second:02}.{:03}+0000",
        in_day % 1000
    )
}

/// Plain digits only: `parse` would take a sign.
fn number(text: &str) -> Option<i64> {
    text.bytes().all(|b| b.is_ascii_digit()).then(|| text.parse().ok())?
}

/// Whole years from one day to another, both in days since 1970.
pub(crate) fn years_between(born: i64, today: i64) -> i64 {
    let ((y0, m0, d0), (y1, m1, d1)) = (date(born), date(today));
    y1 - y0 - i64::from((m1, d1) < (m0, d0))
}

/// Days since 1970 of a day of the Gregorian calendar: years begin in March, so that the leap day is a year's last.
const fn days_since_1970(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let month = (month + 9) % 12;
    let day_of_year = (153 * month + 2) / 5 + day - 1;
    year * 365 + year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400) + day_of_year - 719_468
}

/// The day of the Gregorian calendar, `(year, month, day)`.
const fn date(days: i64) -> (i64, i64, i64) {
    // Eras of 400 years are all of the same length.
    let days = days + 719_468;
    let (era, day) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let of_month = day - (153 * month + 2) / 5 + 1;
    let (month, next_year) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
    (era * 400 + year + next_year, month, of_month)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Option<i64> {
        Instant::read(text).map(|instant| instant.at(60).as_millis())
    }

    #[test]
    fn times_are_read_with_their_own_zone_or_the_message_s() {
        assert_eq!(at("20260101000000+0000"), Some(1_767_225_600_000));
        assert_eq!(at("20260101010000.25"), Some(1_767_225_600_250));
        assert_eq!(at("20251231190000.1234-0500"), Some(1_767_225_600_123));
        assert_eq!(at("202601010100"), Some(1_767_225_600_000));
        assert_eq!(at("20240229"), Some(1_709_161_200_000));
    }

    #[test]
    fn a_time_is_written_in_utc_to_the_millisecond() {
        assert_eq!(write(Timestamp::from_millis(1_767_225_600_123)), "20260101000000.123+0000");
    }

    #[test]
    fn what_is_no_time_is_refused() {
        for bad in [
            "",
            "2026",
            "202601",
            "20260231",
            "20261301",
            "20260101240000",
            "2026010100000",
            "20260101x",
            "20260101+25",
            "20260101+0060",
            "+0100",
            "2026-01-01T00:00:00Z",
            "20260101000000.1234567890",
            "2026010+",
        ] {
            assert_eq!(at(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn days_and_dates_agree_over_four_centuries() {
        for day in -100_000..100_000 {
            let (year, month, of_month) = date(day);
            assert_eq!(days_since_1970(year, month, of_month), day);
        }
        assert_eq!(date(0), (1970, 1, 1));
        assert_eq!(write(Timestamp::from_millis(1_767_225_600_250)), "20260101000000.250+0000");
    }

    #[test]
    fn a_birthday_makes_a_year() {
        let day = |text| Instant::read(text).unwrap().day();
        assert_eq!(years_between(day("20000229"), day("20180228")), 17);
        assert_eq!(years_between(day("20000229"), day("20180301")), 18);
    }
}
