//! qSOFA, SIRS, MEWS, shock index: worked vectors, both sides of every cut point, and missing inputs.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests fail by panicking")]

use wardlight_core::patient::Consciousness::{self, Alert, Confusion, Pain, Unresponsive, Voice};
use wardlight_core::scores::{
    Haemodynamics, HaemodynamicsInput, Measured, Mews, MewsInput, MewsVariant, Qsofa, QsofaInput, Sirs, SirsInput,
};
use wardlight_core::time::Timestamp;
use wardlight_core::vitals::Milli;

fn qsofa(resp_rate: i32, systolic: i32, gcs: u8) -> Option<u8> {
    let input = QsofaInput {
        resp_rate: Some(resp_rate),
        systolic: Some(systolic),
        gcs: Some(gcs),
        consciousness: None,
    };
    Qsofa::of(&input).total
}

#[test]
fn qsofa_vectors() {
    for (resp_rate, systolic, gcs, expected) in [
        (22, 100, 15, 2),
        (21, 101, 15, 0),
        (22, 100, 14, 3),
        (30, 120, 15, 1),
        (18, 100, 13, 2),
    ] {
        assert_eq!(
            qsofa(resp_rate, systolic, gcs),
            Some(expected),
            "{resp_rate} {systolic} {gcs}"
        );
    }
}

#[test]
fn qsofa_takes_acvpu_for_want_of_a_coma_scale() {
    let mentation = |gcs, consciousness| {
        let input = QsofaInput {
            gcs,
            consciousness,
            ..QsofaInput::default()
        };
        Qsofa::of(&input).parts.mentation
    };
    assert_eq!(mentation(None, Some(Alert)), Some(0));
    for altered in [Confusion, Voice, Pain, Unresponsive] {
        assert_eq!(mentation(None, Some(altered)), Some(1));
    }
    assert_eq!(mentation(Some(15), Some(Voice)), Some(0));
    assert_eq!(mentation(None, None), None);
}

#[test]
fn qsofa_without_an_input_is_a_bound_and_says_when_that_is_enough() {
    let mut input = QsofaInput {
        resp_rate: Some(22),
        ..QsofaInput::default()
    };
    let score = Qsofa::of(&input);
    assert_eq!((score.total, score.at_least, score.positive), (None, 1, None));
    input.systolic = Some(90);
    let score = Qsofa::of(&input);
    assert_eq!((score.total, score.at_least, score.positive), (None, 2, Some(true)));
    input.resp_rate = Some(12);
    input.systolic = Some(120);
    assert_eq!(Qsofa::of(&input).positive, Some(false));
}

fn sirs(temperature_tenths: i32, heart_rate: i32, resp_rate: i32, labs: [Option<i32>; 3]) -> Sirs {
    Sirs::of(&SirsInput {
        temperature_tenths: Some(temperature_tenths),
        heart_rate: Some(heart_rate),
        resp_rate: Some(resp_rate),
        paco2_tenths: labs[0],
        white_cells_tenths: labs[1],
        immature_percent: labs[2],
    })
}

#[test]
fn sirs_vectors() {
    let none = [None; 3];
    for (score, met, observable) in [
        (sirs(380, 90, 20, none), 0, 3),
        (sirs(381, 91, 21, none), 3, 3),
        (sirs(359, 88, 20, [Some(319), Some(121), None]), 3, 4),
        (sirs(370, 80, 16, [None, Some(80), Some(11)]), 1, 4),
    ] {
        assert_eq!((score.met, score.observable), (met, observable), "{:?}", score.parts);
    }
}

