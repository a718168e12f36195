//! `wardlight model evaluate --outcomes`: risks by `wardlight model predict` against what became of the patients.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::path::Path;

use anyhow::{Context, bail};
use wardlight_models::{Manifest, Package, TrustedKeys};

use super::RiskModel;
use super::figures::{self, Figure, Judged};
use super::predict::HEADING;

/// Hours of data at which the figures are given.
const HOURS: [usize; 4] = [6, 12, 24, 48];
/// Columns of the outcomes, and what they say of a patient who died.
const RECORD: &str = "RecordID";
const DEATH: &str = "In-hospital_death";
const DIED: &str = "1";

/// Prints the figures of `risks` at [`HOURS`] for the patients in `outcomes`, of those in `stays` alone if given.
/// # Errors
/// If a file cannot be read or is another, or the output fails.
pub(super) fn run(risks: &Path, outcomes: &Path, stays: Option<&Path>, mut output: impl Write) -> anyhow::Result<()> {
    let died = of(outcomes, deaths)?;
    let only = stays.map(|path| of(path, records)).transpose()?;
    let mut by_hour = of(risks, |text| judged(text, &died, only.as_ref()))?;
    let from = called_from()?;
    writeln!(
        output,
        "Event 1 is called from {from:.2}, the band `high` of the package in this binary. Intervals: 95 %, bootstrap over stays.\n\
         hour  stays deaths | AUROC                  event1   Brier     ECE   slope"
    )?;
    for hour in HOURS {
        let judged = by_hour.remove(&hour).unwrap_or_default();
        let deaths = judged.iter().filter(|(_, died)| *died).count();
        let Figure { value, low, high } = figures::auroc(&judged);
        writeln!(
            output,
            "{hour:4} {:6} {deaths:6} | {value:.3} ({low:.3} to {high:.3}) {:7.3} {:7.4} {:7.4} {:7.3}",
            judged.len(),
            figures::event_1(&judged, from),
            figures::brier(&judged),
            figures::calibration_error(&judged),
            figures::calibration_line(&judged).0,
        )?;
    }
    output.flush()?;
    Ok(())
}

/// What a file says, or an error with its name.
fn of<T>(path: &Path, read: impl FnOnce(&str) -> anyhow::Result<T>) -> anyhow::Result<T> {
    let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    read(&text).with_context(|| path.display().to_string())
}

/// Where the band `high` of the shipped package begins.
fn called_from() -> anyhow::Result<f64> {
    let id = RiskModel::Deterioration.id();
    match Package::shipped(id, &TrustedKeys::release()?)?.manifest() {
        Manifest::Risk(manifest) => Ok(manifest.bands.high.into()),
        Manifest::Waveform(_) => bail!("{id} has no bands"),
    }
}

/// Whether each patient died in the hospital.
fn deaths(text: &str) -> anyhow::Result<BTreeMap<u32, bool>> {
    let mut lines = text.lines();
    let heading: Vec<&str> = lines.next().unwrap_or_default().split(',').map(str::trim).collect();
    let column = |name| {
        let at = heading.iter().position(|column| *column == name);
        at.with_context(|| {
            format!("no column {name}: expected the outcomes of the PhysioNet/CinC Challenge 2012, Outcomes-a.txt")
        })
    };
    let (record, death) = (column(RECORD)?, column(DEATH)?);
    lines
        .map(|line| {
            let fields: Vec<&str> = line.split(',').map(str::trim).collect();
            let record = fields.get(record).and_then(|field| field.parse().ok());
            let died = fields.get(death).map(|field| *field == DIED);
            record.zip(died).with_context(|| format!("it has the line {line:?}"))
        })
        .collect()
}

/// One record on each line.
fn records(text: &str) -> anyhow::Result<BTreeSet<u32>> {
    let number = |line: &str| {
        line.trim()
            .parse()
            .with_context(|| format!("it has the line {line:?}, expected a RecordID"))
    };
    text.lines().map(number).collect()
}

