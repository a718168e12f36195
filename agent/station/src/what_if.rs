//! "What would this change have done?": asked on the page, answered by a replay of the recorded hours.

use std::collections::BTreeMap;
use std::time::Duration;

use schemars::JsonSchema;
use serde::Serialize;
use wardlight_core::codes::Parameter;
use wardlight_core::ids::BedId;
use wardlight_core::vitals::Milli;

/// Other limits for one parameter, over the last hours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WhatIf {
    /// At which bed; `None` at all.
    pub bed: Option<BedId>,
    /// Of which parameter.
    pub parameter: Parameter,
    /// Low limit; `None` is off.
    pub low: Option<Milli>,
    /// High limit; `None` is off.
    pub high: Option<Milli>,
    /// Longest delay; `None` leaves it.
    pub delay: Option<Duration>,
    /// How many hours back.
    pub hours: u32,
}

/// One side of the answer.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct WhatIfSide {
    /// Alarms per bed and day.
    pub alarms_per_bed_day: f64,
    /// Alarms of each kind.
    pub by_kind: BTreeMap<String, usize>,
}

/// The recorded hours as they were, and as they would have been.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct WhatIfAnswer {
    /// Time with a patient in bed, over all beds.
    pub bed_days: f64,
    /// As it was.
    pub before: WhatIfSide,
    /// With the other limits.
    pub after: WhatIfSide,
    /// Alarms that there would be in addition.
    pub gained: usize,
    /// Alarms that there would not be.
    pub lost: usize,
    /// How much earlier the alarms come that would come earlier, on average.
    pub earlier_s: f64,
    /// How much later the alarms come that would come later, on average.
    pub later_s: f64,
}
