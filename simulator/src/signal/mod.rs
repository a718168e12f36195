//! Waveforms of one patient: ECG, pleth and respiration that follow the same beats and breaths.

pub mod artefact;
pub mod ecg;
pub mod fibrillation;
pub mod pleth;
pub mod respiration;
pub mod rhythm;

use crate::random::Random;
use artefact::Motion;
use ecg::{EcgModel, Morphology};
use fibrillation::Fibrillation;
use pleth::Pleth;
use respiration::Respiration;
pub use rhythm::Rhythm;

/// Samples per second of the synthesis; every channel's rate divides it.
pub const SYNTHESIS_HZ: u32 = 250;
/// Seconds from one sample to the next.
const DT: f64 = 1.0 / SYNTHESIS_HZ as f64;

/// What the waveforms are to show.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Physiology {
    /// The heart's rhythm.
    pub rhythm: Rhythm,
    /// Rate of the sinus node, beats per minute.
    pub heart_rate: f64,
    /// Breaths per minute; 0 is apnoea.
    pub resp_rate: f64,
    /// Relative stroke at the finger: 1 is normal, 0 no pulse.
    pub pulse_strength: f64,
    /// Share of the beats of sinus rhythm that are ventricular ectopic ones.
    pub ectopic: f64,
    /// Movement, 0 (still) to 1 (thrashing).
    pub motion: f64,
}

/// One instant of all waveforms.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Frame {
    /// Lead II in millivolts.
    pub ecg_mv: f64,
    /// Pleth, dimensionless, pulse height about 1.
    pub pleth: f64,
    /// Thoracic impedance, dimensionless, about −1 to 1.
    pub resp: f64,
    /// An R peak falls into this sample.
    pub r_peak: bool,
}

/// What kind of beat is under way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Beat {
    /// As the rhythm has it.
    #[default]
    Regular,
    /// A ventricular ectopic one: early, wide, and of little output.
    Ectopic,
    /// The one after it, which is late.
    Compensating,
}

impl Beat {
    /// Length of its cycle, of which the R peak is the middle, where the rhythm's own is 1.
    const fn length(self) -> f64 {
        match self {
            Self::Regular => 1.0,
            Self::Ectopic => 0.55,
            Self::Compensating => 1.4,
        }
    }
}

/// Synthesises frames at [`SYNTHESIS_HZ`], the same for the same seed and the same physiology.
#[derive(Clone, Debug)]
pub struct Synthesiser {
    ecg: EcgModel,
    fibrillation: Fibrillation,
    respiration: Respiration,
    pleth: Pleth,
    /// Of the trunk, where the electrodes are.
    motion: Motion,
    /// Of the finger, which moves in its own way.
    finger: Motion,
    beats: Random,
    ectopy: Random,
    noise: Random,
    interval_s: f64,
    beat: Beat,
    samples: u64,
}

impl Synthesiser {
    /// Waveforms fixed by the seed.
    pub fn new(seed: u64) -> Self {
        Self {
            ecg: EcgModel::default(),
            fibrillation: Fibrillation::new(Random::named(seed, "fibrillation")),
            respiration: Respiration::new(Random::named(seed, "respiration")),
            pleth: Pleth::default(),
            motion: Motion::new(Random::named(seed, "motion")),
            finger: Motion::new(Random::named(seed, "finger")),
            beats: Random::named(seed, "beats"),
            ectopy: Random::named(seed, "ectopy"),
            noise: Random::named(seed, "noise"),
            interval_s: 0.0,
            beat: Beat::default(),
            samples: 0,
        }
    }

    /// The next frame.
    pub fn advance(&mut self, physiology: &Physiology) -> Frame {
        self.samples = self.samples.wrapping_add(1);
        let resp = self.respiration.advance(DT, physiology.resp_rate);
        let (heart_mv, r_peak) = self.heart(physiology, resp);
        let (swing, muscle) = self.motion.advance(DT, physiology.motion);
        let (finger, _) = self.finger.advance(DT, physiology.motion);
        let electrode_noise = 0.008 * self.noise.normal();
        Frame {
            ecg_mv: heart_mv + 0.04 * resp + electrode_noise + 1.2 * (swing + muscle),
            pleth: self.pleth.advance(DT) * (1.0 - 0.06 * resp) + 0.004 * self.noise.normal() + finger,
            resp: resp + 0.02 * heart_mv + 0.01 * self.noise.normal() + 0.7 * swing,
            r_peak,
        }
    }

