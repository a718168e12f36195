//! A whole record: its signals as samples, checked against the header.

use std::collections::BTreeMap;
use std::path::Path;

use super::header::{self, Body, Header, SignalSpec};
use crate::SimulatorError;

/// A sample that is missing.
pub const MISSING: i32 = i32::MIN;

/// Whether the header's initial values and checksums must hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Checks {
    /// They must.
    Hold,
    /// They are not looked at: for excerpts that kept the header of the whole.
    Ignore,
}

/// A record that was read.
#[derive(Clone, Debug, PartialEq)]
pub struct Record {
    /// Its name.
    pub name: String,
    /// Its signals.
    pub signals: Vec<Signal>,
}

/// One signal.
#[derive(Clone, Debug, PartialEq)]
pub struct Signal {
    /// Description, such as `MLII`, `PLETH`, `ABP`.
    pub description: String,
    /// Physical unit.
    pub units: String,
    /// Samples per second.
    pub rate_hz: f64,
    /// Sample units per physical unit.
    pub gain: f64,
    /// Sample value of physical zero.
    pub baseline: i32,
    /// Samples as stored; [`MISSING`] where there is none.
    pub samples: Vec<i32>,
}

impl Signal {
    /// The value of a sample in [`Signal::units`], `None` for a missing one.
    pub fn physical(&self, sample: i32) -> Option<f64> {
        (sample != MISSING).then(|| (f64::from(sample) - f64::from(self.baseline)) / self.gain)
    }
}

impl Record {
    /// The first signal with this description, ignoring case.
    pub fn signal(&self, description: &str) -> Option<&Signal> {
        self.signals.iter().find(|s| s.description.eq_ignore_ascii_case(description))
    }
}

/// Reads the record whose header is `folder/name.hea`.
/// # Errors
/// [`SimulatorError`] with the file and line, or the signal that disagrees with its header.
pub fn read_record(folder: &Path, name: &str, checks: Checks) -> Result<Record, SimulatorError> {
    let path = folder.join(format!("{name}.hea"));
    let header = header::read(&path)?;
    match &header.body {
        Body::Signals(specs) => read_signals(folder, &header, specs, checks),
        Body::Segments(segments) => read_segments(folder, &path, &header, segments, checks),
    }
}

fn read_signals(folder: &Path, header: &Header, specs: &[SignalSpec], checks: Checks) -> Result<Record, SimulatorError> {
    let mut columns: Vec<Vec<i32>> = Vec::with_capacity(specs.len());
    for group in specs.chunk_by(|a, b| a.file == b.file) {
        columns.extend(read_group(folder, header, group)?);
    }
    let mut signals = Vec::with_capacity(specs.len());
    for (spec, samples) in specs.iter().zip(columns) {
        if checks == Checks::Hold {
            check(&header.name, spec, &samples)?;
        }
        signals.push(finish(header, spec, samples));
    }
    Ok(Record {
        name: header.name.clone(),
        signals,
    })
}

/// The columns of one file that holds the signals of `group`, interleaved frame by frame.
fn read_group(folder: &Path, header: &Header, group: &[SignalSpec]) -> Result<Vec<Vec<i32>>, SimulatorError> {
    let Some(first) = group.first() else { return Ok(Vec::new()) };
    let path = folder.join(&first.file);
    let file = |what: String| SimulatorError::file(&path, what);
    if let Some(other) = group.iter().find(|s| s.format != first.format) {
        return Err(file(format!(
            "formats {} and {} in one file: expected one",
            first.format, other.format
        )));
    }
    let bytes = std::fs::read(&path).map_err(SimulatorError::io(&path))?;
    let frame: usize = group.iter().map(|s| s.samples_per_frame).sum();
    let data = bytes.get(first.byte_offset..).ok_or_else(|| {
        file(format!(
            "{} bytes: expected data after byte {}",
            bytes.len(),
            first.byte_offset
        ))
    })?;
    let skew = group.iter().map(|s| s.skew).max().unwrap_or(0);
    let most = header
        .frames
        .map_or(usize::MAX, |frames| frames.saturating_add(skew).saturating_mul(frame));
    let samples = first.format.unpack(data, most);
    let frames = samples.len() / frame;
    if let Some(expected) = header.frames.filter(|expected| frames < *expected) {
        return Err(file(format!("{frames} frames: the header expects {expected}")));
    }
    Ok(deinterleave(&samples, group, frames))
}

fn deinterleave(samples: &[i32], group: &[SignalSpec], frames: usize) -> Vec<Vec<i32>> {
    let frame: usize = group.iter().map(|s| s.samples_per_frame).sum();
    let mut start = 0;
    let mut columns = Vec::with_capacity(group.len());
    for spec in group {
        let end = start + spec.samples_per_frame;
        let mut column = Vec::with_capacity(frames * spec.samples_per_frame);
        for one in samples.chunks_exact(frame) {
            column.extend_from_slice(one.get(start..end).unwrap_or_default());
        }
        columns.push(column);
        start = end;
    }
    columns
}

