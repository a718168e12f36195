//! A missing input gives no total but a bound, and the bound is the best that could be known.

use wardlight_core::patient::{Consciousness, Spo2Scale};
use wardlight_core::scores::{Band, News2, News2Input};

use super::vectors;

/// One value of each row of chart 1, so that together they complete a missing input in every way that differs.
const RESP_RATES: [i32; 5] = [8, 11, 20, 24, 25];
const SATURATIONS: [i32; 9] = [83, 85, 87, 91, 92, 93, 94, 95, 97];
const SYSTOLICS: [i32; 5] = [90, 100, 110, 219, 220];
const PULSES: [i32; 6] = [40, 50, 90, 110, 130, 131];
const TEMPERATURES: [i32; 5] = [350, 360, 380, 390, 391];
const LEVELS: [Consciousness; 2] = [Consciousness::Alert, Consciousness::Unresponsive];

/// The same input without those whose bit is set.
fn without(mut input: News2Input, missing: u8) -> News2Input {
    let gone = |bit: u8| missing & (1 << bit) != 0;
    input.resp_rate = input.resp_rate.filter(|_| !gone(0));
    input.spo2 = input.spo2.filter(|_| !gone(1));
    input.oxygen = input.oxygen.filter(|_| !gone(2));
    input.systolic = input.systolic.filter(|_| !gone(3));
    input.pulse = input.pulse.filter(|_| !gone(4));
    input.consciousness = input.consciousness.filter(|_| !gone(5));
    input.temperature_tenths = input.temperature_tenths.filter(|_| !gone(6));
    input
}

fn or_all<T: Copy>(known: Option<T>, all: &[T]) -> Vec<T> {
    known.map_or_else(|| all.to_vec(), |value| vec![value])
}

/// Totals of all completions, smallest first.
fn smallest_completion(input: &News2Input) -> u8 {
    let mut smallest = u8::MAX;
    for resp_rate in or_all(input.resp_rate, &RESP_RATES) {
        for spo2 in or_all(input.spo2, &SATURATIONS) {
            for oxygen in or_all(input.oxygen, &[false, true]) {
                for systolic in or_all(input.systolic, &SYSTOLICS) {
                    for pulse in or_all(input.pulse, &PULSES) {
                        for consciousness in or_all(input.consciousness, &LEVELS) {
                            for temperature in or_all(input.temperature_tenths, &TEMPERATURES) {
                                let complete = News2Input {
                                    resp_rate: Some(resp_rate),
                                    spo2: Some(spo2),
                                    scale: input.scale,
                                    oxygen: Some(oxygen),
                                    systolic: Some(systolic),
                                    pulse: Some(pulse),
                                    consciousness: Some(consciousness),
                                    temperature_tenths: Some(temperature),
                                };
                                smallest = smallest.min(News2::of(&complete).total.unwrap());
                            }
                        }
                    }
                }
            }
        }
    }
    smallest
}

#[test]
fn the_bound_is_the_smallest_total_of_all_completions_for_every_subset_of_missing_inputs() {
    for row in vectors::rows(vectors::NEWS2).into_iter().step_by(4) {
        for missing in 0..128u8 {
            let input = without(row.input, missing);
            let score = News2::of(&input);
            assert_eq!(score.at_least, smallest_completion(&input), "{input:?}");
            assert_eq!(score.total.is_some(), missing == 0, "{input:?}");
        }
    }
}

#[test]
fn scale_2_needs_to_know_oxygen_only_above_its_target() {
    let spo2 = |spo2, oxygen| {
        let input = News2Input {
            spo2: Some(spo2),
            scale: Spo2Scale::Two,
            oxygen,
            ..News2Input::default()
        };
        News2::of(&input).parts.spo2
    };
    assert_eq!([83, 84, 86, 88, 92].map(|v| spo2(v, None)), [3, 2, 1, 0, 0].map(Some));
    assert_eq!([93, 95, 97, 100].map(|v| spo2(v, None)), [None; 4]);
    assert_eq!([93, 95, 97, 100].map(|v| spo2(v, Some(false))), [Some(0); 4]);
    assert_eq!([93, 95, 97, 100].map(|v| spo2(v, Some(true))), [1, 2, 3, 3].map(Some));
}

#[test]
fn the_band_of_an_incomplete_score_is_that_of_its_bound() {
    let mut input = News2Input::default();
    assert_eq!(News2::of(&input).band, Band::Low);
    input.oxygen = Some(true);
    assert!(!News2::of(&input).any_three, "oxygen's 2 is no single 3");
    input.systolic = Some(85);
    let score = News2::of(&input);
    assert_eq!((score.total, score.at_least, score.band), (None, 5, Band::Medium));
    input.pulse = Some(115);
    assert_eq!(News2::of(&input).band, Band::High);
}
