//! What is counted, and when it is forgotten.

use wardlight_core::bed_rhythms::Hearing;
use wardlight_core::codes::Waveform;
use wardlight_core::ids::StayToken;
use wardlight_core::trend;
use wardlight_models::ecg_beat::{self, Row};
use wardlight_models::life::Limits;
use wardlight_models::{Manifest, Package, TrustedKeys};

use super::*;
use crate::clock;

const DEADLINE: Duration = Duration::from_millis(500);

fn request(bed: &str, at: Duration, heart_rate: f32) -> InferRequest {
    let mut row = [None; trend::VITALS];
    row[0] = Some(heart_rate);
    InferRequest {
        bed: BedId::new(bed).unwrap(),
        stay: StayToken::from_bytes([1; 16]),
        asked_at: Timestamp::default().plus(at),
        age_years: None,
        window: vec![row],
    }
}

fn counted(tally: &Tally, part: &str) -> Counted {
    tally.all()[part].1.clone()
}

#[test]
fn late_batches_trip_and_are_forgotten_after_an_hour() {
    let start = clock::instant();
    let mut tally = Tally::default();
    tally.live("ecg-vf", "1.1.0", start);
    for n in 0..500_u32 {
        let took = if n % 50 == 0 { 501 } else { 500 };
        tally.batch(
            "ecg-vf",
            Duration::from_millis(took),
            DEADLINE,
            start + Duration::from_secs(n.into()),
        );
    }
    assert!(
        counted(&tally, "ecg-vf").trip(&Limits::AGENT).is_some(),
        "ten of five hundred"
    );
    tally.batch("ecg-vf", DEADLINE, DEADLINE, start + WINDOW);
    assert_eq!((counted(&tally, "ecg-vf").batches, counted(&tally, "ecg-vf").late), (1, 0));
}

#[test]
fn alarms_count_for_the_model_whose_word_began_them() {
    let mut tally = Tally::default();
    for part in ["ecg-vf", "ecg-beat"] {
        tally.live(part, "1.1.0", clock::instant());
    }
    let finding = |rhythm, present| RhythmFinding {
        rhythm,
        present,
        onset_at: Timestamp::default(),
    };
    tally.looked(3600);
    tally.found(&[
        finding(Rhythm::VentricularFibrillation, true),
        finding(Rhythm::VentricularFibrillation, false),
        finding(Rhythm::VentricularTachycardia, true),
    ]);
    for _ in 0..4 {
        tally.found(&[finding(Rhythm::VentricularTachycardia, true)]);
    }
    assert_eq!(counted(&tally, "ecg-vf").alarms, 1);
    assert_eq!(counted(&tally, "ecg-vf").trip(&Limits::AGENT), None);
    let said = counted(&tally, "ecg-beat").trip(&Limits::AGENT).unwrap().to_string();
    assert_eq!(said, "raises 5.0 alarms in an hour of one bed");
}

#[test]
fn a_risk_that_becomes_high_is_one_alarm_and_a_bed_gives_one_value_an_hour() {
    let mut tally = Tally::default();
    tally.live(RISK, "1.1.0", clock::instant());
    tally.watch(
        RISK,
        vec![Input {
            name: "heart_rate".to_owned(),
            edges: vec![0.0, 100.0, 300.0],
            reference: vec![1, 1],
            patients: 2,
            current: vec![0, 0],
        }],
    );
    for minute in 0..120_u32 {
        let at = Duration::from_mins(minute.into());
        tally.risk(&request("B1", at, 80.0), minute >= 60, clock::instant());
        tally.risk(&request("B2", at, 120.0), minute % 10 == 0, clock::instant());
    }
    let counted = counted(&tally, RISK);
    assert_eq!(counted.alarms, 1 + 12);
    assert_eq!(counted.bed_seconds, 2 * 119 * 60);
    assert_eq!((counted.inputs[0].current.as_slice(), counted.beds), ([2, 2].as_slice(), 2));
    assert!(counted.trip(&Limits::AGENT).is_some(), "six in an hour of one bed");
}

