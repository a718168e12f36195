//! `wardlight model annotate`: a recording through the agent's rhythm analysis and a model, as a table.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use anyhow::{Context, bail};
use wardlight_models::ecg_beat::{Class, Extractor, ReadyBeat, decide, probabilities};
use wardlight_models::ecg_vf::Windows;
use wardlight_models::{WaveformModel, ecg_vf};

use super::recording::{Recording, seconds};
use super::{AnnotateArgs, EcgModel};

/// Rows that go through the model at once.
const BATCH: usize = 256;

pub(super) fn run(args: &AnnotateArgs) -> anyhow::Result<()> {
    let model = args.model.load(args.package.as_deref())?;
    let mut recording = Recording::open(&args.record)?;
    if let Some(lead) = args.lead {
        recording.only(lead);
    }
    if recording.leads().is_empty() {
        bail!("{}: no such lead", args.record.display());
    }
    let table = match args.model {
        EcgModel::EcgBeat => beats(&model, &recording)?,
        EcgModel::EcgVf => windows(&model, &recording)?,
    };
    std::fs::write(&args.out, table).with_context(|| args.out.display().to_string())
}

fn beats(model: &WaveformModel, recording: &Recording) -> anyhow::Result<String> {
    let mut extractor = Extractor::default();
    let mut found: Vec<ReadyBeat> = Vec::new();
    recording.play(&mut |heard| extractor.hear(&heard, &mut |beat| found.push(beat)));
    let rows = found.iter().flat_map(|beat| &beat.rows);
    let inputs: Vec<[&[f32]; 2]> = rows.map(|row| [row.window.as_slice(), row.rhythm.as_slice()]).collect();
    let logits = logits(model, &inputs)?;
    let mut logits = logits.chunks_exact(Class::ALL.len());
    let mut table = String::from("sample,time_s,aami,p_n,p_s,p_v,p_f,p_q\n");
    for beat in &found {
        let leads: Vec<&[f32]> = logits.by_ref().take(beat.rows.len()).collect();
        let probabilities = probabilities(&leads);
        let time_s = seconds(beat.at_ms);
        let sample = (time_s * recording.rate_hz()).round();
        let class = decide(&probabilities, &model.manifest().thresholds);
        write!(table, "{sample},{time_s:.3},{}", class.name())?;
        for p in probabilities {
            write!(table, ",{p:.4}")?;
        }
        table.push('\n');
    }
    Ok(table)
}

fn windows(model: &WaveformModel, recording: &Recording) -> anyhow::Result<String> {
    let mut windows = Windows::default();
    let mut found = Vec::new();
    recording.play(&mut |heard| windows.hear(&heard, &mut |window| found.push(window)));
    let inputs: Vec<[&[f32]; 1]> = found.iter().map(|window| [window.values.as_slice()]).collect();
    let logits = logits(model, &inputs)?;
    // All leads of a window together.
    let mut together: BTreeMap<i64, Vec<&[f32]>> = BTreeMap::new();
    for (window, logits) in found.iter().zip(logits.chunks_exact(ecg_vf::CLASSES)) {
        together.entry(window.start_ms).or_default().push(logits);
    }
    let mut table = String::from("start_sample,p_shockable\n");
    for (start_ms, leads) in together {
        let sample = (seconds(start_ms) * recording.rate_hz()).round();
        writeln!(table, "{sample},{:.4}", ecg_vf::probability(&leads))?;
    }
    Ok(table)
}

/// Logits of all rows, one after the other.
fn logits<const INPUTS: usize>(model: &WaveformModel, rows: &[[&[f32]; INPUTS]]) -> anyhow::Result<Vec<f32>> {
    let mut all = Vec::new();
    for batch in rows.chunks(BATCH) {
        let joined: [Vec<f32>; INPUTS] = std::array::from_fn(|input| {
            batch
                .iter()
                .filter_map(|row| row.get(input))
                .copied()
                .flatten()
                .copied()
                .collect()
        });
        let joined = joined.each_ref().map(Vec::as_slice);
        all.extend(model.logits(&joined, batch.len())?);
    }
    Ok(all)
}
