//! The thread with the shipped models, on simulated hearts.

use std::collections::BTreeMap;
use std::sync::mpsc::{Receiver, sync_channel};

use wardlight_core::codes::Waveform;
use wardlight_core::event::ModelStatus;
use wardlight_core::ids::StayToken;
use wardlight_core::message::WaveBlock;
use wardlight_core::rhythm::{BedRhythm, Rhythm};
use wardlight_core::vitals::Quality;
use wardlight_models::{Package, TrustedKeys};
use wardlight_simulator::signal::{Physiology, Rhythm as Simulated, SYNTHESIS_HZ, Synthesiser};
use wardlight_station::{Link, ModelHealth};

use super::*;
use crate::agent::Input;
use crate::packages::{Comparison, Ledger};

const STAY: StayToken = StayToken::from_bytes([1; 16]);

fn package(id: &str) -> Package {
    Package::shipped(id, &TrustedKeys::release().unwrap()).unwrap()
}

fn ecg_models() -> [Loaded; 2] {
    [
        Loaded::Shockable(package("ecg-vf").load_waveform().unwrap()),
        Loaded::Beats(package("ecg-beat").load_waveform().unwrap()),
    ]
}

/// A minute of one lead: half of it sinus rhythm, then `rhythm`, in blocks of a second.
fn blocks(bed: &str, rhythm: Simulated, rate: f64) -> Vec<Asked> {
    let mut synthesiser = Synthesiser::new(3);
    let mut analysis = BedRhythm::default();
    let mut second = |s: i64, rhythm: Simulated, heart_rate: f64| {
        let physiology = Physiology {
            rhythm,
            heart_rate,
            resp_rate: 15.0,
            pulse_strength: 1.0,
            ectopic: 0.0,
            motion: 0.0,
        };
        let samples = (0..SYNTHESIS_HZ).map(|_| (synthesiser.advance(&physiology).ecg_mv * 400.0).round() as i16);
        let block = WaveBlock {
            waveform: Waveform::Ecg(131_330),
            rate_hz: SYNTHESIS_HZ as f32,
            scale: (-4, 25),
            offset: 0,
            samples: samples.collect(),
            quality: Quality::VALID,
        };
        let at = Timestamp::from_millis(1_600_000_000_000 + s * 1000);
        let mut heard = Vec::new();
        analysis.push_heard(&block, at, &mut Vec::new(), &mut |one| heard.push(one));
        Asked::Heard(HeardAtBed {
            bed: BedId::new(bed).unwrap(),
            hearing: Hearing::default(),
            asked_at: at,
            heard,
        })
    };
    let first: Vec<_> = (0..30).map(|s| second(s, Simulated::Sinus, 75.0)).collect();
    first.into_iter().chain((30..60).map(|s| second(s, rhythm, rate))).collect()
}

/// What the thread answers to all of it.
fn answers(asked: impl IntoIterator<Item = Asked>) -> Vec<Input> {
    answers_and_comparisons(asked).0
}

/// The same, with how the unheard versions did.
fn answers_and_comparisons(asked: impl IntoIterator<Item = Asked>) -> (Vec<Input>, BTreeMap<String, Comparison>) {
    let (ask, receiver): (_, Receiver<Asked>) = sync_channel(QUEUE);
    let (answer, mut answers) = tokio::sync::mpsc::channel(QUEUE);
    for one in asked {
        ask.send(one).unwrap();
    }
    drop(ask);
    let ledger = Ledger::default();
    run(&receiver, answer, Loader::lost_card().0, ledger.clone(), DEADLINE);
    (std::iter::from_fn(|| answers.try_recv().ok()).collect(), ledger.all())
}

fn found(answers: &[Input], bed: &str) -> (Vec<(Rhythm, bool)>, Vec<Sighting>) {
    let mut all = (Vec::new(), Vec::new());
    for answer in answers {
        if let Input::Found(found) = answer {
            for at in found.iter().filter(|at| at.bed.as_str() == bed) {
                all.0.extend(at.findings.iter().map(|f| (f.rhythm, f.present)));
                all.1.extend(at.sightings.iter().cloned());
            }
        }
    }
    all
}

