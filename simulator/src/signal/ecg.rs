//! Electrocardiogram, lead II, by a dynamical model.
//!
//! P. E. McSharry, G. D. Clifford, L. Tarassenko and L. A. Smith, "A dynamical model for generating synthetic electrocardiogram
//! signals", IEEE Trans Biomed Eng 50(3):289–294, 2003: a point runs once round a limit cycle per beat and is pushed up and down
//! as it passes the angles of P, Q, R, S and T. Solved here on the limit cycle itself, in the polar form of R. Sameni et al.
//! (EURASIP J Adv Signal Process 2007:43407), where the amplitudes are millivolts and do not depend on the heart rate.

use std::f64::consts::{PI, TAU};

/// One wave of the cycle.
#[derive(Clone, Copy, Debug)]
struct Wave {
    /// Angle of its peak in radians, R at 0.
    angle: f64,
    /// Height in millivolts.
    height_mv: f64,
    /// Width (standard deviation) in radians at 60 /min.
    width: f64,
    /// How its angle moves with the rate: exponent of rate/60, as in the authors' ECGSYN program.
    angle_exponent: f64,
}

const fn wave(angle: f64, height_mv: f64, width: f64, angle_exponent: f64) -> Wave {
    Wave {
        angle,
        height_mv,
        width,
        angle_exponent,
    }
}

/// P, Q, R, S, T: angles and widths of McSharry's table I, heights of an adult lead II.
const SINUS: [Wave; 5] = [
    wave(-PI / 3.0, 0.15, 0.25, 0.25),
    wave(-PI / 12.0, -0.12, 0.1, 0.5),
    wave(0.0, 1.15, 0.1, 0.0),
    wave(PI / 12.0, -0.25, 0.1, 0.5),
    wave(PI / 2.0, 0.3, 0.4, 0.25),
];

/// Without P: atrial fibrillation.
const NO_P: [Wave; 4] = [
    wave(-PI / 12.0, -0.12, 0.1, 0.5),
    wave(0.0, 1.1, 0.1, 0.0),
    wave(PI / 12.0, -0.25, 0.1, 0.5),
    wave(PI / 2.0, 0.25, 0.4, 0.25),
];

/// Ventricular complexes: one wide deflection and a T wave against it.
const VENTRICULAR: [Wave; 2] = [wave(0.0, 1.4, 0.35, 0.0), wave(PI / 1.8, -0.5, 0.5, 0.0)];

/// Beyond this exponent a wave adds less than a nanovolt: most of the time of a long simulation would go into such zeros.
const FAR: f64 = 20.0;

/// Which complexes are drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Morphology {
    /// P, QRS, T.
    Sinus,
    /// QRS, T.
    NoP,
    /// Wide QRS.
    Ventricular,
}

impl Morphology {
    const fn waves(self) -> &'static [Wave] {
        match self {
            Self::Sinus => &SINUS,
            Self::NoP => &NO_P,
            Self::Ventricular => &VENTRICULAR,
        }
    }
}

/// The state of the model: an angle and a voltage.
#[derive(Clone, Debug)]
pub struct EcgModel {
    angle: f64,
    millivolts: f64,
    cycle: Cycle,
}

/// What pushes the point in a beat of one interval and shape.
#[derive(Clone, Debug)]
struct Cycle {
    interval: f64,
    morphology: Morphology,
    omega: f64,
    /// Angle of each wave; height over squared width; twice the squared width. A wave of no height does nothing.
    pushes: [(f64, f64, f64); 5],
}

impl Cycle {
    fn new(interval: f64, morphology: Morphology) -> Self {
        let rate_factor = 1.0 / interval;
        let mut pushes = [(0.0, 0.0, 1.0); 5];
        for (push, wave) in pushes.iter_mut().zip(morphology.waves()) {
            let squared = wave.width * wave.width * rate_factor;
            *push = (
                wave.angle * rate_factor.powf(wave.angle_exponent),
                wave.height_mv / squared,
                2.0 * squared,
            );
        }
        Self {
            interval,
            morphology,
            omega: TAU * rate_factor,
            pushes,
        }
    }

