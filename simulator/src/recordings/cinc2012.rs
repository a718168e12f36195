//! ICU stays of the PhysioNet/Computing in Cardiology Challenge 2012: text files of `Time,Parameter,Value`, 48 hours each,
//! from a folder or from archives such as `set-a.tar.gz`.

use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};
use std::time::Duration;

use flate2::read::GzDecoder;

use super::tar::Entries;
use crate::SimulatorError;

/// One stay.
#[derive(Clone, Debug, PartialEq)]
pub struct Stay {
    /// `RecordID`.
    pub id: u32,
    /// Age in years, where known.
    pub age: Option<f64>,
    /// 1 coronary, 2 cardiac surgery, 3 medical, 4 surgical ICU.
    pub icu_type: Option<u8>,
    /// Everything measured, in the order of the file.
    pub readings: Vec<Measured>,
}

/// One measured value, as dirty as it was recorded.
#[derive(Clone, Debug, PartialEq)]
pub struct Measured {
    /// Since admission.
    pub after: Duration,
    /// `HR`, `NISysABP`, `RespRate`, `SaO2`, `Temp`, …
    pub parameter: String,
    /// In the challenge's unit.
    pub value: f64,
}

/// Reads at most `most` stays from a folder that holds archives named `set-*.tar.gz` or else the text files, or from an archive
/// itself, ordered by number within a folder and as archived otherwise.
/// # Errors
/// [`SimulatorError`] with the file (or entry of the archive) and line that is wrong, or when there is no stay at all.
pub fn read_stays(path: &Path, most: usize) -> Result<Vec<Stay>, SimulatorError> {
    let stays = if path.is_file() {
        from_archive(path, most)?
    } else {
        let archives = files(path, is_archive)?;
        let mut stays = Vec::new();
        for archive in &archives {
            stays.extend(from_archive(archive, most.saturating_sub(stays.len()))?);
        }
        if archives.is_empty() {
            from_folder(path, most)?
        } else {
            stays
        }
    };
    if stays.is_empty() {
        return Err(SimulatorError::file(
            path,
            "no stays: expected numbered .txt files, or an archive of them such as set-a.tar.gz",
        ));
    }
    Ok(stays)
}

fn from_archive(path: &Path, most: usize) -> Result<Vec<Stay>, SimulatorError> {
    let file = File::open(path).map_err(SimulatorError::io(path))?;
    let mut stays = Vec::new();
    for entry in Entries(GzDecoder::new(BufReader::new(file))) {
        if stays.len() >= most {
            break;
        }
        let (name, contents) = entry.map_err(SimulatorError::io(path))?;
        if is_stay(Path::new(&name)) {
            stays.push(parse(&path.join(&name), &String::from_utf8_lossy(&contents))?);
        }
    }
    Ok(stays)
}

fn from_folder(path: &Path, most: usize) -> Result<Vec<Stay>, SimulatorError> {
    let files = files(path, is_stay)?;
    let some = files.iter().take(most);
    some.map(|file| parse(file, &super::read_text(file)?)).collect()
}

/// What a folder holds of a kind, in order of the names.
fn files(folder: &Path, kind: fn(&Path) -> bool) -> Result<Vec<PathBuf>, SimulatorError> {
    let entries = std::fs::read_dir(folder).map_err(SimulatorError::io(folder))?;
    let mut files: Vec<PathBuf> = entries.filter_map(Result::ok).map(|e| e.path()).filter(|p| kind(p)).collect();
    files.sort();
    Ok(files)
}

fn is_archive(path: &Path) -> bool {
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    name.starts_with("set-") && name.ends_with(".tar.gz")
}

/// Whether the file name is a number with `.txt`.
fn is_stay(path: &Path) -> bool {
    let numbered = path
        .file_stem()
        .is_some_and(|s| s.to_str().is_some_and(|s| s.parse::<u32>().is_ok()));
    numbered && path.extension().is_some_and(|e| e == "txt")
}

