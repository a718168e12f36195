//! Times the graphs of a waveform package on one thread: windows a second of processor time for each engine of this machine and batch.
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
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

use wardlight_models::{Backend, Engine, Manifest, Package, Precision, TrustedKeys, WaveformModel, manifest::Dimension};

const BATCHES: [usize; 4] = [1, 16, 64, 256];
/// Best of so many short rounds.
const ROUNDS: usize = 60;
/// All rounds of one batch together last not much longer.
const ENOUGH: Duration = Duration::from_secs(2);
/// Windows between two looks at the clock.
const READ_EVERY: usize = 64;
/// A round lasts at least so long.
const ROUND: Duration = Duration::from_millis(15);

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
    beside_a_gpu(&package)?;
    Ok(())
}

/// The trial of the GPU, if there is one; by the wall's clock, from windows in memory to logits in memory.
#[allow(clippy::disallowed_methods, reason = "a benchmark owns its clock")]
fn beside_a_gpu(package: &Package) -> Result<(), Box<dyn Error>> {
    let card = match wardlight_models::Card::best() {
        Ok(card) => std::sync::Arc::new(card),
        Err(error) => return Ok(writeln!(std::io::stderr(), "{error}")?),
    };
    let start = std::time::Instant::now();
    let (_, trial) = package.load_waveform_beside(&card, &|| start.elapsed())?;
    let trial = trial?;
    writeln!(std::io::stderr(), "GPU: {}, used from batch {:?}", trial.gpu, trial.used_from)?;
    for timing in trial.timings {
        let rate = timing.batch as f64 / timing.gpu.as_secs_f64();
        writeln!(stdout(), "plan (GPU) Int8,{},{rate:.0}", timing.batch)?;
    }
    Ok(())
}

/// Time that this thread was on a processor: what else runs on the machine counts for little.
fn now() -> Duration {
    Duration::try_from(clock_gettime(ClockId::ThreadCPUTime)).unwrap_or_default()
}

fn since(start: Duration) -> Duration {
    now().saturating_sub(start)
}

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
    let begin = now();
    for _ in 0..ROUNDS {
        // The slow ones need not be known to three digits.
        if since(begin) > ENOUGH {
            break;
        }
        let start = now();
        let mut calls = 0;
        while since(start) < ROUND {
            // Reading the clock may cost as much as a window.
            for _ in 0..READ_EVERY.div_ceil(batch) {
                black_box(model.logits(black_box(&inputs), batch)?);
                calls += 1;
            }
        }
        best = best.max(f64::from(calls) * batch as f64 / since(start).as_secs_f64());
    }
    Ok(best)
}
