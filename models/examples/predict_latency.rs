//! Times one call of the shipped `deterioration` model, features and all.
//!
//! ```text
//! cargo run -p wardlight-models --example predict_latency
//! ```

use std::error::Error;
use std::io::{Write, stdout};
use std::path::Path;
use std::time::{Duration, Instant};

use wardlight_models::deterioration::{MAX_HOURS, features};
use wardlight_models::{Package, TrustedKeys};

const CALLS: usize = 200;

#[allow(clippy::disallowed_methods, reason = "a benchmark owns its clock")]
fn main() -> Result<(), Box<dyn Error>> {
    let start = Instant::now();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("packages/deterioration");
    let model = Package::open(&folder, &TrustedKeys::release()?)?.load()?;
    let mut out = stdout();
    writeln!(out, "open, verify, load, golden vectors: {:?}", start.elapsed())?;
    let hours = [[Some(96.0), Some(19.0), Some(112.0), Some(61.0), Some(78.0), Some(37.4)]; MAX_HOURS];
    let (_, one_row) = time(|| features(Some(71.0), &hours));
    writeln!(out, "features of one patient, 48 h: {one_row:?}")?;
    for batch in [1, 16, 64, 256] {
        let rows = vec![features(Some(71.0), &hours).into_row(); batch];
        let (_, took) = time(|| model.predict(&rows));
        writeln!(
            out,
            "predict, batch {batch}: {took:?} a call, {:.0} patients/s",
            batch as f64 / took.as_secs_f64()
        )?;
    }
    Ok(())
}

/// The median of [`CALLS`] calls.
#[allow(clippy::disallowed_methods, reason = "a benchmark owns its clock")]
fn time<T>(mut work: impl FnMut() -> T) -> (Option<T>, Duration) {
    let mut last = None;
    let mut times: Vec<Duration> = (0..CALLS)
        .map(|_| {
            let start = Instant::now();
            last = Some(work());
            start.elapsed()
        })
        .collect();
    times.sort_unstable();
    (last, times.get(CALLS / 2).copied().unwrap_or_default())
}
