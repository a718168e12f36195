//! `wardlight model predict`: the risk of recorded stays, hour by hour, as the agent would show it.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::PathBuf;

use anyhow::{Context, bail};
use clap::Args;
use wardlight_models::deterioration::{MAX_HOURS, MIN_HOURS, Readiness, features};
use wardlight_models::{Manifest, Model, Package, TrustedKeys};
use wardlight_simulator::recordings::cinc2012::{Stay, read_stays};

use super::{RiskModel, charted};

/// First line of what is written.
pub(super) const HEADING: &str = "record_id,hour,probability";
/// Stays that go to the model at once, with all their hours.
const BATCH: usize = 64;

#[derive(Debug, Args)]
pub(crate) struct PredictArgs {
    /// Which model
    #[arg(value_enum)]
    model: RiskModel,
    /// Folder of the PhysioNet/CinC Challenge 2012 with set-a.tar.gz, or another set, or the numbered .txt files of the stays
    #[arg(long, value_name = "DIR")]
    cinc2012: PathBuf,
    /// CSV to write: `record_id,hour,probability`, a line for each hour from 6 to 48 at which a risk may be shown
    #[arg(long, value_name = "FILE.csv")]
    out: PathBuf,
    /// Package to use; else the one that this binary carries
    #[arg(long, value_name = "DIR")]
    package: Option<PathBuf>,
}

/// Writes the risks and says how many there are.
/// # Errors
/// If the package or the stays cannot be read, or the file cannot be written.
pub(super) fn run(args: &PredictArgs, mut output: impl Write) -> anyhow::Result<()> {
    let keys = TrustedKeys::release()?;
    let package = match &args.package {
        Some(folder) => Package::open(folder, &keys)?,
        None => Package::shipped(args.model.id(), &keys)?,
    };
    if !matches!(package.manifest(), Manifest::Risk(_)) || package.manifest().id() != args.model.id() {
        bail!("the package is {}, expected {}", package.manifest().id(), args.model.id());
    }
    let model = package.load()?;
    let mut stays = read_stays(&args.cinc2012, usize::MAX).context(
        "--cinc2012 takes the folder of the PhysioNet/CinC Challenge 2012 that holds set-a.tar.gz or the .txt files of its stays",
    )?;
    stays.sort_by_key(|stay| stay.id);
    let file = File::create(&args.out).with_context(|| format!("cannot create {}", args.out.display()))?;
    let mut file = BufWriter::new(file);
    let lines = write(&stays, &model, &mut file)?;
    file.flush().with_context(|| format!("cannot write {}", args.out.display()))?;
    writeln!(
        output,
        "{lines} risks of {} stays written to {}",
        stays.len(),
        args.out.display()
    )?;
    output.flush()?;
    Ok(())
}

/// Writes the lines of `stays`, in their order, and returns how many risks there are.
fn write(stays: &[Stay], model: &Model, file: &mut impl Write) -> anyhow::Result<usize> {
    writeln!(file, "{HEADING}")?;
    let mut lines = 0;
    for some in stays.chunks(BATCH) {
        let (places, rows): (Vec<_>, Vec<_>) = some.iter().flat_map(ready).unzip();
        for ((id, hour), probability) in places.iter().zip(model.predict(&rows)?) {
            writeln!(file, "{id},{hour},{probability}")?;
        }
        lines += places.len();
    }
    Ok(lines)
}

/// Record and hour with its feature row, for each hour at which a risk may be shown.
fn ready(stay: &Stay) -> Vec<((u32, usize), Vec<f32>)> {
    let hours = charted::hours(stay);
    let age_years = stay.age.map(|age| age as f32);
    (MIN_HOURS..=MAX_HOURS)
        .filter_map(|hour| {
            let features = features(age_years, hours.get(..hour)?);
            (features.readiness() == Readiness::Ready).then(|| ((stay.id, hour), features.into_row()))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    /// One whose heart is heard from the first hour on, and one of whom nothing is known before the eleventh.
    const STAYS: [(&str, &str); 2] = [
        (
            "200002.txt",
            "Time,Parameter,Value\n00:00,RecordID,200002\n00:00,Age,81\n10:30,HR,131\n10:30,NISysABP,84\n10:30,NIDiasABP,41\n",
        ),
        (
            "200001.txt",
            "Time,Parameter,Value\n00:00,RecordID,200001\n00:00,Age,34\n00:07,HR,73\n20:10,Temp,36.9\n",
        ),
    ];

    fn predict(folder: &Path) -> anyhow::Result<(String, String)> {
        let out = folder.join("risks.csv");
        let args = PredictArgs {
            model: RiskModel::Deterioration,
            cinc2012: folder.to_path_buf(),
            out: out.clone(),
            package: None,
        };
        let mut said = Vec::new();
        run(&args, &mut said)?;
        Ok((String::from_utf8(said)?, std::fs::read_to_string(out)?))
    }

    #[test]
    fn each_stay_has_a_risk_at_every_hour_from_the_first_at_which_one_may_be_shown() {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in STAYS {
            std::fs::write(folder.path().join(name), text).unwrap();
        }
        let (said, written) = predict(folder.path()).unwrap();
        assert!(said.starts_with("81 risks of 2 stays"), "{said}");
        let mut lines = written.lines();
        assert_eq!(lines.next(), Some(HEADING));
        let lines: Vec<Vec<&str>> = lines.map(|line| line.split(',').collect()).collect();
        let hours = |id: &str| -> Vec<usize> {
            let own = lines.iter().filter(|line| line[0] == id);
            own.map(|line| line[1].parse().unwrap()).collect()
        };
        assert_eq!(hours("200001"), (6..=48).collect::<Vec<_>>());
        assert_eq!(hours("200002"), (11..=48).collect::<Vec<_>>());
        let at_24 = |id: &str| -> f64 {
            let line = lines.iter().find(|line| line[0] == id && line[1] == "24").unwrap();
            line[2].parse().unwrap()
        };
        assert!(at_24("200001") < at_24("200002") && at_24("200001") > 0.0 && at_24("200002") < 1.0);
    }

    #[test]
    fn a_folder_without_stays_is_refused_with_what_belongs_there() {
        let folder = tempfile::tempdir().unwrap();
        let error = format!("{:#}", predict(folder.path()).unwrap_err());
        for said in ["--cinc2012", "set-a.tar.gz", ".txt", "no stays"] {
            assert!(error.contains(said), "{error}");
        }
        let error = format!("{:#}", predict(&folder.path().join("absent")).unwrap_err());
        assert!(error.contains("absent") && error.contains("set-a.tar.gz"), "{error}");
    }
}
