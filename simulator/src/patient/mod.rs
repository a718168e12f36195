//! One virtual patient: vitals that move together.
//!
//! The relations are textbook physiology in its simplest form, good for exercising alarms and scores and not for research:
//! what a real patient does is in the recordings.

mod baseline;
mod drivers;
mod oxygen;
mod variation;

use std::time::Duration;

pub use baseline::Baseline;
pub use drivers::{Driver, Drivers};

use crate::random::Random;
use crate::signal::{Physiology, Rhythm};
use oxygen::Oxygen;
use variation::Variation;

/// Longest step of the model; longer ones are divided.
const STEP: Duration = Duration::from_secs(1);
/// Heart rate rises by about this much per degree of fever (Liebermeister's rule; 8 to 10 /min are reported).
const BEATS_PER_DEGREE: f64 = 9.0;
/// Breaths per minute and degree of fever.
const BREATHS_PER_DEGREE: f64 = 2.0;

/// What could be measured at the patient now.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Vitals {
    /// Heart rate from the ECG, beats per minute; 0 in asystole and fibrillation.
    pub heart_rate: f64,
    /// Oxygen saturation at the finger, percent.
    pub spo2: f64,
    /// Breaths per minute; 0 in apnoea.
    pub resp_rate: f64,
    /// Systolic pressure, mmHg.
    pub systolic: f64,
    /// Diastolic pressure, mmHg.
    pub diastolic: f64,
    /// Core temperature, °C.
    pub temp_core: f64,
    /// Skin temperature, °C.
    pub temp_skin: f64,
    /// Perfusion index, percent.
    pub perfusion: f64,
}

impl Vitals {
    /// Mean pressure, mmHg: diastolic plus a third of the pulse pressure.
    pub fn mean_pressure(&self) -> f64 {
        self.diastolic + (self.systolic - self.diastolic) / 3.0
    }
}

/// The state of one patient.
#[derive(Clone, Debug)]
pub struct Patient {
    baseline: Baseline,
    drivers: Drivers,
    rhythm: Rhythm,
    motion: f64,
    heart_rate: f64,
    resp_rate: f64,
    systolic: f64,
    diastolic: f64,
    temp_core: f64,
    oxygen: Oxygen,
    variation: Variation,
    /// Time of day in seconds, for the circadian rhythm.
    time_of_day_s: f64,
}

impl Patient {
    /// A patient at rest with the given baseline; noise fixed by the seed. `hour` (0 to 24) is the time of day.
    pub fn new(seed: u64, baseline: Baseline, hour: f64) -> Self {
        let variation = Variation::new(Random::named(seed, "variation"));
        Self {
            baseline,
            drivers: Drivers::default(),
            rhythm: Rhythm::Sinus,
            motion: 0.0,
            heart_rate: baseline.heart_rate,
            resp_rate: baseline.resp_rate,
            systolic: baseline.systolic,
            diastolic: baseline.diastolic,
            temp_core: baseline.temp_core,
            oxygen: Oxygen::at(baseline.spo2),
            variation,
            time_of_day_s: hour * 3600.0,
        }
    }

    /// Moves a driver to `value` over `over` (a linear ramp).
    pub fn drive(&mut self, driver: Driver, value: f64, over: Duration) {
        self.drivers.set(driver, value, over);
    }

    /// Changes the rhythm.
    pub const fn set_rhythm(&mut self, rhythm: Rhythm) {
        self.rhythm = rhythm;
    }

    /// Makes the patient move: 0 still, 1 thrashing.
    pub const fn set_motion(&mut self, intensity: f64) {
        self.motion = intensity.clamp(0.0, 1.0);
    }

    /// The rhythm now.
    pub const fn rhythm(&self) -> Rhythm {
        self.rhythm
    }

    /// Lets `elapsed` pass.
    pub fn advance(&mut self, elapsed: Duration) {
        let mut left = elapsed;
        while !left.is_zero() {
            let step = left.min(STEP);
            self.step(step.as_secs_f64());
            left -= step;
        }
    }

    /// What could be measured now.
    pub fn vitals(&self) -> Vitals {
        let output = if self.rhythm.has_output() { 1.0 } else { 0.0 };
        let constriction = 1.0 - 0.6 * self.drivers.get(Driver::VolumeLoss) / 0.4 + 0.5 * self.drivers.get(Driver::Vasodilation);
        Vitals {
            heart_rate: self.rhythm.rate(self.heart_rate),
            spo2: (self.oxygen.at_finger() + self.variation.spo2()).clamp(0.0, 100.0),
            resp_rate: self.resp_rate,
            systolic: self.systolic,
            diastolic: self.diastolic,
            temp_core: self.temp_core,
            temp_skin: self.temp_core - 3.6 + 0.8 * self.variation.skin(),
            perfusion: (2.4 * constriction * output).clamp(0.0, 20.0),
        }
    }

