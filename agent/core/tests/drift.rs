//! Drift histograms and statistics against worked vectors.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests fail by panicking")]

use wardlight_core::drift::{
    DriftError, DriftLevel, DriftReport, Histogram, HistogramKind, Histograms, jensen_shannon_bits, jensen_shannon_distance,
    kolmogorov_smirnov, psi, psi_gate, wasserstein,
};
use wardlight_core::scores::{News2, News2Input};
use wardlight_core::vitals::Milli;

const REFERENCE: [u64; 5] = [10, 20, 40, 20, 10];
const CURRENT: [u64; 5] = [5, 15, 35, 25, 20];
const UNIT: [f64; 7] = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0];

fn close(found: Option<f64>, expected: f64, places: i32) {
    let found = found.unwrap();
    assert!(
        (found - expected).abs() < 0.51 * 10f64.powi(-places),
        "{found} is not {expected}"
    );
}

#[test]
fn the_statistics_agree_with_the_worked_vector() {
    close(psi(&REFERENCE, &CURRENT), 0.136_190, 6);
    close(jensen_shannon_bits(&REFERENCE, &CURRENT), 0.024_180, 6);
    close(
        jensen_shannon_bits(&REFERENCE, &CURRENT).map(|bits| bits * 2f64.ln()),
        0.016_760,
        6,
    );
    close(jensen_shannon_distance(&REFERENCE, &CURRENT), 0.155_498, 6);
    close(kolmogorov_smirnov(&REFERENCE, &CURRENT), 0.15, 9);
    close(wasserstein(&REFERENCE, &CURRENT, &UNIT[..5]), 0.40, 9);
}

#[test]
fn single_values_in_unit_bins_agree_with_the_worked_vector() {
    // x = 1 2 3 4 5 and y = 2 3 4 5 7.
    let (x, y) = ([1, 1, 1, 1, 1, 0, 0], [0, 1, 1, 1, 1, 0, 1]);
    close(wasserstein(&x, &y, &UNIT), 1.2, 9);
    close(kolmogorov_smirnov(&x, &y), 0.2, 9);
}

#[test]
fn equal_shares_are_no_distance_and_disjoint_ones_the_largest() {
    let doubled = REFERENCE.map(|count| count * 2);
    for distance in [psi, jensen_shannon_distance, kolmogorov_smirnov] {
        close(distance(&REFERENCE, &doubled), 0.0, 9);
    }
    close(jensen_shannon_distance(&[7, 0], &[0, 3]), 1.0, 9);
    close(kolmogorov_smirnov(&[7, 0], &[0, 3]), 1.0, 9);
    // The floor keeps it finite: 2 · (1 − 0.0001) · ln 10 000.
    close(psi(&[7, 0], &[0, 3]), 18.418_839, 5);
}

#[test]
fn nothing_is_said_of_bins_that_do_not_match_or_hold_nothing() {
    assert_eq!(psi(&[1, 2], &[1, 2, 3]), None);
    assert_eq!(kolmogorov_smirnov(&[0, 0], &[1, 2]), None);
    assert_eq!(jensen_shannon_distance(&[], &[]), None);
    assert_eq!(wasserstein(&[1, 2], &[2, 1], &[1.0]), None);
}

#[test]
fn the_gate_rises_above_a_tenth_when_samples_are_small() {
    close(Some(psi_gate(10, 200, 200)), 0.169, 3);
    close(Some(psi_gate(10, 2_000, 2_000)), 0.1, 12);
    // 24.9958 · 2 / 2 000 with 16 bins; 37.652 with 26 bins (beyond the table, approximated).
    close(Some(psi_gate(16, 100, 100)), 0.499_916, 6);
    close(Some(psi_gate(26, 100, 100)), 0.753_0, 3);
    close(Some(psi_gate(0, 100, 100)), 0.1, 12);
    assert_eq!(DriftLevel::of(0.16, psi_gate(10, 200, 200)), DriftLevel::None);
    assert_eq!(DriftLevel::of(0.30, psi_gate(16, 100, 100)), DriftLevel::None);
    assert_eq!(DriftLevel::of(0.30, 0.1), DriftLevel::Major);
}

#[test]
fn the_levels_change_at_a_tenth_and_a_quarter() {
    let level = |psi| DriftLevel::of(psi, psi_gate(10, 2_000, 2_000));
    assert_eq!(
        [0.099, 0.1, 0.25, 0.251].map(level),
        [
            DriftLevel::None,
            DriftLevel::Moderate,
            DriftLevel::Moderate,
            DriftLevel::Major
        ]
    );
}

#[test]
fn the_edges_are_as_published() {
    #[rustfmt::skip]
    let expected: [(HistogramKind, &str); 6] = [
        (HistogramKind::HeartRate, "0 30 41 51 61 71 81 91 101 111 121 131 151 181 221 301"),
        (HistogramKind::RespRate, "0 5 9 12 15 18 21 25 31 41 61"),
        (HistogramKind::Spo2, "0 70 80 84 86 88 90 92 93 94 95 96 97 98 101"),
        (HistogramKind::Systolic, "0 60 71 81 91 101 111 121 141 161 181 201 220 301"),
        (HistogramKind::Temperature, "25 32 34 35.1 36.1 37.1 38.1 39.1 40.1 45"),
        (HistogramKind::News2, "0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21"),
    ];
    for (kind, text) in expected {
        let edges: Vec<String> = kind.edges().iter().map(ToString::to_string).collect();
        assert_eq!(edges.join(" "), text);
        assert_eq!(kind.bins(), edges.len() - 1);
        assert_eq!(kind.centres().len(), kind.bins());
    }
}

