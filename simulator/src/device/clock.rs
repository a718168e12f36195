//! A device's own clock.

use wardlight_core::time::Timestamp;

/// A clock that runs beside the true time: off by a constant, and by a little more each hour.
#[derive(Clone, Copy, Debug, Default)]
pub struct DriftingClock {
    /// Milliseconds by which it is ahead (negative: behind).
    pub offset_ms: i64,
    /// Parts per million by which it runs fast.
    pub drift_ppm: i32,
    /// When it was last set right.
    pub set_at: Timestamp,
}

impl DriftingClock {
    /// What it shows at the true time `now`.
    pub fn show(&self, now: Timestamp) -> Timestamp {
        let drifted = now.millis_after(self.set_at).saturating_mul(i64::from(self.drift_ppm)) / 1_000_000;
        Timestamp::from_millis(now.as_millis().saturating_add(self.offset_ms).saturating_add(drifted))
    }
}
