//! Wards as they are built. What the rules make of every scenario is in `tests/tests/simulated.rs`.

use wardlight_core::message::{Body, Message};
use wardlight_wire::decode;

use super::*;
use crate::recordings::test_folder;
use crate::scenario::builtin;

const START: Timestamp = Timestamp::from_millis(1_767_225_600_000);

fn settings(seed: u64) -> WardSettings {
    WardSettings {
        site: SiteId::new("north").unwrap(),
        seed,
        beds: None,
        recordings: None,
        start: START,
    }
}

#[test]
fn the_same_seed_plays_the_same_ward() {
    let run = || {
        let mut ward = SimulatedWard::new(&settings(5), &builtin("demo").unwrap()).unwrap();
        let mut out = Vec::new();
        ward.advance(START.plus(Duration::from_secs(30)), &mut out);
        out
    };
    let first = run();
    assert!(first.len() > 1000);
    assert_eq!(first, run());
}

#[test]
fn the_demo_has_twelve_beds_and_fifteen_devices() {
    let ward = SimulatedWard::new(&settings(1), &builtin("demo").unwrap()).unwrap();
    assert_eq!((ward.beds().len(), ward.attachments().len()), (12, 15));
    let four = WardSettings {
        beds: Some(4),
        ..settings(1)
    };
    let mut small = SimulatedWard::new(&four, &builtin("demo").unwrap()).unwrap();
    assert_eq!(small.attachments().len(), 7);
    assert!(small.expected().iter().all(|e| small.beds().contains(&e.bed)));
    assert_eq!(small.wills().len(), 7);
    let none = WardSettings {
        beds: Some(0),
        ..settings(1)
    };
    assert!(SimulatedWard::new(&none, &builtin("demo").unwrap()).is_err());
}

#[test]
fn more_beds_do_not_move_the_wearables_that_the_script_speaks_of() {
    let more = WardSettings {
        beds: Some(30),
        ..settings(1)
    };
    let ward = SimulatedWard::new(&more, &builtin("demo").unwrap()).unwrap();
    let worn: Vec<_> = ward
        .attachments()
        .into_iter()
        .filter(|a| a.device.as_str().starts_with("wear"))
        .map(|a| a.bed.to_string())
        .collect();
    assert_eq!(worn, ["bed-10", "bed-11", "bed-12"]);
}

#[test]
fn recordings_lie_in_the_beds_without_a_script() {
    let with = WardSettings {
        recordings: Some(test_folder()),
        ..settings(1)
    };
    let mut ward = SimulatedWard::new(&with, &builtin("demo").unwrap()).unwrap();
    assert_eq!(ward.recorded_beds().len(), 2);
    let mut out = Vec::new();
    ward.advance(START.plus(Duration::from_secs(20)), &mut out);
    let from = |device: &str| -> Vec<Message> {
        let of_device = out.iter().filter(|p| p.device.as_str() == device);
        of_device
            .map(|p| decode(&p.topic, &p.payload, None, START).unwrap().message)
            .collect()
    };
    let rates: Vec<f32> = from("mon-01")
        .iter()
        .filter_map(|m| match &m.body {
            Body::Wave(block) => Some(block.rate_hz),
            _ => None,
        })
        .collect();
    assert!(rates.len() > 40 && rates.iter().all(|r| (r - 360.0).abs() < 0.01));
    assert!(from("mon-09").iter().any(|m| matches!(m.body, Body::Numerics(_))));
    let empty = WardSettings {
        recordings: Some("/nonexistent".into()),
        ..settings(1)
    };
    assert!(SimulatedWard::new(&empty, &builtin("demo").unwrap()).is_err());
}
