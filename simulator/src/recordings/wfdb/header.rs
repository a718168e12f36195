//! Header files (`.hea`).

use std::fmt::Display;
use std::path::Path;
use std::str::FromStr;

use super::format::Format;
use crate::SimulatorError;
use crate::recordings::read_text;

/// Default gain where the header gives none, units per millivolt.
const DEFAULT_GAIN: f64 = 200.0;
/// Default sampling frequency where the header gives none, Hz.
const DEFAULT_RATE: f64 = 250.0;

/// A header.
#[derive(Clone, Debug, PartialEq)]
pub struct Header {
    /// Record name.
    pub name: String,
    /// Frames per second.
    pub rate_hz: f64,
    /// Frames, where the header tells.
    pub frames: Option<usize>,
    /// What the record consists of.
    pub body: Body,
}

/// Signals, or segments that hold them.
#[derive(Clone, Debug, PartialEq)]
pub enum Body {
    /// A single-segment record.
    Signals(Vec<SignalSpec>),
    /// Names and lengths of the segments; the name `~` stands for a gap.
    Segments(Vec<(String, usize)>),
}

/// One signal line.
#[derive(Clone, Debug, PartialEq)]
pub struct SignalSpec {
    /// File that holds the samples.
    pub file: String,
    /// How they are stored.
    pub format: Format,
    /// Samples of this signal in each frame.
    pub samples_per_frame: usize,
    /// Samples by which the signal is late in the file.
    pub skew: usize,
    /// Bytes before the first sample.
    pub byte_offset: usize,
    /// Units of the converter per physical unit.
    pub gain: f64,
    /// Sample value of physical zero.
    pub baseline: i32,
    /// Physical unit, `mV` where none is named.
    pub units: String,
    /// First sample as the header has it.
    pub initial: Option<i32>,
    /// Sum of all samples modulo 2¹⁶, as the header has it.
    pub checksum: Option<i16>,
    /// Description, such as `MLII`.
    pub description: String,
}

/// Reads `path`.
/// # Errors
/// [`SimulatorError::Line`] with the line that is not as header(5) says.
pub fn read(path: &Path) -> Result<Header, SimulatorError> {
    parse(path, &read_text(path)?)
}

/// Parses the text of a header; `path` is for messages.
/// # Errors
/// As [`read`].
pub fn parse(path: &Path, text: &str) -> Result<Header, SimulatorError> {
    let mut lines = text
        .lines()
        .enumerate()
        .map(|(i, line)| (i, line.trim()))
        .filter(|(_, line)| !line.is_empty() && !line.starts_with('#'));
    let Some((at, first)) = lines.next() else {
        return Err(SimulatorError::file(path, "empty: expected a record line"));
    };
    let bad = |line: usize, what: String| SimulatorError::line(path, line, what);
    let start = RecordLine::parse(first).map_err(|what| bad(at, what))?;
    let expected = start.segments.unwrap_or(start.signals);
    let rest: Vec<(usize, &str)> = lines.take(expected).collect();
    if rest.len() < expected {
        return Err(SimulatorError::file(
            path,
            format!("{} lines after the record line: expected {expected}", rest.len()),
        ));
    }
    let body = if start.segments.is_some() {
        let segments: Result<_, _> = rest
            .iter()
            .map(|(i, line)| segment(line).map_err(|what| bad(*i, what)))
            .collect();
        Body::Segments(segments?)
    } else {
        let signals: Result<_, _> = rest
            .iter()
            .map(|(i, line)| signal(line).map_err(|what| bad(*i, what)))
            .collect();
        Body::Signals(signals?)
    };
    Ok(Header {
        name: start.name.to_owned(),
        rate_hz: start.rate_hz,
        frames: start.frames,
        body,
    })
}

struct RecordLine<'a> {
    name: &'a str,
    segments: Option<usize>,
    signals: usize,
    rate_hz: f64,
    frames: Option<usize>,
}

impl<'a> RecordLine<'a> {
    fn parse(line: &'a str) -> Result<Self, String> {
        let mut fields = line.split_whitespace();
        let name = fields.next().ok_or("empty record line")?;
        let (name, segments) = match name.split_once('/') {
            Some((name, count)) => (name, Some(number("number of segments", count)?)),
            None => (name, None),
        };
        let signals = number("number of signals", fields.next().ok_or("no number of signals")?)?;
        let rate = fields.next().map(|text| text.split(['/', '(']).next().unwrap_or(text));
        let rate_hz = rate.map_or(Ok(DEFAULT_RATE), |text| number("sampling frequency", text))?;
        if !(rate_hz > 0.0 && rate_hz.is_finite()) {
            return Err(format!("sampling frequency {rate_hz}: expected more than 0 Hz"));
        }
        let frames = fields.next().map(|text| number("number of samples", text)).transpose()?;
        Ok(Self {
            name,
            segments,
            signals,
            rate_hz,
            frames: frames.filter(|n| *n > 0),
        })
    }
}

