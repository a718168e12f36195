//! Values that were written down at irregular times, played faster than they were recorded.

use std::time::Duration;

use crate::device::{Measured, Observation, Pressure};
use crate::recordings::cinc2012::Stay;
use crate::recordings::hourly::HourlyStay;

/// A value is held until the next, but no longer than this.
const HELD_FOR: Duration = Duration::from_hours(3);

/// A charted stay.
#[derive(Clone, Debug)]
pub struct Charted {
    rows: Vec<(Duration, Quantity, f64)>,
    next: usize,
    latest: Vec<(Quantity, Duration, f64)>,
    at: Duration,
    elapsed: Duration,
    speed: f64,
}

/// What was written down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Quantity {
    HeartRate,
    Spo2,
    RespRate,
    CuffSystolic,
    CuffDiastolic,
    CuffMean,
    ArterialSystolic,
    ArterialDiastolic,
    ArterialMean,
    Temperature,
}

impl Quantity {
    fn of(name: &str) -> Option<Self> {
        Some(match name {
            "HR" | "hr" => Self::HeartRate,
            "o2sat" | "SaO2" => Self::Spo2,
            "RespRate" | "resp" => Self::RespRate,
            "NISysABP" | "sbp" => Self::CuffSystolic,
            "NIDiasABP" | "dbp" => Self::CuffDiastolic,
            "NIMAP" | "map" => Self::CuffMean,
            "SysABP" => Self::ArterialSystolic,
            "DiasABP" => Self::ArterialDiastolic,
            "MAP" => Self::ArterialMean,
            "Temp" | "temp" => Self::Temperature,
            _ => return None,
        })
    }
}

impl Charted {
    /// A stay of the CinC 2012 challenge, `speed` hours an hour.
    pub fn from_cinc2012(stay: &Stay, speed: f64) -> Self {
        let known = |r: &crate::recordings::cinc2012::Measured| Some((r.after, Quantity::of(&r.parameter)?, r.value));
        Self::new(stay.readings.iter().filter_map(known).collect(), speed)
    }

    /// A stay of an hourly table, `speed` hours an hour.
    pub fn from_hourly(stay: &HourlyStay, speed: f64) -> Self {
        let row = |(after, values): &(Duration, Vec<(String, f64)>)| {
            let after = *after;
            let known = values
                .iter()
                .filter_map(move |(name, value)| Some((after, Quantity::of(name)?, *value)));
            known.collect::<Vec<_>>()
        };
        Self::new(stay.rows.iter().flat_map(row).collect(), speed)
    }

    fn new(mut rows: Vec<(Duration, Quantity, f64)>, speed: f64) -> Self {
        rows.sort_by_key(|row| row.0);
        // It begins with the first value.
        let first = rows.first().map_or(Duration::ZERO, |row| row.0);
        for row in &mut rows {
            row.0 -= first;
        }
        Self {
            rows,
            next: 0,
            latest: Vec::new(),
            at: Duration::ZERO,
            elapsed: Duration::ZERO,
            speed,
        }
    }

    /// Lets `tick` pass; at the end of the stay it begins again.
    pub fn advance(&mut self, tick: Duration) -> Observation {
        self.elapsed += tick;
        self.at += tick.mul_f64(self.speed);
        while let Some((after, quantity, value)) = self.rows.get(self.next).copied().filter(|row| row.0 <= self.at) {
            self.latest.retain(|(known, _, _)| *known != quantity);
            self.latest.push((quantity, after, value));
            self.next += 1;
        }
        if self.next >= self.rows.len() && self.at > self.rows.last().map_or(Duration::ZERO, |row| row.0) + HELD_FOR {
            (self.next, self.at) = (0, Duration::ZERO);
            self.latest.clear();
        }
        Observation {
            seconds: self.elapsed.as_secs_f64(),
            measured: self.measured(),
            ..Observation::default()
        }
    }

    fn measured(&self) -> Measured {
        use Quantity as Q;
        Measured {
            heart_rate: self.get(Q::HeartRate),
            pulse_rate: self.get(Q::Spo2).and(self.get(Q::HeartRate)),
            spo2: self.get(Q::Spo2),
            resp_rate: self.get(Q::RespRate),
            cuff: self.pressure(Q::CuffSystolic, Q::CuffDiastolic, Q::CuffMean),
            arterial: self.pressure(Q::ArterialSystolic, Q::ArterialDiastolic, Q::ArterialMean),
            temp_core: self.get(Q::Temperature),
            temp_skin: None,
            perfusion: None,
        }
    }

    fn get(&self, quantity: Quantity) -> Option<f64> {
        let (_, after, value) = self.latest.iter().find(|(known, _, _)| *known == quantity)?;
        (self.at.saturating_sub(*after) <= HELD_FOR).then_some(*value)
    }

    fn pressure(&self, systolic: Quantity, diastolic: Quantity, mean: Quantity) -> Option<Pressure> {
        let (systolic, diastolic) = (self.get(systolic)?, self.get(diastolic)?);
        let mean = self.get(mean).unwrap_or(diastolic + (systolic - diastolic) / 3.0);
        Some(Pressure {
            systolic,
            diastolic,
            mean,
        })
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::recordings::{cinc2012, hourly};

    #[test]
    fn values_are_held_until_the_next_and_then_expire() {
        let text = "Time,Parameter,Value\n00:00,RecordID,1\n00:00,HR,80\n01:00,HR,90\n01:00,NISysABP,120\n01:00,NIDiasABP,60\n";
        let stay = cinc2012::parse(Path::new("1.txt"), text).unwrap();
        let mut subject = Charted::from_cinc2012(&stay, 3600.0);
        let first = subject.advance(Duration::from_millis(500)).measured;
        assert_eq!((first.heart_rate, first.cuff), (Some(80.0), None));
        let second = subject.advance(Duration::from_millis(500)).measured;
        assert_eq!(second.heart_rate, Some(90.0));
        assert_eq!(second.cuff.map(|p| p.mean), Some(80.0));
        subject.advance(Duration::from_secs(3));
        assert_eq!(
            subject.advance(Duration::from_millis(500)).measured,
            Measured::default(),
            "too old"
        );
        assert_eq!(
            subject.advance(Duration::from_millis(500)).measured.heart_rate,
            Some(80.0),
            "the stay begins again"
        );
    }

    #[test]
    fn an_hourly_stay_is_played_row_by_row() {
        let table = "stay_id,time,hr,o2sat,sbp,dbp\n7,0,80,97,120,60\n7,3600,,91,,\n";
        let stays = hourly::parse_csv(Path::new("t.csv"), table).unwrap().stays(1);
        let mut subject = Charted::from_hourly(&stays[0], 3600.0);
        let first = subject.advance(Duration::from_millis(500)).measured;
        assert_eq!(
            (first.heart_rate, first.spo2, first.cuff.map(|p| p.mean)),
            (Some(80.0), Some(97.0), Some(80.0))
        );
        let second = subject.advance(Duration::from_millis(500)).measured;
        assert_eq!((second.heart_rate, second.spo2), (Some(80.0), Some(91.0)));
    }
}
