//! The shipped `deterioration` package on this machine.

#![allow(
    missing_docs,
    unreachable_pub,
    dead_code,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests fail by panicking; the helpers are shared with other tests"
)]

mod common;

use common::shipped;
use wardlight_models::deterioration::{Readiness, VITAL_COUNT, explain, features};
use wardlight_models::{Band, Manifest, Model, ModelError, Package, Precision, TrustedKeys};

fn package() -> Package {
    Package::open(&shipped(), &TrustedKeys::release().unwrap()).unwrap()
}

/// Patients from well to very sick, of every length of stay, some vitals missing here and there.
fn patients(count: usize) -> Vec<Vec<f32>> {
    (0..count)
        .map(|patient| {
            let severity = patient as f32 / count as f32;
            let hours: Vec<[Option<f32>; VITAL_COUNT]> = (0..6 + patient % 43)
                .map(|hour| {
                    let wave = ((patient * 31 + hour * 7) % 13) as f32 - 6.0;
                    let hour_values = [
                        78.0 + 55.0 * severity + wave,
                        16.0 + 16.0 * severity + 0.3 * wave,
                        126.0 - 46.0 * severity - wave,
                        66.0 - 22.0 * severity,
                        85.0 - 30.0 * severity,
                        36.8 + 2.0 * severity + 0.05 * wave,
                    ];
                    std::array::from_fn(|vital| ((patient + hour + vital) % 5 != 0).then_some(hour_values[vital]))
                })
                .collect();
            features((patient % 7 != 0).then_some(20.0 + 70.0 * severity), &hours).into_row()
        })
        .collect()
}

#[test]
fn the_shipped_package_is_signed_and_reproduces_its_golden_vectors_in_int8_and_float() {
    let package = package();
    for precision in [Precision::Int8, Precision::Float] {
        package.load_as(precision, None).unwrap();
    }
}

#[test]
fn the_size_and_order_of_a_batch_change_no_patient_s_result() {
    let model = package().load().unwrap();
    let rows = patients(64);
    let bits = |rows: &[Vec<f32>]| model.predict(rows).unwrap().iter().map(|p| p.to_bits()).collect::<Vec<_>>();
    let together = bits(&rows);
    for size in [1, 2, 7, 64] {
        let in_parts: Vec<u32> = rows.chunks(size).flat_map(bits).collect();
        assert_eq!(in_parts, together, "batches of {size}");
    }
    // 37 and 64 share no factor, so this visits every row once, in another order.
    let order: Vec<usize> = (0..64).map(|i| (i * 37 + 11) % 64).collect();
    let shuffled = bits(&order.iter().map(|&i| rows[i].clone()).collect::<Vec<_>>());
    for (position, &original) in order.iter().enumerate() {
        assert_eq!(shuffled[position], together[original], "row {original}");
    }
    assert!(
        together.iter().collect::<std::collections::BTreeSet<_>>().len() > 30,
        "the patients must differ"
    );
}

#[test]
fn one_call_leaves_nothing_behind_for_the_next() {
    let model = package().load().unwrap();
    let rows = patients(8);
    let first = model.predict(&rows[..1]).unwrap();
    model.predict(&rows[4..]).unwrap();
    assert_eq!(model.predict(&rows[..1]).unwrap(), first);
}

#[test]
fn int8_stays_near_float() {
    let package = package();
    let (int8, float) = (package.load().unwrap(), package.load_as(Precision::Float, None).unwrap());
    let rows = patients(200);
    let gaps = int8
        .predict(&rows)
        .unwrap()
        .into_iter()
        .zip(float.predict(&rows).unwrap())
        .map(|(a, b)| (a - b).abs());
    assert!(gaps.fold(0.0, f32::max) <= 0.05);
}

