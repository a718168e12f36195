//! `wardlight model rows`: what `ecg-beat` is trained on, made as the agent makes it in service.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::PathBuf;

use anyhow::Context;
use clap::Args;
use wardlight_models::ecg_beat::{CHANNELS, Extractor, RHYTHM, ReadyBeat, WINDOW};

use super::recording::{Recording, seconds};

#[derive(Debug, Args)]
pub(crate) struct RowsArgs {
    /// WFDB record without extension, e.g. DIR/101
    #[arg(long, value_name = "DIR/NAME")]
    record: PathBuf,
    /// Play this lead of the record alone, from 0; else all
    #[arg(long, value_name = "N")]
    lead: Option<usize>,
    /// File to write: for each row seconds, lead, window and rhythm as f32, little-endian
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

/// Writes the rows and says how many there are.
/// # Errors
/// If the record cannot be read or the file cannot be written.
pub(super) fn run(args: &RowsArgs, mut output: impl Write) -> anyhow::Result<()> {
    let mut recording = Recording::open(&args.record)?;
    let leads = recording.leads();
    if let Some(position) = args.lead {
        recording.only(position);
    }
    let mut beats: Vec<ReadyBeat> = Vec::new();
    let mut extractor = Extractor::default();
    recording.play(&mut |heard| extractor.hear(&heard, &mut |beat| beats.push(beat)));
    extractor.finish(&mut |beat| beats.push(beat));
    let file = File::create(&args.out).with_context(|| format!("cannot create {}", args.out.display()))?;
    let mut file = BufWriter::new(file);
    let mut rows = 0;
    for beat in &beats {
        for row in &beat.rows {
            let lead = leads.iter().position(|lead| *lead == row.lead).unwrap_or_default();
            let place = [seconds(beat.at_ms) as f32, lead as f32];
            for value in place.iter().chain(&row.window).chain(&row.rhythm) {
                file.write_all(&value.to_le_bytes())?;
            }
            rows += 1;
        }
    }
    file.flush().with_context(|| format!("cannot write {}", args.out.display()))?;
    writeln!(output, "{rows} rows of 2 + {CHANNELS} × {WINDOW} + {RHYTHM} values")?;
    output.flush()?;
    Ok(())
}