#[test]
fn sirs_comparisons_are_strict_on_both_sides() {
    assert_eq!([359, 360, 380, 381].map(|t| sirs(t, 80, 16, [None; 3]).met), [1, 0, 0, 1]);
    let labs = |paco2, white, immature| sirs(370, 80, 16, [Some(paco2), Some(white), Some(immature)]).met;
    assert_eq!([319, 320].map(|v| labs(v, 80, 0)), [1, 0]);
    assert_eq!([39, 40, 120, 121].map(|v| labs(400, v, 0)), [1, 0, 0, 1]);
    assert_eq!([10, 11].map(|v| labs(400, 80, v)), [0, 1]);
    assert_eq!(labs(319, 39, 11), 2, "one criterion is met once");
}

#[test]
fn sirs_never_calls_what_was_not_observed_normal() {
    assert_eq!(sirs(370, 91, 16, [None; 3]).positive, None, "white cells could be the second");
    assert_eq!(sirs(370, 80, 16, [None; 3]).positive, Some(false));
    assert_eq!(sirs(390, 91, 16, [None; 3]).positive, Some(true));
    let carbon_dioxide_only = |paco2| {
        let input = SirsInput {
            paco2_tenths: Some(paco2),
            ..SirsInput::default()
        };
        Sirs::of(&input).parts.respiration
    };
    assert_eq!(carbon_dioxide_only(310), Some(true));
    assert_eq!(carbon_dioxide_only(400), None);
    assert_eq!(Sirs::of(&SirsInput::default()).observable, 0);
}

fn mews(systolic: i32, heart_rate: i32, resp_rate: i32, temperature_tenths: i32, level: Consciousness) -> Mews {
    Mews::of(&MewsInput {
        systolic: Some(systolic),
        heart_rate: Some(heart_rate),
        resp_rate: Some(resp_rate),
        temperature_tenths: Some(temperature_tenths),
        consciousness: Some(level),
    })
}

#[test]
fn mews_vectors() {
    for (score, parts) in [
        (mews(120, 80, 12, 370, Alert), [0, 0, 0, 0, 0]),
        (mews(100, 101, 15, 385, Voice), [1, 1, 1, 2, 1]),
        (mews(70, 130, 30, 349, Unresponsive), [3, 3, 3, 2, 3]),
        (mews(200, 40, 9, 384, Alert), [2, 1, 0, 0, 0]),
        (mews(80, 39, 8, 360, Pain), [2, 2, 2, 0, 2]),
        (mews(101, 110, 21, 372, Alert), [0, 1, 2, 0, 0]),
        (mews(85, 129, 29, 386, Alert), [1, 2, 2, 2, 0]),
    ] {
        let p = score.parts;
        let found = [p.systolic, p.heart_rate, p.resp_rate, p.temperature, p.consciousness];
        assert_eq!(found, parts.map(Some));
        assert_eq!(score.total, Some(parts.iter().sum()));
        assert_eq!(score.raised, Some(parts.iter().sum::<u8>() >= 5));
        assert_eq!(score.variant, MewsVariant::Subbe2001);
    }
}

#[test]
fn mews_cut_points_hold_on_both_sides() {
    let heart_rate = |v| mews(120, v, 12, 370, Alert).total.unwrap();
    assert_eq!(
        [39, 40, 41, 50, 51, 100, 101, 110, 111, 129, 130].map(heart_rate),
        [2, 1, 1, 1, 0, 0, 1, 1, 2, 2, 3]
    );
    let systolic = |v| mews(v, 80, 12, 370, Alert).total.unwrap();
    assert_eq!([70, 71, 80, 81, 100, 101, 199, 200].map(systolic), [3, 2, 2, 1, 1, 0, 0, 2]);
    let resp_rate = |v| mews(120, 80, v, 370, Alert).total.unwrap();
    assert_eq!([8, 9, 14, 15, 20, 21, 29, 30].map(resp_rate), [2, 0, 0, 1, 1, 2, 2, 3]);
    let temperature = |v| mews(120, 80, 12, v, Alert).total.unwrap();
    assert_eq!([349, 350, 384, 385].map(temperature), [2, 0, 0, 2]);
}

