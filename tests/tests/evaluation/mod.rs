//! Recordings through the rhythm rules, and what the annotations say: for the example `rhythm` and the test `recorded`.
#![allow(dead_code, reason = "the example and the test use different parts")]

pub(crate) mod load;
pub(crate) mod opinions;
pub(crate) mod score;
pub(crate) mod truth;

use wardlight_core::codes::Waveform;
use wardlight_core::message::WaveBlock;
use wardlight_core::rhythm::{Beat, BedRhythm, EcgSignal, Heard, ModelledRhythm, Rhythm, RhythmFinding};
use wardlight_core::time::Timestamp;
use wardlight_core::vitals::Quality;

/// Device time of the first sample.
pub(crate) const START_MS: i64 = 1_700_000_000_000;
/// Samples come in blocks of this length, as a monitor sends them.
const BLOCK_S: f64 = 0.25;

/// One channel of a recording.
pub(crate) struct Channel {
    pub(crate) name: String,
    pub(crate) waveform: Waveform,
    pub(crate) rate_hz: f64,
    pub(crate) gain: f64,
    pub(crate) baseline: i32,
    pub(crate) samples: Vec<i16>,
}

/// One recording with its annotations.
pub(crate) struct Recording {
    pub(crate) name: String,
    pub(crate) channels: Vec<Channel>,
    pub(crate) marks: Vec<load::Mark>,
}

/// A condition that was reported.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reported {
    pub(crate) rhythm: Rhythm,
    /// Seconds from the start of the recording.
    pub(crate) onset_s: f64,
    pub(crate) end_s: f64,
    /// When the last sample had arrived that led to it.
    pub(crate) at_s: f64,
}

/// What came out of a recording.
#[derive(Default)]
pub(crate) struct Outcome {
    pub(crate) reported: Vec<Reported>,
    pub(crate) beats: Vec<Beat>,
    /// Share of the blocks after which the ECG was believed.
    pub(crate) good: f64,
}

impl Outcome {
    pub(crate) fn of(&self, rhythm: Rhythm) -> impl Iterator<Item = &Reported> {
        self.reported.iter().filter(move |r| r.rhythm == rhythm)
    }
}

impl Recording {
    pub(crate) fn seconds(&self) -> f64 {
        self.channels.first().map_or(0.0, |c| c.samples.len() as f64 / c.rate_hz)
    }

    /// Plays the channels that `wanted` lets through into a bed.
    pub(crate) fn play(&self, wanted: impl Fn(usize) -> bool) -> Outcome {
        self.play_beside(wanted, &[]).0
    }

    /// The same, and what the opinions of models come to beside it.
    pub(crate) fn play_beside(&self, wanted: impl Fn(usize) -> bool, opinions: &[opinions::Timed]) -> (Outcome, Outcome) {
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
        let mut opinions = opinions.iter().peekable();
        let mut models = ModelledRhythm::default();
        let (mut by_models, mut modelled) = (Outcome::default(), Vec::new());
        let blocks = (self.seconds() / BLOCK_S) as usize;
        let mut good = 0;
        for b in 0..blocks {
            for channel in &channels {
                let (block, at) = channel.block_at(b);
                let beats = &mut outcome.beats;
                bed.push_heard(&block, at, &mut findings, &mut |heard| match heard {
                    Heard::Beat(beat) => beats.push(beat),
                    Heard::Judged(judged) => models.judged(judged, &mut modelled),
                    Heard::Sample { .. } => {}
                });
            }
            let at_s = (b + 1) as f64 * BLOCK_S;
            while let Some((_, opinion)) = opinions.next_if(|(there, _)| *there <= at_s) {
                models.hear(*opinion, &mut modelled);
            }
            for finding in findings.drain(..) {
                outcome.take(finding, at_s);
            }
            for finding in modelled.drain(..) {
                by_models.take(finding, at_s);
            }
            good += usize::from(bed.state().signal == EcgSignal::Good);
        }
        outcome.good = good as f64 / blocks.max(1) as f64;
        (outcome, by_models)
    }
}

impl Channel {
    fn first_of(&self, block: usize) -> usize {
        ((block as f64 * BLOCK_S * self.rate_hz) as usize).min(self.samples.len())
    }

    /// A block by its number, with its time.
    pub(crate) fn block_at(&self, number: usize) -> (WaveBlock, Timestamp) {
        let at = START_MS + (self.first_of(number) as f64 * 1000.0 / self.rate_hz).round() as i64;
        let samples = &self.samples[self.first_of(number)..self.first_of(number + 1)];
        let block = WaveBlock {
            waveform: self.waveform,
            rate_hz: self.rate_hz as f32,
            scale: (-9, (1e9 / self.gain).round() as i32),
            offset: -self.baseline,
            samples: samples.to_vec(),
            quality: Quality::VALID,
        };
        (block, Timestamp::from_millis(at))
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
pub(crate) fn seconds(at: Timestamp) -> f64 {
    (at.as_millis() - START_MS) as f64 / 1000.0
}
