//! `wardlight model rows`: what the ECG models are trained on, made as the agent makes it in service.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::PathBuf;

use anyhow::Context;
use clap::Args;
use wardlight_core::codes::Waveform;
use wardlight_models::ecg_beat::Extractor;
use wardlight_models::ecg_vf::{ReadyWindow, Windows};

use super::EcgModel;
use super::recording::{Recording, seconds};
use super::scenes;

#[derive(Debug, Args)]
pub(crate) struct RowsArgs {
    /// Which model
    #[arg(value_enum)]
    model: EcgModel,
    /// WFDB record without extension, e.g. mitdb/101, or an extract of the Creighton database, e.g. cudb/cu01m.mat
    #[arg(long, value_name = "DIR/NAME", required_unless_present = "simulated")]
    record: Option<PathBuf>,
    /// Instead of a record: the simulator's scenes for `ecg-vf`
    #[arg(long, conflicts_with_all = ["record", "lead"])]
    simulated: bool,
    /// Play this lead of the record alone, from 0; else all
    #[arg(long, value_name = "N")]
    lead: Option<usize>,
    /// File to write, f32, little-endian, for each row: seconds, lead, window and, of beats, rhythm. Of scenes: its number, 1 if a
    /// shock is called for, window
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

/// Writes the rows and says how many values there are.
/// # Errors
/// If the record cannot be read or the file cannot be written.
pub(super) fn run(args: &RowsArgs, mut output: impl Write) -> anyhow::Result<()> {
    let values = match &args.record {
        Some(record) => {
            let mut recording = Recording::open(record)?;
            let leads = recording.leads();
            if let Some(position) = args.lead {
                recording.only(position);
            }
            match args.model {
                EcgModel::EcgBeat => beats(&recording, &leads),
                EcgModel::EcgVf => windows(&recording, &leads),
            }
        }
        None => scenes::all()
            .flat_map(|scene| {
                let said = [scene.number, f32::from(u8::from(scene.shockable))];
                windows(&scene.recording, &scene.recording.leads())
                    .chunks(2 + wardlight_models::ecg_vf::WINDOW)
                    .flat_map(|row| said.into_iter().chain(row.iter().skip(2).copied()))
                    .collect::<Vec<f32>>()
            })
            .collect(),
    };
    let file = File::create(&args.out).with_context(|| format!("cannot create {}", args.out.display()))?;
    let mut file = BufWriter::new(file);
    for value in &values {
        file.write_all(&value.to_le_bytes())?;
    }
    file.flush().with_context(|| format!("cannot write {}", args.out.display()))?;
    writeln!(output, "{} values written to {}", values.len(), args.out.display())?;
    output.flush()?;
    Ok(())
}

fn beats(recording: &Recording, leads: &[Waveform]) -> Vec<f32> {
    let mut values = Vec::new();
    let mut take = |beat: wardlight_models::ecg_beat::ReadyBeat| {
        for row in &beat.rows {
            values.extend(place(beat.at_ms, row.lead, leads));
            values.extend(row.window.iter().chain(&row.rhythm));
        }
    };
    let mut extractor = Extractor::default();
    recording.play(&mut |heard| extractor.hear(&heard, &mut take));
    extractor.finish(&mut take);
    values
}

fn windows(recording: &Recording, leads: &[Waveform]) -> Vec<f32> {
    let mut values = Vec::new();
    let mut cutter = Windows::default();
    let mut take = |windows: Vec<ReadyWindow>| {
        for window in windows {
            values.extend(place(window.start_ms, window.lead, leads));
            values.extend(&window.values);
        }
    };
    recording.play(&mut |heard| cutter.hear(&heard, &mut take));
    cutter.finish(&mut take);
    values
}

fn place(at_ms: i64, lead: Waveform, leads: &[Waveform]) -> [f32; 2] {
    let position = leads.iter().position(|known| *known == lead).unwrap_or_default();
    [seconds(at_ms) as f32, position as f32]
}
