//! Hourly vitals to the row that a model takes: features that sum them up, then the hours themselves.

use super::series::{STATISTICS, share, statistics};
use super::vitals::{MAX_HOURS, MIN_HOURS, VITAL_COUNT, VITALS};

/// Hourly means behind the features of a row.
pub const HOURLY_VALUES: usize = VITAL_COUNT * MAX_HOURS;

/// Oldest age, in years, that counts as known.
const MAX_AGE_YEARS: f64 = 130.0;

/// The derived series: shock index (heart rate / systolic) and pulse pressure (systolic - diastolic, mmHg).
const DERIVED: [&str; 2] = ["shock_index", "pulse_pressure"];

/// A series and a threshold whose excess counts as burden: the share of observed hours beyond it.
struct Burden {
    series: usize,
    above: bool,
    threshold: f64,
}

const fn burden(series: usize, above: bool, threshold: f64) -> Burden {
    Burden {
        series,
        above,
        threshold,
    }
}

const BURDENS: [Burden; 7] = [
    burden(0, true, 110.0),
    burden(1, true, 25.0),
    burden(2, false, 90.0),
    burden(4, false, 65.0),
    burden(5, false, 36.0),
    burden(5, true, 38.3),
    burden(6, true, 1.0),
];

/// Whether a risk may be shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Readiness {
    /// Enough is known.
    Ready,
    /// Fewer than [`MIN_HOURS`] hours of history: the model was never tried on so little.
    TooFewHours {
        /// Hours of history so far.
        have: usize,
    },
    /// No vital was observed in any hour.
    NothingObserved,
}

/// The row of one patient.
#[derive(Clone, Debug, PartialEq)]
pub struct Features {
    row: Vec<f32>,
    readiness: Readiness,
}

impl Features {
    /// The row: the features in the order of [`feature_names`], then [`HOURLY_VALUES`] hourly means, vital by vital in the order of
    /// [`VITALS`], each [`MAX_HOURS`] long with the newest hour last. NaN where absent.
    pub fn row(&self) -> &[f32] {
        &self.row
    }

    /// The row, for [`crate::Model::predict`].
    pub fn into_row(self) -> Vec<f32> {
        self.row
    }

    /// Whether a risk computed from this row may be shown.
    pub fn readiness(&self) -> Readiness {
        self.readiness
    }
}

/// The names of the features, in the order of the row, which they begin.
pub fn feature_names() -> Vec<String> {
    let series: Vec<&str> = VITALS.iter().map(|v| v.short).chain(DERIVED).collect();
    let mut names: Vec<String> = series
        .iter()
        .flat_map(|s| STATISTICS.iter().map(move |t| format!("{s}_{t}")))
        .collect();
    names.extend(VITALS.iter().map(|v| format!("{}_observed", v.short)));
    names.extend(BURDENS.iter().map(|b| {
        let direction = if b.above { "above" } else { "below" };
        format!(
            "{}_{direction}_{}",
            series.get(b.series).copied().unwrap_or_default(),
            b.threshold
        )
    }));
    names.extend(["age".to_owned(), "hours".to_owned()]);
    names
}

/// The row of a patient of `age_years` from hourly means `[hours][vital]`, oldest first, columns in the order of
/// [`VITALS`] and in their units, `None` where nothing valid was measured. Only the last [`MAX_HOURS`] hours count; a
/// value outside the vital's range, or not finite, counts as absent. Never fails: what is unknown is absent.
pub fn features(age_years: Option<f32>, hours: &[[Option<f32>; VITAL_COUNT]]) -> Features {
    let recent = hours.get(hours.len().saturating_sub(MAX_HOURS)..).unwrap_or_default();
    let series = series(recent);
    let length = recent.len() as f64;
    let mut row: Vec<f64> = series.iter().flat_map(|s| statistics(s)).collect();
    row.extend(
        series
            .iter()
            .take(VITAL_COUNT)
            .map(|s| s.iter().flatten().count() as f64 / length),
    );
    row.extend(BURDENS.iter().map(|b| {
        let values = series.get(b.series).into_iter().flatten().flatten().copied();
        share(values, |x| if b.above { x > b.threshold } else { x < b.threshold })
    }));
    row.push(
        age_years
            .map(f64::from)
            .filter(|age| (0.0..=MAX_AGE_YEARS).contains(age))
            .unwrap_or(f64::NAN),
    );
    row.push(length);
    let before = MAX_HOURS - recent.len();
    for vital in series.iter().take(VITAL_COUNT) {
        row.extend(std::iter::repeat_n(f64::NAN, before));
        row.extend(vital.iter().map(|value| value.unwrap_or(f64::NAN)));
    }
    let nothing = series.iter().take(VITAL_COUNT).flatten().flatten().next().is_none();
    let readiness = match recent.len() {
        have if have < MIN_HOURS => Readiness::TooFewHours { have },
        _ if nothing => Readiness::NothingObserved,
        _ => Readiness::Ready,
    };
    Features {
        row: row.into_iter().map(|x| x as f32).collect(),
        readiness,
    }
}

