//! A WFDB record played through the agent's own analysis of the rhythm.

use std::path::Path;

use anyhow::Context;
use wardlight_core::codes::Waveform;
use wardlight_core::message::WaveBlock;
use wardlight_core::rhythm::{BedRhythm, Heard};
use wardlight_core::time::Timestamp;
use wardlight_core::vitals::Quality;
use wardlight_simulator::recordings::wfdb::{Checks, MISSING, Signal, read_record};

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
/// Codes of leads by their position, if their name is not known.
const UNNAMED: u32 = 131_332;

/// The ECG leads of a record.
pub(crate) struct Recording {
    leads: Vec<(Waveform, Signal)>,
}

impl Recording {
    /// Reads the record `path` (`DIR/101`, without extension).
    pub(crate) fn open(path: &Path) -> anyhow::Result<Self> {
        let folder = path.parent().unwrap_or(Path::new("."));
        let name = path
            .file_name()
            .and_then(|n| n.to_str())
            .context("a record is named DIR/NAME")?;
        let record = read_record(folder, name, Checks::Ignore)?;
        let mut leads: Vec<(Waveform, Signal)> = Vec::new();
        for signal in record.signals {
            let known = CODES.iter().find(|(name, _)| *name == signal.description.trim());
            let code = known.map_or(UNNAMED + leads.len() as u32, |(_, code)| *code);
            leads.push((Waveform::Ecg(code), signal));
        }
        Ok(Self { leads })
    }

    /// The leads, as the rhythm names them, in the order of the record.
    pub(crate) fn leads(&self) -> Vec<Waveform> {
        self.leads.iter().map(|(waveform, _)| *waveform).collect()
    }

    /// Samples a second of the first lead.
    pub(crate) fn rate_hz(&self) -> f64 {
        self.leads.first().map_or(1.0, |(_, signal)| signal.rate_hz)
    }

    /// Leaves this lead only.
    pub(crate) fn only(&mut self, position: usize) {
        self.leads = self.leads.drain(..).skip(position).take(1).collect();
    }

    /// Plays all leads into a bed, and hands on what is heard.
    pub(crate) fn play(&self, sink: &mut dyn FnMut(Heard)) {
        let seconds = self.leads.first().map_or(0.0, |(_, s)| s.samples.len() as f64 / s.rate_hz);
        let mut bed = BedRhythm::default();
        for number in 0..(seconds / BLOCK_S).ceil() as usize {
            for (waveform, signal) in &self.leads {
                let (block, at) = block(*waveform, signal, number);
                bed.push_heard(&block, at, &mut Vec::new(), sink);
            }
        }
    }
}

/// Seconds from the start of the record.
pub(crate) fn seconds(at_ms: i64) -> f64 {
    (at_ms - START_MS) as f64 / 1000.0
}

fn block(waveform: Waveform, signal: &Signal, number: usize) -> (WaveBlock, Timestamp) {
    let first = |number: usize| ((number as f64 * BLOCK_S * signal.rate_hz) as usize).min(signal.samples.len());
    let narrow = |s: &i32| {
        if *s == MISSING {
            WaveBlock::MISSING
        } else {
            i16::try_from(*s).unwrap_or(WaveBlock::MISSING)
        }
    };
    let (from, to) = (first(number), first(number + 1));
    let block = WaveBlock {
        waveform,
        rate_hz: signal.rate_hz as f32,
        scale: (-9, (1e9 / signal.gain).round() as i32),
        offset: -signal.baseline,
        samples: signal.samples.get(from..to).unwrap_or_default().iter().map(narrow).collect(),
        quality: Quality::VALID,
    };
    let at = START_MS + (from as f64 * 1000.0 / signal.rate_hz).round() as i64;
    (block, Timestamp::from_millis(at))
}