#[test]
fn mews_without_an_input_is_a_bound_and_confusion_is_not_in_its_table() {
    let confused = mews(120, 80, 12, 370, Confusion);
    assert_eq!((confused.total, confused.at_least, confused.raised), (None, 0, Some(false)));
    let confused = mews(90, 105, 12, 370, Confusion);
    assert_eq!((confused.total, confused.at_least, confused.raised), (None, 2, None));
    let ill = MewsInput {
        systolic: Some(70),
        heart_rate: Some(130),
        ..MewsInput::default()
    };
    assert_eq!(Mews::of(&ill).raised, Some(true));
}

fn measured(value: i32, at_ms: i64) -> Measured {
    Measured {
        value: Milli::from_int(value),
        measured_at: Timestamp::from_millis(at_ms),
    }
}

fn haemodynamics(heart_rate: i32, systolic: i32, diastolic: i32) -> Haemodynamics {
    Haemodynamics::of(&HaemodynamicsInput {
        heart_rate: Some(measured(heart_rate, 0)),
        systolic: Some(measured(systolic, 0)),
        diastolic: Some(measured(diastolic, 0)),
        mean: None,
    })
}

#[test]
fn shock_index_vectors() {
    for (input, index, mean_tenths, modified) in [
        ((120, 80, 50), 1_500, 600, 2_000),
        ((70, 120, 80), 583, 933, 750),
        ((95, 110, 60), 864, 767, 1_239),
        ((130, 90, 40), 1_444, 567, 2_294),
    ] {
        let found = haemodynamics(input.0, input.1, input.2);
        assert_eq!(found.shock_index, Some(Milli::new(index)), "{input:?}");
        assert_eq!(found.mean_pressure.map(Milli::tenths), Some(mean_tenths), "{input:?}");
        assert_eq!(found.modified_shock_index, Some(Milli::new(modified)), "{input:?}");
        assert_eq!(found.pulse_pressure, Some(Milli::from_int(input.1 - input.2)));
    }
}

#[test]
fn shock_index_is_undefined_without_a_pressure_above_zero() {
    assert_eq!(haemodynamics(80, 0, -5), Haemodynamics::default());
    assert_eq!(haemodynamics(80, -10, -20), Haemodynamics::default());
    assert_eq!(Haemodynamics::of(&HaemodynamicsInput::default()), Haemodynamics::default());
    let flat = haemodynamics(80, 2, -1);
    assert_eq!((flat.mean_pressure, flat.modified_shock_index), (Some(Milli::new(0)), None));
}

#[test]
fn values_more_than_a_minute_apart_say_nothing_about_each_other() {
    let index = |heart_rate_at, systolic_at| {
        let input = HaemodynamicsInput {
            heart_rate: Some(measured(90, heart_rate_at)),
            systolic: Some(measured(100, systolic_at)),
            diastolic: Some(measured(60, systolic_at)),
            mean: None,
        };
        let found = Haemodynamics::of(&input);
        (
            found.shock_index.is_some(),
            found.modified_shock_index.is_some(),
            found.pulse_pressure.is_some(),
        )
    };
    assert_eq!(index(0, 60_000), (true, true, true));
    assert_eq!(index(60_000, 0), (true, true, true));
    assert_eq!(index(0, 60_001), (false, false, true));
    assert_eq!(index(60_001, 0), (false, false, true));
}

#[test]
fn a_measured_mean_goes_before_the_derived_one() {
    let input = HaemodynamicsInput {
        heart_rate: Some(measured(90, 0)),
        systolic: Some(measured(120, 0)),
        diastolic: Some(measured(60, 0)),
        mean: Some(measured(75, 90_000)),
    };
    let found = Haemodynamics::of(&input);
    assert_eq!(found.mean_pressure, Some(Milli::from_int(75)));
    assert_eq!(found.modified_shock_index, None, "the mean is too old for this heart rate");
    assert_eq!(found.shock_index, Some(Milli::new(750)));
}