    /// dz/dt of the model: attraction and repulsion by each wave, and the return to the baseline with a time constant of 1 s.
    fn slope(&self, angle: f64, z: f64) -> f64 {
        let push: f64 = self
            .pushes
            .iter()
            .map(|(centre, strength, spread)| {
                let delta = wrap(angle - centre);
                let distance = delta * delta / spread;
                if distance > FAR {
                    0.0
                } else {
                    strength * delta * (-distance).exp()
                }
            })
            .sum();
        -self.omega * push - z
    }
}

impl Default for EcgModel {
    fn default() -> Self {
        Self {
            angle: -PI,
            millivolts: 0.0,
            cycle: Cycle::new(1.0, Morphology::Sinus),
        }
    }
}

/// What happened during a step.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Passed {
    /// The R peak.
    pub r_peak: bool,
    /// The end of the cycle: time for the next RR interval.
    pub cycle_end: bool,
}

impl EcgModel {
    /// Voltage in millivolts, without baseline and noise.
    pub const fn millivolts(&self) -> f64 {
        self.millivolts
    }

    /// Advances by `dt` seconds within a beat of `interval` seconds, by one Runge–Kutta step of fourth order.
    pub fn advance(&mut self, dt: f64, interval: f64, morphology: Morphology) -> Passed {
        let same = self.cycle.interval.to_bits() == interval.to_bits() && self.cycle.morphology == morphology;
        if !same {
            self.cycle = Cycle::new(interval, morphology);
        }
        let slope = |angle: f64, z: f64| self.cycle.slope(angle, z);
        let omega = self.cycle.omega;
        let half = self.angle + omega * dt / 2.0;
        let k1 = slope(self.angle, self.millivolts);
        let k2 = slope(half, self.millivolts + k1 * dt / 2.0);
        let k3 = slope(half, self.millivolts + k2 * dt / 2.0);
        let before = self.angle;
        self.angle += omega * dt;
        let k4 = slope(self.angle, self.millivolts + k3 * dt);
        self.millivolts += (k1 + 2.0 * k2 + 2.0 * k3 + k4) * dt / 6.0;
        let passed = Passed {
            r_peak: before < 0.0 && self.angle >= 0.0,
            cycle_end: self.angle >= PI,
        };
        if passed.cycle_end {
            self.angle -= TAU;
        }
        passed
    }

    /// Lets the voltage return to the baseline while there are no beats; the next beat starts at its beginning.
    pub fn rest(&mut self, dt: f64) {
        self.angle = -PI;
        self.millivolts *= (-dt / 0.05).exp();
    }
}

/// The angle brought into −π to π.
fn wrap(angle: f64) -> f64 {
    if angle > PI {
        angle - TAU
    } else if angle < -PI {
        angle + TAU
    } else {
        angle
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn beats(rate: f64, morphology: Morphology) -> Vec<f64> {
        let mut model = EcgModel::default();
        (0..2500)
            .map(|_| {
                model.advance(0.004, 60.0 / rate, morphology);
                model.millivolts()
            })
            .collect()
    }

    #[test]
    fn r_stands_about_a_millivolt_high_at_every_rate() {
        for rate in [30.0, 45.0, 60.0, 90.0, 140.0, 200.0] {
            let peak = beats(rate, Morphology::Sinus).into_iter().fold(f64::MIN, f64::max);
            assert!((0.85..1.35).contains(&peak), "{rate}/min: {peak} mV");
        }
    }

    #[test]
    fn one_r_peak_per_interval() {
        for rate in [40.0, 75.0, 150.0] {
            let mut model = EcgModel::default();
            let steps = 250 * 60;
            let peaks = (0..steps)
                .filter(|_| model.advance(0.004, 60.0 / rate, Morphology::Sinus).r_peak)
                .count();
            assert!((peaks as f64 - rate).abs() <= 1.0, "{rate}/min: {peaks}");
        }
    }

    #[test]
    fn a_sinus_complex_is_narrow_and_a_ventricular_one_wide() {
        let above = |m| beats(60.0, m).iter().filter(|v| **v > 0.5).count();
        assert!(above(Morphology::Ventricular) > 2 * above(Morphology::Sinus));
    }
}