/// The patients with an outcome by hour.
fn judged(text: &str, died: &BTreeMap<u32, bool>, only: Option<&BTreeSet<u32>>) -> anyhow::Result<BTreeMap<usize, Vec<Judged>>> {
    let mut lines = text.lines();
    let heading = lines.next().unwrap_or_default();
    if heading != HEADING {
        bail!("its first line is {heading:?}: expected what `model predict` writes, {HEADING}");
    }
    let mut by_hour: BTreeMap<usize, Vec<Judged>> = BTreeMap::new();
    for line in lines {
        let mut fields = line.split(',');
        let mut next = || fields.next().unwrap_or_default();
        let (Ok(record), Ok(hour), Ok(probability)) = (next().parse::<u32>(), next().parse(), next().parse::<f64>()) else {
            bail!("it has the line {line:?}");
        };
        let wanted = only.is_none_or(|only| only.contains(&record));
        if let Some(died) = died.get(&record).filter(|_| wanted) {
            by_hour.entry(hour).or_default().push((probability, *died));
        }
    }
    if by_hour.is_empty() {
        bail!("none of its stays has an outcome: risks and outcomes are of different sets");
    }
    Ok(by_hour)
}

#[cfg(test)]
mod tests {
    use super::*;

    const OUTCOMES: &str =
        "RecordID,SAPS-I,SOFA,Length_of_stay,Survival,In-hospital_death\n1,6,1,5,-1,0\n2,16,8,8,3,1\n3,9,2,4,-1,0\n";
    const RISKS: &str = "record_id,hour,probability\n1,6,0.1\n2,6,0.7\n3,6,0.2\n4,6,0.9\n1,48,0.3\n2,48,0.2\n3,48,0.1\n";

    fn evaluate(outcomes: &str, risks: &str, stays: Option<&str>) -> anyhow::Result<String> {
        let folder = tempfile::tempdir()?;
        let file = |name: &str, text: &str| {
            let path = folder.path().join(name);
            std::fs::write(&path, text).map(|()| path)
        };
        let stays = stays.map(|text| file("stays.txt", text)).transpose()?;
        let mut said = Vec::new();
        run(
            &file("risks.csv", risks)?,
            &file("Outcomes-a.txt", outcomes)?,
            stays.as_deref(),
            &mut said,
        )?;
        Ok(String::from_utf8(said)?)
    }

    #[test]
    fn each_hour_is_judged_on_the_stays_that_have_a_risk_and_an_outcome() {
        let said = evaluate(OUTCOMES, RISKS, None).unwrap();
        let line = |hour: &str| {
            said.lines()
                .find(|line| line.trim_start().starts_with(hour))
                .unwrap()
                .to_owned()
        };
        assert!(line("6 ").contains("3      1 | 1.000"), "{said}");
        assert!(line("48 ").contains("3      1 | 0.500"), "{said}");
        assert!(line("12 ").contains("0      0 | NaN"), "{said}");
    }

    #[test]
    fn stays_that_are_not_named_do_not_count() {
        let said = evaluate(OUTCOMES, RISKS, Some("1\n2\n")).unwrap();
        assert!(said.contains("48      2      1 | 0.000"), "{said}");
    }

    #[test]
    fn another_file_is_named_with_what_was_expected() {
        let error = |outcomes, risks, stays| format!("{:#}", evaluate(outcomes, risks, stays).unwrap_err());
        assert!(error("sample,time_s\n", RISKS, None).contains("Outcomes-a.txt"));
        assert!(error(OUTCOMES, "sample,time_s\n", None).contains("model predict"));
        assert!(error(OUTCOMES, "record_id,hour,probability\n1,six,0.1\n", None).contains("1,six,0.1"));
        assert!(error(OUTCOMES, "record_id,hour,probability\n9,6,0.1\n", None).contains("different sets"));
        assert!(error(OUTCOMES, RISKS, Some("one\n")).contains("RecordID"));
    }
}
