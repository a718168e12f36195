//! Points in time as other systems write them, always UTC and to the millisecond.

use std::time::{Duration, UNIX_EPOCH};

use wardlight_core::time::Timestamp;

/// The `instant` of FHIR: `2026-01-01T00:00:00.123Z`. What lies before 1970 is 1970: no device of this site measured then.
pub(crate) fn fhir(at: Timestamp) -> String {
    let since_epoch = Duration::from_millis(u64::try_from(at.as_millis()).unwrap_or(0));
    humantime::format_rfc3339_millis(UNIX_EPOCH + since_epoch).to_string()
}

/// The `DTM` of HL7 v2: `20260101000000.123+0000`.
pub(crate) fn hl7(at: Timestamp) -> String {
    let mut text: String = fhir(at).chars().filter(|c| c.is_ascii_digit() || *c == '.').collect();
    text.push_str("+0000");
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_instant_reads_the_same_in_both_worlds() {
        let at = Timestamp::from_millis(1_767_225_600_123);
        assert_eq!(fhir(at), "2026-01-01T00:00:00.123Z");
        assert_eq!(hl7(at), "20260101000000.123+0000");
        assert_eq!(fhir(Timestamp::from_millis(-1)), "1970-01-01T00:00:00.000Z");
    }
}
