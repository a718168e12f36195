//! Scripts: what happens to whom and when, and which alarms must follow.

mod builtin;
mod script;

use std::time::Duration;

use serde::Deserialize;

pub use builtin::{BUILTIN, builtin};
pub use script::parse;

use crate::patient::Driver;
use crate::signal::Rhythm;

/// A checked script.
#[derive(Clone, Debug, PartialEq)]
pub struct Scenario {
    /// Its name.
    pub name: String,
    /// One line for people.
    pub about: String,
    /// How many beds it was written for.
    pub beds: usize,
    /// How many wearables; they go to the last beds.
    pub wearables: usize,
    /// When everything has happened and been alarmed.
    pub duration: Duration,
    /// Whether the patients of beds without a script move, wash, sleep and loosen electrodes, as patients do.
    pub daily_life: bool,
    /// What happens, bed by bed; beds that are not named stay quiet.
    pub scripts: Vec<BedScript>,
    /// Kinds of alarms that may be raised at every bed.
    pub may: Vec<String>,
}

/// What happens in one bed.
#[derive(Clone, Debug, PartialEq)]
pub struct BedScript {
    /// Number of the bed, from 1.
    pub bed: usize,
    /// Hours of the patient's physiology per hour of the clock.
    pub speed: f64,
    /// Whether the patient has an arterial line.
    pub arterial_line: bool,
    /// What happens, in the order of time.
    pub happenings: Vec<Happening>,
    /// Alarms that must follow.
    pub expect: Vec<Expectation>,
    /// Kinds of alarms that may follow.
    pub may: Vec<String>,
}

/// One thing that happens.
#[derive(Clone, Debug, PartialEq)]
pub struct Happening {
    /// Since the start.
    pub at: Duration,
    /// What.
    pub act: Act,
}

/// An alarm that must be raised.
#[derive(Clone, Debug, PartialEq)]
pub struct Expectation {
    /// Its kind, as `wardlight_core::alarms::AlarmKind` displays it.
    pub kind: String,
    /// Not before, since the start.
    pub from: Duration,
    /// Not after, since the start.
    pub by: Duration,
}

/// What can happen.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Act {
    /// The heart's rhythm changes.
    Rhythm(Rhythm),
    /// Something goes wrong with the patient, or is mended.
    Drive {
        /// What.
        driver: Driver,
        /// Its new value.
        to: f64,
        /// How long the change takes, in seconds of the patient's own time.
        #[serde(default)]
        over_s: f64,
    },
    /// The patient moves: 0 still to 1 thrashing.
    Motion(f64),
    /// The monitor's ECG electrodes come off (`true`) or are back.
    LeadOff(bool),
    /// The monitor's connection is there (`true`) or lost; it stores what it measures.
    Link(bool),
    /// The monitor restarts.
    Restart,
    /// The monitor's clock is put ahead by this many milliseconds.
    ClockAheadMs(i64),
    /// The monitor's messages are duplicated, reordered or damaged with these probabilities.
    Faults {
        /// Sent twice.
        #[serde(default)]
        duplicate: f64,
        /// Overtaken by the next.
        #[serde(default)]
        reorder: f64,
        /// Preceded by a damaged copy.
        #[serde(default)]
        malformed: f64,
    },
    /// The cuff measures now.
    Cuff,
    /// The monitor's demo mode begins (`true`) or ends.
    MonitorDemo(bool),
    /// The wearable's demo mode begins (`true`) or ends.
    WearableDemo(bool),
    /// The wearable's battery has this charge, percent.
    Battery(f64),
    /// The patient presses the wearable's call button.
    Button,
}

#[cfg(test)]
mod tests;