fn input(name: &str, middle: f64) -> Input {
    Input {
        name: name.to_owned(),
        edges: vec![-10.0, middle, 10.0],
        reference: vec![1, 1],
        patients: 2,
        current: vec![0, 0],
    }
}

fn place(bed: &str) -> Place {
    (BedId::new(bed).unwrap(), Hearing::default())
}

/// Windows of two leads, of which the first is as high as told.
fn windows(bed: &str, height: f32) -> (Place, Vec<ReadyWindow>) {
    let lead = |height: f32| ReadyWindow {
        lead: Waveform::Ecg(131_330),
        start_ms: 0,
        values: (0..ecg_vf::WINDOW).map(|i| if i % 2 == 0 { height } else { 0.0 }).collect(),
    };
    (place(bed), vec![lead(height), lead(0.3)])
}

#[test]
fn a_bed_gives_one_window_a_minute_and_a_day_later_none_of_it_counts() {
    let start = clock::instant();
    let mut tally = Tally::default();
    tally.live("ecg-vf", "1.1.0", start);
    tally.watch("ecg-vf", vec![input("height", 0.5), input("of a later software", 0.5)]);
    for second in 0..120 {
        let now = start + Duration::from_secs(second);
        tally.windows(&[windows("B1", 1.0), windows("B2", 0.1)], now);
        tally.windows(&[windows("B1", 1.0)], now);
    }
    let after = counted(&tally, "ecg-vf");
    let counts = |input: usize| after.inputs[input].current.clone();
    assert_eq!((counts(0), counts(1), after.beds), (vec![2, 2], vec![0, 0], 2));
    // Alarms and latency begin anew after an hour, inputs do not.
    tally.batch("ecg-vf", DEADLINE, DEADLINE, start + WINDOW);
    assert_eq!(
        (&counted(&tally, "ecg-vf").inputs, counted(&tally, "ecg-vf").beds),
        (&after.inputs, 2)
    );
    tally.batch("ecg-vf", DEADLINE, DEADLINE, start + ECG_INPUTS);
    let anew = counted(&tally, "ecg-vf");
    assert_eq!((anew.inputs[0].current.as_slice(), anew.beds), ([0, 0].as_slice(), 0));
}

#[test]
fn beats_give_the_columns_that_are_watched() {
    let package = Package::shipped("ecg-beat", &TrustedKeys::release().unwrap()).unwrap();
    let Manifest::Waveform(manifest) = package.manifest() else {
        panic!("classes of a waveform")
    };
    let mut tally = Tally::default();
    tally.live("ecg-beat", "1.1.0", clock::instant());
    tally.watch("ecg-beat", vec![input("roughness", 1.0), input("own_qrs_width", 1.0)]);
    let mut rhythm = vec![0.0; ecg_beat::RHYTHM];
    rhythm[manifest.column("roughness").unwrap()] = 2.0;
    let row = Row {
        lead: Waveform::Ecg(131_330),
        window: Vec::new(),
        rhythm,
    };
    let beat = |rows| ReadyBeat { at_ms: 0, rows };
    let beats = [(place("B1"), beat(vec![row])), (place("B2"), beat(Vec::new()))];
    tally.beats(&beats, manifest, clock::instant());
    let counted = counted(&tally, "ecg-beat");
    assert_eq!(counted.inputs[0].current, [0, 1]);
    assert_eq!(counted.inputs[1].current, [1, 0]);
}

#[test]
fn another_version_begins_anew() {
    let mut tally = Tally::default();
    tally.live(RISK, "1.1.0", clock::instant());
    tally.risk(&request("B1", Duration::ZERO, 80.0), true, clock::instant());
    tally.live(RISK, "1.0.0", clock::instant());
    assert_eq!(tally.all()[RISK], ("1.0.0".to_owned(), Counted::default()));
}