#[test]
fn fibrillation_of_one_bed_among_others_is_found_and_explained() {
    let sick = blocks("B1", Simulated::VentricularFibrillation, 0.0);
    let well = blocks("B2", Simulated::Sinus, 90.0);
    let together = sick.into_iter().zip(well).flat_map(|(a, b)| [a, b]);
    let put = ecg_models().map(|model| Asked::Put(Box::new(model)));
    let answers = answers(put.into_iter().chain(together));

    let (findings, sightings) = found(&answers, "B1");
    assert!(findings.contains(&(Rhythm::VentricularFibrillation, true)), "{findings:?}");
    assert_eq!(found(&answers, "B2").0, []);
    let seen = sightings
        .iter()
        .find(|seen| seen.rhythm == Rhythm::VentricularFibrillation)
        .unwrap();
    let sum = seen.base_ppm + seen.parts_ppm.iter().sum::<i32>();
    let said = i32::from(seen.permille) * 1000;
    assert!((sum - said).abs() <= 500 + seen.parts_ppm.len() as i32, "{sum} for {said}");
    assert!(seen.model.starts_with("ecg-vf ") && seen.strip.len() == 500);
    let blocks: usize = answers
        .iter()
        .map(|answer| if let Input::Heard(heard) = answer { heard.blocks } else { 0 })
        .sum();
    assert_eq!(blocks, 120, "every block is answered");
}

#[test]
fn ventricular_tachycardia_is_found_from_the_classes_of_beats() {
    let put = ecg_models().map(|model| Asked::Put(Box::new(model)));
    let answers = answers(put.into_iter().chain(blocks("B1", Simulated::VentricularTachycardia, 80.0)));
    let (findings, sightings) = found(&answers, "B1");
    assert!(findings.contains(&(Rhythm::VentricularTachycardia, true)), "{findings:?}");
    let seen = sightings
        .iter()
        .find(|seen| seen.rhythm == Rhythm::VentricularTachycardia)
        .unwrap();
    let sum = seen.base_ppm + seen.parts_ppm.iter().sum::<i32>() + seen.beside_ppm.unwrap();
    assert!((sum - i32::from(seen.permille) * 1000).abs() <= 510);
}

#[test]
fn the_inputs_of_sound_hearts_are_counted_and_lie_where_most_of_the_training_does() {
    const BEDS: [&str; 4] = ["B1", "B2", "B3", "B4"];
    let (ask, receiver) = sync_channel(QUEUE);
    let (answer, _answers) = tokio::sync::mpsc::channel(QUEUE);
    for model in ecg_models() {
        let part = model.part();
        ask.send(Asked::Put(Box::new(model))).unwrap();
        ask.send(Asked::Watch(part, package(part).watched_inputs().unwrap())).unwrap();
    }
    for (bed, rate) in BEDS.into_iter().zip([55.0, 75.0, 100.0, 130.0]) {
        for block in blocks(bed, Simulated::Sinus, rate) {
            ask.send(block).unwrap();
        }
    }
    drop(ask);
    let ledger = Ledger::default();
    run(&receiver, answer, Loader::lost_card().0, ledger.clone(), DEADLINE);
    for part in ["ecg-beat", "ecg-vf"] {
        let counted = ledger.counted(part, package(part).manifest().version(), "");
        assert_eq!((counted.inputs.len(), counted.beds), (3, BEDS.len() as u64), "{part}");
        for input in counted.inputs {
            let most = input.reference.iter().max();
            let middle = input.reference.iter().position(|count| Some(count) == most).unwrap();
            let mut expected = vec![0; input.current.len()];
            expected[middle] = BEDS.len() as u64;
            assert_eq!(input.current, expected, "{}", input.name);
        }
    }
}

