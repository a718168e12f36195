//! A heart of bell-shaped waves, and a bed that listens to it.

use crate::codes::Waveform;
use crate::message::WaveBlock;
use crate::rhythm::{Beat, BedRhythm, Rhythm, RhythmFinding};
use crate::time::Timestamp;
use crate::vitals::Quality;

pub(super) const II: Waveform = Waveform::Ecg(131_330);
pub(super) const V: Waveform = Waveform::Ecg(131_395);
pub(super) const START_MS: i64 = 1_790_000_000_000;

/// A heart: its beats in seconds, each narrow or wide.
#[derive(Clone, Default)]
pub(super) struct Heart {
    pub(super) beats: Vec<(f64, bool)>,
    pub(super) end_s: f64,
}

impl Heart {
    /// Goes on for `beats` beats at `rate` a minute.
    pub(super) fn beat(mut self, beats: usize, rate: f64, wide: bool) -> Self {
        for _ in 0..beats {
            let at = self.end_s + 60.0 / rate;
            self.beats.push((at, wide));
            self.end_s = at;
        }
        self
    }

    pub(super) fn rest(mut self, seconds: f64) -> Self {
        self.end_s += seconds;
        self
    }

    /// mV at a time.
    pub(super) fn ecg(&self, t: f64) -> f64 {
        let bell = |middle: f64, width: f64, height: f64| height * (-((t - middle) / width).powi(2)).exp();
        let near = self.beats.partition_point(|(at, _)| *at < t - 1.0);
        let wave = |(at, wide): &(f64, bool)| {
            if *wide {
                bell(*at, 0.055, -1.4) + bell(at + 0.22, 0.08, 0.5)
            } else {
                bell(at - 0.16, 0.025, 0.12) + bell(*at, 0.014, 1.0) + bell(at + 0.03, 0.012, -0.2) + bell(at + 0.25, 0.05, 0.25)
            }
        };
        self.beats
            .iter()
            .skip(near)
            .take_while(|(at, _)| *at < t + 1.0)
            .map(wave)
            .sum()
    }

    /// A pulse 0.25 s after each beat.
    pub(super) fn pleth(&self, t: f64) -> f64 {
        let near = self.beats.partition_point(|(at, _)| *at < t - 2.0);
        let pulse = |(at, _): &(f64, bool)| 0.4 * (-((t - at - 0.25) / 0.12).powi(2)).exp();
        self.beats
            .iter()
            .skip(near)
            .take_while(|(at, _)| *at < t + 1.0)
            .map(pulse)
            .sum()
    }
}

/// A signal as a device samples it.
pub(super) fn sampled(f: impl Fn(f64) -> f64, seconds: f64, rate_hz: f64, gain: f64) -> Vec<i16> {
    let noise = |i: usize| ((i.wrapping_mul(2_654_435_761) >> 7) % 1000) as f64 / 1000.0 - 0.5;
    let sample = |i: usize| {
        ((f(i as f64 / rate_hz) + 0.01 * noise(i)) * gain)
            .round()
            .clamp(-32_000.0, 32_000.0) as i16
    };
    (0..(seconds * rate_hz) as usize).map(sample).collect()
}

/// One waveform on its way to the bed.
pub(super) struct Stream {
    pub(super) waveform: Waveform,
    pub(super) rate_hz: f64,
    pub(super) gain: f64,
    pub(super) samples: Vec<i16>,
    pub(super) quality: Quality,
}

impl Stream {
    pub(super) fn new(waveform: Waveform, f: impl Fn(f64) -> f64, seconds: f64) -> Self {
        Self::at(waveform, f, seconds, 250.0, 200.0)
    }

    pub(super) fn at(waveform: Waveform, f: impl Fn(f64) -> f64, seconds: f64, rate_hz: f64, gain: f64) -> Self {
        Self {
            waveform,
            rate_hz,
            gain,
            samples: sampled(f, seconds, rate_hz, gain),
            quality: Quality::VALID,
        }
    }

    pub(super) fn block(&self, from: usize, to: usize) -> (WaveBlock, Timestamp) {
        let at = START_MS + (from as f64 * 1000.0 / self.rate_hz).round() as i64;
        let block = WaveBlock {
            waveform: self.waveform,
            rate_hz: self.rate_hz as f32,
            scale: (-9, (1e9 / self.gain).round() as i32),
            offset: 0,
            samples: self.samples[from.min(self.samples.len())..to.min(self.samples.len())].to_vec(),
            quality: self.quality,
        };
        (block, Timestamp::from_millis(at))
    }
}

/// A finding with the second after which it was told.
pub(super) type Told = (Rhythm, bool, f64, f64);

/// What a bed told.
#[derive(Default)]
pub(super) struct Listener {
    pub(super) bed: BedRhythm,
    pub(super) told: Vec<Told>,
    pub(super) beats: Vec<Beat>,
}

impl Listener {
    /// Plays the streams side by side in blocks of a quarter of a second.
    pub(super) fn of(streams: &[Stream]) -> Self {
        let mut listener = Self::default();
        let blocks = streams
            .iter()
            .map(|s| s.samples.len() as f64 / s.rate_hz * 4.0)
            .fold(0.0, f64::max) as usize;
        for b in 0..blocks {
            listener.play(streams, b);
        }
        listener
    }

    pub(super) fn play(&mut self, streams: &[Stream], block: usize) {
        let mut findings: Vec<RhythmFinding> = Vec::new();
        for stream in streams {
            let edge = |b: usize| (b as f64 / 4.0 * stream.rate_hz) as usize;
            let (samples, at) = stream.block(edge(block), edge(block + 1));
            let beats = &mut self.beats;
            self.bed.push_with(&samples, at, &mut findings, &mut |beat| beats.push(beat));
        }
        let seconds = |f: &RhythmFinding| (f.onset_at.as_millis() - START_MS) as f64 / 1000.0;
        let now = (block + 1) as f64 / 4.0;
        self.told
            .extend(findings.iter().map(|f| (f.rhythm, f.present, seconds(f), now)));
    }

    pub(super) fn began(&self, rhythm: Rhythm) -> Vec<Told> {
        self.told
            .iter()
            .copied()
            .filter(|(r, present, ..)| *r == rhythm && *present)
            .collect()
    }

    pub(super) fn ended(&self, rhythm: Rhythm) -> Vec<Told> {
        self.told
            .iter()
            .copied()
            .filter(|(r, present, ..)| *r == rhythm && !*present)
            .collect()
    }

    pub(super) fn rate(&self) -> Option<f64> {
        self.bed.state().heart_rate.map(crate::vitals::Milli::to_f64)
    }
}

/// One ECG lead and nothing else.
pub(super) fn hear(heart: &Heart) -> Listener {
    Listener::of(&[Stream::new(II, |t| heart.ecg(t), heart.end_s + 1.0)])
}
