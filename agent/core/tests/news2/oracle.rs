//! NEWS2 written a second time, on raw numbers: half-open intervals with half-unit boundaries, so that rounding is inside.

use wardlight_core::patient::{Consciousness, Spo2Scale};

/// Raw measurements, not rounded.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Raw {
    pub(crate) resp_rate: f64,
    pub(crate) spo2: f64,
    pub(crate) scale: Spo2Scale,
    pub(crate) oxygen: bool,
    pub(crate) systolic: f64,
    pub(crate) pulse: f64,
    pub(crate) consciousness: Consciousness,
    pub(crate) temperature: f64,
}

/// Parts in the order of chart 1.
pub(crate) fn parts(raw: &Raw) -> [u8; 7] {
    let spo2 = match (raw.scale, raw.oxygen) {
        (Spo2Scale::One, _) => interval(raw.spo2, &[(91.5, 3), (93.5, 2), (95.5, 1), (1e9, 0)]),
        (Spo2Scale::Two, false) => interval(raw.spo2, &[(83.5, 3), (85.5, 2), (87.5, 1), (1e9, 0)]),
        (Spo2Scale::Two, true) => interval(
            raw.spo2,
            &[(83.5, 3), (85.5, 2), (87.5, 1), (92.5, 0), (94.5, 1), (96.5, 2), (1e9, 3)],
        ),
    };
    [
        interval(raw.resp_rate, &[(8.5, 3), (11.5, 1), (20.5, 0), (24.5, 2), (1e9, 3)]),
        spo2,
        if raw.oxygen { 2 } else { 0 },
        interval(raw.systolic, &[(90.5, 3), (100.5, 2), (110.5, 1), (219.5, 0), (1e9, 3)]),
        interval(
            raw.pulse,
            &[(40.5, 3), (50.5, 1), (90.5, 0), (110.5, 1), (130.5, 2), (1e9, 3)],
        ),
        if raw.consciousness == Consciousness::Alert { 0 } else { 3 },
        interval(raw.temperature, &[(35.05, 3), (36.05, 1), (38.05, 0), (39.05, 1), (1e9, 2)]),
    ]
}

/// Points of the first interval whose excluded end lies above the value.
fn interval(value: f64, ends: &[(f64, u8)]) -> u8 {
    ends.iter().find(|(end, _)| value < *end).unwrap().1
}

/// Name of the band, from the words of chart 4.
pub(crate) fn band(parts: [u8; 7]) -> &'static str {
    let total: u8 = parts.iter().sum();
    let three_but_oxygen = parts.iter().enumerate().any(|(i, points)| i != 2 && *points == 3);
    match total {
        7..=20 => "high",
        5..=6 => "medium",
        0..=4 if three_but_oxygen => "low-medium",
        0..=4 => "low",
        _ => panic!("a total of {total}"),
    }
}