#[test]
fn another_model_takes_back_what_the_one_before_said_and_the_same_one_again_does_not() {
    let vf = || blocks("B1", Simulated::VentricularFibrillation, 0.0);
    let shockable = || Box::new(Loaded::Shockable(package("ecg-vf").load_waveform().unwrap()));
    // What comes after has to wait until what was before is answered, or both are one batch.
    let told = |put: Asked| {
        let (ask, receiver) = sync_channel(QUEUE);
        let (answer, mut answers) = tokio::sync::mpsc::channel(QUEUE);
        std::thread::scope(|scope| {
            scope.spawn(move || run(&receiver, answer, Loader::lost_card().0, Ledger::default(), DEADLINE));
            let first = std::iter::once(Asked::Put(shockable())).chain(vf());
            let mut all = Vec::new();
            let mut blocks_told = 0;
            for one in first {
                ask.send(one).unwrap();
            }
            while blocks_told < 60 {
                let answer = answers.blocking_recv().unwrap();
                if let Input::Heard(heard) = &answer {
                    blocks_told += heard.blocks;
                }
                all.push(answer);
            }
            for one in std::iter::once(put).chain(blocks("B2", Simulated::Sinus, 80.0)) {
                ask.send(one).unwrap();
            }
            drop(ask);
            all.extend(std::iter::from_fn(|| answers.blocking_recv()));
            found(&all, "B1").0
        })
    };
    let fibrillation = Rhythm::VentricularFibrillation;
    assert_eq!(told(Asked::Again(shockable())), [(fibrillation, true)]);
    assert_eq!(told(Asked::Put(shockable())), [(fibrillation, true), (fibrillation, false)]);
}

#[test]
fn a_model_that_fails_is_gone_and_the_others_go_on() {
    // The two models take rows of other shapes: each fails in the place of the other.
    let swapped = [
        Loaded::Shockable(package("ecg-beat").load_waveform().unwrap()),
        Loaded::Risk(package("deterioration").load().unwrap()),
    ];
    let put = swapped.map(|model| Asked::Put(Box::new(model)));
    let answers = answers(
        put.into_iter()
            .chain(blocks("B1", Simulated::Sinus, 75.0))
            .chain([risk_request()]),
    );
    let gone = |answer: &Input| matches!(answer, Input::ModelHealth(ModelHealth { id, link: Link::Down { .. }, .. }) if id == "ecg-beat");
    assert!(answers.iter().any(gone));
    assert!(!answers.iter().any(|answer| matches!(answer, Input::Model(ModelStatus::Gone))));
    assert!(
        answers
            .iter()
            .any(|answer| matches!(answer, Input::Scored { score: Some(_), .. }))
    );
}

fn risk_request() -> Asked {
    risk_request_at(0)
}

fn risk_request_at(ms: i64) -> Asked {
    Asked::Risk(InferRequest {
        bed: BedId::new("B1").unwrap(),
        stay: STAY,
        asked_at: Timestamp::from_millis(ms),
        age_years: Some(70),
        window: vec![[Some(80.0); wardlight_core::trend::VITALS]; 8],
    })
}

fn all_models() -> impl Iterator<Item = Loaded> {
    ecg_models()
        .into_iter()
        .chain([Loaded::Risk(package("deterioration").load().unwrap())])
}

#[test]
fn of_two_risks_of_a_bed_that_wait_the_newer_is_computed_and_both_are_answered() {
    let put = Asked::Put(Box::new(Loaded::Risk(package("deterioration").load().unwrap())));
    let answers = answers([put, risk_request_at(0), risk_request_at(250)]);
    let scored: Vec<_> = answers
        .iter()
        .filter_map(|answer| match answer {
            Input::Scored { score, .. } => Some(score.as_ref().map(|score| score.asked_at.as_millis())),
            _ => None,
        })
        .collect();
    assert_eq!(scored, [None, Some(250)]);
}

#[test]
fn an_unheard_version_gets_what_the_live_one_gets_and_changes_no_answer() {
    let asked = || {
        let blocks = blocks("B1", Simulated::VentricularFibrillation, 0.0);
        blocks.into_iter().chain([risk_request()])
    };
    let put = || all_models().map(|model| Asked::Put(Box::new(model)));
    let unheard = all_models().map(|model| Asked::Unheard(Box::new(model)));
    let alone = answers(put().chain(asked()));
    let (beside, compared) = answers_and_comparisons(put().chain(unheard).chain(asked()));
    assert_eq!(found(&beside, "B1"), found(&alone, "B1"));
    let kinds = |answers: &[Input]| answers.iter().filter(|a| matches!(a, Input::Scored { .. })).count();
    assert_eq!(kinds(&beside), kinds(&alone));
    for (part, rows) in [("ecg-vf", 50), ("ecg-beat", 30), ("deterioration", 1)] {
        let one = &compared[part];
        assert!(one.compared > 0 && one.compared + one.skipped >= rows, "{part}: {one:?}");
        // The very same model decides the same, bit for bit.
        assert_eq!((one.same, one.largest_gap), (one.compared, 0.0), "{part}");
        assert_eq!(one.live, one.unheard);
        assert!(!one.live.is_empty());
    }
}

