//! A recording played through the agent's own analysis of the rhythm.

use std::path::Path;

use anyhow::Context;
use wardlight_core::codes::Waveform;
use wardlight_core::message::WaveBlock;
use wardlight_core::rhythm::{BedRhythm, Heard};
use wardlight_core::time::Timestamp;
use wardlight_core::vitals::Quality;
use wardlight_simulator::recordings::matlab;
use wardlight_simulator::recordings::wfdb::{Checks, MISSING, read_record};

/// Device time of the first sample, in milliseconds: any that is a whole number of grid cells.
const START_MS: i64 = 1_600_000_000_000;
/// Samples come in blocks of this length, as a monitor sends them.
const BLOCK_S: f64 = 0.25;
/// Leads that the rhythm can be told from, in its order of preference after the known names.
const CODES: [(&str, u32); 8] = [
    ("II", 131_330),
    ("MLII", 131_330),
    ("V", 131_395),
    ("MCL1", 131_395),
    ("I", 131_329),
    ("III", 131_389),
    ("V1", 131_331),
    ("V5", 131_335),
];
/// Rate and gain of the Creighton University database, whose extracts have no header.
const CUDB_HZ: f64 = 250.0;
const CUDB_GAIN: f64 = 400.0;
/// Codes of leads by their position, if their name is not known.
const UNNAMED: u32 = 131_332;

/// The ECG leads of a recording.
pub(crate) struct Recording {
    leads: Vec<Lead>,
}

/// One lead.
pub(crate) struct Lead {
    pub(crate) waveform: Waveform,
    pub(crate) rate_hz: f64,
    /// Steps per millivolt, and the step that is zero.
    pub(crate) gain: f64,
    pub(crate) baseline: i32,
    pub(crate) samples: Vec<i16>,
}

impl Recording {
    /// A recording of these leads.
    pub(crate) const fn new(leads: Vec<Lead>) -> Self {
        Self { leads }
    }

    /// Reads the WFDB record `path` (`DIR/101`, without extension), or an extract of the Creighton University database
    /// (`DIR/cu01m.mat`).
    pub(crate) fn open(path: &Path) -> anyhow::Result<Self> {
        if path.extension().is_some_and(|e| e == "mat") {
            return Self::creighton(path);
        }
        let folder = path.parent().unwrap_or(Path::new("."));
        let name = path
            .file_name()
            .and_then(|n| n.to_str())
            .context("a record is named DIR/NAME")?;
        let record = read_record(folder, name, Checks::Ignore)?;
        let narrow = |s: &i32| i16::try_from(*s).ok().filter(|_| *s != MISSING).unwrap_or(WaveBlock::MISSING);
        let leads = record.signals.iter().zip(0..).map(|(signal, position)| {
            let known = CODES.iter().find(|(name, _)| *name == signal.description.trim());
            Lead {
                waveform: Waveform::Ecg(known.map_or(UNNAMED + position, |(_, code)| *code)),
                rate_hz: signal.rate_hz,
                gain: signal.gain,
                baseline: signal.baseline,
                samples: signal.samples.iter().map(narrow).collect(),
            }
        });
        Ok(Self::new(leads.collect()))
    }

    fn creighton(path: &Path) -> anyhow::Result<Self> {
        let samples = matlab::read(path)?.rows.into_iter().next().context("no signal in the file")?;
        Ok(Self::new(vec![Lead {
            waveform: Waveform::Ecg(131_330),
            rate_hz: CUDB_HZ,
            gain: CUDB_GAIN,
            baseline: 0,
            samples,
        }]))
    }

    /// The leads, in the order of the recording.
    pub(crate) fn leads(&self) -> Vec<Waveform> {
        self.leads.iter().map(|lead| lead.waveform).collect()
    }

    /// Samples a second of the first lead.
    pub(crate) fn rate_hz(&self) -> f64 {
        self.leads.first().map_or(f64::NAN, |lead| lead.rate_hz)
    }

    /// Leaves this lead only.
    pub(crate) fn only(&mut self, position: usize) {
        self.leads = self.leads.drain(..).skip(position).take(1).collect();
    }

    /// Plays all leads into a bed, and hands on what is heard.
    pub(crate) fn play(&self, sink: &mut dyn FnMut(Heard)) {
        let seconds = self
            .leads
            .first()
            .map_or(0.0, |lead| lead.samples.len() as f64 / lead.rate_hz);
        let mut bed = BedRhythm::default();
        for number in 0..(seconds / BLOCK_S).ceil() as usize {
            for lead in &self.leads {
                let (block, at) = lead.block(number);
                bed.push_heard(&block, at, &mut Vec::new(), sink);
            }
        }
    }
}

impl Lead {
    fn block(&self, number: usize) -> (WaveBlock, Timestamp) {
        let first = |number: usize| ((number as f64 * BLOCK_S * self.rate_hz) as usize).min(self.samples.len());
        let (from, to) = (first(number), first(number + 1));
        let block = WaveBlock {
            waveform: self.waveform,
            rate_hz: self.rate_hz as f32,
            scale: (-9, (1e9 / self.gain).round() as i32),
            offset: -self.baseline,
            samples: self.samples.get(from..to).unwrap_or_default().to_vec(),
            quality: Quality::VALID,
        };
        let at = START_MS + (from as f64 * 1000.0 / self.rate_hz).round() as i64;
        (block, Timestamp::from_millis(at))
    }
}

/// Seconds from the start of the recording.
pub(crate) fn seconds(at_ms: i64) -> f64 {
    (at_ms - START_MS) as f64 / 1000.0
}
