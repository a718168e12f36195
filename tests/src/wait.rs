//! Waiting for something that another process does: always with a deadline.

use std::thread::sleep;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Asks again until there is an answer; fails with `what` when it takes longer than `within_s` seconds.
pub fn until<T>(what: &str, within_s: u64, mut probe: impl FnMut() -> Option<T>) -> T {
    within(within_s, &mut probe).unwrap_or_else(|| panic!("not within {within_s} s: {what}"))
}

/// Asks again until there is an answer, for at most `within_s` seconds.
pub fn within<T>(within_s: u64, mut probe: impl FnMut() -> Option<T>) -> Option<T> {
    let end = Instant::now() + Duration::from_secs(within_s);
    loop {
        if let Some(found) = probe() {
            return Some(found);
        }
        if Instant::now() > end {
            return None;
        }
        sleep(Duration::from_millis(20));
    }
}

/// Milliseconds since 1970-01-01 UTC.
pub fn now_ms() -> i64 {
    i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis()).unwrap()
}
