//! Small random wandering of every vital: Ornstein–Uhlenbeck processes, exact for any step.

use crate::random::Random;

#[derive(Clone, Copy, Debug)]
struct Wander {
    value: f64,
    deviation: f64,
    tau_s: f64,
}

impl Wander {
    const fn new(deviation: f64, tau_s: f64) -> Self {
        Self {
            value: 0.0,
            deviation,
            tau_s,
        }
    }

    fn advance(&mut self, dt: f64, random: &mut Random) {
        let keep = (-dt / self.tau_s).exp();
        let kick = self.deviation * (1.0 - keep * keep).sqrt() * random.normal();
        // Two and a half deviations are the most that a quiet patient shows.
        self.value = (self.value * keep + kick).clamp(-2.5 * self.deviation, 2.5 * self.deviation);
    }
}

/// The wandering of one patient.
#[derive(Clone, Debug)]
pub(super) struct Variation {
    heart_rate: Wander,
    resp_rate: Wander,
    pressure: Wander,
    spo2: Wander,
    skin: Wander,
    random: Random,
}

impl Variation {
    pub(super) const fn new(random: Random) -> Self {
        Self {
            heart_rate: Wander::new(1.8, 40.0),
            resp_rate: Wander::new(0.7, 60.0),
            pressure: Wander::new(2.5, 240.0),
            spo2: Wander::new(0.25, 30.0),
            skin: Wander::new(0.3, 600.0),
            random,
        }
    }

    pub(super) fn advance(&mut self, dt: f64) {
        let random = &mut self.random;
        for wander in [
            &mut self.heart_rate,
            &mut self.resp_rate,
            &mut self.pressure,
            &mut self.spo2,
            &mut self.skin,
        ] {
            wander.advance(dt, random);
        }
    }

    pub(super) const fn heart_rate(&self) -> f64 {
        self.heart_rate.value
    }

    pub(super) const fn resp_rate(&self) -> f64 {
        self.resp_rate.value
    }

    pub(super) const fn pressure(&self) -> f64 {
        self.pressure.value
    }

    pub(super) const fn spo2(&self) -> f64 {
        self.spo2.value
    }

    pub(super) const fn skin(&self) -> f64 {
        self.skin.value
    }
}
