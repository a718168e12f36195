//! Motion artefact: what a moving patient adds to electrodes and finger clip.

use crate::random::Random;

/// Bursts of slow swings and muscle noise.
#[derive(Clone, Debug)]
pub struct Motion {
    random: Random,
    swing: f64,
    velocity: f64,
    burst_left_s: f64,
    burst: f64,
}

impl Motion {
    /// Artefact fixed by the seed.
    pub const fn new(random: Random) -> Self {
        Self {
            random,
            swing: 0.0,
            velocity: 0.0,
            burst_left_s: 0.0,
            burst: 0.0,
        }
    }

    /// Advances by `dt` seconds; `intensity` 0 (still) to 1 (thrashing). Returns `(swing, muscle)`, both about −1 to 1 at
    /// intensity 1: a damped oscillator of 1.5 Hz kicked at random, and white noise in bursts.
    pub fn advance(&mut self, dt: f64, intensity: f64) -> (f64, f64) {
        self.burst_left_s -= dt;
        if self.burst_left_s <= 0.0 {
            self.burst_left_s = self.random.between(0.3, 1.5);
            self.burst = self.random.between(0.2, 1.0);
        }
        let omega = 9.4;
        let kick = 40.0 * intensity * self.burst * self.random.normal() * dt.sqrt();
        self.velocity += (-omega * omega * self.swing - 2.5 * self.velocity) * dt + kick;
        self.swing = (self.swing + self.velocity * dt).clamp(-3.0, 3.0);
        (self.swing, 0.5 * intensity * self.burst * self.random.normal())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rms(intensity: f64) -> f64 {
        let mut motion = Motion::new(Random::seeded(5));
        let sum: f64 = (0..5000).map(|_| motion.advance(0.004, intensity).0.powi(2)).sum();
        (sum / 5000.0).sqrt()
    }

    #[test]
    fn a_still_patient_has_none_and_a_moving_one_much() {
        assert!(rms(0.0) < 1e-9);
        assert!((0.3..2.5).contains(&rms(1.0)), "{}", rms(1.0));
        assert!(rms(0.3) < rms(1.0));
    }
}