#[test]
fn the_sicker_patient_has_the_higher_risk() {
    let model = package().load().unwrap();
    let well = [Some(76.0), Some(15.0), Some(124.0), Some(68.0), Some(86.0), Some(36.8)];
    let sick = [Some(134.0), Some(34.0), Some(78.0), Some(42.0), Some(53.0), Some(35.2)];
    let row = |hour| features(Some(72.0), &[hour; 24]).into_row();
    let risk = model.predict(&[row(well), row(sick)]).unwrap();
    assert!(risk[0] < 0.1 && risk[1] > 2.0 * risk[0], "{risk:?}");
    assert!(model.band(risk[0]) < model.band(risk[1]));
}

#[test]
fn bands_begin_at_their_thresholds() {
    let package = package();
    let model = package.load().unwrap();
    let Manifest::Risk(manifest) = package.manifest() else {
        panic!("not a risk model")
    };
    let bands = &manifest.bands;
    let below = |x: f32| f32::from_bits(x.to_bits() - 1);
    for (probability, band) in [
        (0.0, Band::Low),
        (below(bands.raised), Band::Low),
        (bands.raised, Band::Raised),
        (below(bands.high), Band::Raised),
        (bands.high, Band::High),
        (1.0, Band::High),
    ] {
        assert_eq!(model.band(probability), band, "{probability}");
    }
}

#[test]
fn nothing_known_gives_a_defined_risk_that_is_marked_not_to_be_shown() {
    let model = package().load().unwrap();
    let nothing = features(None, &[[None; VITAL_COUNT]; 12]);
    assert_eq!(nothing.readiness(), Readiness::NothingObserved);
    let all_absent = vec![f32::NAN; model.width()];
    for risk in model
        .predict(&[nothing.into_row(), features(None, &[]).into_row(), all_absent])
        .unwrap()
    {
        assert!((0.0..=1.0).contains(&risk));
    }
}

#[test]
fn rows_that_do_not_fit_are_refused_with_their_number() {
    let model: Model = package().load().unwrap();
    let good = patients(1).remove(0);
    let error = model.predict(&[good.clone(), good[1..].to_vec()]).unwrap_err();
    assert_eq!(error.to_string(), "row 1: has 390 values, the model takes 391");
    let mut infinite = good.clone();
    infinite[3] = f32::INFINITY;
    let error = model.predict(&[good, infinite]).unwrap_err();
    assert!(matches!(error, ModelError::Row { row: 1, .. }), "{error}");
    assert_eq!(model.predict(&[]).unwrap(), Vec::<f32>::new());
}

#[test]
fn the_package_says_what_it_is() {
    let package = package();
    let Manifest::Risk(manifest) = package.manifest() else {
        panic!("not a risk model")
    };
    assert_eq!(manifest.id, "deterioration");
    assert!(package.card().starts_with(&format!("# deterioration {}", manifest.version)));
    let reference: serde_json::Value = serde_json::from_slice(package.reference()).unwrap();
    for vital in ["heart_rate", "resp_rate", "systolic", "temperature", "probability"] {
        assert!(reference["histograms"][vital]["edges"].is_array(), "{vital}");
    }
    let metrics = &manifest.metrics;
    assert!(metrics.auroc_int8_interval[0] < metrics.auroc_int8 && metrics.auroc_int8 < metrics.auroc_int8_interval[1]);
}

#[test]
fn an_explanation_adds_up_and_what_was_never_measured_explains_nothing() {
    let model = package().load().unwrap();
    let hour = [Some(128.0), Some(31.0), Some(84.0), None, Some(58.0), Some(38.9)];
    let hours = vec![hour; 12];
    let explained = explain(&model, Some(81.0), &hours).unwrap();
    let probability = model.predict(&[features(Some(81.0), &hours).into_row()]).unwrap()[0];
    assert!((explained.probability() - f64::from(probability)).abs() < 1e-6);
    assert_eq!(explained.effects[3].to_bits(), 0.0_f64.to_bits(), "the diastolic pressure");
    assert!(explained.probability() > explained.base, "a very sick patient: {explained:?}");
    let unknown_age = explain(&model, None, &hours).unwrap();
    assert_eq!(unknown_age.effects[6].to_bits(), 0.0_f64.to_bits(), "the age");
}
