//! Times the int8 graph of a waveform package on one thread: windows a second for each engine of this machine and batch.
//!
//! ```text
//! cargo run --release -p wardlight-models --example bench -- PACKAGE_DIR PUBLIC_KEY_FILE
//! ```
//!
//! `models/bench` runs it beside onnxruntime on the same files and prints one table.

use std::error::Error;
use std::hint::black_box;
use std::io::{Write, stdout};
use std::path::Path;
use std::time::{Duration, Instant};

use wardlight_models::{Backend, Engine, Manifest, Package, Precision, TrustedKeys, WaveformModel, manifest::Dimension};

const BATCHES: [usize; 4] = [1, 16, 64, 256];
/// Best of so many, so that what else runs on the machine counts for little.
const ROUNDS: usize = 5;
/// A round lasts at least so long.
const ROUND: Duration = Duration::from_millis(200);

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(folder), Some(keys)) = (arguments.next(), arguments.next()) else {
        return Err("usage: bench PACKAGE_DIR PUBLIC_KEY_FILE".into());
    };
    let keys = TrustedKeys::parse(&std::fs::read_to_string(keys)?)?;
    let package = Package::open(Path::new(&folder), &keys)?;
    let plans = Backend::available().into_iter().map(Engine::Plan);
    let int8 = plans.chain([Engine::Tract]).map(|engine| (Precision::Int8, engine));
    for (precision, engine) in int8.chain([(Precision::Float, Engine::Tract)]) {
        let model = package.load_waveform_as(precision, Some(engine))?;
        for batch in BATCHES {
            let rate = windows_a_second(package.manifest(), &model, batch)?;
            writeln!(stdout(), "{engine} {precision:?},{batch},{rate:.0}")?;
        }
    }
    Ok(())
}

#[allow(clippy::disallowed_methods, reason = "a benchmark owns its clock")]
fn windows_a_second(manifest: &Manifest, model: &WaveformModel, batch: usize) -> Result<f64, Box<dyn Error>> {
    let Manifest::Waveform(manifest) = manifest else {
        return Err("not a waveform model".into());
    };
    let inputs: Vec<Vec<f32>> = manifest
        .input
        .iter()
        .map(|input| {
            let fixed = input.shape.iter().map(|axis| match axis {
                Dimension::Fixed(length) => *length,
                Dimension::Named(_) => batch,
            });
            (0..fixed.product()).map(|i: usize| (i as f32 * 0.7).sin()).collect()
        })
        .collect();
    let inputs: Vec<&[f32]> = inputs.iter().map(Vec::as_slice).collect();
    let mut best = 0.0_f64;
    for _ in 0..ROUNDS {
        let start = Instant::now();
        let mut calls = 0;
        while start.elapsed() < ROUND {
            black_box(model.logits(black_box(&inputs), batch)?);
            calls += 1;
        }
        best = best.max(f64::from(calls) * batch as f64 / start.elapsed().as_secs_f64());
    }
    Ok(best)
}
