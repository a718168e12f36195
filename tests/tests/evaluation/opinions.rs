//! What models said of a recording, as `wardlight model annotate` or a training's `--held-out` wrote it.

use std::fs;
use std::path::Path;

use wardlight_core::rhythm::Opinion;
use wardlight_core::time::Timestamp;

use super::START_MS;

/// An opinion, and when it is there: seconds from the start of the recording.
pub(crate) type Timed = (f64, Opinion);

/// A beat is told when its window is whole and the next one is known, after two seconds at the latest.
const WINDOW_AFTER_S: f64 = 0.984;
const PATIENCE_S: f64 = 2.0;
/// Length of a window of `ecg-vf`.
const WINDOW_S: f64 = 4.0;

/// The opinions in `folder/beat/NAME.csv` and `folder/vf/NAME.csv`, of which either may be missing, in the order in which they are there.
pub(crate) fn read(folder: &Path, name: &str, rate_hz: f64) -> Vec<Timed> {
    let beats = columns(&folder.join(format!("beat/{name}.csv")), ["time_s", "p_v"]);
    let next = beats.iter().skip(1).map(|[at, _]| *at).chain([f64::INFINITY]);
    let told = beats.iter().zip(next).map(|([at, ventricular], next)| {
        let there = (at + PATIENCE_S).min(next.max(at + WINDOW_AFTER_S));
        let opinion = Opinion::Beat {
            at: device(*at),
            ventricular: *ventricular as f32,
        };
        (there, opinion)
    });
    let windows = columns(&folder.join(format!("vf/{name}.csv")), ["start_sample", "p_shockable"]);
    let judged = windows.iter().map(|[start, shockable]| {
        let from = start / rate_hz;
        let opinion = Opinion::Window {
            from: device(from),
            shockable: *shockable as f32,
        };
        (from + WINDOW_S, opinion)
    });
    let mut all: Vec<Timed> = told.chain(judged).collect();
    all.sort_by(|a, b| a.0.total_cmp(&b.0));
    all
}

fn device(at_s: f64) -> Timestamp {
    Timestamp::from_millis(START_MS + (at_s * 1000.0).round() as i64)
}

/// Two columns of a CSV by their names; nothing if there is no such file.
fn columns(path: &Path, names: [&str; 2]) -> Vec<[f64; 2]> {
    let Ok(text) = fs::read_to_string(path) else {
        return Vec::new();
    };
    let mut lines = text.lines();
    let heads: Vec<&str> = lines.next().unwrap_or_default().split(',').collect();
    let at = names.map(|name| heads.iter().position(|head| *head == name).unwrap());
    lines
        .map(|line| {
            let fields: Vec<&str> = line.split(',').collect();
            at.map(|column| fields[column].parse().unwrap())
        })
        .collect()
}
