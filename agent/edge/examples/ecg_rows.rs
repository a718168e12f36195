//! The rows that the ECG models are trained with, made by the agent's own analysis:
//! `ecg_rows beats RECORD OUT [LEAD]`, `ecg_rows windows RECORD OUT`, `ecg_rows simulated OUT`.
//!
//! OUT holds f32, little-endian. Beats: seconds, lead, window, rhythm. Windows: seconds of the first value, lead, window.
//! Simulated: number of the scene of [`SCENES`], 1 if shockable, window.
#![allow(dead_code, reason = "the recordings have more uses than this")]

#[path = "../src/model_cli/recording.rs"]
mod recording;

use std::path::Path;

use anyhow::{Context, bail};
use recording::{Lead, Recording, seconds};
use wardlight_core::codes::Waveform;
use wardlight_models::{ecg_beat, ecg_vf};
use wardlight_simulator::signal::{Physiology, Rhythm, SYNTHESIS_HZ, Synthesiser};

/// Scenes of the simulator: rhythm, rate, ectopic share, motion, gain, whether a shock is called for. A rhythm with motion of 0.6
/// and more is not shockable by itself, however wild the wave.
const SCENES: [(Rhythm, f64, f64, f64, f64, bool); 20] = [
    (Rhythm::VentricularFibrillation, 0.0, 0.0, 0.0, 1.0, true),
    (Rhythm::VentricularFibrillation, 0.0, 0.0, 0.0, 0.5, true),
    (Rhythm::VentricularFibrillation, 0.0, 0.0, 0.0, 2.0, true),
    (Rhythm::VentricularFibrillation, 0.0, 0.0, 0.1, 1.0, true),
    (Rhythm::VentricularTachycardia, 80.0, 0.0, 0.0, 1.0, true),
    (Rhythm::VentricularTachycardia, 80.0, 0.0, 0.1, 0.5, true),
    (Rhythm::Sinus, 60.0, 0.0, 0.0, 1.0, false),
    (Rhythm::Sinus, 90.0, 0.1, 0.2, 1.0, false),
    (Rhythm::Sinus, 130.0, 0.0, 0.1, 0.6, false),
    (Rhythm::Sinus, 160.0, 0.0, 0.1, 1.0, false),
    (Rhythm::Sinus, 75.0, 0.0, 0.5, 1.0, false),
    (Rhythm::Sinus, 75.0, 0.05, 0.8, 0.7, false),
    (Rhythm::Sinus, 100.0, 0.0, 1.0, 1.0, false),
    (Rhythm::AtrialFibrillation, 80.0, 0.0, 0.0, 1.0, false),
    (Rhythm::AtrialFibrillation, 130.0, 0.0, 0.1, 1.0, false),
    (Rhythm::AtrialFibrillation, 150.0, 0.0, 0.4, 0.6, false),
    (Rhythm::AtrialFibrillation, 110.0, 0.0, 1.0, 1.0, false),
    (Rhythm::Asystole, 0.0, 0.0, 0.0, 1.0, false),
    (Rhythm::Asystole, 0.0, 0.0, 0.3, 1.0, false),
    (Rhythm::Asystole, 0.0, 0.0, 1.0, 1.0, false),
];
/// Length of a scene, and how often each is made, with another seed.
const SCENE_S: u32 = 60;
const TAKES: u64 = 3;
/// Steps per millivolt of the simulated signal.
const GAIN: f64 = 400.0;

fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let (out, values) = match *arguments.as_slice() {
        ["beats", record, out] => (out, beats(&Recording::open(Path::new(record))?)),
        ["beats", record, out, lead] => {
            let mut recording = Recording::open(Path::new(record))?;
            recording.only(lead.parse().context("LEAD is a number")?);
            (out, beats(&recording))
        }
        ["windows", record, out] => (out, windows(&Recording::open(Path::new(record))?)),
        ["simulated", out] => (out, simulated()),
        _ => bail!("usage: ecg_rows beats RECORD OUT [LEAD] | windows RECORD OUT | simulated OUT"),
    };
    let bytes: Vec<u8> = values.iter().flat_map(|v| v.to_le_bytes()).collect();
    std::fs::write(out, bytes).with_context(|| out.to_owned())
}

fn place(leads: &[Waveform], lead: Waveform) -> f32 {
    leads.iter().position(|l| *l == lead).map_or(f32::NAN, |at| at as f32)
}

fn beats(recording: &Recording) -> Vec<f32> {
    let leads = recording.leads();
    let mut extractor = ecg_beat::Extractor::default();
    let mut values = Vec::new();
    recording.play(&mut |heard| {
        extractor.hear(&heard, &mut |beat| {
            for row in &beat.rows {
                values.extend([seconds(beat.at_ms) as f32, place(&leads, row.lead)]);
                values.extend(row.window.iter().chain(&row.rhythm));
            }
        });
    });
    values
}

fn windows(recording: &Recording) -> Vec<f32> {
    let leads = recording.leads();
    let mut windows = ecg_vf::Windows::default();
    let mut values = Vec::new();
    recording.play(&mut |heard| {
        windows.hear(&heard, &mut |window| {
            values.extend([seconds(window.start_ms) as f32, place(&leads, window.lead)]);
            values.extend(&window.values);
        });
    });
    values
}

fn simulated() -> Vec<f32> {
    let mut values = Vec::new();
    for take in 0..TAKES {
        for (number, (rhythm, heart_rate, ectopic, motion, gain, shockable)) in SCENES.iter().enumerate() {
            let physiology = Physiology {
                rhythm: *rhythm,
                heart_rate: *heart_rate,
                resp_rate: 15.0,
                pulse_strength: 1.0,
                ectopic: *ectopic,
                motion: *motion,
            };
            let mut synthesiser = Synthesiser::new(take * 1000 + number as u64);
            let samples =
                (0..SCENE_S * SYNTHESIS_HZ).map(|_| (synthesiser.advance(&physiology).ecg_mv * gain * GAIN).round() as i16);
            let recording = Recording::new(vec![Lead {
                waveform: Waveform::Ecg(131_330),
                rate_hz: f64::from(SYNTHESIS_HZ),
                gain: GAIN,
                baseline: 0,
                samples: samples.collect(),
            }]);
            for window in windows(&recording).chunks(2 + ecg_vf::WINDOW) {
                values.extend([number as f32, f32::from(u8::from(*shockable))]);
                values.extend(window.iter().skip(2));
            }
        }
    }
    values
}
