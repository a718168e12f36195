//! From a charted stay to hourly vitals, as `models/training/wardlight_training/cinc2012.py` makes them.

use std::time::Duration;

use wardlight_models::deterioration::{MAX_HOURS, VITAL_COUNT, VITALS};
use wardlight_simulator::recordings::cinc2012::{Measured, Stay};

/// mmHg. An arterial triple with less is a flushed or damped line and is dropped.
const MIN_PULSE_PRESSURE: f64 = 10.0;

/// Where a value comes from. Of one vital in one hour the first of these counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Source {
    Monitor,
    ArterialLine,
    Cuff,
}

/// The parameters of the challenge that are vitals of the model: source, and column of an hour.
fn vital(parameter: &str) -> Option<(Source, usize)> {
    Some(match parameter {
        "HR" => (Source::Monitor, 0),
        "RespRate" => (Source::Monitor, 1),
        "SysABP" => (Source::ArterialLine, 2),
        "DiasABP" => (Source::ArterialLine, 3),
        "MAP" => (Source::ArterialLine, 4),
        "Temp" => (Source::Monitor, 5),
        "NISysABP" => (Source::Cuff, 2),
        "NIDiasABP" => (Source::Cuff, 3),
        "NIMAP" => (Source::Cuff, 4),
        _ => return None,
    })
}

/// What one source said at one moment, by column of an hour.
struct Moment {
    after: Duration,
    source: Source,
    values: [Option<f64>; VITAL_COUNT],
}

/// Hourly means `[hour][vital]` of the first [`MAX_HOURS`] hours, `None` where nothing valid was charted. Values out of range and
/// pressures that contradict each other are left out; within an hour the arterial line wins over the cuff.
pub(super) fn hours(stay: &Stay) -> Vec<[Option<f32>; VITAL_COUNT]> {
    let moments = moments(&stay.readings);
    (0..MAX_HOURS)
        .map(|hour| std::array::from_fn(|vital| mean(&moments, hour, vital).map(|mean| mean as f32)))
        .collect()
}

/// The moments in the order in which they were charted first; of a value charted twice the later one.
fn moments(readings: &[Measured]) -> Vec<Moment> {
    let mut moments: Vec<Moment> = Vec::new();
    for reading in readings {
        let Some((source, column)) = vital(&reading.parameter) else {
            continue;
        };
        let accepted = VITALS
            .get(column)
            .is_some_and(|vital| (vital.low..=vital.high).contains(&reading.value));
        if !accepted {
            continue;
        }
        let same = |moment: &Moment| moment.after == reading.after && moment.source == source;
        let at = moments.iter().rposition(same).unwrap_or_else(|| {
            moments.push(Moment {
                after: reading.after,
                source,
                values: [None; VITAL_COUNT],
            });
            moments.len() - 1
        });
        if let Some(value) = moments.get_mut(at).and_then(|moment| moment.values.get_mut(column)) {
            *value = Some(reading.value);
        }
    }
    moments.retain(consistent);
    moments
}

/// Diastolic < mean < systolic, and a pulse pressure that a living, undamped line can show.
fn consistent(moment: &Moment) -> bool {
    let [_, _, systolic, diastolic, mean, _] = moment.values;
    let both = |a: Option<f64>, b: Option<f64>, hold: fn(f64, f64) -> bool| a.zip(b).is_none_or(|(a, b)| hold(a, b));
    both(systolic, diastolic, |systolic, diastolic| {
        systolic - diastolic >= MIN_PULSE_PRESSURE
    }) && both(mean, systolic, |mean, systolic| mean < systolic)
        && both(mean, diastolic, |mean, diastolic| mean > diastolic)
}

/// Mean of a vital in an hour, summed in the order of the chart, from the best source. What is later than the last hour counts
/// to it.
fn mean(moments: &[Moment], hour: usize, vital: usize) -> Option<f64> {
    let charted = || {
        moments
            .iter()
            .filter(move |moment| (moment.after.as_secs() as usize / 3600).min(MAX_HOURS - 1) == hour)
            .filter_map(move |moment| Some((moment.source, moment.values.get(vital).copied().flatten()?)))
    };
    let best = charted().map(|(source, _)| source).min()?;
    let (sum, count) = charted()
        .filter(|(source, _)| *source == best)
        .fold((0.0, 0_u32), |(sum, count), (_, value)| (sum + value, count + 1));
    Some(sum / f64::from(count))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use wardlight_simulator::recordings::cinc2012::parse;

    use super::*;

    fn hours_of(rows: &str) -> Vec<[Option<f32>; VITAL_COUNT]> {
        let text = format!("Time,Parameter,Value\n00:00,RecordID,1\n{rows}");
        hours(&parse(Path::new("1.txt"), &text).unwrap())
    }

    #[test]
    fn an_hour_is_the_mean_of_what_was_charted_in_it() {
        let hours = hours_of("01:00,HR,70\n01:59,HR,80\n02:00,HR,90\n");
        assert_eq!(hours.len(), MAX_HOURS);
        assert_eq!((hours[0][0], hours[1][0], hours[2][0]), (None, Some(75.0), Some(90.0)));
    }

    #[test]
    fn a_value_charted_twice_at_one_moment_counts_once_and_one_after_the_last_hour_counts_to_it() {
        let hours = hours_of("01:00,HR,70\n01:00,HR,80\n48:00,HR,90\n");
        assert_eq!((hours[1][0], hours[47][0]), (Some(80.0), Some(90.0)));
    }

    #[test]
    fn the_arterial_line_wins_over_the_cuff_within_an_hour() {
        let hours = hours_of("00:05,NISysABP,100\n00:30,SysABP,120\n01:05,NISysABP,102\n");
        assert_eq!((hours[0][2], hours[1][2]), (Some(120.0), Some(102.0)));
    }

    #[test]
    fn values_out_of_range_and_pressures_that_contradict_each_other_are_left_out() {
        let hours = hours_of(
            "00:05,Temp,-17.8\n00:05,SysABP,100\n00:05,DiasABP,91\n00:20,NISysABP,100\n00:20,NIDiasABP,60\n00:20,NIMAP,100\n\
             00:40,NIDiasABP,70\n00:40,NIMAP,71\n",
        );
        assert_eq!(hours[0], [None, None, None, Some(70.0), Some(71.0), None]);
    }
}
