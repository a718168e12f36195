//! The last 24 hours of every bed in means of a minute, for the page's trends. Gaps are gaps.

use std::collections::{BTreeMap, HashMap, VecDeque};

use wardlight_core::codes::Parameter;
use wardlight_core::ids::{BedId, StayToken};
use wardlight_core::time::Timestamp;
use wardlight_core::view::{BedView, Freshness};

/// Length of a step.
pub(crate) const STEP_S: i64 = 60;
const STEP_MS: i64 = STEP_S * 1000;
/// Steps that are kept: 24 h.
const STEPS: usize = 24 * 60;
/// No value in a minute.
const GAP: i16 = i16::MIN;

/// The means of one minute of one bed, in tenths of the parameter's unit.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct TrendRow {
    /// One for each parameter that was measured.
    pub values: Vec<(Parameter, i16)>,
}

#[derive(Debug)]
struct BedTrend {
    stay: StayToken,
    /// The minute that is being gathered: sum in tenths and count of each parameter.
    gathering: BTreeMap<Parameter, (i64, i64)>,
    minute: i64,
    /// Minute of the newest row.
    newest: i64,
    columns: BTreeMap<Parameter, VecDeque<i16>>,
}

/// The trends of all beds.
#[derive(Debug, Default)]
pub(crate) struct Trends {
    beds: HashMap<BedId, BedTrend>,
}

/// The trend of one bed: columns of equal length, the last one's minute is `newest`.
pub(crate) struct Trend {
    pub(crate) from: Timestamp,
    pub(crate) columns: BTreeMap<Parameter, Vec<Option<f64>>>,
}

impl Trends {
    /// Notes what a bed shows now; returns the row of a minute that is over.
    pub(crate) fn note(&mut self, view: &BedView, now: Timestamp) -> Option<(StayToken, Timestamp, TrendRow)> {
        let Some(stay) = &view.stay else {
            self.beds.remove(&view.bed);
            return None;
        };
        let minute = now.as_millis().div_euclid(STEP_MS);
        let trend = self.of(&view.bed, stay.stay, minute);
        let done = (minute > trend.minute).then(|| trend.finish(minute)).flatten();
        for n in view.numerics.iter().filter(|n| n.freshness != Freshness::Expired) {
            if let (Some(value), false) = (n.value, is_of_device(n.parameter)) {
                let (sum, count) = trend.gathering.entry(n.parameter).or_default();
                *sum += i64::from(value.tenths());
                *count += 1;
            }
        }
        done.map(|(minute, row)| (stay.stay, Timestamp::from_millis(minute * STEP_MS), row))
    }

    /// Puts a row back that was recorded before a restart; rows come oldest first.
    pub(crate) fn recall(&mut self, bed: &BedId, stay: StayToken, at: Timestamp, row: &TrendRow) {
        let minute = at.as_millis().div_euclid(STEP_MS);
        self.of(bed, stay, minute).put(minute, row);
    }

    /// Puts what was recorded before a restart under what has been gathered since.
    pub(crate) fn precede(&mut self, past: Self) {
        for (bed, mut earlier) in past.beds {
            match self.beds.get_mut(&bed) {
                Some(live) if live.stay == earlier.stay => {
                    for (minute, row) in live.rows() {
                        earlier.put(minute, &row);
                    }
                    live.columns = earlier.columns;
                    live.newest = earlier.newest;
                }
                Some(_) => {}
                None => {
                    self.beds.insert(bed, earlier);
                }
            }
        }
    }

    /// Nothing of a stay is remembered any more.
    pub(crate) fn forget(&mut self, stay: StayToken) {
        self.beds.retain(|_, trend| trend.stay != stay);
    }

    /// The trend of a bed up to now.
    pub(crate) fn get(&self, bed: &BedId, now: Timestamp) -> Trend {
        let end = now.as_millis().div_euclid(STEP_MS);
        let Some(trend) = self.beds.get(bed) else {
            return Trend {
                from: Timestamp::from_millis(end * STEP_MS),
                columns: BTreeMap::new(),
            };
        };
        let length = trend.columns.values().map(VecDeque::len).max().unwrap_or(0);
        let first = trend.newest + 1 - i64::try_from(length).unwrap_or(0);
        let number = |&v: &i16| (v != GAP).then(|| f64::from(v) / 10.0);
        let column = |(p, values): (&Parameter, &VecDeque<i16>)| (*p, values.iter().map(number).collect());
        Trend {
            from: Timestamp::from_millis(first * STEP_MS),
            columns: trend.columns.iter().map(column).collect(),
        }
    }

