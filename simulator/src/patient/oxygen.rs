//! Oxygen from the alveoli to the finger: a store that empties without breath, a dissociation curve, and a delay.

/// Alveolar oxygen tension falls by about this much per second without breath, mmHg: an oxygen uptake of 250 mL/min from a
/// functional residual capacity of 2.4 L (250 / 60 / 2400 × 713 mmHg = 1.2), less what the blood gives up.
const APNOEA_FALL: f64 = 0.8;
/// Lung to finger and averaging of the oximeter, seconds.
const DELAY_S: f64 = 14.0;
/// Refilling of the alveolar store, seconds.
const REFILL_S: f64 = 12.0;

/// State of oxygenation.
#[derive(Clone, Copy, Debug)]
pub(super) struct Oxygen {
    /// Tension of a healthy lung at rest, mmHg.
    normal: f64,
    tension: f64,
    at_finger: f64,
}

impl Oxygen {
    /// At rest with the given saturation in percent.
    pub(super) fn at(saturation: f64) -> Self {
        let normal = tension_of(saturation);
        Self {
            normal,
            tension: normal,
            at_finger: saturation,
        }
    }

    /// Lets `dt` seconds pass at `resp_rate` breaths per minute. `exchange` 1 is a healthy lung.
    pub(super) fn advance(&mut self, dt: f64, resp_rate: f64, normal_resp_rate: f64, exchange: f64) {
        if resp_rate <= 0.0 {
            self.tension = (self.tension - APNOEA_FALL * dt).max(8.0);
        } else {
            // Breathing more raises the tension a little, breathing much less lowers it.
            let ventilation = (resp_rate / normal_resp_rate).clamp(0.2, 1.3).powf(0.35);
            let target = (self.normal * exchange * ventilation).max(8.0);
            self.tension += (target - self.tension) * (1.0 - (-dt / REFILL_S).exp());
        }
        self.at_finger += (self.arterial() - self.at_finger) * (1.0 - (-dt / DELAY_S).exp());
    }

    /// Saturation in the artery, percent.
    pub(super) fn arterial(&self) -> f64 {
        saturation_of(self.tension)
    }

    /// Saturation that the oximeter shows, percent.
    pub(super) const fn at_finger(&self) -> f64 {
        self.at_finger
    }
}

/// Severinghaus (J Appl Physiol 1979; 46:599): percent saturation at a tension in mmHg.
fn saturation_of(tension: f64) -> f64 {
    let p = tension.max(1.0);
    100.0 / (23_400.0 / (p * p * p + 150.0 * p) + 1.0)
}

/// The inverse, by bisection between 1 and 200 mmHg.
fn tension_of(saturation: f64) -> f64 {
    let (mut low, mut high) = (1.0, 200.0);
    for _ in 0..60 {
        let middle = f64::midpoint(low, high);
        if saturation_of(middle) < saturation {
            low = middle;
        } else {
            high = middle;
        }
    }
    f64::midpoint(low, high)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_dissociation_curve_passes_through_its_known_points() {
        for (tension, saturation) in [(26.9, 50.0), (40.0, 75.0), (60.0, 89.5), (100.0, 97.7)] {
            let found = saturation_of(tension);
            assert!((found - saturation).abs() < 1.5, "{tension} mmHg: {found} %");
        }
        assert!((saturation_of(tension_of(97.0)) - 97.0).abs() < 1e-6);
    }
}
