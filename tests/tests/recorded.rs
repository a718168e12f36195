//! The rhythm rules on recorded patients reach what docs/rhythm.md claims. The recordings stay outside the repository:
//! `WARDLIGHT_RECORDINGS`, or `../shared/data` beside the workspace.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests fail by panicking"
)]

mod evaluation;

use std::path::PathBuf;

use evaluation::load::{self, CUDB, DS1};
use evaluation::score::{self, Counts};
use evaluation::{Outcome, Recording, truth};
use wardlight_core::rhythm::Rhythm;
use wardlight_tests::root;

/// The folder of recordings; `None`, and loudly, if there is none.
fn recordings(test: &str) -> Option<PathBuf> {
    let beside = || root().join("../shared/data");
    let folder = std::env::var_os("WARDLIGHT_RECORDINGS").map_or_else(beside, Into::into);
    if folder.join("mitdb").is_dir() {
        return Some(folder);
    }
    eprintln!(
        "\n*** NOT RUN: {test}: no recordings at {}: set WARDLIGHT_RECORDINGS ***\n",
        folder.display()
    );
    None
}

fn lethal(outcome: &Outcome) -> usize {
    let red = |r: &&evaluation::Reported| r.rhythm != Rhythm::Pause;
    outcome.reported.iter().filter(red).count()
}

#[test]
fn beats_and_conditions_of_the_arrhythmia_database_are_found() {
    let Some(folder) = recordings("the arrhythmia database") else {
        return;
    };
    let mut qrs = Counts::default();
    let mut conditions = [Counts::default(); Rhythm::ALL.len()];
    for name in DS1 {
        let recording: Recording = load::mitdb(&folder, name);
        let outcome = recording.play(|_| true);
        let events = truth::events(&recording);
        qrs.add(score::qrs(
            &truth::beats(&recording),
            &outcome.beats,
            &truth::flutter(&recording),
        ));
        for (rhythm, total) in Rhythm::ALL.into_iter().zip(&mut conditions) {
            total.add(score::conditions(rhythm, &events, &outcome.reported));
        }
    }
    assert_eq!(qrs.found + qrs.missed, 42_463, "beats from 5 minutes on");
    assert!(qrs.sensitivity() >= 0.998, "QRS sensitivity {:.4}", qrs.sensitivity());
    assert!(qrs.precision() >= 0.995, "QRS PPV {:.4}", qrs.precision());
    let [asystole, fibrillation, tachycardia, slow, fast, pause, _atrial] = conditions;
    assert_eq!((fibrillation.found, fibrillation.missed), (6, 0), "flutter of record 207");
    assert_eq!((asystole.false_, fibrillation.false_, pause.false_), (0, 0, 0));
    assert!(tachycardia.found >= 8 && tachycardia.false_ <= 5, "{tachycardia:?}");
    assert!(slow.missed == 0 && slow.false_ <= 4, "{slow:?}");
    assert!(fast.missed <= 1 && fast.false_ <= 6, "{fast:?}");
}

#[test]
fn fibrillation_is_found_in_every_record_of_the_creighton_database() {
    let Some(folder) = recordings("the Creighton University database") else {
        return;
    };
    for name in CUDB {
        let outcome = load::cudb(&folder, name).play(|_| true);
        assert!(outcome.of(Rhythm::VentricularFibrillation).count() > 0, "{name}");
        if name == "cu03" {
            // The reports before are false; this is when the trace turns into fibrillation.
            let mut found = outcome.of(Rhythm::VentricularFibrillation);
            assert!(found.any(|r| (460.0..470.0).contains(&r.onset_s)), "{:?}", outcome.reported);
        }
        if name == "cu01" {
            let onset = load::CU01_FIBRILLATION_S;
            let first = outcome.of(Rhythm::VentricularFibrillation).next().unwrap();
            assert!((first.at_s - onset) <= 5.0 && first.onset_s > onset - 4.0, "{first:?}");
        }
    }
}

#[test]
fn two_false_alarms_of_bedside_monitors_stay_silent() {
    let Some(folder) = recordings("false alarms") else { return };
    for name in ["a103l", "v102s"] {
        let outcome = load::wfdb(&folder.join("wfdb"), name).play(|_| true);
        assert!(outcome.beats.len() > 400, "{name}");
        assert_eq!(lethal(&outcome), 0, "{name}: {:?}", outcome.reported);
    }
}
