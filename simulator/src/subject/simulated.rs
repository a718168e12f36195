//! A virtual patient as sensors see it.

use std::time::Duration;

use wardlight_core::codes::Waveform;

use crate::device::{Chunk, Measured, Observation, Pressure};
use crate::patient::Patient;
use crate::signal::{Frame, SYNTHESIS_HZ, Synthesiser};

/// ECG lead II.
const ECG_II: Waveform = Waveform::Ecg(131_330);
/// Pleth and respiration take every second and fifth sample of the synthesis.
const PLETH_STEP: u64 = 2;
const RESP_STEP: u64 = 5;

/// A patient whose physiology may run faster than the clock, and the waveforms, which never do.
#[derive(Clone, Debug)]
pub struct Simulated {
    /// The patient.
    pub patient: Patient,
    /// Hours of physiology per hour of the clock.
    pub speed: f64,
    waves: Synthesiser,
    samples: u64,
}

impl Simulated {
    /// A patient who lives `pace` hours an hour, and its waveforms.
    pub fn new(patient: Patient, pace: f64, seed: u64) -> Self {
        Self {
            patient,
            speed: pace,
            waves: Synthesiser::new(seed),
            samples: 0,
        }
    }

    /// Lets `tick` pass.
    pub fn advance(&mut self, tick: Duration) -> Observation {
        self.patient.advance(tick.mul_f64(self.speed));
        let physiology = self.patient.physiology();
        let mut ecg = chunk(ECG_II, f64::from(SYNTHESIS_HZ), (-3, 5));
        let mut pleth = chunk(Waveform::Pleth, f64::from(SYNTHESIS_HZ) / PLETH_STEP as f64, (-3, 1));
        let mut resp = chunk(Waveform::Resp, f64::from(SYNTHESIS_HZ) / RESP_STEP as f64, (-3, 1));
        let mut beats = Vec::new();
        let count = (tick.as_secs_f64() * f64::from(SYNTHESIS_HZ)).round() as u64;
        for _ in 0..count {
            self.samples += 1;
            let frame: Frame = self.waves.advance(&physiology);
            // A resolution of 5 µV, as AAMI EC13 asks of a monitor at least.
            ecg.samples.push(sample(frame.ecg_mv * 200.0));
            if self.samples.is_multiple_of(PLETH_STEP) {
                pleth.samples.push(sample(frame.pleth * 1000.0));
            }
            if self.samples.is_multiple_of(RESP_STEP) {
                resp.samples.push(sample(frame.resp * 1000.0));
            }
            if frame.r_peak {
                beats.push(self.seconds());
            }
        }
        Observation {
            seconds: self.seconds(),
            waves: vec![ecg, pleth, resp],
            beats: Some(beats),
            rhythm: Some(self.patient.rhythm()),
            motion: physiology.motion,
            measured: self.measured(),
        }
    }

    fn seconds(&self) -> f64 {
        self.samples as f64 / f64::from(SYNTHESIS_HZ)
    }

    fn measured(&self) -> Measured {
        let vitals = self.patient.vitals();
        let pressure = Pressure {
            systolic: vitals.systolic,
            diastolic: vitals.diastolic,
            mean: vitals.mean_pressure(),
        };
        Measured {
            heart_rate: None,
            pulse_rate: Some(vitals.heart_rate).filter(|rate| *rate > 0.0),
            spo2: Some(vitals.spo2),
            resp_rate: Some(vitals.resp_rate),
            cuff: Some(pressure).filter(|p| p.systolic > 40.0),
            arterial: Some(pressure),
            temp_core: Some(vitals.temp_core),
            temp_skin: Some(vitals.temp_skin),
            perfusion: Some(vitals.perfusion),
        }
    }
}

const fn chunk(waveform: Waveform, rate_hz: f64, scale: (i8, i32)) -> Chunk {
    Chunk {
        waveform,
        rate_hz,
        scale,
        offset: 0,
        samples: Vec::new(),
    }
}

/// Rounds and keeps clear of the value that marks a missing sample.
fn sample(value: f64) -> i16 {
    value.round().clamp(-32_000.0, 32_000.0) as i16
}
