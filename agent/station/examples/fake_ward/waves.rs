//! Waves that look right from afar: sums of Gaussians on the beat's phase.

use std::time::Duration;

use wardlight_core::codes::Waveform;
use wardlight_core::time::Timestamp;
use wardlight_core::vitals::Quality;
use wardlight_station::WaveView;

use crate::beds::Bed;

/// Phase in the beat, width, height in mV: P, Q, R, S, T.
const ECG: [(f64, f64, f64); 5] = [
    (0.18, 0.025, 0.15),
    (0.265, 0.009, -0.12),
    (0.285, 0.010, 1.1),
    (0.305, 0.010, -0.25),
    (0.50, 0.045, 0.30),
];
const PLETH: [(f64, f64, f64); 2] = [(0.30, 0.09, 1.0), (0.58, 0.10, 0.35)];

/// The blocks that end at `now`.
pub(crate) fn blocks(bed: &Bed, now: Timestamp, length: Duration) -> Vec<WaveView> {
    match bed.story {
        6 | 8 => Vec::new(),
        // A lead that came off.
        9 => vec![WaveView {
            quality: Quality::LEAD_OFF,
            ..block(bed, Waveform::Ecg(131_330), 250.0, &ECG, now, length)
        }],
        // A bed with a wearable only.
        3 => vec![block(bed, Waveform::Pleth, 100.0, &PLETH, now, length)],
        _ => vec![
            block(bed, Waveform::Ecg(131_330), 250.0, &ECG, now, length),
            block(bed, Waveform::Pleth, 100.0, &PLETH, now, length),
        ],
    }
}

fn block(bed: &Bed, waveform: Waveform, rate_hz: f32, shape: &[(f64, f64, f64)], now: Timestamp, length: Duration) -> WaveView {
    let step_ms = 1000.0 / f64::from(rate_hz);
    let end = now.as_millis().div_euclid(250) * 250;
    let start = end - i64::try_from(length.as_millis()).unwrap();
    let beats_per_ms = [72.0, 88.0, 146.0, 64.0, 79.0, 58.0, 60.0, 104.0, 70.0, 83.0, 91.0, 67.0][bed.story] / 60_000.0;
    let count = (length.as_millis() as f64 / step_ms) as usize;
    let sample = |i: usize| {
        let t = (start % 3_600_000) as f64 + i as f64 * step_ms;
        let phase = (t * beats_per_ms).fract();
        let value: f64 = shape
            .iter()
            .map(|(at, width, height)| height * (-((phase - at) / width).powi(2) / 2.0).exp())
            .sum();
        let wander = 0.05 * (t / 1900.0).sin();
        let noise = 0.01 * (t * 0.37).sin() * (t * 0.11).cos();
        ((value + wander + noise) * 1000.0) as i16
    };
    let mut samples: Vec<i16> = (0..count).map(sample).collect();
    // One bed loses a stretch now and then.
    if bed.story == 10 && (start / 250) % 16 < 3 {
        samples.fill(i16::MIN);
    }
    WaveView {
        waveform,
        rate_hz,
        t0: Timestamp::from_millis(start),
        scale: 0.001,
        offset: 0,
        samples,
        quality: Quality::VALID,
    }
}
