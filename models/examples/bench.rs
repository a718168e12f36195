//! Times the graphs of a package on one thread: rows a second of processor time for each engine of this machine and batch, one a line.
//!
//! ```text
//! cargo run --release -p wardlight-models --example bench -- PACKAGE_DIR PUBLIC_KEY_FILE
//! ```
//!
//! `models/bench` runs it beside onnxruntime on the same files and prints one table; `wardlight model bench` prints one without.

use std::error::Error;
use std::io::{Write, stdout};
use std::path::Path;
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

use wardlight_models::{Backend, Engine, Package, Precision, TrustedKeys};

const BATCHES: [usize; 4] = [1, 16, 64, 256];
/// All rounds of one batch together last not much longer.
const ENOUGH: Duration = Duration::from_secs(2);

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
        for batch in BATCHES {
            let rate = package.rows_a_second((precision, engine), batch, ENOUGH, &now)?;
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
