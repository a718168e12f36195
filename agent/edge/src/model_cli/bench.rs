//! `wardlight model bench`: how fast this machine computes a model.

use std::io::Write;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use rustix::time::{ClockId, clock_gettime};
use wardlight_models::{Backend, Card, Engine, Manifest, Package, Precision, TrustedKeys};

use crate::clock;

const BATCHES: [usize; 4] = [1, 16, 64, 256];
/// All rounds of one batch on one engine together last not much longer.
const ENOUGH: Duration = Duration::from_millis(300);

#[derive(Debug, Args)]
pub(crate) struct BenchArgs {
    /// Name of a model that the software carries, or folder of a package; else all that are carried
    #[arg(value_name = "ID|PACKAGE")]
    which: Option<String>,
    /// Public keys that the package may be signed with, beside the release's
    #[arg(long, value_name = "FILE")]
    keys: Option<std::path::PathBuf>,
    /// Print lines of engine, batch and rate for a program, without the GPU
    #[arg(long)]
    csv: bool,
}

/// Prints rows a second of processor time for every engine and batch, and the trial of the GPU if there is one.
/// # Errors
/// If the package is refused.
pub(super) fn run(args: &BenchArgs, mut output: impl Write) -> anyhow::Result<()> {
    let keys = match &args.keys {
        Some(file) => TrustedKeys::release_and(&std::fs::read_to_string(file)?)?,
        None => TrustedKeys::release()?,
    };
    let packages = match &args.which {
        Some(which) if Package::shipped_ids().any(|id| id == which) => vec![Package::shipped(which, &keys)?],
        Some(folder) => vec![Package::open(Path::new(folder), &keys)?],
        None => Package::shipped_ids()
            .map(|id| Package::shipped(id, &keys))
            .collect::<Result<_, _>>()?,
    };
    for package in &packages {
        if args.csv {
            lines(package, &mut output)?;
        } else {
            table(package, &mut output)?;
        }
    }
    output.flush()?;
    Ok(())
}

fn table(package: &Package, output: &mut impl Write) -> anyhow::Result<()> {
    let manifest = package.manifest();
    let what = if matches!(manifest, Manifest::Risk(_)) {
        "patients"
    } else {
        "windows"
    };
    let title = format!("{} {}, {what} a second, one thread", manifest.id(), manifest.version());
    write!(output, "{title:52}")?;
    for batch in BATCHES {
        write!(output, "{:>12}", format!("batch {batch}"))?;
    }
    writeln!(output)?;
    for (name, engine) in engines() {
        write!(output, "{name:52}")?;
        for batch in BATCHES {
            match rate(package, engine, batch)? {
                Some(rate) => write!(output, "{rate:>12.0}")?,
                None => write!(output, "{:>12}", "-")?,
            }
        }
        writeln!(output)?;
    }
    if matches!(manifest, Manifest::Waveform(_)) {
        gpu(package, output)?;
    }
    Ok(())
}

fn lines(package: &Package, output: &mut impl Write) -> anyhow::Result<()> {
    for (name, engine) in engines() {
        for batch in BATCHES {
            if let Some(rate) = rate(package, engine, batch)? {
                writeln!(output, "{name},{batch},{rate:.0}")?;
            }
        }
    }
    Ok(())
}

/// Every engine of this machine for int8, and tract for float.
fn engines() -> impl Iterator<Item = (String, (Precision, Engine))> {
    let plans = Backend::available().into_iter().map(Engine::Plan);
    let int8 = plans.chain([Engine::Tract]).map(|engine| (Precision::Int8, engine));
    int8.chain([(Precision::Float, Engine::Tract)]).map(|(precision, engine)| {
        let number = if precision == Precision::Int8 { "int8" } else { "float" };
        (format!("{engine} {number}"), (precision, engine))
    })
}

/// Rows a second; `None` for a graph that the integer plan leaves to tract.
fn rate(package: &Package, engine: (Precision, Engine), batch: usize) -> anyhow::Result<Option<f64>> {
    match package.rows_a_second(engine, batch, ENOUGH, &processor_time) {
        Ok(rate) => Ok(Some(rate)),
        Err(_) if engine.1 != Engine::Tract => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// The trial of the GPU, by the wall's clock, from windows in memory to logits in memory.
fn gpu(package: &Package, output: &mut impl Write) -> anyhow::Result<()> {
    let card = match Card::best() {
        Ok(card) => Arc::new(card),
        Err(error) => return Ok(writeln!(output, "{error}")?),
    };
    let start = clock::instant();
    let (_, trial) = package.load_waveform_beside(&card, &|| start.elapsed())?;
    let trial = match trial {
        Ok(trial) => trial,
        Err(error) => return Ok(writeln!(output, "{error}")?),
    };
    let used = trial
        .used_from
        .map_or_else(|| "never used".to_owned(), |batch| format!("used from batch {batch} on"));
    writeln!(output, "GPU {}: {used}", trial.gpu)?;
    for timing in trial.timings {
        let rate = |took: Duration| timing.batch as f64 / took.as_secs_f64();
        writeln!(
            output,
            "  batch {:>5}: {:>12.0} on the GPU, {:>12.0} on the CPU",
            timing.batch,
            rate(timing.gpu),
            rate(timing.cpu)
        )?;
    }
    Ok(())
}

/// Time that this thread was on a processor: what else runs on the machine counts for little.
fn processor_time() -> Duration {
    Duration::try_from(clock_gettime(ClockId::ThreadCPUTime)).unwrap_or_default()
}
