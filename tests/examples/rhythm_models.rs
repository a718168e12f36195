//! Measures what the ECG models add to the rules on recorded data:
//! `cargo run --release -p wardlight-tests --example rhythm_models -- DATA_DIR OPINIONS_DIR`.
//!
//! OPINIONS_DIR holds `beat/NAME.csv` and `vf/NAME.csv` as `wardlight model annotate` writes them, or, for records that the models were
//! trained on, what networks said that had not seen the record (`models/training/run … --held-out DIR`).
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a program that prints tables, and stops at the first file that is not as expected"
)]

#[path = "../tests/evaluation/mod.rs"]
mod evaluation;

use std::path::Path;

use evaluation::load::{self, CUDB, DS1};
use evaluation::score::{self, Counts};
use evaluation::{Outcome, Recording, Reported, opinions, truth};
use wardlight_core::rhythm::Rhythm;

const LETHAL: [Rhythm; 2] = [Rhythm::VentricularFibrillation, Rhythm::VentricularTachycardia];
const WITNESSES: [&str; 3] = ["rules", "models", "either"];

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [data, said] = arguments.as_slice() else {
        panic!("usage: rhythm_models DATA_DIR OPINIONS_DIR");
    };
    let (data, said) = (Path::new(data), Path::new(said));
    annotated(data, said);
    atrial(data, said);
    unannotated(data, said);
}

/// What the rules say, the models, and either.
fn witnesses(recording: &Recording, said: &Path) -> [Vec<Reported>; 3] {
    let opinions = opinions::read(said, &recording.name, recording.channels[0].rate_hz);
    let (rules, models) = recording.play_beside(|_| true, &opinions);
    let lethal = |outcome: &Outcome| {
        outcome
            .reported
            .iter()
            .filter(|r| LETHAL.contains(&r.rhythm))
            .copied()
            .collect::<Vec<_>>()
    };
    let (rules, models) = (lethal(&rules), lethal(&models));
    let either = either(&rules, &models);
    [rules, models, either]
}

/// What the Ward tells: a condition is present as long as one of the two says so.
fn either(rules: &[Reported], models: &[Reported]) -> Vec<Reported> {
    let mut all: Vec<Reported> = rules.iter().chain(models).copied().collect();
    all.sort_by(|a, b| a.at_s.total_cmp(&b.at_s));
    let mut told: Vec<Reported> = Vec::new();
    for report in all {
        let standing = told.iter_mut().rfind(|t| t.rhythm == report.rhythm && t.end_s >= report.at_s);
        match standing {
            Some(standing) => standing.end_s = standing.end_s.max(report.end_s),
            None => told.push(report),
        }
    }
    told
}

fn annotated(data: &Path, said: &Path) {
    println!("DS1: found/annotated +false, by who says so");
    let heads = LETHAL.map(|r| WITNESSES.map(|w| format!("{:>24}", format!("{} {w}", r.name()))).concat());
    println!("record  {}", heads.concat());
    let mut totals = [[Counts::default(); 3]; 2];
    let mut hours = 0.0;
    for name in DS1 {
        let recording = load::mitdb(data, name);
        hours += recording.seconds() / 3600.0;
        let events = truth::events(&recording);
        let reports = witnesses(&recording, said);
        let mut line = format!("{name:7} ");
        for (rhythm, totals) in LETHAL.into_iter().zip(&mut totals) {
            for (reported, total) in reports.iter().zip(totals) {
                let counts = score::conditions(rhythm, &events, reported);
                total.add(counts);
                line += &cell(counts);
            }
        }
        println!("{line}");
    }
    println!("all     {}", totals.concat().into_iter().map(cell).collect::<String>());
    let rate = |counts: &Counts| format!("{:>24.2}", counts.false_ as f64 / hours);
    println!("false/h {}", totals.concat().iter().map(rate).collect::<String>());
}

fn cell(counts: Counts) -> String {
    format!(
        "{:>24}",
        format!("{}/{} +{}", counts.found, counts.found + counts.missed, counts.false_)
    )
}

/// Minutes of atrial fibrillation, of those after the first two in which nothing can be told.
fn atrial(data: &Path, said: &Path) {
    println!(
        "\nAtrial fibrillation: minutes told of those annotated, and minutes told elsewhere; records without either are left out"
    );
    for name in DS1 {
        let recording = load::mitdb(data, name);
        let opinions = opinions::read(said, name, recording.channels[0].rate_hz);
        let (_, models) = recording.play_beside(|_| true, &opinions);
        let annotated = truth::atrial_fibrillation(&recording);
        let (mut found, mut all, mut elsewhere) = (0.0, 0.0, 0.0);
        for second in 120..recording.seconds() as usize {
            let at = second as f64;
            let within = |(from, to): &(f64, f64)| (*from..*to).contains(&at);
            let told = models.of(Rhythm::AtrialFibrillation).any(|r| (r.at_s..r.end_s).contains(&at));
            let really = annotated.iter().any(within);
            all += f64::from(u8::from(really)) / 60.0;
            found += f64::from(u8::from(really && told)) / 60.0;
            elsewhere += f64::from(u8::from(!really && told)) / 60.0;
        }
        if all + elsewhere > 0.0 {
            println!("{name}: {found:.1} of {all:.1}, elsewhere {elsewhere:.1}");
        }
    }
}

fn unannotated(data: &Path, said: &Path) {
    println!("\nWithout annotations of time: each report, by who says so");
    let creighton = CUDB.iter().map(|name| load::cudb(data, name));
    let alarms = ["a103l", "v102s"]
        .into_iter()
        .map(|name| load::wfdb(&data.join("wfdb"), name));
    for recording in creighton.chain(alarms) {
        let reports = witnesses(&recording, said);
        for (witness, reported) in WITNESSES.into_iter().zip(reports) {
            let one = |r: &Reported| format!("{} {:.1}-{:.1} told {:.1}", r.rhythm.name(), r.onset_s, r.end_s, r.at_s);
            println!(
                "{:6} {witness:7} {}",
                recording.name,
                reported.iter().map(one).collect::<Vec<_>>().join("; ")
            );
        }
    }
}