/// Compares the first sample and the sum of all with the header.
fn check(record: &str, spec: &SignalSpec, samples: &[i32]) -> Result<(), SimulatorError> {
    let wrong = |what: String| SimulatorError::Signal {
        record: record.to_owned(),
        signal: spec.description.clone(),
        what,
    };
    if let (Some(expected), Some(found)) = (spec.initial, samples.first())
        && expected != *found
    {
        return Err(wrong(format!("first sample {found}: the header expects {expected}")));
    }
    let sum = samples.iter().fold(0_i32, |sum, sample| sum.wrapping_add(*sample)) as i16;
    match spec.checksum {
        Some(expected) if expected != sum => Err(wrong(format!("checksum {sum}: the header expects {expected}"))),
        _ => Ok(()),
    }
}

/// Undoes the skew, marks missing samples and attaches the description.
fn finish(header: &Header, spec: &SignalSpec, mut samples: Vec<i32>) -> Signal {
    let late = spec.skew.saturating_mul(spec.samples_per_frame).min(samples.len());
    let frames = header.frames.unwrap_or(samples.len() / spec.samples_per_frame);
    samples.drain(..late);
    samples.resize(frames * spec.samples_per_frame, MISSING);
    if let Some(missing) = spec.format.missing() {
        for sample in samples.iter_mut().filter(|s| **s == missing) {
            *sample = MISSING;
        }
    }
    Signal {
        description: spec.description.clone(),
        units: spec.units.clone(),
        rate_hz: header.rate_hz * spec.samples_per_frame as f64,
        gain: spec.gain,
        baseline: spec.baseline,
        samples,
    }
}

/// Joins segments by description; where a segment lacks a signal, its samples are missing.
fn read_segments(
    folder: &Path,
    path: &Path,
    header: &Header,
    segments: &[(String, usize)],
    checks: Checks,
) -> Result<Record, SimulatorError> {
    let mut joined: Vec<Signal> = Vec::new();
    let mut by_name: BTreeMap<String, usize> = BTreeMap::new();
    let mut frames_before = 0_usize;
    for (i, (name, frames)) in segments.iter().enumerate() {
        // A segment of length 0 is the layout of a variable record: descriptions without samples.
        if name != "~" && *frames > 0 {
            let part = read_part(folder, path, i, name, *frames, checks)?;
            for signal in part.signals {
                let slot = *by_name.entry(signal.description.clone()).or_insert(joined.len());
                join(&mut joined, slot, signal, frames_before, header.rate_hz).map_err(|what| SimulatorError::Signal {
                    record: name.clone(),
                    signal: segment_signal(&by_name, slot),
                    what,
                })?;
            }
        }
        frames_before += frames;
    }
    if let Some(expected) = header.frames.filter(|expected| *expected != frames_before) {
        return Err(SimulatorError::file(
            path,
            format!("segments of {frames_before} frames together: the record line expects {expected}"),
        ));
    }
    for signal in &mut joined {
        let per_frame = (signal.rate_hz / header.rate_hz).round() as usize;
        signal.samples.resize(frames_before * per_frame, MISSING);
    }
    Ok(Record {
        name: header.name.clone(),
        signals: joined,
    })
}

fn segment_signal(by_name: &BTreeMap<String, usize>, slot: usize) -> String {
    let found = by_name.iter().find(|(_, s)| **s == slot);
    found.map(|(name, _)| name.clone()).unwrap_or_default()
}

fn read_part(folder: &Path, path: &Path, i: usize, name: &str, frames: usize, checks: Checks) -> Result<Record, SimulatorError> {
    let part_path = folder.join(format!("{name}.hea"));
    let part = header::read(&part_path)?;
    match &part.body {
        Body::Segments(_) => Err(SimulatorError::file(&part_path, "a segment of segments: expected signals")),
        Body::Signals(_) if part.frames.is_some_and(|n| n != frames) => Err(SimulatorError::line(
            path,
            i + 1,
            format!(
                "segment {name} of {frames} frames: its own header says {}",
                part.frames.unwrap_or(0)
            ),
        )),
        Body::Signals(specs) => read_signals(folder, &part, specs, checks),
    }
}

/// Appends `signal` at `frames_before` frames of the record.
fn join(joined: &mut Vec<Signal>, slot: usize, signal: Signal, frames_before: usize, rate_hz: f64) -> Result<(), String> {
    let per_frame = (signal.rate_hz / rate_hz).round() as usize;
    let Some(known) = joined.get_mut(slot) else {
        let mut samples = vec![MISSING; frames_before * per_frame];
        samples.extend_from_slice(&signal.samples);
        joined.push(Signal { samples, ..signal });
        return Ok(());
    };
    if (known.rate_hz - signal.rate_hz).abs() > 1e-9 {
        return Err(format!("{} Hz: earlier segments have {} Hz", signal.rate_hz, known.rate_hz));
    }
    known.samples.resize(frames_before * per_frame, MISSING);
    let same_scale = (known.gain - signal.gain).abs() < 1e-9 && known.baseline == signal.baseline;
    known.samples.extend(signal.samples.iter().map(|sample| {
        let value = signal.physical(*sample).filter(|_| !same_scale);
        value.map_or(*sample, |v| (v * known.gain).round() as i32 + known.baseline)
    }));
    Ok(())
}
