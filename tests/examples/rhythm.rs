//! Measures the rhythm rules on recorded data: `cargo run --release -p wardlight-tests --example rhythm -- DATA_DIR`.
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
use evaluation::{Outcome, Recording, truth};
use wardlight_core::codes::Waveform;
use wardlight_core::rhythm::{BedRhythm, Rhythm};

fn main() {
    let mut arguments = std::env::args().skip(1);
    let folder = arguments.next().unwrap_or_else(|| panic!("usage: rhythm DATA_DIR"));
    let folder = Path::new(&folder);
    let verbose = arguments.next().is_some();
    cost(folder);
    let ds1: Vec<(Recording, Outcome)> = DS1
        .iter()
        .map(|name| {
            let recording = load::mitdb(folder, name);
            let outcome = recording.play(|_| true);
            (recording, outcome)
        })
        .collect();
    beats(&ds1);
    conditions(&ds1, verbose);
    fibrillation(folder);
    false_alarms(folder);
}

fn beats(ds1: &[(Recording, Outcome)]) {
    println!("QRS complexes of DS1 from 5 min on, within 150 ms; then ventricular beats by the rule, both leads");
    println!("record   beats |  both: Se    PPV  missed false | lead 0: Se    PPV  missed false |  V: Se    PPV | ECG good");
    let mut totals = [Counts::default(); 3];
    let mut good = 0.0;
    for (recording, both) in ds1 {
        let truth_beats = truth::beats(recording);
        let flutter = truth::flutter(recording);
        let first = recording.play(|i| i == 0);
        let counts = [
            score::qrs(&truth_beats, &both.beats, &flutter),
            score::qrs(&truth_beats, &first.beats, &flutter),
            score::ventricular(&truth_beats, &both.beats),
        ];
        row(&recording.name, &counts, both.good);
        good += both.good / ds1.len() as f64;
        for (total, count) in totals.iter_mut().zip(counts) {
            total.add(count);
        }
    }
    row("gross", &totals, good);
}

fn row(name: &str, [both, first, ventricular]: &[Counts; 3], good: f64) {
    println!(
        "{name:7} {:6} | {:.4} {:.4} {:6} {:6} | {:.4} {:.4} {:6} {:6} | {:.3} {:.3} | {:.3}",
        both.found + both.missed,
        both.sensitivity(),
        both.precision(),
        both.missed,
        both.false_,
        first.sensitivity(),
        first.precision(),
        first.missed,
        first.false_,
        ventricular.sensitivity(),
        ventricular.precision(),
        good,
    );
}

fn conditions(ds1: &[(Recording, Outcome)], verbose: bool) {
    println!("\nConditions of DS1 by their annotations: found/annotated, false ones");
    println!(
        "record  {}",
        Rhythm::ALL.map(|r| format!("{:>24}", format!("{r:?}"))).join("")
    );
    let mut totals = [Counts::default(); Rhythm::ALL.len()];
    let mut hours = 0.0;
    for (recording, outcome) in ds1 {
        hours += recording.seconds() / 3600.0;
        let events = truth::events(recording);
        let mut line = format!("{:7} ", recording.name);
        for (rhythm, total) in Rhythm::ALL.into_iter().zip(&mut totals) {
            let counts = score::conditions(rhythm, &events, &outcome.reported);
            total.add(counts);
            line += &cell(counts);
        }
        println!("{line}");
        if verbose {
            for event in &events {
                println!("   annotated {:?} {:.1}-{:.1} s", event.rhythm, event.from_s, event.to_s);
            }
            list(outcome);
        }
    }
    println!("all     {}", totals.map(cell).join(""));
    println!(
        "false per hour over {hours:.1} h: {}",
        totals.map(|t| format!("{:.2}", t.false_ as f64 / hours)).join(" ")
    );
}

fn cell(counts: Counts) -> String {
    format!(
        "{:>24}",
        format!("{}/{} +{}", counts.found, counts.found + counts.missed, counts.false_)
    )
}

fn list(outcome: &Outcome) {
    for r in &outcome.reported {
        println!(
            "   {:?} {:.1}-{:.1} s, reported at {:.1} s",
            r.rhythm, r.onset_s, r.end_s, r.at_s
        );
    }
}

fn fibrillation(folder: &Path) {
    println!("\nCreighton University records: what is reported");
    for name in CUDB {
        let outcome = load::cudb(folder, name).play(|_| true);
        println!("{name}: good {:.2}", outcome.good);
        list(&outcome);
    }
    println!("   (in cu01 fibrillation begins at {:.1} s)", load::CU01_FIBRILLATION_S);
}

fn false_alarms(folder: &Path) {
    println!("\nAlarms of bedside monitors that were labelled false");
    for name in ["a103l", "v102s"] {
        let recording = load::wfdb(&folder.join("wfdb"), name);
        for (what, outcome) in [
            ("with pleth", recording.play(|_| true)),
            ("without", recording.play(|i| recording.channels[i].name != "PLETH")),
        ] {
            println!("{name} {what}: good {:.2}, {} beats", outcome.good, outcome.beats.len());
            list(&outcome);
        }
    }
}

const BEDS: usize = 1000;
const COST_S: usize = 20;

/// Time and memory of many beds with three leads and a pleth.
fn cost(folder: &Path) {
    let recording = load::mitdb(folder, "101");
    let mut blocks = Vec::new();
    for b in 0..COST_S * 4 {
        for (i, code) in [131_330, 131_395, 131_329].into_iter().enumerate() {
            let channel = &recording.channels[i % 2];
            let (mut block, at) = channel.block_at(b);
            block.waveform = Waveform::Ecg(code);
            blocks.push((block.clone(), at));
            if i == 2 {
                block.waveform = Waveform::Pleth;
                blocks.push((block, at));
            }
        }
    }
    let before = resident_kib();
    let mut beds = vec![BedRhythm::default(); BEDS];
    let mut findings = Vec::new();
    #[allow(clippy::disallowed_methods, reason = "a benchmark owns its clock")]
    let start = std::time::Instant::now();
    for bed in &mut beds {
        for (block, at) in &blocks {
            bed.push(block, *at, &mut findings);
        }
    }
    let samples: usize = BEDS * blocks.iter().map(|(block, _)| block.samples.len()).sum::<usize>();
    println!("Cost with three leads and a pleth of 360 Hz");
    println!("{:.0} ns per sample", start.elapsed().as_nanos() as f64 / samples as f64);
    println!("{:.1} KiB per bed\n", (resident_kib() - before) / BEDS as f64);
}

/// Resident memory of this process.
fn resident_kib() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.split_whitespace().next()?.parse().ok())
        .unwrap_or(f64::NAN)
}