    fn of(&mut self, bed: &BedId, stay: StayToken, minute: i64) -> &mut BedTrend {
        let new = || BedTrend {
            stay,
            gathering: BTreeMap::new(),
            minute,
            newest: minute - 1,
            columns: BTreeMap::new(),
        };
        let trend = self.beds.entry(bed.clone()).or_insert_with(new);
        if trend.stay != stay {
            *trend = new();
        }
        trend
    }
}

impl BedTrend {
    /// Ends the minute that was gathered; `next` is gathered from now on.
    fn finish(&mut self, next: i64) -> Option<(i64, TrendRow)> {
        let minute = std::mem::replace(&mut self.minute, next);
        let gathered = std::mem::take(&mut self.gathering);
        let mean = |(p, (sum, count)): (Parameter, (i64, i64))| {
            let tenths = (sum + count / 2).div_euclid(count.max(1));
            (p, i16::try_from(tenths).unwrap_or(i16::MAX))
        };
        let row = TrendRow {
            values: gathered.into_iter().map(mean).collect(),
        };
        if row.values.is_empty() {
            return None;
        }
        self.put(minute, &row);
        Some((minute, row))
    }

    /// Everything in rows, oldest first.
    fn rows(&self) -> Vec<(i64, TrendRow)> {
        let length = self.columns.values().map(VecDeque::len).max().unwrap_or(0);
        let row = |at: usize| {
            let of = |(p, column): (&Parameter, &VecDeque<i16>)| Some((*p, *column.get(at).filter(|v| **v != GAP)?));
            TrendRow {
                values: self.columns.iter().filter_map(of).collect(),
            }
        };
        let first = self.newest + 1 - i64::try_from(length).unwrap_or(0);
        (first..).zip((0..length).map(row)).collect()
    }

    fn put(&mut self, minute: i64, row: &TrendRow) {
        if minute <= self.newest {
            return;
        }
        let missing = usize::try_from(minute - self.newest - 1).unwrap_or(STEPS).min(STEPS);
        let length = self.columns.values().map(VecDeque::len).max().unwrap_or(0);
        for (parameter, _) in &row.values {
            self.columns.entry(*parameter).or_insert_with(|| vec![GAP; length].into());
        }
        for (parameter, column) in &mut self.columns {
            column.extend(std::iter::repeat_n(GAP, missing));
            let value = row.values.iter().find(|(p, _)| p == parameter);
            column.push_back(value.map_or(GAP, |(_, value)| *value));
            while column.len() > STEPS {
                column.pop_front();
            }
        }
        self.newest = minute;
    }
}

const fn is_of_device(parameter: Parameter) -> bool {
    matches!(parameter, Parameter::Battery | Parameter::BatteryMinutes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(value: i16) -> TrendRow {
        TrendRow {
            values: vec![(Parameter::HeartRate, value)],
        }
    }

    fn at(minute: i64) -> Timestamp {
        Timestamp::from_millis(minute * STEP_MS)
    }

    #[test]
    fn gaps_stay_gaps_and_a_day_is_kept() {
        let mut trends = Trends::default();
        let bed = BedId::new("B1").unwrap();
        let stay = StayToken::from_bytes([1; 16]);
        trends.recall(&bed, stay, at(100), &row(700));
        trends.recall(&bed, stay, at(103), &row(720));
        let trend = trends.get(&bed, at(103));
        assert_eq!(trend.from, at(100));
        let hr = &trend.columns[&Parameter::HeartRate];
        assert_eq!(hr, &[Some(70.0), None, None, Some(72.0)]);

        trends.recall(&bed, stay, at(100 + 3 * 1440), &row(800));
        let trend = trends.get(&bed, at(100 + 3 * 1440));
        let hr = &trend.columns[&Parameter::HeartRate];
        assert_eq!((hr.len(), hr[0], hr[1439]), (1440, None, Some(80.0)));
    }

    #[test]
    fn the_next_patient_begins_with_nothing() {
        let mut trends = Trends::default();
        let bed = BedId::new("B1").unwrap();
        trends.recall(&bed, StayToken::from_bytes([1; 16]), at(100), &row(700));
        trends.recall(&bed, StayToken::from_bytes([2; 16]), at(101), &row(710));
        assert_eq!(trends.get(&bed, at(101)).columns[&Parameter::HeartRate], [Some(71.0)]);
    }
}
