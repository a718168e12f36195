//! `wardlight model evaluate`: annotations of beats against those of an expert, as ANSI/AAMI EC57 compares them; risks are
//! in `risks.rs`.

use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use clap::Args;
use wardlight_models::ecg_beat::{BeatClass, Confusion};
use wardlight_simulator::recordings::wfdb::{Annotation, header, read_annotations};

/// Beats match within this time (ANSI/AAMI EC57).
const MATCH_S: f64 = 0.15;
/// Beats are counted from here on (ANSI/AAMI EC57).
const LEARNING_S: f64 = 300.0;
/// Codes of ecgcodes.h for the begin and the end of flutter, in which no beats are annotated.
const FLUTTER: [u8; 2] = [32, 33];

#[derive(Debug, Args)]
pub(crate) struct EvaluateArgs {
    /// Of beats: folder with the records' .hea and .atr files
    #[arg(long, value_name = "DIR", required_unless_present = "outcomes")]
    data: Option<PathBuf>,
    /// Of risks: Outcomes-a.txt of the PhysioNet/CinC Challenge 2012, or of another set
    #[arg(long, value_name = "FILE", conflicts_with = "data")]
    outcomes: Option<PathBuf>,
    /// Of risks: judge these stays only, a RecordID on each line
    #[arg(long, value_name = "FILE", requires = "outcomes")]
    stays: Option<PathBuf>,
    /// Annotations by `wardlight model annotate ecg-beat`, named after their records, 101.csv; or the risks by `wardlight model
    /// predict`
    #[arg(value_name = "NAME.csv", required = true)]
    files: Vec<PathBuf>,
}

/// Prints the figures of each record and of all together, or of the risks of each file.
/// # Errors
/// If a file cannot be read, or the output fails.
pub(super) fn run(args: &EvaluateArgs, mut output: impl Write) -> anyhow::Result<()> {
    if let Some(outcomes) = &args.outcomes {
        let mut files = args.files.iter();
        return files.try_for_each(|risks| super::risks::run(risks, outcomes, args.stays.as_deref(), &mut output));
    }
    let data = args.data.as_deref().context("--data or --outcomes is missing")?;
    let mut all = Compared::default();
    heading(&mut output)?;
    for file in &args.files {
        let name = file
            .file_stem()
            .and_then(|n| n.to_str())
            .context("annotations are named NAME.csv")?;
        let compared = Compared::read(data, name, file)?;
        row(name, &compared, &mut output)?;
        all.add(&compared);
    }
    row("gross", &all, &mut output)?;
    table(&all.classes, &mut output)?;
    output.flush()?;
    Ok(())
}

/// What a comparison gives.
#[derive(Clone, Debug, Default)]
struct Compared {
    classes: Confusion,
    missed: u64,
    false_: u64,
}

impl Compared {
    fn add(&mut self, other: &Self) {
        self.classes.add(&other.classes);
        self.missed += other.missed;
        self.false_ += other.false_;
    }

    fn read(data: &Path, name: &str, file: &Path) -> anyhow::Result<Self> {
        let rate_hz = header::read(&data.join(format!("{name}.hea")))?.rate_hz;
        let annotations = read_annotations(&data.join(format!("{name}.atr")))?;
        let text = std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
        let found = called(&text).with_context(|| format!("{} is not what `model annotate ecg-beat` writes", file.display()))?;
        let flutter = flutter(&annotations, rate_hz);
        let beat = |a: &Annotation| Some((a.sample as f64 / rate_hz, aami(a.code)?));
        let counted =
            |at_s: f64| at_s >= LEARNING_S && flutter.iter().all(|(from, to)| at_s < from - MATCH_S || at_s > to + MATCH_S);
        let keep = |(at_s, class): (f64, BeatClass)| counted(at_s).then_some((at_s, class));
        let truth: Vec<_> = annotations.iter().filter_map(beat).filter_map(keep).collect();
        let found: Vec<_> = found.into_iter().filter_map(keep).collect();
        Ok(compare(&truth, &found))
    }
}

/// Pairs the beats in order of time.
fn compare(truth: &[(f64, BeatClass)], found: &[(f64, BeatClass)]) -> Compared {
    let mut compared = Compared::default();
    let (mut truth, mut found) = (truth.iter().peekable(), found.iter().peekable());
    while let (Some((at, class)), Some((found_at, called))) = (truth.peek(), found.peek()) {
        let gap = found_at - at;
        if gap.abs() <= MATCH_S {
            compared.classes.count(*class, *called);
        } else if gap < 0.0 {
            compared.false_ += 1;
        } else {
            compared.missed += 1;
        }
        if gap <= MATCH_S {
            found.next();
        }
        if gap >= -MATCH_S {
            truth.next();
        }
    }
    compared.missed += truth.count() as u64;
    compared.false_ += found.count() as u64;
    compared
}

