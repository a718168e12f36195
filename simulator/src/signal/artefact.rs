//! Motion artefact: what a moving patient adds to an electrode or a finger clip.
//!
//! After the noise models of G. M. Friesen et al. ("A comparison of the noise sensitivity of nine QRS detection algorithms",
//! IEEE Trans Biomed Eng 37(1):85–98, 1990): a motion artefact is a transient of the baseline that resembles one cycle of a sine
//! wave, lasts 100 to 500 ms, and is up to five times as high as the ECG; muscle noise is random, about a tenth of the ECG. (The
//! numbers are as later texts quote them; the paper itself was *not re-read*.)

use std::f64::consts::TAU;

use crate::random::Random;

/// How long one transient lasts, seconds.
const LENGTH_S: (f64, f64) = (0.1, 0.5);
/// Height of one transient at full intensity, from side to side, where the ECG is 1.
const MOST: f64 = 5.0;
/// Transients per second at full intensity. (*no source*)
const PER_SECOND: f64 = 2.0;

/// Transients and muscle noise.
#[derive(Clone, Debug)]
pub struct Motion {
    random: Random,
    transients: Vec<Transient>,
    burst_left_s: f64,
    burst: f64,
}

#[derive(Clone, Copy, Debug)]
struct Transient {
    age_s: f64,
    length_s: f64,
    height: f64,
}

impl Motion {
    /// Artefact fixed by the seed.
    pub const fn new(random: Random) -> Self {
        Self {
            random,
            transients: Vec::new(),
            burst_left_s: 0.0,
            burst: 0.0,
        }
    }

    /// Advances by `dt` seconds; `intensity` 0 (still) to 1 (thrashing). Returns `(swing, muscle)`, where 1 is the height of the
    /// undisturbed wave.
    pub fn advance(&mut self, dt: f64, intensity: f64) -> (f64, f64) {
        self.burst_left_s -= dt;
        if self.burst_left_s <= 0.0 {
            self.burst_left_s = self.random.between(0.3, 1.5);
            self.burst = self.random.between(0.2, 1.0);
        }
        for transient in &mut self.transients {
            transient.age_s += dt;
        }
        self.transients.retain(|t| t.age_s < t.length_s);
        if self.random.chance(PER_SECOND * intensity * dt) {
            let (shortest, longest) = LENGTH_S;
            let side = if self.random.chance(0.5) { 0.5 } else { -0.5 };
            self.transients.push(Transient {
                age_s: 0.0,
                length_s: self.random.between(shortest, longest),
                height: side * MOST * intensity * self.random.unit(),
            });
        }
        let swing = self
            .transients
            .iter()
            .map(|t| t.height * (TAU * t.age_s / t.length_s).sin())
            .sum();
        let muscle = if intensity > 0.0 {
            0.2 * intensity * self.burst * self.random.normal()
        } else {
            0.0
        };
        (swing, muscle)
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
