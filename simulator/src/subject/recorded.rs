//! A WFDB record as a patient: its waveforms at their own rates, its annotated beats as the heart rate.

use std::path::Path;
use std::time::Duration;

use wardlight_core::codes::Waveform;
use wardlight_core::message::WaveBlock;

use crate::SimulatorError;
use crate::device::{Chunk, Observation};
use crate::recordings::wfdb::{Checks, MISSING, Record, Signal, read_annotations, read_record};

/// A record that is played from its beginning and starts again at its end.
#[derive(Clone, Debug)]
pub struct Recorded {
    channels: Vec<Channel>,
    beats: Option<Vec<f64>>,
    length_s: f64,
    /// Position in the record, and time since the start.
    position_s: f64,
    elapsed_s: f64,
}

#[derive(Clone, Debug)]
struct Channel {
    waveform: Waveform,
    signal: Signal,
    scale: (i8, i32),
}

impl Recorded {
    /// Opens `folder/name.hea`, its signals, and `name.atr` where it exists.
    /// # Errors
    /// [`SimulatorError`] when the record cannot be read, or has no signal that `vitals/v1` can carry.
    pub fn open(folder: &Path, name: &str) -> Result<Self, SimulatorError> {
        let record = read_record(folder, name, Checks::Hold)?;
        let annotations = folder.join(format!("{name}.atr"));
        let rate_hz = record.signals.iter().map(|s| s.rate_hz).fold(f64::MAX, f64::min);
        let beats = annotations.is_file().then(|| read_annotations(&annotations)).transpose()?;
        let beats = beats.map(|all| {
            all.iter()
                .filter(|a| a.is_beat())
                .map(|a| a.sample as f64 / rate_hz)
                .collect()
        });
        Self::of(record, beats)
    }

    fn of(record: Record, beats: Option<Vec<f64>>) -> Result<Self, SimulatorError> {
        let mut channels: Vec<Channel> = Vec::new();
        let mut length_s = f64::MAX;
        for (i, signal) in record.signals.into_iter().enumerate() {
            let Some(waveform) = waveform(&signal, i) else { continue };
            if channels.iter().any(|c| c.waveform == waveform) || signal.rate_hz > 2000.0 {
                continue;
            }
            length_s = length_s.min(signal.samples.len() as f64 / signal.rate_hz);
            channels.push(Channel {
                waveform,
                scale: scale(signal.gain),
                signal,
            });
        }
        if channels.is_empty() || length_s < 1.0 {
            return Err(SimulatorError::Signal {
                record: record.name,
                signal: "all".into(),
                what: "none is an ECG, pleth, respiration or arterial pressure of a second or more".into(),
            });
        }
        Ok(Self {
            channels,
            beats,
            length_s,
            position_s: 0.0,
            elapsed_s: 0.0,
        })
    }

    /// Waveforms and their rates in Hz.
    pub fn waveforms(&self) -> Vec<(Waveform, f32)> {
        self.channels.iter().map(|c| (c.waveform, c.signal.rate_hz as f32)).collect()
    }

    /// Lets `tick` pass.
    pub fn advance(&mut self, tick: Duration) -> Observation {
        let (from, to) = (self.position_s, self.position_s + tick.as_secs_f64());
        let waves = self.channels.iter().map(|channel| channel.between(from, to)).collect();
        let start_of_lap = self.elapsed_s - from;
        let in_tick = |beats: &Vec<f64>| {
            let first = beats.partition_point(|b| *b < from);
            let later = beats.iter().skip(first).take_while(|b| **b < to);
            later.map(|b| b + start_of_lap).collect()
        };
        let beats = self.beats.as_ref().map(in_tick);
        self.elapsed_s += tick.as_secs_f64();
        self.position_s = if to + tick.as_secs_f64() > self.length_s { 0.0 } else { to };
        Observation {
            seconds: self.elapsed_s,
            waves,
            beats,
            ..Observation::default()
        }
    }
}

