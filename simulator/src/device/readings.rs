//! The numerics of a monitor, made from what its sensors saw.

use wardlight_core::vitals::{Milli, Quality, Reading};

use super::observation::{Measured, Pressure};

pub(super) const HEART_RATE: u32 = 147_842;
pub(super) const PULSE_RATE: u32 = 149_530;
pub(super) const SPO2: u32 = 150_456;
pub(super) const PERFUSION: u32 = 150_488;
pub(super) const RESP_RATE: u32 = 151_578;
pub(super) const TEMP: u32 = 150_368;
pub(super) const TEMP_SKIN: u32 = 150_388;
pub(super) const NIBP: [u32; 3] = [150_021, 150_022, 150_023];
pub(super) const ABP: [u32; 3] = [150_037, 150_038, 150_039];

/// Below this perfusion index (percent) the oximeter finds no pulse.
const NO_PULSE: f64 = 0.25;

/// How the values are to be marked and disturbed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Marks {
    /// Of what touches the patient's moving parts: ECG, oximeter, chest.
    pub(super) moving: Quality,
    /// Of the rest.
    pub(super) still: Quality,
    /// What motion adds to rates and takes from the saturation.
    pub(super) jitter: f64,
}

/// The heart rate: what was counted, or that the lead is off.
pub(super) fn heart_rate(counted: Option<f64>, lead_off: bool, marks: Marks) -> Vec<Reading> {
    let mut readings = Vec::with_capacity(12);
    if lead_off {
        let mark = if marks.still.has(Quality::DEMO) {
            Quality::LEAD_OFF.and(Quality::DEMO)
        } else {
            Quality::LEAD_OFF
        };
        readings.extend(Reading::new(HEART_RATE, None, mark).ok());
    } else {
        push(
            &mut readings,
            HEART_RATE,
            counted.map(|rate| rate + marks.jitter),
            0,
            marks.moving,
        );
    }
    readings
}

/// Everything else that is measured every second. A sensor that is there but finds nothing says so.
pub(super) fn others(readings: &mut Vec<Reading>, measured: &Measured, marks: Marks) {
    let pulse = measured.perfusion.is_none_or(|p| p > NO_PULSE);
    if let Some(spo2) = measured.spo2 {
        push(readings, SPO2, pulse.then_some(spo2 - marks.jitter / 2.0), 0, marks.moving);
    }
    if measured.spo2.is_some() || measured.pulse_rate.is_some() {
        let rate = measured.pulse_rate.filter(|_| pulse).map(|p| p + marks.jitter);
        push(readings, PULSE_RATE, rate, 0, marks.moving);
    }
    for (code, value, places, mark) in [
        (PERFUSION, measured.perfusion, 1, marks.moving),
        (RESP_RATE, measured.resp_rate, 0, marks.moving),
        (TEMP, measured.temp_core, 1, marks.still),
    ] {
        if value.is_some() {
            push(readings, code, value, places, mark);
        }
    }
    if measured.temp_core.is_none() && measured.temp_skin.is_some() {
        push(readings, TEMP_SKIN, measured.temp_skin, 1, marks.still);
    }
}

/// Systolic, diastolic and mean pressure under the given codes.
pub(super) fn pressures(codes: [u32; 3], pressure: Pressure, quality: Quality) -> Vec<Reading> {
    let mut readings = Vec::with_capacity(3);
    for (code, value) in codes.into_iter().zip([pressure.systolic, pressure.diastolic, pressure.mean]) {
        push(&mut readings, code, Some(value), 0, quality);
    }
    readings
}

/// Adds a reading rounded to `places` decimals; without a value, or with an impossible one, the channel says that it has none.
pub(super) fn push(readings: &mut Vec<Reading>, code: u32, value: Option<f64>, places: i32, quality: Quality) {
    let factor = 10_f64.powi(places);
    let rounded = value.and_then(|v| Milli::from_f64((v * factor).round() / factor));
    let reading = rounded.and_then(|v| Reading::new(code, Some(v), quality).ok());
    readings.extend(reading.or_else(|| Reading::unmeasurable(code)));
}
