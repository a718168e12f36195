//! The Ward.

use std::time::Duration;

/// Grid of the ticks.
pub const TICK: Duration = Duration::from_millis(250);
