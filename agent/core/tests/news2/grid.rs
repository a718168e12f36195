//! Every parameter over its whole plausible range, the others at values on both sides of their boundaries.

use wardlight_core::patient::{Consciousness, Spo2Scale};
use wardlight_core::scores::{News2, News2Input};
use wardlight_core::vitals::Milli;

use super::oracle::{self, Raw};

const LEVELS: [Consciousness; 5] = [
    Consciousness::Alert,
    Consciousness::Confusion,
    Consciousness::Voice,
    Consciousness::Pain,
    Consciousness::Unresponsive,
];
const RESP_RATES: [f64; 3] = [8.0, 14.0, 24.0];
const SATURATIONS: [f64; 4] = [83.0, 92.0, 93.0, 97.0];
const SYSTOLICS: [f64; 3] = [90.0, 110.0, 219.0];
const PULSES: [f64; 3] = [41.0, 90.0, 131.0];
const TEMPERATURES: [f64; 3] = [35.0, 37.0, 39.1];

fn input(raw: &Raw) -> News2Input {
    let milli = |value: f64| Milli::from_f64(value).unwrap();
    News2Input {
        resp_rate: Some(milli(raw.resp_rate).rounded()),
        spo2: Some(milli(raw.spo2).rounded()),
        scale: raw.scale,
        oxygen: Some(raw.oxygen),
        systolic: Some(milli(raw.systolic).rounded()),
        pulse: Some(milli(raw.pulse).rounded()),
        consciousness: Some(raw.consciousness),
        temperature_tenths: Some(milli(raw.temperature).tenths()),
    }
}

fn check(raw: &Raw) {
    let score = News2::of(&input(raw));
    let expected = oracle::parts(raw);
    let total: u8 = expected.iter().sum();
    assert_eq!(score.parts.named().map(|(_, points)| points), expected.map(Some), "{raw:?}");
    assert_eq!((score.total, score.at_least), (Some(total), total), "{raw:?}");
    assert_eq!(score.any_three, expected.contains(&3), "{raw:?}");
    assert_eq!(score.band.name(), oracle::band(expected), "{raw:?}");
}

/// Calls with every combination of the chosen values, scales, air and oxygen. Returns how many there were.
fn combinations(mut visit: impl FnMut(Raw)) -> usize {
    let mut count = 0;
    for scale in [Spo2Scale::One, Spo2Scale::Two] {
        for oxygen in [false, true] {
            for consciousness in [Consciousness::Alert, Consciousness::Confusion] {
                for resp_rate in RESP_RATES {
                    for spo2 in SATURATIONS {
                        for systolic in SYSTOLICS {
                            for pulse in PULSES {
                                for temperature in TEMPERATURES {
                                    count += 1;
                                    visit(Raw {
                                        resp_rate,
                                        spo2,
                                        scale,
                                        oxygen,
                                        systolic,
                                        pulse,
                                        consciousness,
                                        temperature,
                                    });
                                }
                            }
                        }
                    }
                }
            }
        }
    }
    count
}

/// From `low` to `high` in `steps` a unit.
fn sweep(low: i32, high: i32, steps: i32) -> impl Iterator<Item = f64> + Clone {
    (low * steps..=high * steps).map(move |i| f64::from(i) / f64::from(steps))
}

#[test]
fn every_whole_value_of_every_parameter_agrees_with_the_oracle() {
    let mut checked = 0;
    let combinations = combinations(|raw| {
        let mut case = |raw| {
            checked += 1;
            check(&raw);
        };
        // A swept parameter replaces its own chosen values, so it is swept once: at the first of them.
        if raw.resp_rate == RESP_RATES[0] {
            sweep(0, 80, 1).for_each(|resp_rate| case(Raw { resp_rate, ..raw }));
        }
        if raw.spo2 == SATURATIONS[0] {
            sweep(0, 100, 1).for_each(|spo2| case(Raw { spo2, ..raw }));
        }
        if raw.systolic == SYSTOLICS[0] {
            sweep(0, 300, 1).for_each(|systolic| case(Raw { systolic, ..raw }));
        }
        if raw.pulse == PULSES[0] {
            sweep(0, 350, 1).for_each(|pulse| case(Raw { pulse, ..raw }));
        }
        if raw.temperature == TEMPERATURES[0] {
            sweep(25, 45, 10).for_each(|temperature| case(Raw { temperature, ..raw }));
        }
    });
    assert_eq!(combinations, 2 * 2 * 2 * 3 * 4 * 3 * 3 * 3);
    let thirds = combinations / 3 * (81 + 301 + 351 + 201);
    assert_eq!(checked, thirds + combinations / 4 * 101);
}

#[test]
fn values_between_whole_units_are_rounded_half_up_before_the_table() {
    combinations(|raw| {
        if raw.oxygen || raw.consciousness != Consciousness::Alert || raw.systolic != SYSTOLICS[0] {
            return;
        }
        if raw.resp_rate == RESP_RATES[0] && raw.temperature == TEMPERATURES[0] {
            sweep(7, 26, 100).for_each(|resp_rate| check(&Raw { resp_rate, ..raw }));
        }
        if raw.pulse == PULSES[0] && raw.spo2 == SATURATIONS[0] {
            sweep(34, 40, 100).for_each(|temperature| check(&Raw { temperature, ..raw }));
        }
    });
    let base = Raw {
        resp_rate: 16.0,
        spo2: 98.0,
        scale: Spo2Scale::One,
        oxygen: false,
        systolic: 120.0,
        pulse: 70.0,
        consciousness: Consciousness::Alert,
        temperature: 37.0,
    };
    let total = |raw: Raw| News2::of(&input(&raw)).total;
    assert_eq!(total(Raw { resp_rate: 20.4, ..base }), Some(0));
    assert_eq!(total(Raw { resp_rate: 20.5, ..base }), Some(2));
    assert_eq!(
        total(Raw {
            temperature: 38.04,
            ..base
        }),
        Some(0)
    );
    assert_eq!(
        total(Raw {
            temperature: 38.05,
            ..base
        }),
        Some(1)
    );
    assert_eq!(total(Raw { spo2: 91.4, ..base }), Some(3));
    assert_eq!(total(Raw { spo2: 91.5, ..base }), Some(2));
}

#[test]
fn every_level_of_consciousness_with_every_saturation_agrees_on_both_scales() {
    for consciousness in LEVELS {
        combinations(|raw| {
            if raw.spo2 == SATURATIONS[0] && raw.pulse == PULSES[1] && raw.systolic == SYSTOLICS[1] {
                sweep(70, 100, 2).for_each(|spo2| {
                    check(&Raw {
                        spo2,
                        consciousness,
                        ..raw
                    });
                });
            }
        });
    }
}
