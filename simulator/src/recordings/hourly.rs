//! Tables with one row an hour, as YAIB harmonises eICU and MIMIC: `stay_id`, `time` and one column per quantity
//! (`hr`, `o2sat`, `resp`, `temp`, `sbp`, `map`, `dbp`, `fio2`, …), as CSV or parquet.

use std::path::Path;
use std::time::Duration;

use crate::SimulatorError;

/// A table of many stays.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Hourly {
    /// The stay of each row.
    pub stay_id: Vec<i64>,
    /// Time of each row since admission, seconds.
    pub time_s: Vec<i64>,
    /// Names of the other numeric columns and their values, `None` where nothing was measured.
    pub columns: Vec<(String, Vec<Option<f64>>)>,
}

/// One stay of a table.
#[derive(Clone, Debug, PartialEq)]
pub struct HourlyStay {
    /// Its number.
    pub id: i64,
    /// Time since admission and the values that were measured then, by column name.
    pub rows: Vec<(Duration, Vec<(String, f64)>)>,
}

impl Hourly {
    /// A column by name.
    pub fn column(&self, name: &str) -> Option<&[Option<f64>]> {
        self.columns
            .iter()
            .find(|(n, _)| n == name)
            .map(|(_, values)| values.as_slice())
    }

    /// At most `most` stays, in the order of the table. Rows before admission are left out.
    pub fn stays(&self, most: usize) -> Vec<HourlyStay> {
        let mut stays: Vec<HourlyStay> = Vec::new();
        for (i, (id, time)) in self.stay_id.iter().zip(&self.time_s).enumerate() {
            if stays.last().is_none_or(|s| s.id != *id) {
                if stays.len() == most {
                    break;
                }
                stays.push(HourlyStay {
                    id: *id,
                    rows: Vec::new(),
                });
            }
            let measured =
                |(name, values): &(String, Vec<Option<f64>>)| values.get(i).copied().flatten().map(|value| (name.clone(), value));
            if let (Some(stay), Ok(seconds)) = (stays.last_mut(), u64::try_from(*time)) {
                stay.rows.push((
                    Duration::from_secs(seconds),
                    self.columns.iter().filter_map(measured).collect(),
                ));
            }
        }
        stays
    }
}

/// Reads a table by its extension: `.csv`, or `.parquet` where the crate was built with that feature.
/// # Errors
/// [`SimulatorError`] with the file and what is wrong in it.
pub fn read(path: &Path) -> Result<Hourly, SimulatorError> {
    match path.extension().and_then(|e| e.to_str()) {
        Some("csv") => parse_csv(path, &super::read_text(path)?),
        #[cfg(feature = "parquet")]
        Some("parquet") => super::parquet::read(path),
        #[cfg(not(feature = "parquet"))]
        Some("parquet") => Err(SimulatorError::file(
            path,
            "built without the feature `parquet`: convert it to CSV",
        )),
        _ => Err(SimulatorError::file(path, "expected .csv or .parquet")),
    }
}

/// Parses a CSV table: a header line with `stay_id` and `time` (seconds), then numbers; an empty field is not measured.
/// # Errors
/// [`SimulatorError::Line`] with the line and column that is wrong.
pub fn parse_csv(path: &Path, text: &str) -> Result<Hourly, SimulatorError> {
    let mut lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    let Some((_, head)) = lines.next() else {
        return Err(SimulatorError::file(
            path,
            "empty: expected a header line with stay_id and time",
        ));
    };
    let names: Vec<String> = head.split(',').map(|n| n.trim().trim_matches('"').to_owned()).collect();
    let mut columns: Vec<(String, Vec<Option<f64>>)> = names.into_iter().map(|name| (name, Vec::new())).collect();
    for (i, line) in lines {
        let fields: Vec<&str> = line.split(',').map(str::trim).collect();
        if fields.len() != columns.len() {
            let what = format!("{} fields: the header has {}", fields.len(), columns.len());
            return Err(SimulatorError::line(path, i, what));
        }
        for ((name, values), field) in columns.iter_mut().zip(fields) {
            values.push(number(name, field).map_err(|what| SimulatorError::line(path, i, what))?);
        }
    }
    from_columns(path, columns)
}

fn number(name: &str, field: &str) -> Result<Option<f64>, String> {
    if field.is_empty() || field == "NA" {
        return Ok(None);
    }
    let value: f64 = field
        .parse()
        .map_err(|e| format!("{name} = {field:?}: expected a number ({e})"))?;
    Ok(Some(value).filter(|v| v.is_finite()))
}

/// Takes `stay_id` and `time` out of the columns of a table.
pub(super) fn from_columns(path: &Path, columns: Vec<(String, Vec<Option<f64>>)>) -> Result<Hourly, SimulatorError> {
    let mut table = Hourly::default();
    let (mut has_stay, mut has_time) = (false, false);
    for (name, values) in columns {
        match name.as_str() {
            "stay_id" => (table.stay_id, has_stay) = (whole(path, &name, &values)?, true),
            "time" => (table.time_s, has_time) = (whole(path, &name, &values)?, true),
            _ => table.columns.push((name, values)),
        }
    }
    if has_stay && has_time {
        return Ok(table);
    }
    Err(SimulatorError::file(path, "no column stay_id or no column time"))
}

fn whole(path: &Path, name: &str, values: &[Option<f64>]) -> Result<Vec<i64>, SimulatorError> {
    let one = |(i, value): (usize, &Option<f64>)| {
        let whole = value
            .filter(|v| v.fract().abs() < f64::EPSILON && v.abs() < 9e15)
            .map(|v| v as i64);
        whole.ok_or_else(|| SimulatorError::file(path, format!("row {}: {name}: expected a whole number", i + 1)))
    };
    values.iter().enumerate().map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &str = "stay_id,time,hr,o2sat\n7,0,80,\n7,3600,81.5,97\n9,0,,95\n";

    #[test]
    fn a_csv_table_is_read_by_stay() {
        let table = parse_csv(Path::new("t.csv"), TABLE).unwrap();
        assert_eq!(table.column("hr").unwrap(), [Some(80.0), Some(81.5), None]);
        let stays = table.stays(10);
        assert_eq!(stays.len(), 2);
        assert_eq!(
            stays[0].rows[1],
            (Duration::from_hours(1), vec![("hr".into(), 81.5), ("o2sat".into(), 97.0)])
        );
        assert_eq!(table.stays(1).len(), 1);
    }

    #[test]
    fn wrong_tables_are_refused_with_the_place() {
        let error = |text: &str| parse_csv(Path::new("t.csv"), text).unwrap_err().to_string();
        assert_eq!(
            error("stay_id,time,hr\n1,0,fast\n"),
            "t.csv line 2: hr = \"fast\": expected a number (invalid float literal)"
        );
        assert_eq!(error("stay_id,time,hr\n1,0\n"), "t.csv line 2: 2 fields: the header has 3");
        assert_eq!(error("time,hr\n0,1\n"), "t.csv: no column stay_id or no column time");
        assert_eq!(error("stay_id,time\n,0\n"), "t.csv: row 1: stay_id: expected a whole number");
    }
}
