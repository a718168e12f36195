//! What the shipped ECG models watch of their inputs: one odd patient never takes a version back, a broken signal in every bed does.
#![allow(
    missing_docs,
    unreachable_pub,
    dead_code,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "tests fail by panicking; the helpers are shared with other tests"
)]

mod common;

use common::{Copy, example};
use wardlight_models::life::{Counted, Input, Limits, Trip};
use wardlight_models::{Manifest, Package, TrustedKeys};

/// Values of each bed: a day of them.
const VALUES: u64 = 24 * 60;

fn shipped(id: &str) -> Package {
    Package::shipped(id, &TrustedKeys::release().unwrap()).unwrap()
}

fn watched(id: &str) -> Vec<Input> {
    shipped(id).watched_inputs().unwrap()
}

/// Whether a version is taken back when one input is so in a ward of so many beds.
fn trips(input: &Input, current: Vec<u64>, beds: u64) -> bool {
    let counted = Counted {
        inputs: vec![Input {
            current,
            ..input.clone()
        }],
        beds,
        ..Counted::default()
    };
    matches!(counted.trip(&Limits::AGENT), Some(Trip::Drift { .. }))
}

/// What so many beds give that are as in training.
fn as_in_training(input: &Input, beds: u64) -> Vec<u64> {
    let total: u64 = input.reference.iter().sum();
    input.reference.iter().map(|count| count * beds * VALUES / total).collect()
}

#[test]
fn the_inputs_that_are_watched_are_those_of_the_reference() {
    let names = |id| watched(id).into_iter().map(|input| input.name).collect::<Vec<_>>();
    assert_eq!(names("ecg-beat"), ["before_usual", "own_qrs_width", "roughness"]);
    assert_eq!(names("ecg-vf"), ["crossings", "height", "still"]);
    assert_eq!(names("deterioration"), ["heart_rate", "resp_rate", "systolic", "temperature"]);
}

#[test]
fn one_bed_that_is_like_none_in_training_takes_nothing_back_and_all_beds_do() {
    for input in watched("ecg-beat").into_iter().chain(watched("ecg-vf")) {
        let most = input.reference.iter().max().copied();
        for odd in (0..input.reference.len()).filter(|bin| Some(input.reference[*bin]) != most) {
            for beds in 4..=100 {
                let mut one = as_in_training(&input, beds - 1);
                one[odd] += VALUES;
                assert!(!trips(&input, one, beds), "{}, bin {odd}, one of {beds} beds", input.name);
                let mut all = vec![0; input.reference.len()];
                all[odd] = beds * VALUES;
                assert!(trips(&input, all, beds), "{}, bin {odd}, all of {beds} beds", input.name);
            }
        }
    }
}

/// The golden rows are from every record of the training and of every class.
#[test]
fn beats_of_patients_who_are_ill_are_no_drift_and_the_same_beats_under_mains_are() {
    let package = shipped("ecg-beat");
    let Manifest::Waveform(manifest) = package.manifest() else {
        unreachable!("classes of a waveform")
    };
    let folder = format!("{}/packages/ecg-beat/golden.json", env!("CARGO_MANIFEST_DIR"));
    let golden: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(folder).unwrap()).unwrap();
    let vectors = golden["vectors"].as_array().unwrap();
    let trip = |chosen: &dyn Fn(&str) -> bool, disturbed: f64| {
        let rows = || {
            vectors
                .iter()
                .filter(|vector| chosen(vector["groups"]["class"].as_str().unwrap()))
        };
        let mut inputs = package.watched_inputs().unwrap();
        for input in &mut inputs {
            let column = manifest.column(&input.name).unwrap();
            for row in rows() {
                let value = row["inputs"][1][column].as_f64().unwrap();
                input.count(if input.name == "roughness" { value + disturbed } else { value });
            }
            // Each beat stands for a minute and more of its bed.
            input.current.iter_mut().for_each(|count| *count *= 20);
        }
        let counted = Counted {
            inputs,
            beds: 12,
            ..Counted::default()
        };
        counted.trip(&Limits::AGENT)
    };
    assert_eq!(trip(&|_| true, 0.0), None);
    assert_eq!(trip(&|class| class != "n", 0.0), None);
    let said = trip(&|_| true, 2.0).unwrap().to_string();
    assert!(
        said.starts_with("gets a roughness that is not that of its training"),
        "{said}"
    );
}

#[test]
fn a_package_whose_reference_holds_no_inputs_is_taken_and_nothing_of_it_is_watched() {
    let old = Copy::of(&example("cnn"));
    for reference in [
        "{}",
        r#"{"histograms": {"p_shockable": {"edges": [0, 1], "window_counts": [1]}}}"#,
    ] {
        old.publish("reference.json", reference.as_bytes());
        let package = Package::open(old.path(), &old.keys()).unwrap();
        package.load_waveform().unwrap();
        assert_eq!(package.watched_inputs().unwrap(), []);
    }
    let wrong = r#"{"histograms": {"height": {"edges": [0, 1], "input_counts": [1, 2]}}}"#;
    old.publish("reference.json", wrong.as_bytes());
    let error = Package::open(old.path(), &old.keys()).unwrap().watched_inputs().unwrap_err();
    assert!(error.to_string().contains("height: 2 counts, 2 edges"), "{error}");
}
