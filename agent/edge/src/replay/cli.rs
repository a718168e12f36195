//! `wardlight replay …`, and the page's "what if".

use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{Duration, UNIX_EPOCH};

use anyhow::{Context, bail};
use clap::Args;
use serde::Serialize;
use wardlight_core::event::AlarmChange;
use wardlight_core::time::Timestamp;
use wardlight_journal::Reader;
use wardlight_station::{WhatIf, WhatIfAnswer, WhatIfSide};

use super::{Changes, Comparison, Period, compare, extent, recorded, replay};
use crate::config::Config;
use crate::keys;
use crate::run::ward_config;

/// `wardlight replay`.
#[derive(Debug, Args)]
pub(crate) struct ReplayArgs {
    /// Folder that `wardlight init` made, or its configuration file
    #[arg(value_name = "JOURNAL")]
    journal: PathBuf,
    /// With the limits of this file instead, as docs/operations.md shows
    #[arg(long, value_name = "FILE")]
    limits: Option<PathBuf>,
    /// With the alarms of this file switched off, as docs/operations.md shows
    #[arg(long, value_name = "FILE")]
    rules: Option<PathBuf>,
    /// From then on: 2026-11-25T03:00:00Z, or 2h for that long before the end
    #[arg(long, value_name = "TIME")]
    from: Option<String>,
    /// Up to then
    #[arg(long, value_name = "TIME")]
    to: Option<String>,
    /// Write the result as JSON
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
}

/// The result as JSON.
#[derive(Debug, Serialize)]
struct Report {
    from: i64,
    until: i64,
    inputs: u64,
    unreadable: u64,
    /// Whether the replay said the same as the record, bit for bit; absent where something was changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    exact: Option<bool>,
    recorded_changes: usize,
    replayed_changes: usize,
    /// The first change that differs, as recorded and as replayed.
    #[serde(skip_serializing_if = "Option::is_none")]
    first_difference: Option<[String; 2]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    comparison: Option<Comparison>,
}

/// Replays and reports. Returns whether the record was reproduced, or with changes whether they could be applied.
/// # Errors
/// With the file and what was expected of it.
pub(crate) fn run(args: &ReplayArgs, mut output: impl Write) -> anyhow::Result<bool> {
    let config = Config::load(&config_file(&args.journal))?;
    let changes = Changes::load(args.limits.as_deref(), args.rules.as_deref())?;
    let mut reader = open(&config)?;
    let Some(all) = extent(&mut reader)? else {
        bail!("{}: the journal holds nothing to replay", config.journal.dir.display());
    };
    let period = Period {
        from: args.from.as_deref().map_or(Ok(all.from), |text| time(text, all.until))?,
        until: args.to.as_deref().map_or(Ok(all.until), |text| time(text, all.until))?,
    };
    if period.from >= period.until {
        bail!("--from {} is not before --to {}", show(period.from), show(period.until));
    }
    let as_it_was = replay(&mut reader, ward_config(&config), period, &Changes::none())?;
    let record = recorded(&mut reader, period)?;
    let difference = first_difference(&record, &as_it_was.changes);
    let exact = difference.is_none();
    let mut report = Report {
        from: period.from.as_millis(),
        until: period.until.as_millis(),
        inputs: as_it_was.inputs,
        unreadable: as_it_was.unreadable,
        exact: Some(exact),
        recorded_changes: record.len(),
        replayed_changes: as_it_was.changes.len(),
        first_difference: difference,
        comparison: None,
    };
    writeln!(
        output,
        "{} to {}: {} inputs, {} recorded alarm changes",
        show(period.from),
        show(period.until),
        report.inputs,
        report.recorded_changes
    )?;
    let mut good = exact;
    if !changes.is_empty() {
        let otherwise = replay(&mut reader, ward_config(&config), period, &changes)?;
        for refusal in &otherwise.refused {
            writeln!(output, "REFUSED  {refusal}")?;
        }
        good = otherwise.refused.is_empty();
        report.comparison = Some(compare(&as_it_was, &otherwise));
    }
    tell(&report, &mut output)?;
    if let Some(file) = &args.report {
        let text = serde_json::to_vec_pretty(&report)?;
        std::fs::write(file, text).with_context(|| format!("{}: cannot be written", file.display()))?;
    }
    output.flush()?;
    Ok(good)
}

