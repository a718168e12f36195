//! `wardlight model annotate`: what a model says about a recorded ECG.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::PathBuf;

use anyhow::Context;
use clap::{Args, ValueEnum};
use wardlight_models::ecg_beat::{Extractor, Probabilities, ReadyBeat, classify};
use wardlight_models::{Package, TrustedKeys, WaveformModel};

use super::recording::{Recording, seconds};

/// Beats that go to the model at once.
const BATCH: usize = 256;

#[derive(Debug, Args)]
pub(crate) struct AnnotateArgs {
    /// Which model
    #[arg(value_enum)]
    model: EcgModel,
    /// WFDB record without extension, e.g. DIR/101
    #[arg(long, value_name = "DIR/NAME")]
    record: PathBuf,
    /// CSV to write
    #[arg(long, value_name = "FILE.csv")]
    out: PathBuf,
    /// Package to use; else the one that this binary carries
    #[arg(long, value_name = "DIR")]
    package: Option<PathBuf>,
}

/// Models of the ECG.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum EcgModel {
    /// Classes of beats: `sample,time_s,aami,p_n,p_s,p_v,p_f,p_q`
    EcgBeat,
}

impl EcgModel {
    const fn id(self) -> &'static str {
        match self {
            Self::EcgBeat => "ecg-beat",
        }
    }
}

/// Annotates the record and says how many beats there were.
/// # Errors
/// If the package or the record cannot be read, or the file cannot be written.
pub(super) fn run(args: &AnnotateArgs, mut output: impl Write) -> anyhow::Result<()> {
    let keys = TrustedKeys::release()?;
    let package = match &args.package {
        Some(folder) => Package::open(folder, &keys)?,
        None => Package::shipped(args.model.id(), &keys)?,
    };
    let recording = Recording::open(&args.record)?;
    let file = File::create(&args.out).with_context(|| format!("cannot create {}", args.out.display()))?;
    let mut file = BufWriter::new(file);
    let model = package.load_waveform()?;
    let beats = match args.model {
        EcgModel::EcgBeat => beats(&recording, &model, &mut file)?,
    };
    file.flush().with_context(|| format!("cannot write {}", args.out.display()))?;
    writeln!(output, "{beats} beats written to {}", args.out.display())?;
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