fn segment(line: &str) -> Result<(String, usize), String> {
    let mut fields = line.split_whitespace();
    let name = fields.next().ok_or("empty segment line")?;
    let frames = number("length of the segment", fields.next().ok_or("segment without a length")?)?;
    Ok((name.to_owned(), frames))
}

fn signal(line: &str) -> Result<SignalSpec, String> {
    let mut rest = line;
    let mut next = || {
        let trimmed = rest.trim_start();
        let (field, after) = trimmed.split_once(char::is_whitespace).unwrap_or((trimmed, ""));
        rest = after;
        (!field.is_empty()).then_some(field)
    };
    let file = next().ok_or("empty signal line")?.to_owned();
    let storage = Storage::parse(next().ok_or_else(|| format!("signal file {file} without a format"))?)?;
    let gain = next().map(Gain::parse).transpose()?.unwrap_or_default();
    let _resolution = next().map(|t| number::<u8>("resolution in bits", t)).transpose()?;
    let zero = next()
        .map(|t| number::<i32>("value of the converter's zero", t))
        .transpose()?
        .unwrap_or(0);
    let initial = next().map(|t| number("initial value", t)).transpose()?;
    let checksum = next().map(|t| number::<i32>("checksum", t)).transpose()?;
    let _block_size = next().map(|t| number::<i64>("block size", t)).transpose()?;
    Ok(SignalSpec {
        file,
        format: storage.format,
        samples_per_frame: storage.samples_per_frame,
        skew: storage.skew,
        byte_offset: storage.byte_offset,
        gain: if gain.units_per_physical > 0.0 {
            gain.units_per_physical
        } else {
            DEFAULT_GAIN
        },
        baseline: gain.baseline.unwrap_or(zero),
        units: gain.units.unwrap_or_else(|| "mV".to_owned()),
        initial,
        // Some writers give the sum as an unsigned number.
        checksum: checksum.map(|sum| sum as i16),
        description: rest.trim().to_owned(),
    })
}

/// `format[xSAMPLES][:SKEW][+OFFSET]`
struct Storage {
    format: Format,
    samples_per_frame: usize,
    skew: usize,
    byte_offset: usize,
}

impl Storage {
    fn parse(text: &str) -> Result<Self, String> {
        let (text, offset) = text.split_once('+').map_or((text, None), |(a, b)| (a, Some(b)));
        let (text, skew) = text.split_once(':').map_or((text, None), |(a, b)| (a, Some(b)));
        let (text, samples) = text.split_once('x').map_or((text, None), |(a, b)| (a, Some(b)));
        let optional = |what, field: Option<&str>, default| field.map_or(Ok(default), |t| number(what, t));
        let samples_per_frame = optional("samples per frame", samples, 1)?;
        if !(1..=1000).contains(&samples_per_frame) {
            return Err(format!("samples per frame {samples_per_frame}: expected 1 to 1000"));
        }
        Ok(Self {
            format: text.parse()?,
            samples_per_frame,
            skew: optional("skew", skew, 0)?,
            byte_offset: optional("byte offset", offset, 0)?,
        })
    }
}

/// `GAIN[(BASELINE)][/UNITS]`
#[derive(Default)]
struct Gain {
    units_per_physical: f64,
    baseline: Option<i32>,
    units: Option<String>,
}

impl Gain {
    fn parse(text: &str) -> Result<Self, String> {
        let (text, units) = text.split_once('/').map_or((text, None), |(a, b)| (a, Some(b.to_owned())));
        let (text, baseline) = match text.split_once('(') {
            Some((gain, rest)) => (gain, Some(number("baseline", rest.trim_end_matches(')'))?)),
            None => (text, None),
        };
        let units_per_physical: f64 = number("gain", text)?;
        if !units_per_physical.is_finite() {
            return Err(format!("gain {units_per_physical}: expected a number"));
        }
        Ok(Self {
            units_per_physical,
            baseline,
            units,
        })
    }
}

fn number<T: FromStr<Err: Display>>(what: &str, text: &str) -> Result<T, String> {
    text.parse().map_err(|e| format!("{what} {text:?}: expected a number ({e})"))
}