    /// The heart's own voltage, and whether this sample holds an R peak.
    fn heart(&mut self, physiology: &Physiology, resp: f64) -> (f64, bool) {
        let rhythm = physiology.rhythm;
        if !rhythm.has_output() {
            self.ecg.rest(DT);
            self.interval_s = 0.0;
            let wave = if rhythm == Rhythm::VentricularFibrillation {
                self.fibrillation.advance(DT)
            } else {
                0.0
            };
            return (self.ecg.millivolts() + wave, false);
        }
        if self.interval_s <= 0.0 {
            self.draw_interval(physiology);
        }
        let ventricular = rhythm.is_ventricular() || self.beat == Beat::Ectopic;
        let morphology = match rhythm {
            _ if ventricular => Morphology::Ventricular,
            Rhythm::AtrialFibrillation => Morphology::NoP,
            _ => Morphology::Sinus,
        };
        let passed = self.ecg.advance(DT, self.interval_s, morphology);
        if passed.r_peak {
            let weak = if ventricular { 0.35 } else { 1.0 };
            self.pleth
                .eject(self.interval_s, physiology.pulse_strength * weak * (1.0 - 0.05 * resp));
        }
        if passed.cycle_end {
            self.draw_interval(physiology);
        }
        (self.ecg.millivolts(), passed.r_peak)
    }

    fn draw_interval(&mut self, physiology: &Physiology) {
        let time_s = self.samples as f64 * DT;
        let phase = self.respiration.phase();
        let next = physiology
            .rhythm
            .next_interval(physiology.heart_rate, phase, time_s, &mut self.beats);
        self.beat = match self.beat {
            Beat::Ectopic => Beat::Compensating,
            _ if physiology.rhythm == Rhythm::Sinus && self.ectopy.chance(physiology.ectopic) => Beat::Ectopic,
            _ => Beat::Regular,
        };
        self.interval_s = next.unwrap_or(0.0) * self.beat.length();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CALM: Physiology = Physiology {
        rhythm: Rhythm::Sinus,
        heart_rate: 72.0,
        resp_rate: 14.0,
        pulse_strength: 1.0,
        ectopic: 0.0,
        motion: 0.0,
    };

    fn run(physiology: &Physiology, seconds: u32) -> Vec<Frame> {
        let mut synthesiser = Synthesiser::new(11);
        (0..seconds * SYNTHESIS_HZ).map(|_| synthesiser.advance(physiology)).collect()
    }

    #[test]
    fn the_same_seed_gives_the_same_waves() {
        assert_eq!(run(&CALM, 5), run(&CALM, 5));
        let mut other = Synthesiser::new(12);
        assert_ne!(
            run(&CALM, 1).last(),
            (0..250).map(|_| other.advance(&CALM)).collect::<Vec<_>>().last()
        );
    }

    #[test]
    fn every_beat_has_its_pulse() {
        let frames = run(&CALM, 60);
        let beats = frames.iter().filter(|f| f.r_peak).count();
        assert!((70..=74).contains(&beats), "{beats}");
        let pulses = frames
            .windows(2)
            .filter(|pair| pair[0].pleth < 0.6 && pair[1].pleth >= 0.6)
            .count();
        assert!(pulses.abs_diff(beats) <= 2, "{pulses} pulses, {beats} beats");
    }

    #[test]
    fn an_ectopic_beat_is_early_and_the_rate_stays() {
        let frames = run(&Physiology { ectopic: 0.1, ..CALM }, 120);
        let peaks: Vec<usize> = frames.iter().enumerate().filter(|(_, f)| f.r_peak).map(|(i, _)| i).collect();
        assert!((140..=148).contains(&peaks.len()), "{}", peaks.len());
        let early = peaks.windows(2).filter(|p| p[1] - p[0] < 175).count();
        assert!((6..=24).contains(&early), "{early}");
    }

    #[test]
    fn fibrillation_and_asystole_have_no_pulse_and_no_r_peak() {
        for rhythm in [Rhythm::VentricularFibrillation, Rhythm::Asystole] {
            let frames = run(&Physiology { rhythm, ..CALM }, 10);
            assert!(frames.iter().all(|f| !f.r_peak && f.pleth < 0.1), "{rhythm:?}");
            let peak = frames.iter().map(|f| f.ecg_mv.abs()).fold(0.0, f64::max);
            assert_eq!(peak > 0.3, rhythm == Rhythm::VentricularFibrillation, "{rhythm:?}: {peak} mV");
        }
    }

    #[test]
    fn after_a_shock_the_sinus_rhythm_comes_back() {
        let mut synthesiser = Synthesiser::new(1);
        let vf = Physiology {
            rhythm: Rhythm::VentricularFibrillation,
            ..CALM
        };
        for _ in 0..2500 {
            synthesiser.advance(&vf);
        }
        let beats = (0..2500).filter(|_| synthesiser.advance(&CALM).r_peak).count();
        assert!((11..=13).contains(&beats), "{beats}");
    }

    #[test]
    fn atrial_fibrillation_is_irregular_and_sinus_rhythm_is_not() {
        let scatter = |rhythm| {
            let frames = run(&Physiology { rhythm, ..CALM }, 120);
            let peaks: Vec<usize> = frames.iter().enumerate().filter(|(_, f)| f.r_peak).map(|(i, _)| i).collect();
            let rr: Vec<f64> = peaks.windows(2).map(|p| (p[1] - p[0]) as f64).collect();
            let mean = rr.iter().sum::<f64>() / rr.len() as f64;
            (rr.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / rr.len() as f64).sqrt() / mean
        };
        assert!(scatter(Rhythm::AtrialFibrillation) > 0.15);
        assert!(scatter(Rhythm::Sinus) < 0.06);
    }
}
