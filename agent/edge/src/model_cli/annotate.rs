//! `wardlight model annotate`: what a model says about a recorded ECG.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::PathBuf;

use anyhow::Context;
use clap::Args;
use wardlight_models::ecg_beat::{Extractor, Probabilities, ReadyBeat, classify};
use wardlight_models::ecg_vf::{self, ReadyWindow, Windows};
use wardlight_models::{Package, TrustedKeys, WaveformModel};

use super::EcgModel;
use super::recording::{Recording, seconds};

/// Beats or windows that go to the model at once.
const BATCH: usize = 256;

#[derive(Debug, Args)]
pub(crate) struct AnnotateArgs {
    /// Which model
    #[arg(value_enum)]
    model: EcgModel,
    /// WFDB record without extension, e.g. mitdb/101, or an extract of the Creighton database, e.g. cudb/cu01m.mat
    #[arg(long, value_name = "DIR/NAME")]
    record: PathBuf,
    /// Play this lead of the record alone, from 0; else all
    #[arg(long, value_name = "N")]
    lead: Option<usize>,
    /// CSV to write
    #[arg(long, value_name = "FILE.csv")]
    out: PathBuf,
    /// Package to use; else the one that this binary carries
    #[arg(long, value_name = "DIR")]
    package: Option<PathBuf>,
}

/// Annotates the record and says how many lines there are.
/// # Errors
/// If the package or the record cannot be read, or the file cannot be written.
pub(super) fn run(args: &AnnotateArgs, mut output: impl Write) -> anyhow::Result<()> {
    let keys = TrustedKeys::release()?;
    let package = match &args.package {
        Some(folder) => Package::open(folder, &keys)?,
        None => Package::shipped(args.model.id(), &keys)?,
    };
    let mut recording = Recording::open(&args.record)?;
    if let Some(position) = args.lead {
        recording.only(position);
    }
    let file = File::create(&args.out).with_context(|| format!("cannot create {}", args.out.display()))?;
    let mut file = BufWriter::new(file);
    let model = package.load_waveform()?;
    let lines = match args.model {
        EcgModel::EcgBeat => beats(&recording, &model, &mut file)?,
        EcgModel::EcgVf => windows(&recording, &model, &mut file)?,
    };
    file.flush().with_context(|| format!("cannot write {}", args.out.display()))?;
    writeln!(output, "{lines} lines written to {}", args.out.display())?;
    output.flush()?;
    Ok(())
}

/// Writes a line for each beat. A beat that no lead shows is not to be classified: Q.
fn beats(recording: &Recording, model: &WaveformModel, file: &mut impl Write) -> anyhow::Result<usize> {
    let mut extractor = Extractor::default();
    let mut beats: Vec<ReadyBeat> = Vec::new();
    recording.play(&mut |heard| extractor.hear(&heard, &mut |beat| beats.push(beat)));
    extractor.finish(&mut |beat| beats.push(beat));
    writeln!(file, "sample,time_s,aami,p_n,p_s,p_v,p_f,p_q")?;
    for some in beats.chunks(BATCH) {
        for (beat, probabilities) in some.iter().zip(classify(model, some)?) {
            let at_s = seconds(beat.at_ms);
            let sample = (at_s * recording.rate_hz()).round();
            let unseen = Probabilities([0.0, 0.0, 0.0, 0.0, 1.0]);
            let probabilities = probabilities.unwrap_or(unseen);
            write!(file, "{sample},{at_s:.3},{}", probabilities.class().letter())?;
            for p in probabilities.0 {
                write!(file, ",{p:.5}")?;
            }
            writeln!(file)?;
        }
    }
    Ok(beats.len())
}

/// Writes a line for each window, the leads together.
fn windows(recording: &Recording, model: &WaveformModel, file: &mut impl Write) -> anyhow::Result<usize> {
    let mut cutter = Windows::default();
    let mut instants: Vec<Vec<ReadyWindow>> = Vec::new();
    recording.play(&mut |heard| cutter.hear(&heard, &mut |windows| instants.push(windows)));
    cutter.finish(&mut |windows| instants.push(windows));
    writeln!(file, "start_sample,p_shockable")?;
    for some in instants.chunks(BATCH) {
        for (windows, shockable) in some.iter().zip(ecg_vf::shockable(model, some)?) {
            let start_ms = windows.first().map_or(0, |window| window.start_ms);
            let sample = (seconds(start_ms) * recording.rate_hz()).round();
            writeln!(file, "{sample},{shockable:.5}")?;
        }
    }
    Ok(instants.len())
}
