//! Alarm limits: every default as the table has it, and both sides of every boundary.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests fail by panicking")]

use std::time::Duration;

use wardlight_core::codes::AgeGroup::{self, Adult, Neonate, Paediatric};
use wardlight_core::codes::Parameter::{self, *};
use wardlight_core::limits::{AlarmLimits, Limit, SHORTEST_DELAY, severity_delay, shown};
use wardlight_core::message::Priority;
use wardlight_core::vitals::Milli;

const AGES: [AgeGroup; 3] = [Neonate, Paediatric, Adult];

type LowHigh = (i32, i32);

/// Parameter, then low and high for neonate, child and adult, then delay in seconds and hysteresis in thousandths.
#[rustfmt::skip]
const TABLE: [(Parameter, [LowHigh; 3], u64, i32); 12] = [
    (HeartRate, [(100, 200), (75, 160), (50, 120)], 10, 5_000),
    (PulseRate, [(100, 200), (75, 160), (50, 120)], 10, 5_000),
    (Spo2,      [(85, 100),  (90, 100), (90, 100)], 15, 2_000),
    (RespRate,  [(30, 100),  (8, 30),   (8, 30)],   15, 2_000),
    (NibpSys,   [(40, 90),   (70, 120), (90, 160)], 0,  5_000),
    (NibpDia,   [(20, 60),   (40, 70),  (50, 90)],  0,  5_000),
    (NibpMap,   [(24, 70),   (50, 90),  (60, 110)], 0,  5_000),
    (AbpSys,    [(40, 90),   (70, 120), (90, 160)], 10, 5_000),
    (AbpDia,    [(20, 60),   (40, 70),  (50, 90)],  10, 5_000),
    (AbpMap,    [(24, 70),   (50, 90),  (70, 110)], 10, 5_000),
    (Temp,      [(36, 39),   (36, 39),  (36, 39)],  30, 200),
    (EtCo2,     [(30, 45),   (25, 50),  (25, 50)],  10, 2_000),
];

fn milli(units: i32) -> Milli {
    Milli::from_int(units)
}

/// Smallest step of the number that is shown.
fn step(parameter: Parameter) -> i32 {
    if parameter == Temp { 100 } else { 1000 }
}

#[test]
fn the_defaults_are_those_of_the_table() {
    for (parameter, by_age, delay_s, hysteresis) in TABLE {
        for (age, (low, high)) in AGES.into_iter().zip(by_age) {
            let limits = AlarmLimits::for_age(age);
            let limit = limits.of(parameter).expect("has limits");
            assert_eq!(
                (limit.low, limit.high),
                (Some(milli(low)), Some(milli(high))),
                "{parameter:?} {age:?}"
            );
            assert_eq!(limit.max_delay, Duration::from_secs(delay_s), "{parameter:?}");
            assert_eq!(limit.hysteresis, Milli::new(hysteresis), "{parameter:?}");
            assert_eq!(limit.priority_high, Priority::Medium);
            let low_priority = if parameter == AbpMap {
                Priority::High
            } else {
                Priority::Medium
            };
            assert_eq!(limit.priority_low, low_priority, "{parameter:?}");
        }
    }
}

#[test]
fn only_the_parameters_of_the_table_have_limits() {
    let limits = AlarmLimits::for_age(Adult);
    for parameter in Parameter::ALL {
        let expected = TABLE.iter().any(|row| row.0 == parameter);
        assert_eq!(limits.of(parameter).is_some(), expected, "{parameter:?}");
    }
}

#[test]
fn a_value_at_its_limit_is_silent_and_one_step_beyond_alarms() {
    for age in AGES {
        let limits = AlarmLimits::for_age(age);
        for (parameter, ..) in TABLE {
            let limit = limits.of(parameter).unwrap();
            let (low, high) = (limit.low.unwrap().get(), limit.high.unwrap().get());
            let step = step(parameter);
            for (value, is_low, is_high) in [
                (low, false, false),
                (low - step, true, false),
                (high, false, false),
                (high + step, false, true),
                // Half a step is rounded up: still the limit below, already beyond it above.
                (low - step / 2, false, false),
                (low - step / 2 - 1, true, false),
                (high + step / 2 - 1, false, false),
                (high + step / 2, false, true),
            ] {
                let value = Milli::new(value);
                assert_eq!(limit.crosses_low(value), is_low, "{age:?} {parameter:?} {value:?}");
                assert_eq!(limit.crosses_high(value), is_high, "{age:?} {parameter:?} {value:?}");
            }
        }
    }
}

#[test]
fn a_condition_ends_only_inside_the_hysteresis_and_never_where_it_begins() {
    for age in AGES {
        let limits = AlarmLimits::for_age(age);
        for (parameter, ..) in TABLE {
            let limit = limits.of(parameter).unwrap();
            let (low, high) = (limit.low.unwrap().get(), limit.high.unwrap().get());
            let (back, step) = (limit.hysteresis.get(), step(parameter));
            assert!(limit.clears_low(Milli::new(low + back)));
            assert!(!limit.clears_low(Milli::new(low + back - step)));
            assert!(limit.clears_high(Milli::new(high - back)));
            assert!(!limit.clears_high(Milli::new(high - back + step)));
            assert!(
                low + back <= high - back,
                "{age:?} {parameter:?}: some value must clear both sides"
            );
            for value in (low - 10 * step)..=(low + 10 * step) {
                let value = Milli::new(value);
                assert!(!(limit.crosses_low(value) && limit.clears_low(value)));
            }
        }
    }
}