/// The eight series, [`VITALS`] then [`DERIVED`], with values out of range left out.
fn series(hours: &[[Option<f32>; VITAL_COUNT]]) -> [Vec<Option<f64>>; VITAL_COUNT + DERIVED.len()] {
    let mut series: [Vec<Option<f64>>; VITAL_COUNT + DERIVED.len()] = Default::default();
    for hour in hours {
        let [hr, rr, sbp, dbp, map, temp] = accepted(hour);
        let shock_index = hr.zip(sbp).map(|(hr, sbp)| hr / sbp);
        let pulse_pressure = sbp.zip(dbp).map(|(sbp, dbp)| sbp - dbp);
        let values = [hr, rr, sbp, dbp, map, temp, shock_index, pulse_pressure];
        for (column, value) in series.iter_mut().zip(values) {
            column.push(value);
        }
    }
    series
}

fn accepted(hour: &[Option<f32>; VITAL_COUNT]) -> [Option<f64>; VITAL_COUNT] {
    let mut values = hour.map(|value| value.map(f64::from));
    for (value, vital) in values.iter_mut().zip(&VITALS) {
        *value = value.filter(|x| (vital.low..=vital.high).contains(x));
    }
    values
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(row: &Features, name: &str) -> f32 {
        row.row()[feature_names().iter().position(|n| n == name).unwrap()]
    }

    #[test]
    fn every_feature_has_one_name() {
        let names = feature_names();
        let unique: std::collections::BTreeSet<_> = names.iter().collect();
        assert_eq!(unique.len(), names.len());
        assert_eq!(features(None, &[]).row().len(), names.len() + HOURLY_VALUES);
    }

    #[test]
    fn values_at_the_edge_of_a_range_count_and_beyond_do_not() {
        for (index, vital) in VITALS.iter().enumerate() {
            for (given, counts) in [
                (vital.low, true),
                (vital.high, true),
                (vital.low - 0.5, false),
                (vital.high + 0.5, false),
            ] {
                let mut hour = [None; VITAL_COUNT];
                hour[index] = Some(given as f32);
                let seen = value(&features(None, &[hour]), &format!("{}_observed", vital.short));
                assert_eq!(seen > 0.0, counts, "{} {given}", vital.name);
            }
        }
    }

    #[test]
    fn the_hours_stand_vital_by_vital_with_the_newest_last_and_older_ones_left_out() {
        let hour = |n: usize| [Some(60.0 + n as f32), None, Some(120.0 + n as f32), None, None, Some(360.0)];
        for length in [0, 1, 7, MAX_HOURS, MAX_HOURS + 5] {
            let hours: Vec<_> = (0..length).map(hour).collect();
            let row = features(None, &hours).into_row();
            let grid: Vec<&[f32]> = row[feature_names().len()..].chunks(MAX_HOURS).collect();
            assert_eq!(grid.len(), VITAL_COUNT);
            let known = |vital: usize| grid[vital].iter().map(|value| Some(*value).filter(|value| !value.is_nan()));
            let expected = |base: f32| {
                let hour = move |slot: usize| (length + slot).checked_sub(MAX_HOURS).map(|n| base + n as f32);
                (0..MAX_HOURS).map(hour)
            };
            assert!(known(0).eq(expected(60.0)), "{length} hours");
            assert!(known(2).eq(expected(120.0)), "{length} hours");
            assert!(
                known(1).chain(known(5)).all(|value| value.is_none()),
                "not measured, and out of range"
            );
        }
    }

    #[test]
    fn shock_index_and_pulse_pressure_need_both_values() {
        let row = features(None, &[[Some(120.0), None, Some(80.0), Some(50.0), None, None]]);
        assert!((value(&row, "shock_index_last") - 1.5).abs() < 1e-6);
        assert!((value(&row, "pulse_pressure_last") - 30.0).abs() < 1e-6);
        let row = features(None, &[[Some(120.0), None, None, Some(50.0), None, None]]);
        assert!(value(&row, "shock_index_last").is_nan() && value(&row, "pulse_pressure_last").is_nan());
    }

    #[test]
    fn readiness_says_why_no_risk_may_be_shown() {
        let seen = [Some(80.0), None, None, None, None, None];
        assert_eq!(features(None, &[seen; MIN_HOURS]).readiness(), Readiness::Ready);
        assert_eq!(
            features(None, &[seen; MIN_HOURS - 1]).readiness(),
            Readiness::TooFewHours { have: MIN_HOURS - 1 }
        );
        assert_eq!(
            features(Some(70.0), &[[None; VITAL_COUNT]; 12]).readiness(),
            Readiness::NothingObserved
        );
        let artefact = [Some(f32::NAN), Some(f32::INFINITY), None, None, None, Some(-17.8)];
        assert_eq!(features(Some(70.0), &[artefact; 12]).readiness(), Readiness::NothingObserved);
    }

    #[test]
    fn an_impossible_age_is_absent() {
        for age in [-1.0, 131.0, f32::NAN, f32::INFINITY] {
            assert!(value(&features(Some(age), &[]), "age").is_nan(), "{age}");
        }
    }
}
