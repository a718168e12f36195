//! Folders of an Empatica E4 wrist wearable: `BVP.csv`, `ACC.csv`, `EDA.csv`, `TEMP.csv`, `HR.csv`, `IBI.csv`, `tags*.csv`.
//! In each signal file line 1 is the start (Unix seconds, UTC), line 2 the rate in Hz; `IBI.csv` has the start and then
//! `seconds since start, interval`.

use std::path::{Path, PathBuf};

use super::read_text;
use crate::SimulatorError;

/// One recording session.
#[derive(Clone, Debug, PartialEq)]
pub struct Session {
    /// Photoplethysmogram, 64 Hz, arbitrary unit.
    pub bvp: Series,
    /// Acceleration, 32 Hz, units of 1/64 g; x, y, z after each other in each sample.
    pub acceleration: Option<[Series; 3]>,
    /// Electrodermal activity, 4 Hz, µS.
    pub eda: Option<Series>,
    /// Skin temperature, 4 Hz, °C.
    pub temperature: Option<Series>,
    /// Mean heart rate, 1 Hz, beats per minute.
    pub heart_rate: Option<Series>,
    /// Beat intervals: seconds since the start of `bvp`, and length in seconds. Covers only what the device trusted.
    pub intervals: Vec<(f64, f64)>,
    /// Button presses, Unix seconds.
    pub tags: Vec<f64>,
}

/// Equally spaced values.
#[derive(Clone, Debug, PartialEq)]
pub struct Series {
    /// Unix seconds of the first value.
    pub start: f64,
    /// Values per second.
    pub rate_hz: f64,
    /// The values.
    pub values: Vec<f64>,
}

impl Series {
    /// The value at `seconds` (Unix), holding each for its period.
    pub fn at(&self, seconds: f64) -> Option<f64> {
        let index = (seconds - self.start) * self.rate_hz;
        (index >= 0.0).then(|| self.values.get(index as usize).copied()).flatten()
    }
}

/// Reads the folder of a session; only `BVP.csv` must be there.
/// # Errors
/// [`SimulatorError`] with the file and line that is wrong.
pub fn read_session(folder: &Path) -> Result<Session, SimulatorError> {
    let optional = |name: &str| {
        let path = folder.join(name);
        path.is_file().then_some(path)
    };
    let series = |name: &str| optional(name).map(|path| read_single(&path)).transpose();
    Ok(Session {
        bvp: read_single(&folder.join("BVP.csv"))?,
        acceleration: optional("ACC.csv").map(|path| read_axes(&path)).transpose()?,
        eda: series("EDA.csv")?,
        temperature: series("TEMP.csv")?,
        heart_rate: series("HR.csv")?,
        intervals: optional("IBI.csv")
            .map(|path| read_intervals(&path))
            .transpose()?
            .unwrap_or_default(),
        tags: tags_file(folder)?
            .map(|path| read_tags(&path))
            .transpose()?
            .unwrap_or_default(),
    })
}

fn read_single(path: &Path) -> Result<Series, SimulatorError> {
    let [series] = read_columns::<1>(path)?;
    Ok(series)
}

fn read_axes(path: &Path) -> Result<[Series; 3], SimulatorError> {
    read_columns::<3>(path)
}

fn read_columns<const N: usize>(path: &Path) -> Result<[Series; N], SimulatorError> {
    let text = read_text(path)?;
    let mut rows = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    let mut numbers = |what: &str| {
        let (i, line) = rows.next().ok_or_else(|| SimulatorError::file(path, format!("no {what}")))?;
        fields::<N>(path, i, line)
    };
    let (starts, rates) = (numbers("start time in line 1")?, numbers("rate in line 2")?);
    let mut columns: [Series; N] = std::array::from_fn(|i| Series {
        start: starts.get(i).copied().unwrap_or_default(),
        rate_hz: rates.get(i).copied().unwrap_or_default(),
        values: Vec::new(),
    });
    if let Some(bad) = columns.iter().find(|c| !(0.01..=10_000.0).contains(&c.rate_hz)) {
        return Err(SimulatorError::line(
            path,
            1,
            format!("rate {} Hz: expected 0.01 to 10000", bad.rate_hz),
        ));
    }
    for (i, line) in rows {
        for (column, value) in columns.iter_mut().zip(fields::<N>(path, i, line)?) {
            column.values.push(value);
        }
    }
    Ok(columns)
}

