//! What is wrong with a patient: a few quantities that a scenario turns up and down.

use std::time::Duration;

use serde::Deserialize;

/// One thing that can go wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Driver {
    /// Shift of the temperature set point, °C.
    Fever,
    /// Share of the blood volume lost, 0 to 0.5.
    VolumeLoss,
    /// Loss of vascular tone as in sepsis, 0 to 1.
    Vasodilation,
    /// Ability of the lung to exchange gas: 1 normal, 0 none.
    GasExchange,
    /// Drive to breathe: 1 normal, 0 apnoea.
    RespiratoryDrive,
    /// Shift of the heart rate, beats per minute.
    HeartRate,
    /// Shift of the systolic pressure, mmHg.
    Pressure,
}

impl Driver {
    const ALL: [Self; 7] = [
        Self::Fever,
        Self::VolumeLoss,
        Self::Vasodilation,
        Self::GasExchange,
        Self::RespiratoryDrive,
        Self::HeartRate,
        Self::Pressure,
    ];

    /// Its value in health.
    pub const fn normal(self) -> f64 {
        match self {
            Self::GasExchange | Self::RespiratoryDrive => 1.0,
            _ => 0.0,
        }
    }
}

/// The values of all drivers, each on its way along a ramp.
#[derive(Clone, Debug)]
pub struct Drivers {
    ramps: [Ramp; 7],
}

#[derive(Clone, Copy, Debug)]
struct Ramp {
    driver: Driver,
    value: f64,
    target: f64,
    left_s: f64,
}

impl Default for Drivers {
    fn default() -> Self {
        Self {
            ramps: Driver::ALL.map(|driver| Ramp {
                driver,
                value: driver.normal(),
                target: driver.normal(),
                left_s: 0.0,
            }),
        }
    }
}

impl Drivers {
    /// Value now.
    pub fn get(&self, driver: Driver) -> f64 {
        self.ramps
            .iter()
            .find(|r| r.driver == driver)
            .map_or(driver.normal(), |r| r.value)
    }

    /// Moves linearly to `target` over `over`.
    pub fn set(&mut self, driver: Driver, target: f64, over: Duration) {
        for ramp in self.ramps.iter_mut().filter(|r| r.driver == driver) {
            ramp.target = target;
            ramp.left_s = over.as_secs_f64();
        }
    }

    /// Lets `dt` seconds pass.
    pub fn advance(&mut self, dt: f64) {
        for ramp in &mut self.ramps {
            if ramp.left_s <= dt {
                ramp.value = ramp.target;
                ramp.left_s = 0.0;
            } else {
                ramp.value += (ramp.target - ramp.value) * dt / ramp.left_s;
                ramp.left_s -= dt;
            }
        }
    }
}
