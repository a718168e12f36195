//! Recordings through the rhythm rules, and what the annotations say: for the example `rhythm` and the test `recorded`.
#![allow(dead_code, reason = "the example and the test use different parts")]

pub mod load;
pub mod score;
pub mod truth;

use wardlight_core::codes::Waveform;
use wardlight_core::message::WaveBlock;
use wardlight_core::rhythm::{Beat, BedRhythm, EcgSignal, Oscillation, Rhythm, RhythmFinding};
use wardlight_core::time::Timestamp;
use wardlight_core::vitals::Quality;

/// Device time of the first sample.
pub const START_MS: i64 = 1_700_000_000_000;
/// Samples come in blocks of this length, as a monitor sends them.
const BLOCK_S: f64 = 0.25;

/// One channel of a recording.
pub struct Channel {
    pub name: String,
    pub waveform: Waveform,
    pub rate_hz: f64,
    pub gain: f64,
    pub baseline: i32,
    pub samples: Vec<i16>,
}

/// One recording with its annotations.
pub struct Recording {
    pub name: String,
    pub channels: Vec<Channel>,
    pub marks: Vec<load::Mark>,
}

/// A condition that was reported.
#[derive(Clone, Copy, Debug)]
pub struct Reported {
    pub rhythm: Rhythm,
    /// Seconds from the start of the recording.
    pub onset_s: f64,
    pub end_s: f64,
    /// When the last sample had arrived that led to it.
    pub at_s: f64,
}

/// What came out of a recording.
#[derive(Default)]
pub struct Outcome {
    pub reported: Vec<Reported>,
    pub beats: Vec<Beat>,
    /// Share of the blocks after which the ECG was believed.
    pub good: f64,
    /// Measures of oscillation once a second.
    pub oscillation: Vec<(f64, Oscillation)>,
}

impl Outcome {
    pub fn of(&self, rhythm: Rhythm) -> impl Iterator<Item = &Reported> {
        self.reported.iter().filter(move |r| r.rhythm == rhythm)
    }
}

impl Recording {
    pub fn seconds(&self) -> f64 {
        self.channels.first().map_or(0.0, |c| c.samples.len() as f64 / c.rate_hz)
    }

    /// Plays the channels that `wanted` lets through into a bed.
    pub fn play(&self, wanted: impl Fn(usize) -> bool, measure: bool) -> Outcome {
        let channels: Vec<&Channel> = self
            .channels
            .iter()
            .enumerate()
            .filter(|(i, _)| wanted(*i))
            .map(|(_, c)| c)
            .collect();
        let mut bed = BedRhythm::default();
        let mut outcome = Outcome::default();
        let mut findings: Vec<RhythmFinding> = Vec::new();
        let blocks = (self.seconds() / BLOCK_S) as usize;
        let mut good = 0;
        for b in 0..blocks {
            for channel in &channels {
                let block = channel.block(b);
                let at = START_MS + (channel.first_of(b) as f64 * 1000.0 / channel.rate_hz).round() as i64;
                let beats = &mut outcome.beats;
                bed.push_with(&block, Timestamp::from_millis(at), &mut findings, &mut |beat| {
                    beats.push(beat)
                });
            }
            let at_s = (b + 1) as f64 * BLOCK_S;
            for finding in findings.drain(..) {
                outcome.take(finding, at_s);
            }
            good += usize::from(bed.state().signal == EcgSignal::Good);
            if measure && b % 4 == 0 {
                outcome.oscillation.extend(bed.oscillation().map(|o| (at_s, o)));
            }
        }
        outcome.good = good as f64 / blocks.max(1) as f64;
        outcome
    }
}

impl Channel {
    fn first_of(&self, block: usize) -> usize {
        ((block as f64 * BLOCK_S * self.rate_hz) as usize).min(self.samples.len())
    }

    fn block(&self, number: usize) -> WaveBlock {
        let samples = &self.samples[self.first_of(number)..self.first_of(number + 1)];
        WaveBlock {
            waveform: self.waveform,
            rate_hz: self.rate_hz as f32,
            scale: (-9, (1e9 / self.gain).round() as i32),
            offset: -self.baseline,
            samples: samples.to_vec(),
            quality: Quality::VALID,
        }
    }
}

impl Outcome {
    fn take(&mut self, finding: RhythmFinding, at_s: f64) {
        let onset_s = seconds(finding.onset_at);
        if finding.present {
            self.reported.push(Reported {
                rhythm: finding.rhythm,
                onset_s,
                end_s: f64::INFINITY,
                at_s,
            });
        } else if let Some(open) = self.reported.iter_mut().rfind(|r| r.rhythm == finding.rhythm) {
            open.end_s = onset_s;
        }
    }
}

/// Seconds from the start of the recording.
pub fn seconds(at: Timestamp) -> f64 {
    (at.as_millis() - START_MS) as f64 / 1000.0
}