/// Answers the page: the last hours with other limits.
/// # Errors
/// With what failed, for the person who asked.
pub(crate) fn what_if(config: &Config, question: &WhatIf, now: Timestamp) -> anyhow::Result<WhatIfAnswer> {
    let mut reader = open(config)?;
    let period = Period {
        from: now.minus(Duration::from_secs(u64::from(question.hours) * 3600)),
        until: now,
    };
    let before = replay(&mut reader, ward_config(config), period, &Changes::none())?;
    let after = replay(&mut reader, ward_config(config), period, &Changes::of(question))?;
    if let Some(refusal) = after.refused.first() {
        bail!("{refusal}");
    }
    let comparison = compare(&before, &after);
    let side = |summary: super::compare::Summary| WhatIfSide {
        alarms_per_bed_day: summary.alarms_per_bed_day,
        by_kind: summary.by_kind,
    };
    Ok(WhatIfAnswer {
        bed_days: comparison.bed_days,
        before: side(comparison.before),
        after: side(comparison.after),
        gained: comparison.gained,
        lost: comparison.lost,
        earlier_s: comparison.earlier.mean_s,
        later_s: comparison.later.mean_s,
    })
}

fn tell(report: &Report, output: &mut impl Write) -> anyhow::Result<()> {
    match (&report.first_difference, report.unreadable) {
        (None, 0) => writeln!(output, "The replay gives the same alarms, bit for bit.")?,
        (None, n) => writeln!(output, "The replay gives the same alarms; {n} entries could not be read.")?,
        (Some([was, is]), _) => {
            writeln!(output, "DIFFERENT: {} changes replayed.", report.replayed_changes)?;
            writeln!(output, "  recorded  {was}\n  replayed  {is}")?;
        }
    }
    let Some(c) = &report.comparison else { return Ok(()) };
    writeln!(output, "\nOver {:.2} bed-days, as it was and with the changes:", c.bed_days)?;
    writeln!(
        output,
        "  alarms per bed and day  {:8.1}  {:8.1}",
        c.before.alarms_per_bed_day, c.after.alarms_per_bed_day
    )?;
    let kinds: std::collections::BTreeSet<_> = c.before.by_kind.keys().chain(c.after.by_kind.keys()).collect();
    for kind in kinds {
        let count = |side: &super::compare::Summary| side.by_kind.get(kind).copied().unwrap_or(0);
        writeln!(output, "  {kind:<22}  {:8}  {:8}", count(&c.before), count(&c.after))?;
    }
    writeln!(output, "  not raised any more: {}; new: {}", c.lost, c.gained)?;
    writeln!(
        output,
        "  earlier: {} by {:.1} min on average; later: {} by {:.1} min",
        c.earlier.alarms,
        c.earlier.mean_s / 60.0,
        c.later.alarms,
        c.later.mean_s / 60.0
    )?;
    Ok(())
}

fn first_difference(record: &[AlarmChange], replayed: &[AlarmChange]) -> Option<[String; 2]> {
    let longest = record.len().max(replayed.len());
    let at = (0..longest).find(|&at| record.get(at) != replayed.get(at))?;
    let line = |change: Option<&AlarmChange>| {
        change.map_or_else(
            || "nothing".to_owned(),
            |c| {
                format!(
                    "{} {} r{} {} {} at {}",
                    c.id,
                    c.transition.name(),
                    c.revision,
                    c.state.name(),
                    c.priority.name(),
                    show(c.changed_at)
                )
            },
        )
    };
    Some([line(record.get(at)), line(replayed.get(at))])
}

fn open(config: &Config) -> anyhow::Result<Reader> {
    keys::reader(&config.journal)
}

fn config_file(path: &Path) -> PathBuf {
    if path.is_dir() {
        path.join("agent.toml")
    } else {
        path.to_path_buf()
    }
}

/// A time of day, or how long before the end.
fn time(text: &str, end: Timestamp) -> anyhow::Result<Timestamp> {
    if let Ok(before) = humantime::parse_duration(text) {
        return Ok(end.minus(before));
    }
    let at = humantime::parse_rfc3339_weak(text)
        .with_context(|| format!("time {text:?}: expected 2026-11-25T03:00:00Z, or 2h for that long before the end"))?;
    let since = at.duration_since(UNIX_EPOCH).unwrap_or_default();
    Ok(Timestamp::from_millis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX)))
}

fn show(at: Timestamp) -> String {
    let ms = u64::try_from(at.as_millis()).unwrap_or(0);
    let time = UNIX_EPOCH.checked_add(Duration::from_millis(ms)).unwrap_or(UNIX_EPOCH);
    humantime::format_rfc3339_millis(time).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_told_by_the_clock_or_from_the_end() {
        let end = Timestamp::from_millis(1_767_225_600_000);
        assert_eq!(time("2h", end).unwrap(), end.minus(Duration::from_hours(2)));
        assert_eq!(time("2026-01-01T00:00:00Z", end).unwrap(), end);
        assert!(time("yesterday", end).is_err());
        assert_eq!(show(end), "2026-01-01T00:00:00.000Z");
    }
}