/// Time in seconds and class of every line.
fn called(text: &str) -> anyhow::Result<Vec<(f64, BeatClass)>> {
    let mut lines = text.lines();
    let heading = lines.next().unwrap_or_default();
    if !heading.starts_with("sample,time_s,aami,") {
        bail!("its first line is {heading:?}");
    }
    lines
        .map(|line| {
            let mut fields = line.split(',').skip(1);
            let at_s = fields.next().and_then(|field| field.parse().ok());
            let letter = fields.next();
            let class = BeatClass::ALL
                .into_iter()
                .find(|class| letter == Some(class.letter().encode_utf8(&mut [0; 4])));
            at_s.zip(class).with_context(|| format!("it has the line {line:?}"))
        })
        .collect()
}

/// Class of a beat annotation by its code in ecgcodes.h.
const fn aami(code: u8) -> Option<BeatClass> {
    Some(match code {
        // N L R e j, B n
        1 | 2 | 3 | 34 | 11 | 25 | 35 => BeatClass::N,
        // A a J S
        8 | 4 | 7 | 9 => BeatClass::S,
        // V E, R-on-T
        5 | 10 | 41 => BeatClass::V,
        6 => BeatClass::F,
        // / f Q ?
        12 | 38 | 13 | 30 => BeatClass::Q,
        _ => return None,
    })
}

fn flutter(annotations: &[Annotation], rate_hz: f64) -> Vec<(f64, f64)> {
    let [begins, ends] = FLUTTER;
    let mut found = Vec::new();
    let mut from = None;
    for annotation in annotations {
        let at_s = annotation.sample as f64 / rate_hz;
        if annotation.code == begins {
            from = Some(at_s);
        } else if annotation.code == ends {
            found.extend(from.take().map(|from| (from, at_s)));
        }
    }
    found.extend(from.map(|from| (from, f64::INFINITY)));
    found
}

fn heading(output: &mut impl Write) -> anyhow::Result<()> {
    writeln!(
        output,
        "From 5 min on, within 150 ms, without flutter. QRS: missed and false; classes of the beats found.\n\
         record   beats missed  false | accuracy kappa     j    jk | S   Se   PPV    FPR | V   Se   PPV    FPR | F   Se   PPV"
    )?;
    Ok(())
}

fn row(name: &str, compared: &Compared, output: &mut impl Write) -> anyhow::Result<()> {
    let classes = &compared.classes;
    let [s, v, f] = [BeatClass::S, BeatClass::V, BeatClass::F].map(|class| classes.of(class));
    writeln!(
        output,
        "{name:7} {:6} {:6} {:6} | {:8.4} {:5.3} {:5.3} {:5.3} | {:6.3} {:5.3} {:6.4} | {:6.3} {:5.3} {:6.4} | {:6.3} {:5.3}",
        classes.total() + compared.missed,
        compared.missed,
        compared.false_,
        classes.accuracy(),
        classes.kappa(),
        classes.j(),
        classes.j_kappa(),
        s.sensitivity,
        s.precision,
        s.false_positive_rate,
        v.sensitivity,
        v.precision,
        v.false_positive_rate,
        f.sensitivity,
        f.precision,
    )?;
    Ok(())
}

fn table(classes: &Confusion, output: &mut impl Write) -> anyhow::Result<()> {
    writeln!(output, "\nall  called N        S        V        F        Q")?;
    for (class, row) in BeatClass::ALL.into_iter().zip(classes.0) {
        write!(output, "is {}  ", class.letter())?;
        for count in row {
            write!(output, " {count:8}")?;
        }
        writeln!(output)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn beats_pair_within_150_ms_and_the_rest_is_missed_or_false() {
        let truth = [(300.0, BeatClass::N), (301.0, BeatClass::V), (302.0, BeatClass::S)];
        let found = [
            (300.1, BeatClass::N),
            (300.5, BeatClass::V),
            (302.1, BeatClass::N),
            (303.0, BeatClass::N),
        ];
        let compared = compare(&truth, &found);
        assert_eq!((compared.missed, compared.false_, compared.classes.total()), (1, 2, 2));
        assert!((compared.classes.accuracy() - 0.5).abs() < 1e-9);
    }

    #[test]
    fn a_line_of_another_kind_is_named() {
        assert_eq!(
            called("sample,time_s,aami,p_n,p_s,p_v,p_f,p_q\n360,1.000,V,0,0,1,0,0\n").unwrap(),
            [(1.0, BeatClass::V)]
        );
        let error = called("sample,time_s,aami,p_n\n360,1.000,W,0\n").unwrap_err();
        assert!(error.to_string().contains("360,1.000,W,0"), "{error}");
        assert!(called("start_sample,p_shockable\n").is_err());
    }

    #[test]
    fn beats_in_flutter_are_left_out() {
        let mark = |sample, code| Annotation {
            sample,
            code,
            text: String::new(),
        };
        let spans = flutter(&[mark(360, 32), mark(720, 33), mark(1080, 32)], 360.0);
        assert_eq!(spans, [(1.0, 2.0), (3.0, f64::INFINITY)]);
    }
}
