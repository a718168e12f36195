//! Statistics of one hourly series. Sums run oldest hour first in f64, as in the training code.

/// Names of the statistics, in the order of [`statistics`].
pub(super) const STATISTICS: [&str; 11] = [
    "last", "first", "mean", "min", "max", "sd", "mean_6h", "mean_12h", "mean_24h", "slope", "step",
];

/// Widths of the recent means, in hours.
const WINDOWS: [usize; 3] = [6, 12, 24];

/// Observations below which spread and slope are absent.
const SPREAD_NEEDS: usize = 3;

/// The statistics of `hours`, oldest first, NaN where absent. `slope` is per hour by least squares; `step` is the mean
/// absolute change between neighbouring observed hours.
pub(super) fn statistics(hours: &[Option<f64>]) -> [f64; STATISTICS.len()] {
    let observed = || hours.iter().flatten().copied();
    let mean = mean(observed());
    let enough = observed().count() >= SPREAD_NEEDS;
    let spread_or_absent = |value: f64| if enough { value } else { f64::NAN };
    let [six, twelve, day] = WINDOWS.map(|w| recent_mean(hours, w));
    [
        observed().last().unwrap_or(f64::NAN),
        observed().next().unwrap_or(f64::NAN),
        mean,
        observed().fold(f64::NAN, f64::min),
        observed().fold(f64::NAN, f64::max),
        spread_or_absent(self::mean(observed().map(|x| (x - mean) * (x - mean))).sqrt()),
        six,
        twelve,
        day,
        spread_or_absent(slope(hours, mean)),
        self::mean(hours.iter().zip(hours.iter().skip(1)).filter_map(|pair| match pair {
            (Some(before), Some(after)) => Some((after - before).abs()),
            _ => None,
        })),
    ]
}

/// Share of `values` for which `beyond` holds; NaN without values.
pub(super) fn share(values: impl Iterator<Item = f64>, beyond: impl Fn(f64) -> bool) -> f64 {
    mean(values.map(|x| if beyond(x) { 1.0 } else { 0.0 }))
}

fn mean(values: impl Iterator<Item = f64>) -> f64 {
    let (total, count) = values.fold((0.0, 0.0), |(total, count), x| (total + x, count + 1.0));
    total / count
}

fn recent_mean(hours: &[Option<f64>], width: usize) -> f64 {
    mean(hours.iter().skip(hours.len().saturating_sub(width)).flatten().copied())
}

fn slope(hours: &[Option<f64>], level: f64) -> f64 {
    let observed = || hours.iter().enumerate().filter_map(|(hour, x)| x.map(|x| (hour as f64, x)));
    let middle = mean(observed().map(|(hour, _)| hour));
    let (rise, run) = observed().fold((0.0, 0.0), |(rise, run), (hour, x)| {
        let off = hour - middle;
        (rise + off * (x - level), run + off * off)
    });
    rise / run
}

#[cfg(test)]
mod tests {
    use super::{STATISTICS, statistics};

    fn statistic(hours: &[Option<f64>], name: &str) -> f64 {
        let index = STATISTICS.iter().position(|s| *s == name).unwrap();
        statistics(hours)[index]
    }

    #[test]
    fn a_straight_line_has_its_slope_and_step() {
        let hours: Vec<_> = (0..10).map(|h| Some(80.0 + 2.0 * f64::from(h))).collect();
        assert!((statistic(&hours, "slope") - 2.0).abs() < 1e-12);
        assert!((statistic(&hours, "step") - 2.0).abs() < 1e-12);
        assert!((statistic(&hours, "last") - 98.0).abs() < 1e-12);
        assert!((statistic(&hours, "mean_6h") - 93.0).abs() < 1e-12);
    }

    #[test]
    fn two_observations_have_no_spread() {
        let hours = [Some(80.0), None, Some(90.0)];
        assert!(statistic(&hours, "sd").is_nan() && statistic(&hours, "slope").is_nan());
        assert!((statistic(&hours, "mean") - 85.0).abs() < 1e-12);
    }

    #[test]
    fn a_step_is_never_taken_across_a_gap() {
        assert!(statistic(&[Some(80.0), None, Some(140.0)], "step").is_nan());
    }

    #[test]
    fn nothing_observed_gives_nothing() {
        assert!(statistics(&[None, None]).iter().all(|x| x.is_nan()));
        assert!(statistics(&[]).iter().all(|x| x.is_nan()));
    }
}
