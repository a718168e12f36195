//! The simulator's scenes that `ecg-vf` is trained with beside the recordings.

use wardlight_core::codes::Waveform;
use wardlight_simulator::signal::{Physiology, Rhythm, SYNTHESIS_HZ, Synthesiser};

use super::recording::{Lead, Recording};

/// Scenes of the simulator: rhythm, rate, ectopic share, motion, gain, whether a shock is called for. However wild
/// the motion, the rhythm below decides.
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

/// One take of a scene.
pub(super) struct Scene {
    /// Its place in [`SCENES`].
    pub(super) number: f32,
    pub(super) shockable: bool,
    pub(super) recording: Recording,
}

/// All takes of all scenes, take by take.
pub(super) fn all() -> impl Iterator<Item = Scene> {
    (0..TAKES).flat_map(|take| (0_u16..).zip(SCENES).map(move |(number, scene)| make(take, number, scene)))
}

fn make(
    take: u64,
    number: u16,
    (rhythm, heart_rate, ectopic, motion, gain, shockable): (Rhythm, f64, f64, f64, f64, bool),
) -> Scene {
    let physiology = Physiology {
        rhythm,
        heart_rate,
        resp_rate: 15.0,
        pulse_strength: 1.0,
        ectopic,
        motion,
    };
    let mut synthesiser = Synthesiser::new(take * 1000 + u64::from(number));
    let samples = (0..SCENE_S * SYNTHESIS_HZ).map(|_| (synthesiser.advance(&physiology).ecg_mv * gain * GAIN).round() as i16);
    let lead = Lead {
        waveform: Waveform::Ecg(131_330),
        rate_hz: f64::from(SYNTHESIS_HZ),
        gain: GAIN,
        baseline: 0,
        samples: samples.collect(),
    };
    Scene {
        number: f32::from(number),
        shockable,
        recording: Recording::new(vec![lead]),
    }
}
