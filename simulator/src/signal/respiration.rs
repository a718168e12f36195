//! The breath: its phase, and what thoracic impedance shows of it.

use std::f64::consts::PI;

use crate::random::Random;

/// Share of the cycle that is inspiration, at rest.
const INSPIRATION: f64 = 0.4;

/// A breathing cycle.
#[derive(Clone, Debug)]
pub struct Respiration {
    phase: f64,
    depth: f64,
    effort: f64,
    random: Random,
}

impl Respiration {
    /// A breath fixed by the seed.
    pub fn new(mut random: Random) -> Self {
        Self {
            phase: random.unit(),
            depth: 1.0,
            effort: 1.0,
            random,
        }
    }

    /// Position in the cycle, `0.0..1.0`; inspiration first.
    pub const fn phase(&self) -> f64 {
        self.phase
    }

    /// Advances by `dt` seconds at `rate` breaths per minute (0 = apnoea) and returns the impedance signal, about −1 to 1,
    /// rising on inspiration.
    pub fn advance(&mut self, dt: f64, rate: f64) -> f64 {
        let breathing = rate > 0.0;
        let target = f64::from(u8::from(breathing));
        self.effort += (target - self.effort) * (1.0 - (-dt / 0.4).exp());
        if breathing {
            self.phase += dt * rate / 60.0;
            if self.phase >= 1.0 {
                self.phase = self.phase.fract();
                self.depth = 1.0 + 0.08 * self.random.normal();
            }
        }
        self.volume() * self.depth * self.effort
    }

    /// Lung volume over the cycle, −1 to 1: a half cosine up, a slower one down.
    fn volume(&self) -> f64 {
        if self.phase < INSPIRATION {
            -(PI * self.phase / INSPIRATION).cos()
        } else {
            (PI * (self.phase - INSPIRATION) / (1.0 - INSPIRATION)).cos()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn breaths_are_counted_at_the_rate_asked_for() {
        let mut breath = Respiration::new(Random::seeded(1));
        let wave: Vec<f64> = (0..50 * 60).map(|_| breath.advance(0.02, 15.0)).collect();
        let rises = wave.windows(2).filter(|pair| pair[0] < 0.0 && pair[1] >= 0.0).count();
        assert!((14..=16).contains(&rises), "{rises}");
    }

    #[test]
    fn in_apnoea_the_chest_is_still() {
        let mut breath = Respiration::new(Random::seeded(1));
        for _ in 0..250 {
            breath.advance(0.02, 0.0);
        }
        assert!(breath.advance(0.02, 0.0).abs() < 0.01);
    }
}