#[test]
fn extreme_rates_lie_twenty_beyond_the_limit_but_no_further_out_than_the_clamp() {
    let extremes = AGES.map(|age| {
        let limits = AlarmLimits::for_age(age);
        (
            limits.extreme_rate().low.unwrap().rounded(),
            limits.extreme_rate().high.unwrap().rounded(),
        )
    });
    assert_eq!(extremes, [(80, 220), (55, 180), (40, 140)]);
    let adult = AlarmLimits::for_age(Adult);
    let extreme = adult.extreme_rate();
    assert!(!extreme.crosses_low(milli(40)) && extreme.crosses_low(milli(39)));
    assert!(!extreme.crosses_high(milli(140)) && extreme.crosses_high(milli(141)));
    assert_eq!(extreme.delay_high(milli(141)), Duration::ZERO);
    assert_eq!(
        (extreme.priority_low, extreme.priority_high),
        (Priority::High, Priority::High)
    );
}

#[test]
fn desaturation_is_red_below_eighty_after_five_seconds_at_every_age() {
    for age in AGES {
        let limits = AlarmLimits::for_age(age);
        let desaturation = limits.desaturation();
        assert!(!desaturation.crosses_low(milli(80)) && desaturation.crosses_low(milli(79)));
        assert!(!desaturation.crosses_high(milli(100)));
        assert!(!desaturation.clears_low(milli(81)) && desaturation.clears_low(milli(82)));
        assert_eq!(desaturation.delay_low(milli(79)), Duration::from_secs(5));
        assert_eq!(desaturation.delay_low(milli(20)), Duration::from_secs(5));
        assert_eq!(desaturation.priority_low, Priority::High);
        assert_eq!(limits.apnoea(), Duration::from_secs(20));
    }
}

#[test]
fn a_neonate_has_a_saturation_high_limit_only_while_oxygen_is_given() {
    let spo2_high = |age, given| {
        let mut limits = AlarmLimits::for_age(age);
        limits.chart_oxygen(given);
        limits.of(Spo2).and_then(|limit| limit.high).unwrap().rounded()
    };
    assert_eq!(spo2_high(Neonate, Some(true)), 95);
    assert_eq!(spo2_high(Neonate, Some(false)), 100);
    assert_eq!(spo2_high(Neonate, None), 100);
    assert_eq!(spo2_high(Adult, Some(true)), 100);
    let mut back_on_air = AlarmLimits::for_age(Neonate);
    back_on_air.chart_oxygen(Some(true));
    back_on_air.chart_oxygen(Some(false));
    assert_eq!(back_on_air, AlarmLimits::for_age(Neonate));
}

#[test]
fn the_deeper_the_breach_the_shorter_the_delay() {
    let delay = |value| severity_delay(Duration::from_secs(15), milli(value), milli(90), milli(80)).as_millis();
    assert_eq!(
        [90, 89, 88, 85, 82, 81, 80, 50].map(delay),
        [15_000, 13_500, 12_000, 7_500, 3_000, 2_000, 2_000, 2_000]
    );
    assert_eq!(delay(95), 15_000, "a value on the good side of its limit has no depth");
    let upwards = |value| severity_delay(Duration::from_secs(10), milli(value), milli(120), milli(140)).as_millis();
    assert_eq!([121, 130, 136, 137, 300].map(upwards), [9_500, 5_000, 2_000, 2_000, 2_000]);
}

#[test]
fn the_delay_is_bounded_by_its_floor_and_its_maximum() {
    let delay = |d_max, limit, hard| severity_delay(Duration::from_millis(d_max), milli(70), milli(limit), milli(hard));
    assert_eq!(delay(0, 90, 80), Duration::ZERO);
    assert_eq!(delay(1_000, 90, 80), Duration::from_secs(1));
    assert_eq!(delay(15_000, 90, 90), SHORTEST_DELAY, "a limit at its hard value");
    let far = severity_delay(
        Duration::MAX,
        Milli::new(i32::MIN),
        Milli::new(i32::MAX),
        Milli::new(i32::MIN),
    );
    assert_eq!(far, SHORTEST_DELAY);
}

#[test]
fn each_hard_value_lies_on_the_bad_side_of_its_limit() {
    for age in AGES {
        let limits = AlarmLimits::for_age(age);
        for (parameter, ..) in TABLE {
            let Limit {
                low,
                high,
                hard_low,
                hard_high,
                ..
            } = limits.of(parameter).unwrap().clone();
            assert!(hard_low < low, "{age:?} {parameter:?}");
            assert!(
                hard_high > high || (parameter == Spo2 && hard_high == high),
                "{age:?} {parameter:?}"
            );
        }
    }
}

#[test]
fn delays_go_by_the_number_that_is_shown() {
    let limits = AlarmLimits::for_age(Adult);
    let spo2 = limits.of(Spo2).unwrap();
    assert_eq!(spo2.delay_low(Milli::new(84_600)), spo2.delay_low(milli(85)));
    assert_eq!(limits.of(HeartRate).unwrap().delay_high(milli(130)), Duration::from_secs(5));
    assert_eq!(limits.of(NibpSys).unwrap().delay_low(milli(89)), Duration::ZERO);
    assert_eq!(shown(Temp, Milli::new(38_049)), Milli::new(38_000));
    assert_eq!(shown(Temp, Milli::new(38_050)), Milli::new(38_100));
    assert_eq!(shown(Spo2, Milli::new(91_500)), milli(92));
}