fn fields<const N: usize>(path: &Path, i: usize, line: &str) -> Result<[f64; N], SimulatorError> {
    let wrong = || SimulatorError::line(path, i, format!("{:?}: expected {N} number(s)", line.trim()));
    let parsed: Result<Vec<f64>, _> = line.split(',').map(|f| f.trim().parse::<f64>()).collect();
    let numbers: [f64; N] = parsed.ok().and_then(|v| v.try_into().ok()).ok_or_else(wrong)?;
    if numbers.iter().all(|n| n.is_finite()) {
        Ok(numbers)
    } else {
        Err(wrong())
    }
}

fn read_intervals(path: &Path) -> Result<Vec<(f64, f64)>, SimulatorError> {
    let text = read_text(path)?;
    let rows = text.lines().enumerate().skip(1).filter(|(_, line)| !line.trim().is_empty());
    rows.map(|(i, line)| fields::<2>(path, i, line).map(|[at, interval]| (at, interval)))
        .collect()
}

fn read_tags(path: &Path) -> Result<Vec<f64>, SimulatorError> {
    let text = read_text(path)?;
    let rows = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    rows.map(|(i, line)| fields::<1>(path, i, line).map(|[at]| at)).collect()
}

/// `tags.csv`, which some data sets rename to `tags_NAME.csv`.
fn tags_file(folder: &Path) -> Result<Option<PathBuf>, SimulatorError> {
    let entries = std::fs::read_dir(folder).map_err(SimulatorError::io(folder))?;
    let is_tags = |path: &PathBuf| {
        let name = path.file_name().and_then(|n| n.to_str()).unwrap_or_default();
        name.starts_with("tags") && path.extension().is_some_and(|e| e == "csv")
    };
    Ok(entries.filter_map(Result::ok).map(|e| e.path()).find(is_tags))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recordings::test_folder;

    /// Lengths and sums as numpy reads them.
    #[test]
    fn sessions_read_as_numpy_reads_them() {
        let session = read_session(&test_folder().join("stress-predict/S06")).unwrap();
        let sum = |series: &Series| series.values.iter().sum::<f64>();
        assert_eq!((session.bvp.values.len(), session.bvp.rate_hz), (212_410, 64.0));
        assert!((sum(&session.bvp) - 1512.43).abs() < 1e-3);
        let [x, _, z] = session.acceleration.as_ref().unwrap();
        assert_eq!((x.values.len(), sum(x), sum(z)), (106_188, -2_137_870.0, 5_282_458.0));
        let temperature = session.temperature.as_ref().unwrap();
        assert!((sum(temperature) - 369_806.72).abs() < 1e-2);
        let hr = session.heart_rate.as_ref().unwrap();
        assert_eq!((hr.start, hr.values.len(), hr.values[0]), (1_644_831_910.0, 3309, 58.0));
        assert_eq!(hr.at(hr.start + 0.5), Some(58.0));
        assert_eq!(hr.at(hr.start - 0.5), None);
        assert_eq!(session.intervals.len(), 3128);
        assert!((session.intervals.iter().map(|i| i.1).sum::<f64>() - 2_595.171_88).abs() < 1e-3);
        assert!((session.tags[0] - 1_644_832_942.78).abs() < 1e-6);
        for other in ["S10", "S28"] {
            assert!(read_session(&test_folder().join("stress-predict").join(other)).is_ok());
        }
    }

    #[test]
    fn wrong_files_are_refused_with_the_line() {
        let folder = tempfile::tempdir().unwrap();
        let error = |text: &str| {
            std::fs::write(folder.path().join("BVP.csv"), text).unwrap();
            read_session(folder.path()).unwrap_err().to_string()
        };
        assert!(error("").ends_with("BVP.csv: no start time in line 1"));
        assert!(error("100\n0\n1\n").ends_with("BVP.csv line 2: rate 0 Hz: expected 0.01 to 10000"));
        assert!(error("100\n64\n1\nx\n").ends_with("BVP.csv line 4: \"x\": expected 1 number(s)"));
        assert!(error("100\n64\n1,2\n").ends_with("BVP.csv line 3: \"1,2\": expected 1 number(s)"));
    }
}
