//! Hourly means of a patient's vitals: the window that the `deterioration` model sees.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use crate::codes::Parameter;
use crate::time::Timestamp;
use crate::vitals::Milli;

/// Hours kept.
pub const HOURS: usize = 48;
/// Vitals in the window, in the model's order: heart rate, respiration rate, systolic, diastolic, mean pressure, temperature.
pub const VITALS: usize = 6;
const HOUR_MS: i64 = 3_600_000;

/// Hourly means, oldest first; `None` where an hour has no usable value. At most [`HOURS`] rows.
pub type HourlyWindow = Vec<[Option<f32>; VITALS]>;

/// Running hourly sums per vital over the last [`HOURS`] hours of device time.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct HourlyTrend {
    first_hour: i64,
    rows: VecDeque<[Sum; VITALS]>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Sum {
    total: i64,
    count: u32,
    /// An invasive pressure outranks a cuff's in the same hour.
    invasive: bool,
}

impl HourlyTrend {
    /// Adds a usable value; values older than the window are ignored.
    pub fn add(&mut self, parameter: Parameter, value: Milli, measured_at: Timestamp) {
        let Some((column, invasive)) = column(parameter) else { return };
        let hour = measured_at.as_millis().div_euclid(HOUR_MS);
        let Some(row) = self.row(hour) else { return };
        if let Some(sum) = row.get_mut(column) {
            if invasive && !sum.invasive {
                *sum = Sum {
                    invasive,
                    ..Sum::default()
                };
            }
            if sum.invasive == invasive {
                sum.total += i64::from(value.get());
                sum.count += 1;
            }
        }
    }

    /// The window up to the newest hour.
    pub fn window(&self) -> HourlyWindow {
        let mean = |s: &Sum| (s.count > 0).then(|| (s.total as f64 / f64::from(s.count) / 1000.0) as f32);
        self.rows.iter().map(|row| row.each_ref().map(mean)).collect()
    }

    /// Whether anything was added.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The row of that hour. A device that stored values while it was away may fill hours before the first.
    fn row(&mut self, hour: i64) -> Option<&mut [Sum; VITALS]> {
        let kept = HOURS as i64;
        let newest = self.first_hour + self.rows.len() as i64 - 1;
        if self.rows.is_empty() || hour - newest >= kept {
            self.rows.clear();
            self.first_hour = hour;
        }
        while hour < self.first_hour && newest - hour < kept {
            self.rows.push_front(<[Sum; VITALS]>::default());
            self.first_hour -= 1;
        }
        while self.first_hour + (self.rows.len() as i64) <= hour {
            self.rows.push_back(<[Sum; VITALS]>::default());
        }
        while self.rows.len() > HOURS {
            self.rows.pop_front();
            self.first_hour += 1;
        }
        self.rows.get_mut(usize::try_from(hour - self.first_hour).ok()?)
    }
}

const fn column(parameter: Parameter) -> Option<(usize, bool)> {
    match parameter {
        Parameter::HeartRate => Some((0, true)),
        Parameter::PulseRate => Some((0, false)),
        Parameter::RespRate => Some((1, false)),
        Parameter::AbpSys => Some((2, true)),
        Parameter::NibpSys => Some((2, false)),
        Parameter::AbpDia => Some((3, true)),
        Parameter::NibpDia => Some((3, false)),
        Parameter::AbpMap => Some((4, true)),
        Parameter::NibpMap => Some((4, false)),
        Parameter::Temp => Some((5, false)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(hour: i64) -> Timestamp {
        Timestamp::from_millis(hour * HOUR_MS + 1)
    }

    #[test]
    fn means_are_per_hour_and_gaps_stay_gaps() {
        let mut t = HourlyTrend::default();
        t.add(Parameter::HeartRate, Milli::from_int(80), at(100));
        t.add(Parameter::HeartRate, Milli::from_int(90), at(100));
        t.add(Parameter::HeartRate, Milli::from_int(70), at(102));
        let column: Vec<_> = t.window().iter().map(|r| r[0]).collect();
        assert_eq!(column, [Some(85.0), None, Some(70.0)]);
    }

    #[test]
    fn the_arterial_line_outranks_the_cuff() {
        let mut t = HourlyTrend::default();
        t.add(Parameter::NibpSys, Milli::from_int(100), at(1));
        t.add(Parameter::AbpSys, Milli::from_int(120), at(1));
        t.add(Parameter::NibpSys, Milli::from_int(100), at(1));
        assert_eq!(t.window()[0][2], Some(120.0));
    }

    #[test]
    fn hours_that_a_device_had_stored_are_filled_in_afterwards() {
        let mut t = HourlyTrend::default();
        for hour in [100, 98, 99, 97] {
            t.add(Parameter::HeartRate, Milli::from_int(hour), at(i64::from(hour)));
        }
        t.add(Parameter::HeartRate, Milli::from_int(1), at(100 - HOURS as i64));
        let column: Vec<_> = t.window().iter().map(|r| r[0]).collect();
        assert_eq!(column, [Some(97.0), Some(98.0), Some(99.0), Some(100.0)]);
    }

    #[test]
    fn the_window_is_bounded_even_when_a_clock_leaps() {
        let mut t = HourlyTrend::default();
        for hour in [0, 10, 60, 1_000_000] {
            t.add(Parameter::Temp, Milli::from_int(37), at(hour));
            assert!(t.window().len() <= HOURS);
        }
        t.add(Parameter::Temp, Milli::from_int(37), at(5));
        assert_eq!(t.window().len(), 1);
    }
}
