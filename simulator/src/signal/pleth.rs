//! Photoplethysmogram: one pulse per beat that moves blood, a transit time after its R peak.

use std::collections::VecDeque;

/// From the R peak to the foot of the pulse at the finger, seconds: pre-ejection period and transit.
const TRANSIT_S: f64 = 0.22;
/// A pulse is over after this many seconds.
const PULSE_END_S: f64 = 2.5;

/// Beyond this exponent a wave adds nothing that a sample could show.
const FAR: f64 = 20.0;

/// Pulses under way to the finger.
#[derive(Clone, Debug, Default)]
pub struct Pleth {
    pulses: VecDeque<Pulse>,
}

#[derive(Clone, Copy, Debug)]
struct Pulse {
    age_s: f64,
    interval_s: f64,
    strength: f64,
}

impl Pleth {
    /// The heart ejects: `interval_s` is the current RR interval, `strength` the relative stroke (1 = normal).
    pub fn eject(&mut self, interval_s: f64, strength: f64) {
        self.pulses.push_back(Pulse {
            age_s: -TRANSIT_S,
            interval_s,
            strength,
        });
    }

    /// Advances by `dt` seconds and returns the pleth, 0 at rest and about 1 at the peak of a normal pulse.
    pub fn advance(&mut self, dt: f64) -> f64 {
        for pulse in &mut self.pulses {
            pulse.age_s += dt;
        }
        if self.pulses.front().is_some_and(|p| p.age_s > PULSE_END_S) {
            self.pulses.pop_front();
        }
        self.pulses.iter().map(Pulse::height).sum()
    }
}

impl Pulse {
    /// Systolic wave and dicrotic wave, as two bells whose width follows the square root of the interval.
    fn height(&self) -> f64 {
        if self.age_s <= 0.0 {
            return 0.0;
        }
        let scale = self.interval_s.sqrt();
        let bell = |centre: f64, width: f64| {
            let distance = ((self.age_s / scale - centre) / width).powi(2) / 2.0;
            if distance > FAR { 0.0 } else { (-distance).exp() }
        };
        let foot = (self.age_s / 0.05).min(1.0);
        self.strength * foot * (bell(0.2, 0.075) + 0.42 * bell(0.47, 0.12))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_beat_gives_one_pulse_after_the_transit_time() {
        let mut pleth = Pleth::default();
        pleth.eject(0.8, 1.0);
        let wave: Vec<f64> = (0..125).map(|_| pleth.advance(0.008)).collect();
        let (peak_at, peak) = wave
            .iter()
            .enumerate()
            .fold((0, 0.0), |best, (i, v)| if *v > best.1 { (i, *v) } else { best });
        assert!((0.9..1.2).contains(&peak), "{peak}");
        let seconds = peak_at as f64 * 0.008;
        assert!((0.3..0.5).contains(&seconds), "{seconds}");
    }

    #[test]
    fn without_beats_the_line_is_flat() {
        let mut pleth = Pleth::default();
        assert!((0..100).all(|_| pleth.advance(0.008).abs() < 1e-12));
    }
}
