//! Twelve patients: names, vitals, and the alarms that come.

use wardlight_core::alarms::{AlarmKind, Side, Technical};
use wardlight_core::codes::Parameter;
use wardlight_core::event::Cause;
use wardlight_core::message::Priority;
use wardlight_core::vitals::Milli;

pub(crate) const NAMES: [&str; 12] = [
    "Okafor, B.",
    "Lindqvist, M.",
    "Moreau-Delacroix, J.",
    "Novák, P.",
    "Tanaka, Y.",
    "Rossi, G.",
    "",
    "Ahmadi, S.",
    "O'Brien, K.",
    "Schäfer, T.",
    "Da Silva, R.",
    "Kowalski, E.",
];

/// HR, SpO2, RR, systolic pressure, temperature in tenths.
pub(crate) const VITALS: [(f64, f64, f64, i32, i32); 12] = [
    (72.0, 97.0, 16.0, 124, 368),
    (88.0, 95.0, 18.0, 118, 372),
    (146.0, 93.0, 24.0, 96, 389),
    (64.0, 98.0, 14.0, 131, 366),
    (79.0, 78.0, 22.0, 128, 370),
    (58.0, 96.0, 13.0, 142, 365),
    (0.0, 0.0, 0.0, 0, 0),
    (104.0, 92.0, 23.0, 104, 386),
    (70.0, 97.0, 15.0, 120, 369),
    (83.0, 96.0, 17.0, 133, 371),
    (91.0, 94.0, 19.0, 111, 374),
    (67.0, 98.0, 12.0, 127, 367),
];

/// After how many seconds, what, how urgent, and why.
type Line = (u64, AlarmKind, Priority, Option<Cause>);

pub(crate) fn script(story: usize) -> Vec<Line> {
    let cause = |parameter, value, limit| {
        Some(Cause {
            parameter,
            value: Milli::from_int(value),
            limit: Milli::from_int(limit),
        })
    };
    match story {
        2 => vec![(
            1,
            AlarmKind::Limit(Parameter::HeartRate, Side::High),
            Priority::Medium,
            cause(Parameter::HeartRate, 146, 120),
        )],
        4 => vec![
            (
                1,
                AlarmKind::Limit(Parameter::Spo2, Side::Low),
                Priority::Medium,
                cause(Parameter::Spo2, 88, 90),
            ),
            (3, AlarmKind::Desaturation, Priority::High, cause(Parameter::Spo2, 78, 80)),
        ],
        5 => vec![(1, AlarmKind::Technical(Technical::LowBattery), Priority::Low, None)],
        7 => vec![(2, AlarmKind::News2High, Priority::Medium, None)],
        8 => vec![(1, AlarmKind::Technical(Technical::NoData), Priority::Medium, None)],
        _ => Vec::new(),
    }
}
