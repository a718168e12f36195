//! Every scenario is played through the rules of `wardlight-core`, in simulated time: what must be alarmed is alarmed in time,
//! and nothing else is.

use std::collections::BTreeSet;

use wardlight_core::alarms::AlarmState;
use wardlight_core::event::{Command, Effect, Event};
use wardlight_core::ids::{StayToken, UnitId};
use wardlight_core::message::{Body, Message};
use wardlight_core::patient::PatientProfile;
use wardlight_core::ward::{TICK as WARD_TICK, Ward, WardConfig};
use wardlight_wire::decode;

use super::*;
use crate::recordings::test_folder;
use crate::scenario::{BUILTIN, builtin};

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

/// What the rules made of a ward.
#[derive(Debug, Default)]
struct Played {
    raised: Vec<(BedId, String, Timestamp)>,
    gaps: u32,
    duplicates: u32,
    refused: u32,
}

fn play(mut ward: SimulatedWard, until: Timestamp) -> Played {
    let unit = UnitId::new("icu").unwrap();
    let mut rules = Ward::new(WardConfig {
        beds: ward.beds().into_iter().map(|bed| (unit.clone(), bed)).collect(),
        max_unassigned: 10,
        infer_every: Duration::from_mins(5),
    });
    let mut played = Played::default();
    let mut effects = Vec::new();
    for (i, bed) in ward.beds().into_iter().enumerate() {
        let stay = StayToken::from_bytes([i as u8; 16]);
        let profile = PatientProfile::default();
        rules.step(Event::Command(Command::Admit { bed, stay, profile }), START, &mut effects);
    }
    for Attachment { device, bed } in ward.attachments() {
        rules.step(Event::Command(Command::Attach { device, bed }), START, &mut effects);
    }
    let mut now = START;
    while now < until {
        now = now.plus(WARD_TICK);
        rules.step(Event::Tick, now, &mut effects);
        let mut out = Vec::new();
        ward.advance(now, &mut out);
        for publication in out {
            match decode(&publication.topic, &publication.payload, Some(publication.content_type), now) {
                Ok(decoded) => rules.step(Event::Message(decoded.message), now, &mut effects),
                Err(_) => played.refused += 1,
            }
        }
        for effect in effects.drain(..) {
            note(effect, &mut played);
        }
    }
    played
}

fn note(effect: Effect, played: &mut Played) {
    match effect {
        Effect::Alarm(change) if change.state == AlarmState::Active && change.revision == 1 => {
            played.raised.push((change.bed, change.kind.to_string(), change.raised_at));
        }
        Effect::Gap { missed, .. } => played.gaps += missed,
        Effect::Duplicate => played.duplicates += 1,
        Effect::Refused(refusal) => panic!("{refusal}"),
        _ => {}
    }
}

fn check(name: &str, seed: u64) -> Played {
    let ward = SimulatedWard::new(&settings(seed), &builtin(name).unwrap()).unwrap();
    let expected = ward.expected().to_vec();
    let until = ward.ends_at();
    let played = play(ward, until);
    for alarm in expected.iter().filter(|e| e.required) {
        let in_time = |(bed, kind, at): &(BedId, String, Timestamp)| {
            *bed == alarm.bed && *kind == alarm.kind && (alarm.from..=alarm.by).contains(at)
        };
        let (bed, kind) = (&alarm.bed, &alarm.kind);
        let after = |t: &Timestamp| t.millis_after(START) as f64 / 1000.0;
        let found: Vec<f64> = played
            .raised
            .iter()
            .filter(|(b, k, _)| b == bed && k == kind)
            .map(|r| after(&r.2))
            .collect();
        assert!(
            played.raised.iter().any(in_time),
            "{name}, seed {seed}: {kind} at {bed} expected between {} and {} s, found at {found:?}",
            after(&alarm.from),
            after(&alarm.by)
        );
    }
    let known: BTreeSet<(&BedId, &str)> = expected.iter().map(|e| (&e.bed, e.kind.as_str())).collect();
    for (bed, kind, at) in &played.raised {
        let seconds = at.millis_after(START) as f64 / 1000.0;
        assert!(
            known.contains(&(bed, kind.as_str())),
            "{name}, seed {seed}: {kind} at {bed} after {seconds} s not expected"
        );
    }
    played
}

#[test]
fn every_scenario_raises_what_it_promises_and_nothing_else() {
    for (name, _) in BUILTIN {
        for seed in [1, 2] {
            check(name, seed);
        }
    }
}

#[test]
fn disorder_is_seen_but_loses_nothing() {
    let played = check("disorder", 1);
    assert!(played.duplicates > 5 && played.refused > 2, "{played:?}");
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