impl Channel {
    fn between(&self, from: f64, to: f64) -> Chunk {
        let rate = self.signal.rate_hz;
        let (first, last) = ((from * rate).round() as usize, (to * rate).round() as usize);
        let samples = self.signal.samples.get(first..last).unwrap_or_default();
        let baseline = self.signal.baseline;
        let raw = |sample: &i32| match *sample {
            MISSING => WaveBlock::MISSING,
            value => (value - baseline).clamp(-32_767, 32_767) as i16,
        };
        Chunk {
            waveform: self.waveform,
            rate_hz: rate,
            scale: self.scale,
            offset: 0,
            samples: samples.iter().map(raw).collect(),
        }
    }
}

/// Which waveform of `vitals/v1` a signal is; the first ECG of an unknown lead counts as lead II.
fn waveform(signal: &Signal, i: usize) -> Option<Waveform> {
    let code = match signal.description.to_ascii_uppercase().as_str() {
        "I" => 131_329,
        "II" | "MLII" | "MCL1" => 131_330,
        "III" => 131_389,
        "AVR" => 131_390,
        "AVL" => 131_391,
        "AVF" => 131_392,
        "V" => 131_395,
        "V1" => 131_331,
        "V2" => 131_332,
        "V3" => 131_333,
        "V4" => 131_334,
        "V5" => 131_335,
        "V6" => 131_336,
        "PLETH" => 150_452,
        "RESP" => 151_780,
        "ABP" | "ART" => 150_036,
        _ if i == 0 && signal.units.eq_ignore_ascii_case("mv") => 131_330,
        _ => return None,
    };
    Waveform::from_code(code)
}

/// `1 / gain` as `(exponent, mantissa)` with six digits.
fn scale(gain: f64) -> (i8, i32) {
    let exponent = (1.0 / gain).log10().floor() as i32 - 5;
    let mantissa = (1.0 / gain / 10_f64.powi(exponent)).round() as i32;
    trim(exponent.clamp(-12, 12) as i8, mantissa)
}

/// Removes zeros at the end of the mantissa.
const fn trim(mut exponent: i8, mut mantissa: i32) -> (i8, i32) {
    while mantissa != 0 && mantissa % 10 == 0 && exponent < 12 {
        mantissa /= 10;
        exponent += 1;
    }
    (exponent, mantissa)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recordings::test_folder;

    #[test]
    fn the_scale_gives_back_the_gain() {
        assert_eq!(scale(200.0), (-3, 5));
        assert_eq!(scale(1.0), (0, 1));
        for gain in [7247.0, 12.84, 2963.77, 1.052e4, 0.3] {
            let (exponent, mantissa) = scale(gain);
            let found = f64::from(mantissa) * 10_f64.powi(i32::from(exponent));
            assert!((found * gain - 1.0).abs() < 1e-5, "{gain}: {found}");
        }
    }

    #[test]
    fn a_record_is_played_sample_for_sample() {
        let folder = test_folder().join("mitdb");
        let record = read_record(&folder, "101", Checks::Hold).unwrap();
        let mut subject = Recorded::open(&folder, "101").unwrap();
        let (mut played, mut beats) = (Vec::new(), 0);
        for _ in 0..120 {
            let seen = subject.advance(Duration::from_millis(500));
            assert!((seen.waves[0].rate_hz - 360.0).abs() < 1e-9);
            played.extend_from_slice(&seen.waves[0].samples);
            beats += seen.beats.unwrap().len();
        }
        let expected: Vec<i16> = record.signals[0].samples[..21_600]
            .iter()
            .map(|s| (s - 1024) as i16)
            .collect();
        assert_eq!(played, expected);
        // The first minute of record 101 has 71 annotated beats (wfdb-python).
        assert_eq!(beats, 71);
    }

    #[test]
    fn an_alarm_record_has_ecg_and_pleth() {
        let mut subject = Recorded::open(&test_folder().join("wfdb"), "a103l").unwrap();
        let seen = subject.advance(Duration::from_millis(500));
        let codes: Vec<u32> = seen.waves.iter().map(|w| w.waveform.code()).collect();
        assert_eq!(codes, [131_330, 131_395, 150_452]);
        assert!(seen.beats.is_none());
    }
}
