//! The six vitals of the model, in the order of an hour's columns.

/// How many vitals an hour has.
pub const VITAL_COUNT: usize = 6;

/// Hours of history the model looks at, newest last.
pub const MAX_HOURS: usize = 48;

/// Shortest history, in hours, the model was trained and evaluated on.
pub const MIN_HOURS: usize = 6;

/// One vital. A value outside `low..=high` counts as absent.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Vital {
    /// Its name.
    pub name: &'static str,
    /// Its name within feature names.
    pub short: &'static str,
    /// Its UCUM unit.
    pub unit: &'static str,
    /// The lowest value that counts as observed.
    pub low: f64,
    /// The highest value that counts as observed.
    pub high: f64,
}

const fn vital(name: &'static str, short: &'static str, unit: &'static str, low: f64, high: f64) -> Vital {
    Vital {
        name,
        short,
        unit,
        low,
        high,
    }
}

/// The vitals, in order. The ranges are what an instrument can report (adult heart rate 15 to 300 /min, respiration up
/// to 200 /min), narrowed where the training data hold obvious dirt: a respiration of 0, an unzeroed or flushed
/// pressure transducer, a temperature probe in room air. Design choices: a hospital must ratify them.
pub const VITALS: [Vital; VITAL_COUNT] = [
    vital("heart_rate", "hr", "/min", 15.0, 300.0),
    vital("resp_rate", "rr", "/min", 1.0, 200.0),
    vital("systolic", "sbp", "mm[Hg]", 25.0, 290.0),
    vital("diastolic", "dbp", "mm[Hg]", 10.0, 250.0),
    vital("mean_arterial", "map", "mm[Hg]", 15.0, 270.0),
    vital("temperature", "temp", "Cel", 28.0, 43.0),
];
