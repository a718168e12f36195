//! Points in time as certificates and the registry write them.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use time::OffsetDateTime;
use wardlight_core::time::Timestamp;

/// As a certificate holds it. Times before 1970 count as 1970: no certificate of ours is older.
pub(crate) fn date(at: Timestamp) -> OffsetDateTime {
    OffsetDateTime::from(system(at))
}

/// RFC 3339, to the second: `2026-11-25T03:00:00Z`.
pub fn rfc3339(at: Timestamp) -> String {
    humantime::format_rfc3339_seconds(system(at)).to_string()
}

/// Reads what [`rfc3339`] writes.
pub(crate) fn from_rfc3339(text: &str) -> Option<Timestamp> {
    let at = humantime::parse_rfc3339(text).ok()?;
    let since = at.duration_since(UNIX_EPOCH).ok()?;
    i64::try_from(since.as_millis()).ok().map(Timestamp::from_millis)
}

/// Certificates count whole seconds: what is written into one is what is read back from it.
pub(crate) fn whole_second(at: Timestamp) -> Timestamp {
    Timestamp::from_millis(at.as_millis().div_euclid(1000) * 1000)
}

fn system(at: Timestamp) -> SystemTime {
    UNIX_EPOCH + Duration::from_millis(u64::try_from(at.as_millis()).unwrap_or_default())
}
