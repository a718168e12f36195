//! The heart's rhythm and the intervals between its beats.

use std::f64::consts::TAU;

use serde::Deserialize;

use crate::random::Random;

/// What the heart does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rhythm {
    /// Sinus rhythm with respiratory sinus arrhythmia and slow waves.
    #[default]
    Sinus,
    /// Atrial fibrillation: irregular intervals, no P wave.
    AtrialFibrillation,
    /// Ventricular tachycardia: wide complexes, near regular, at 180 /min whatever the sinus rate would be.
    VentricularTachycardia,
    /// Ventricular fibrillation: no beats.
    VentricularFibrillation,
    /// Asystole: no beats.
    Asystole,
}

/// Rate of ventricular tachycardia, beats per minute.
const VT_RATE: f64 = 180.0;

impl Rhythm {
    /// Whether blood is moved at all.
    pub const fn has_output(self) -> bool {
        !matches!(self, Self::VentricularFibrillation | Self::Asystole)
    }

    /// Whether complexes come from the ventricle.
    pub const fn is_ventricular(self) -> bool {
        matches!(self, Self::VentricularTachycardia)
    }

    /// Mean rate in beats per minute, given the rate of the sinus node; 0 without beats.
    pub const fn rate(self, sinus_rate: f64) -> f64 {
        match self {
            Self::Sinus | Self::AtrialFibrillation => sinus_rate,
            Self::VentricularTachycardia => VT_RATE,
            Self::VentricularFibrillation | Self::Asystole => 0.0,
        }
    }

    /// The next RR interval in seconds for a mean rate of `rate` /min, or `None` without beats.
    ///
    /// In sinus rhythm the interval follows the breath (respiratory sinus arrhythmia, ±3 %) and a 0.1 Hz wave (±2 %), the two
    /// peaks of the spectrum that McSharry et al. (2003) prescribe; in atrial fibrillation each cycle
    /// scatters by 28 %, which is 20 % between R peaks (they stand in the middle of a cycle).
    pub fn next_interval(self, rate: f64, breath_phase: f64, time_s: f64, random: &mut Random) -> Option<f64> {
        let rate = self.rate(rate);
        if rate <= 0.0 {
            return None;
        }
        let variation = match self {
            Self::Sinus => -0.03 * (TAU * breath_phase).sin() + 0.02 * (TAU * 0.1 * time_s).sin() + 0.006 * random.normal(),
            Self::AtrialFibrillation => (0.28 * random.normal()).clamp(-0.5, 0.8),
            _ => 0.01 * random.normal(),
        };
        Some((60.0 / rate * (1.0 + variation)).clamp(0.18, 4.0))
    }
}