    /// What the waveforms are to show.
    pub fn physiology(&self) -> Physiology {
        let pulse_pressure = (self.systolic - self.diastolic).max(0.0);
        Physiology {
            rhythm: self.rhythm,
            heart_rate: self.heart_rate,
            resp_rate: self.resp_rate,
            pulse_strength: (pulse_pressure / 45.0).clamp(0.0, 1.4),
            ectopic: self.baseline.ectopics_per_hour / (60.0 * self.baseline.heart_rate),
            motion: self.motion,
        }
    }

    fn step(&mut self, dt: f64) {
        self.time_of_day_s += dt;
        self.drivers.advance(dt);
        self.variation.advance(dt);
        self.move_temperature(dt);
        self.move_breathing(dt);
        self.oxygen.advance(
            dt,
            self.resp_rate,
            self.baseline.resp_rate,
            self.drivers.get(Driver::GasExchange),
        );
        self.move_heart(dt);
        self.move_pressure(dt);
    }

    fn fever(&self) -> f64 {
        self.temp_core - self.baseline.temp_core
    }

    /// −1 at 4 in the morning, +1 at 16.
    fn circadian(&self) -> f64 {
        -(std::f64::consts::TAU * (self.time_of_day_s / 86_400.0 - 4.0 / 24.0)).cos()
    }

    fn move_temperature(&mut self, dt: f64) {
        let set_point = self.baseline.temp_core + self.drivers.get(Driver::Fever) + 0.2 * self.circadian();
        self.temp_core += toward(set_point - self.temp_core, dt, 1500.0) + 0.0004 * self.variation.skin() * dt.min(1.0);
    }

    fn move_breathing(&mut self, dt: f64) {
        let drive = self.drivers.get(Driver::RespiratoryDrive);
        if drive <= 0.05 {
            self.resp_rate = 0.0;
            return;
        }
        let hypoxic = (92.0 - self.oxygen.arterial()).max(0.0) * 0.6;
        let rate = self.baseline.resp_rate + BREATHS_PER_DEGREE * self.fever().max(0.0) + hypoxic + self.variation.resp_rate();
        let target = (rate * drive).clamp(4.0, 60.0);
        let from = self.resp_rate.max(4.0);
        self.resp_rate = from + toward(target - from, dt, 20.0);
    }

    fn move_heart(&mut self, dt: f64) {
        // ATLS classes: over 100 /min from 15 % blood loss, over 120 from 30 %.
        let loss = 160.0 * self.drivers.get(Driver::VolumeLoss);
        let dilation = 22.0 * self.drivers.get(Driver::Vasodilation);
        let saturation = self.oxygen.arterial();
        // Hypoxia speeds the heart up first; below 60 % it slows down, as before an arrest.
        let hypoxic = if saturation > 60.0 {
            (90.0 - saturation).max(0.0) * 1.1
        } else {
            33.0 - (60.0 - saturation) * 3.0
        };
        let target = self.baseline.heart_rate
            + BEATS_PER_DEGREE * self.fever()
            + loss
            + dilation
            + hypoxic
            + 3.0 * self.circadian()
            + self.drivers.get(Driver::HeartRate)
            + self.variation.heart_rate();
        self.heart_rate += toward(target.clamp(18.0, 210.0) - self.heart_rate, dt, 6.0);
    }

    fn move_pressure(&mut self, dt: f64) {
        let loss = self.drivers.get(Driver::VolumeLoss);
        // Pressure is held up to about 20 % loss, then it falls.
        let fall = 40.0 * loss + 230.0 * (loss - 0.2).max(0.0);
        let dilation = self.drivers.get(Driver::Vasodilation);
        let shift = self.drivers.get(Driver::Pressure) + self.variation.pressure() + 3.0 * self.circadian();
        let (systolic, diastolic) = if self.rhythm.has_output() {
            let weak = if self.rhythm.is_ventricular() { 35.0 } else { 0.0 };
            (
                self.baseline.systolic - fall - 45.0 * dilation - weak + shift,
                self.baseline.diastolic - 0.6 * fall - 30.0 * dilation - 0.6 * weak + 0.6 * shift,
            )
        } else {
            (18.0, 14.0)
        };
        self.systolic += toward(systolic - self.systolic, dt, 8.0);
        self.diastolic += toward(diastolic.min(systolic - 4.0) - self.diastolic, dt, 8.0);
    }
}

/// The part of `gap` that a first-order lag of `tau` seconds closes in `dt` seconds.
fn toward(gap: f64, dt: f64, tau: f64) -> f64 {
    gap * (1.0 - (-dt / tau).exp())
}

#[cfg(test)]
mod tests;