/// Parses one stay; `path` is for messages.
/// # Errors
/// [`SimulatorError::Line`] with the line that is wrong.
pub fn parse(path: &Path, text: &str) -> Result<Stay, SimulatorError> {
    let mut stay = Stay {
        id: 0,
        age: None,
        icu_type: None,
        readings: Vec::new(),
    };
    for (i, line) in text.lines().enumerate().map(|(i, line)| (i, line.trim())) {
        if line.is_empty() || (i == 0 && line.starts_with("Time")) {
            continue;
        }
        let measured = row(line).map_err(|what| SimulatorError::line(path, i, what))?;
        // −1 stands for unknown among the descriptors.
        let known = Some(measured.value).filter(|v| *v >= 0.0);
        match measured.parameter.as_str() {
            "RecordID" => stay.id = measured.value as u32,
            "Age" => stay.age = known,
            "ICUType" => stay.icu_type = known.map(|v| v as u8),
            // A handful of rows have no parameter name.
            "Gender" | "Height" | "" => {}
            _ => stay.readings.push(measured),
        }
    }
    if stay.id == 0 {
        return Err(SimulatorError::file(path, "no RecordID"));
    }
    Ok(stay)
}

fn row(line: &str) -> Result<Measured, String> {
    let mut fields = line.split(',');
    let (Some(time), Some(parameter), Some(value), None) = (fields.next(), fields.next(), fields.next(), fields.next()) else {
        return Err(format!("{line:?}: expected Time,Parameter,Value"));
    };
    let value: f64 = value
        .parse()
        .map_err(|e| format!("value {value:?}: expected a number ({e})"))?;
    if !value.is_finite() {
        return Err(format!("value {value}: expected a finite number"));
    }
    Ok(Measured {
        after: minutes(time).ok_or_else(|| format!("time {time:?}: expected HH:MM"))?,
        parameter: parameter.to_owned(),
        value,
    })
}

fn minutes(text: &str) -> Option<Duration> {
    let (hours, minutes) = text.split_once(':')?;
    let (hours, minutes): (u64, u64) = (hours.parse().ok()?, minutes.parse().ok()?);
    (hours <= 9999 && minutes < 60).then(|| Duration::from_secs(hours * 3600 + minutes * 60))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recordings::test_folder;

    /// Counts of the whole set as `tar -xO | cut -d, -f2 | sort | uniq -c` gives them.
    #[test]
    fn the_whole_set_is_read() {
        let stays = read_stays(&test_folder().join("cinc2012"), usize::MAX).unwrap();
        assert_eq!(stays.len(), 4000);
        let count = |parameter| {
            stays
                .iter()
                .flat_map(|s| &s.readings)
                .filter(|r| r.parameter == parameter)
                .count()
        };
        assert_eq!(
            (count("HR"), count("RespRate"), count("SaO2"), count("Temp")),
            (228_538, 55_051, 8_185, 86_405)
        );
        let first = stays.iter().find(|s| s.id == 132_539).unwrap();
        assert_eq!((first.age, first.icu_type), (Some(54.0), Some(4)));
        let hr = first.readings.iter().find(|r| r.parameter == "HR").unwrap();
        assert_eq!((hr.after, hr.value), (Duration::from_mins(7), 73.0));
    }

    #[test]
    fn wrong_lines_are_named() {
        let path = Path::new("1.txt");
        let parse = |line: &str| {
            parse(path, &format!("Time,Parameter,Value\n00:00,RecordID,1\n{line}\n"))
                .unwrap_err()
                .to_string()
        };
        assert_eq!(parse("0007,HR,73"), "1.txt line 3: time \"0007\": expected HH:MM");
        assert_eq!(
            parse("00:07,HR,high"),
            "1.txt line 3: value \"high\": expected a number (invalid float literal)"
        );
        assert_eq!(parse("00:07,HR"), "1.txt line 3: \"00:07,HR\": expected Time,Parameter,Value");
        assert_eq!(parse("00:07,HR,NaN"), "1.txt line 3: value NaN: expected a finite number");
    }
}
