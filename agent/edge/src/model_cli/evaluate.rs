//! `wardlight model evaluate`: annotated beats against the annotations of the records, as ANSI/AAMI EC57 counts them.

use std::io::Write;
use std::path::Path;

use anyhow::Context;
use wardlight_models::ecg_beat::Class;
use wardlight_simulator::recordings::wfdb::{Annotation, header, read_annotations};

use super::EvaluateArgs;
use super::agreement::{Agreement, Beat, compare};

/// Codes of ecgcodes.h that are beats, by class (ANSI/AAMI EC57; `B`, `n`, `r` and `?` of other databases as they are commonly
/// read): N L R B e j n, A a J S, V E r, F, / f Q ?.
const CODES: [(Class, &[u8]); 5] = [
    (Class::N, &[1, 2, 3, 25, 34, 11, 35]),
    (Class::S, &[8, 4, 7, 9]),
    (Class::V, &[5, 10, 41]),
    (Class::F, &[6]),
    (Class::Q, &[12, 38, 13, 30]),
];
const FLUTTER_BEGINS: u8 = 32;
const FLUTTER_ENDS: u8 = 33;

pub(super) fn run(args: &EvaluateArgs, mut output: impl Write) -> anyhow::Result<()> {
    let mut gross = Agreement::default();
    writeln!(
        output,
        "From 5 minutes on, within 150 ms, stretches of ventricular flutter left out."
    )?;
    writeln!(output, "{}", Agreement::HEADER)?;
    for file in &args.annotations {
        let name = file
            .file_stem()
            .and_then(|n| n.to_str())
            .context("a file is named after its record")?;
        let found = read(file).with_context(|| file.display().to_string())?;
        let path = args.records.join(name);
        let rate_hz = header::read(&path.with_extension("hea"))?.rate_hz;
        let annotations = read_annotations(&path.with_extension("atr"))?;
        let agreement = compare(&truth(&annotations, rate_hz), &found, &flutter(&annotations, rate_hz));
        writeln!(output, "{}", agreement.row(name))?;
        gross.add(&agreement);
    }
    writeln!(output, "{}\n\n{}", gross.row("gross"), gross.report())?;
    Ok(())
}

/// Beats of a table of `annotate ecg-beat`.
fn read(file: &Path) -> anyhow::Result<Vec<Beat>> {
    let content = std::fs::read_to_string(file)?;
    let beats = content.lines().enumerate().skip(1).map(|(number, line)| {
        let mut fields = line.split(',').skip(1);
        let at_s = fields.next().and_then(|f| f.parse().ok());
        let class = fields.next().and_then(Class::named);
        at_s.zip(class)
            .map(|(at_s, class)| Beat { at_s, class })
            .with_context(|| format!("line {}: {line:?}: expected sample,time_s,aami,…", number + 1))
    });
    beats.collect()
}

fn truth(annotations: &[Annotation], rate_hz: f64) -> Vec<Beat> {
    let beat = |a: &Annotation| {
        let (class, _) = CODES.iter().find(|(_, codes)| codes.contains(&a.code))?;
        Some(Beat {
            at_s: a.sample as f64 / rate_hz,
            class: *class,
        })
    };
    annotations.iter().filter_map(beat).collect()
}

/// Stretches of ventricular flutter, in which no beats are annotated.
fn flutter(annotations: &[Annotation], rate_hz: f64) -> Vec<(f64, f64)> {
    let mut stretches = Vec::new();
    let mut begun = None;
    for annotation in annotations {
        let at_s = annotation.sample as f64 / rate_hz;
        match annotation.code {
            FLUTTER_BEGINS => begun = Some(at_s),
            FLUTTER_ENDS => stretches.extend(begun.take().map(|from| (from, at_s))),
            _ => {}
        }
    }
    stretches.extend(begun.map(|from| (from, f64::INFINITY)));
    stretches
}
