//! Ventricular fibrillation: an irregular oscillation of 3 to 8 Hz that waxes and wanes, without any complex.

use std::f64::consts::TAU;

use crate::random::Random;

/// Slowly wandering oscillators whose sum is the fibrillation wave.
#[derive(Clone, Debug)]
pub struct Fibrillation {
    oscillators: [Oscillator; 3],
    random: Random,
}

#[derive(Clone, Copy, Debug)]
struct Oscillator {
    phase: f64,
    frequency_hz: f64,
    centre_hz: f64,
    amplitude_mv: f64,
    mean_mv: f64,
}

impl Oscillator {
    const fn new(centre_hz: f64, mean_mv: f64) -> Self {
        Self {
            phase: 0.0,
            frequency_hz: centre_hz,
            centre_hz,
            amplitude_mv: mean_mv,
            mean_mv,
        }
    }

    fn advance(&mut self, dt: f64, random: &mut Random) -> f64 {
        let root = dt.sqrt();
        self.frequency_hz += (self.centre_hz - self.frequency_hz) * dt / 1.5 + 0.8 * root * random.normal();
        self.amplitude_mv += (self.mean_mv - self.amplitude_mv) * dt / 1.0 + 0.5 * self.mean_mv * root * random.normal();
        self.phase = (self.phase + self.frequency_hz.clamp(2.5, 9.0) * dt).fract();
        self.amplitude_mv.max(0.3 * self.mean_mv) * (TAU * self.phase).sin()
    }
}

impl Fibrillation {
    /// A wave fixed by the seed.
    pub fn new(random: Random) -> Self {
        Self {
            oscillators: [
                Oscillator::new(4.3, 0.32),
                Oscillator::new(5.2, 0.24),
                Oscillator::new(6.6, 0.12),
            ],
            random,
        }
    }

    /// Advances by `dt` seconds and returns the voltage in millivolts (about 0.4 mV root mean square).
    pub fn advance(&mut self, dt: f64) -> f64 {
        let random = &mut self.random;
        self.oscillators.iter_mut().map(|o| o.advance(dt, random)).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_dominant_frequency_lies_in_the_fibrillation_band() {
        let mut fibrillation = Fibrillation::new(Random::seeded(3));
        let wave: Vec<f64> = (0..2500).map(|_| fibrillation.advance(0.004)).collect();
        let crossings = wave.windows(2).filter(|pair| pair[0] < 0.0 && pair[1] >= 0.0).count();
        let per_second = crossings as f64 / 10.0;
        assert!((3.0..8.0).contains(&per_second), "{per_second}");
        let rms = (wave.iter().map(|v| v * v).sum::<f64>() / 2500.0).sqrt();
        assert!((0.2..0.7).contains(&rms), "{rms}");
    }
}