#[test]
fn an_unheard_version_that_fails_or_is_taken_away_costs_only_itself() {
    // It takes rows of another shape: it fails.
    let wrong = Loaded::Shockable(package("ecg-beat").load_waveform().unwrap());
    let put = all_models().map(|model| Asked::Put(Box::new(model)));
    let away = Loaded::Risk(package("deterioration").load().unwrap());
    let asked = put
        .chain([Asked::Unheard(Box::new(wrong)), Asked::Unheard(Box::new(away))])
        .chain([Asked::NoUnheard("deterioration")])
        .chain(blocks("B1", Simulated::VentricularFibrillation, 0.0))
        .chain([risk_request()]);
    let (answers, compared) = answers_and_comparisons(asked);
    assert!(compared.is_empty(), "{compared:?}");
    assert!(found(&answers, "B1").0.contains(&(Rhythm::VentricularFibrillation, true)));
    assert!(
        !answers
            .iter()
            .any(|answer| matches!(answer, Input::ModelHealth(health) if health.link != Link::Up))
    );
}

#[test]
fn another_live_version_is_compared_anew() {
    let twice = || [Loaded::Risk(package("deterioration").load().unwrap())];
    let put = |model: Loaded| Asked::Put(Box::new(model));
    let unheard = twice().map(|model| Asked::Unheard(Box::new(model)));
    let asked = twice().map(put).into_iter().chain(unheard).chain([risk_request()]);
    let (_, compared) = answers_and_comparisons(asked.chain(twice().map(put)).chain([risk_request()]));
    assert!(compared.is_empty(), "nothing stands beside the new one yet: {compared:?}");
}

const DEADLINE: Duration = Duration::from_millis(500);

fn at(ms: i64) -> Timestamp {
    Timestamp::from_millis(ms)
}

fn request(ms: i64) -> InferRequest {
    InferRequest {
        bed: BedId::new("B1").unwrap(),
        stay: StayToken::from_bytes([1; 16]),
        asked_at: at(ms),
        age_years: None,
        window: Vec::new(),
    }
}

#[test]
fn the_oldest_request_without_an_answer_is_the_one_that_counts() {
    let (ask, _held) = sync_channel(8);
    let mut inference = Inference::new(ask);
    assert!(!inference.risks().is_overdue(at(10_000), DEADLINE), "nothing was asked");
    for ms in [0, 250, 400] {
        assert!(inference.ask(request(ms)));
    }
    assert!(!inference.risks().is_overdue(at(500), DEADLINE));
    assert!(inference.risks().is_overdue(at(501), DEADLINE));
    assert_eq!(inference.risks().answered(2), Some(at(0)));
    assert!(!inference.risks().is_overdue(at(900), DEADLINE));
    assert!(inference.risks().is_overdue(at(901), DEADLINE));
    assert_eq!(inference.risks().answered(9), Some(at(400)));
    assert!(!inference.risks().is_overdue(at(9000), DEADLINE));
}

#[test]
fn a_full_queue_is_no_request_and_a_thread_that_ended_is_noticed() {
    let (ask, held) = sync_channel(1);
    let mut inference = Inference::new(ask);
    assert!(inference.ask(request(0)) && !inference.ask(request(1)));
    assert!(!inference.is_gone());
    assert_eq!(
        (inference.risks().answered(1), inference.risks().answered(1)),
        (Some(at(0)), None)
    );
    drop(held);
    assert!(!inference.ask(request(2)) && inference.is_gone());
    assert!(!inference.risks().is_overdue(at(9000), DEADLINE));
}
