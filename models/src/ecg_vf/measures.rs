//! Measures of a window that say whether the signal is one: they move with a wrong gain, with mains or muscle over everything and with
//! a front end that clips, and not with what a patient suffers from. `models/training/wardlight_training/vf_inputs.py` computes the same.

use super::{STEP, height};

/// A step from one value to the next below this share of the height is none.
const STILL: f32 = 0.004;

/// The measure of this name, if there is one. Each takes the values of a [`ReadyWindow`](super::ReadyWindow).
pub fn measure(name: &str) -> Option<fn(&[f32]) -> f64> {
    match name {
        "height" => Some(|values| f64::from(height(values))),
        "still" => Some(still),
        "crossings" => Some(crossings),
        _ => None,
    }
}

/// Share of the steps in which nothing moves, 0 to 1.
fn still(values: &[f32]) -> f64 {
    share(values, |a, b| (b - a).abs() < STILL)
}

/// How often a second the wave crosses its middle.
fn crossings(values: &[f32]) -> f64 {
    share(values, |a, b| a * b < 0.0) * STEP as f64
}

/// Share of the steps of which `is` holds.
fn share(values: &[f32], is: fn(f32, f32) -> bool) -> f64 {
    let steps = || values.iter().zip(values.iter().skip(1));
    steps().filter(|(a, b)| is(**a, **b)).count() as f64 / steps().count().max(1) as f64
}

#[cfg(test)]
mod tests {
    use super::super::{WINDOW, window};
    use super::*;

    fn of(name: &str, microvolts: impl Fn(f32) -> f32) -> f64 {
        let values: Vec<f32> = (0..WINDOW).map(|i| microvolts(i as f32 / STEP as f32)).collect();
        measure(name).unwrap()(&window(&values))
    }

    /// 500 µV high, 2 a second.
    fn wave(seconds: f32) -> f32 {
        250.0 * (12.566 * seconds).sin()
    }

    #[test]
    fn a_tenth_of_the_gain_lowers_the_height() {
        assert!((of("height", wave) - 1.0).abs() < 0.01);
        assert!((of("height", |s| wave(s) / 10.0) - 0.2).abs() < 0.01);
    }

    #[test]
    fn a_front_end_that_clips_stands_still() {
        let clipped = |s: f32| (10.0 * wave(s)).clamp(-250.0, 250.0);
        let (sound, clipped) = (of("still", wave), of("still", clipped));
        assert!(sound < 0.2 && clipped > 0.4, "{sound} {clipped}");
    }

    #[test]
    fn mains_crosses_the_middle_often() {
        assert!((of("crossings", wave) - 4.0).abs() < 0.5);
        assert!(of("crossings", |s| wave(s) + 300.0 * (314.16 * s).sin()) > 50.0);
    }

    #[test]
    fn what_is_no_measure_has_none() {
        assert!(measure("shockable").is_none());
    }
}