#[test]
fn every_edge_begins_its_bin_and_ends_the_one_before() {
    for kind in HistogramKind::ALL {
        let step = if kind == HistogramKind::Temperature { 100 } else { 1000 };
        for (i, edge) in kind.edges().into_iter().enumerate() {
            let edge = Milli::from_f64(edge).unwrap();
            let mut histogram = Histogram::new(kind);
            histogram.add(edge);
            histogram.add(Milli::new(edge.get() - step));
            let mut all = vec![histogram.underflow()];
            all.extend(histogram.counts());
            all.push(histogram.overflow());
            let expected: Vec<u64> = (0..all.len()).map(|bin| u64::from(bin == i || bin == i + 1)).collect();
            assert_eq!(all, expected, "{kind:?} {edge:?}");
        }
    }
}

#[test]
fn values_are_binned_as_they_are_scored() {
    let mut histogram = Histogram::new(HistogramKind::HeartRate);
    histogram.add(Milli::new(40_499));
    histogram.add(Milli::new(40_500));
    assert_eq!(histogram.counts()[1..3], [1, 1]);
    let mut histogram = Histogram::new(HistogramKind::Temperature);
    histogram.add(Milli::new(35_049));
    histogram.add(Milli::new(35_050));
    assert_eq!(histogram.counts()[2..4], [1, 1]);
}

#[test]
fn merging_is_the_same_as_counting_together() {
    let values: Vec<Milli> = (-20..400).map(Milli::from_int).collect();
    for kind in HistogramKind::ALL {
        let of = |values: &[Milli]| {
            let mut histogram = Histogram::new(kind);
            for value in values {
                histogram.add(*value);
            }
            histogram
        };
        let mut merged = of(&values[..133]);
        merged.merge(&of(&values[133..])).unwrap();
        assert_eq!(merged, of(&values));
        assert_eq!(merged.total() + merged.underflow() + merged.overflow(), values.len() as u64);
    }
}

#[test]
fn other_kinds_and_other_edges_are_refused() {
    let mut histogram = Histogram::new(HistogramKind::Spo2);
    let other = Histogram::new(HistogramKind::News2);
    let error = histogram.merge(&other).unwrap_err();
    assert_eq!(error.to_string(), "histogram of news2: expected one of spo2");
    assert!(DriftReport::compare(&histogram, &other).is_err());
    let error = Histogram::from_counts(HistogramKind::Spo2, vec![0; 3], 0, 0).unwrap_err();
    assert_eq!(error.to_string(), "histogram of spo2: 3 bins, expected 14");
    assert_eq!(
        DriftReport::compare(&histogram, &histogram.clone()),
        Err(DriftError::Empty { kind: "spo2" })
    );
}

#[test]
fn a_report_says_that_a_shifted_ward_drifted() {
    let mut reference = Histogram::new(HistogramKind::HeartRate);
    let mut shifted = Histogram::new(HistogramKind::HeartRate);
    for i in 0..4_000 {
        reference.add(Milli::from_int(60 + i % 40));
        shifted.add(Milli::from_int(80 + i % 40));
    }
    let same = DriftReport::compare(&reference, &reference.clone()).unwrap();
    assert_eq!(
        (same.level, same.psi, same.wasserstein_sd),
        (DriftLevel::None, 0.0, Some(0.0))
    );
    let report = DriftReport::compare(&reference, &shifted).unwrap();
    assert_eq!(report.level, DriftLevel::Major);
    close(Some(report.kolmogorov_smirnov), 0.5, 2);
    let deviations = report.wasserstein_sd.unwrap();
    assert!(
        (1.5..2.0).contains(&deviations),
        "20 /min over a deviation of 11.5: {deviations}"
    );
}

#[test]
fn a_score_counts_its_inputs_and_its_total_only_when_it_has_one() {
    let mut input = News2Input {
        resp_rate: Some(22),
        spo2: Some(94),
        systolic: Some(105),
        pulse: Some(95),
        temperature_tenths: Some(385),
        oxygen: Some(false),
        ..News2Input::default()
    };
    let mut histograms = Histograms::default();
    histograms.add_news2(&input, &News2::of(&input));
    let totals = |histograms: &Histograms| histograms.iter().map(Histogram::total).collect::<Vec<_>>();
    assert_eq!(totals(&histograms), [1, 1, 1, 1, 1, 0]);
    input.consciousness = wardlight_core::patient::Consciousness::from_letter("A");
    histograms.add_news2(&input, &News2::of(&input));
    assert_eq!(totals(&histograms), [2, 2, 2, 2, 2, 1]);
    let twin = histograms.clone();
    histograms.merge(&twin);
    assert_eq!(totals(&histograms), [4, 4, 4, 4, 4, 2]);
    assert_eq!(histograms.iter().last().unwrap().counts()[6], 2);
}
