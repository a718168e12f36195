//! Who lies in which bed.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::WardSettings;
use crate::SimulatorError;
use crate::patient::{Baseline, Patient};
use crate::recordings::cinc2012::{self, Stay};
use crate::scenario::BedScript;
use crate::subject::{Charted, Recorded, Simulated, Subject};

/// Hours of a charted stay in an hour of the clock: two days in 48 minutes.
const CHARTED_SPEED: f64 = 60.0;
/// The patients were there before the script began.
const SETTLED: Duration = Duration::from_mins(30);
/// Time of day at which simulated wards begin, hours.
pub(super) const HOUR: f64 = 10.0;

/// Hands out patients: simulated ones, and recorded ones where there is no script.
pub(super) struct People {
    seed: u64,
    records: Vec<(PathBuf, String)>,
    stays: Vec<Stay>,
    handed_out: usize,
}

impl People {
    pub(super) fn new(settings: &WardSettings) -> Result<Self, SimulatorError> {
        let mut people = Self {
            seed: settings.seed,
            records: Vec::new(),
            stays: Vec::new(),
            handed_out: 0,
        };
        if let Some(folder) = &settings.recordings {
            people.records = records(&folder.join("mitdb"))?;
            if folder.join("cinc2012").is_dir() {
                people.stays = cinc2012::read_stays(&folder.join("cinc2012"), 64)?;
            }
            if people.records.is_empty() && people.stays.is_empty() {
                let what = "no recordings: expected a folder mitdb with .hea files or a folder cinc2012";
                return Err(SimulatorError::file(folder, what));
            }
        }
        Ok(people)
    }

    /// The patient of bed `number`, and whether it is a recording.
    pub(super) fn next(&mut self, number: usize, script: Option<&BedScript>) -> Result<(Subject, bool), SimulatorError> {
        if script.is_none()
            && let Some(recorded) = self.recorded()?
        {
            return Ok((recorded, true));
        }
        let seed = self.seed.wrapping_mul(10_007).wrapping_add(number as u64);
        let mut patient = Patient::new(seed, Baseline::adult(seed), HOUR);
        patient.advance(SETTLED);
        let pace = script.map_or(1.0, |s| s.speed);
        Ok((Subject::Simulated(Box::new(Simulated::new(patient, pace, seed))), false))
    }

    /// Records and stays in turn.
    fn recorded(&mut self) -> Result<Option<Subject>, SimulatorError> {
        let turn = self.handed_out;
        let wants_record = turn.is_multiple_of(2) || self.stays.is_empty();
        let record = self
            .records
            .get((turn / 2) % self.records.len().max(1))
            .filter(|_| wants_record);
        let subject = if let Some((folder, name)) = record {
            Some(Subject::Recorded(Box::new(Recorded::open(folder, name)?)))
        } else {
            let stay = self.stays.get((turn / 2) % self.stays.len().max(1));
            stay.map(|stay| Subject::Charted(Box::new(Charted::from_cinc2012(stay, CHARTED_SPEED))))
        };
        self.handed_out += 1;
        Ok(subject)
    }
}

/// Folder and name of every record in a folder, by name; none where the folder does not exist.
fn records(folder: &Path) -> Result<Vec<(PathBuf, String)>, SimulatorError> {
    if !folder.is_dir() {
        return Ok(Vec::new());
    }
    let entries = std::fs::read_dir(folder).map_err(SimulatorError::io(folder))?;
    let headers = entries
        .filter_map(Result::ok)
        .map(|e| e.path())
        .filter(|p| p.extension().is_some_and(|e| e == "hea"));
    let mut names: Vec<String> = headers.filter_map(|p| Some(p.file_stem()?.to_str()?.to_owned())).collect();
    names.sort();
    Ok(names.into_iter().map(|name| (folder.to_path_buf(), name)).collect())
}
