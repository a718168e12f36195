//! `wardlight audit …`: reading and verifying the audit trail, also while the agent runs.

use std::io::Write;

use serde_json::{Map, Value, json};
use wardlight_core::hex;
use wardlight_journal::{AuditReport, Head, verify_audit};

use crate::config::Config;
use crate::keys;

/// Prints every record as a JSON line, oldest first. Returns how many could not be read; each is named on standard error.
/// # Errors
/// If the journal cannot be opened or the output fails.
pub(crate) fn list(config: &Config, since_ms: i64, mut output: impl Write) -> anyhow::Result<usize> {
    let mut reader = keys::reader(&config.journal)?;
    let mut unreadable = 0;
    for item in reader.audit() {
        match item {
            Ok(found) if found.at_ms < since_ms => {}
            Ok(found) => {
                let line = line(&found.head, &found.before, found.at_ms, &found.record);
                writeln!(output, "{}", Value::Object(line))?;
            }
            Err(error) => {
                unreadable += 1;
                // If standard error is gone there is nobody to tell.
                writeln!(std::io::stderr(), "{error}").ok();
            }
        }
    }
    output.flush()?;
    Ok(unreadable)
}

/// The record with its place in the chain.
pub(crate) fn line(head: &Head, before: &Head, at_ms: i64, record: &[u8]) -> Map<String, Value> {
    let mut line = Map::new();
    line.insert("n".to_owned(), json!(head.n));
    line.insert("at".to_owned(), json!(at_ms));
    line.insert("time".to_owned(), json!(utc(at_ms)));
    match serde_json::from_slice(record) {
        Ok(Value::Object(fields)) => line.extend(fields),
        Ok(_) | Err(_) => drop(line.insert("unreadable".to_owned(), json!(record.len()))),
    }
    line.insert("prev".to_owned(), json!(hex::encode(&before.hash)));
    line.insert("hash".to_owned(), json!(hex::encode(&head.hash)));
    line
}

/// Follows the chain and says where it breaks first; returns whether it is whole.
/// # Errors
/// If the journal cannot be opened or the output fails.
pub(crate) fn verify(config: &Config, noted: Option<&Head>, mut output: impl Write) -> anyhow::Result<bool> {
    let key = keys::load(&config.journal.key_file, &config.journal.dir)?;
    let report = verify_audit(&config.journal.dir, &key, noted)?;
    say(&report, noted, &mut output)?;
    output.flush()?;
    Ok(report.broken.is_none())
}

fn say(report: &AuditReport, noted: Option<&Head>, output: &mut impl Write) -> anyhow::Result<()> {
    let last = report
        .at_ms
        .map_or_else(String::new, |at_ms| format!(", the last of {}", utc(at_ms)));
    if report.base.n > 0 {
        writeln!(
            output,
            "Retention removed records 1 to {}; the chain begins behind them.",
            report.base.n
        )?;
    }
    if let Some(broken) = &report.broken {
        let at = broken
            .at_ms
            .map_or_else(String::new, |at_ms| format!(" (at or after {})", utc(at_ms)));
        writeln!(output, "BROKEN at record {}{at}: {}", broken.n, broken.what)?;
        writeln!(output, "{} records before it are whole{last}.", report.records)?;
        return Ok(());
    }
    writeln!(output, "{} records, whole{last}.", report.records)?;
    writeln!(output, "Head: {}", report.head)?;
    if noted.is_none() {
        writeln!(
            output,
            "Keep the head elsewhere and give it as --head later: only so an older copy put back is found."
        )?;
    }
    Ok(())
}

/// `2026-11-25T03:41:23.456Z`.
pub(crate) fn utc(at_ms: i64) -> String {
    let (seconds, millis) = (at_ms.div_euclid(1000), at_ms.rem_euclid(1000));
    let (days, second) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    let (year, month, day) = civil(days);
    let (hour, minute) = (second / 3600, second / 60 % 60);
    format!(
        "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{:02}.{millis:03}Z",
        second % 60
    )
}

/// Days since 1970 as a date of the Gregorian calendar (H. Hinnant, "chrono-Compatible Low-Level Date Algorithms").
fn civil(days: i64) -> (i64, i64, i64) {
    let z = days + 719_468;
    let era = z.div_euclid(146_097);
    let day_of_era = z.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}

/// Milliseconds since 1970 from a date, `2026-11-25` or `2026-11-25T03:41:23Z`, or from such a number.
/// # Errors
/// What was expected.
pub(crate) fn since(text: &str) -> Result<i64, String> {
    let expected = || format!("{text:?}: expected a date such as 2026-11-25 or 2026-11-25T03:41:23Z, or milliseconds since 1970");
    if let Ok(millis) = text.parse() {
        return Ok(millis);
    }
    let (date, time) = text.split_once('T').unwrap_or((text, "00:00:00Z"));
    let numbers = |text: &str, separator: char| -> Option<[i64; 3]> {
        let parts: Vec<i64> = text.split(separator).map(|part| part.parse().ok()).collect::<Option<_>>()?;
        parts.try_into().ok()
    };
    let [year, month, day] = numbers(date, '-').ok_or_else(expected)?;
    let [hour, minute, second] = time
        .strip_suffix('Z')
        .and_then(|time| numbers(time, ':'))
        .ok_or_else(expected)?;
    let fits = (1970..=9999).contains(&year) && (0..24).contains(&hour) && (0..60).contains(&minute) && (0..60).contains(&second);
    // The one day whose date is this: within two of where the mean year puts it.
    let about = (year - 1970) * 365 + (year - 1969) / 4 + (month - 1) * 31 + day;
    let found = (about - 40..=about + 40).find(|days| civil(*days) == (year, month, day));
    let days = found.filter(|_| fits).ok_or_else(expected)?;
    Ok((days * 86_400 + hour * 3600 + minute * 60 + second) * 1000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_printed_and_read() {
        for (at_ms, text) in [
            (0, "1970-01-01T00:00:00.000Z"),
            (951_782_400_000, "2000-02-29T00:00:00.000Z"),
            (1_795_578_083_456, "2026-11-25T03:41:23.456Z"),
            (4_107_542_399_999, "2100-02-28T23:59:59.999Z"),
        ] {
            assert_eq!(utc(at_ms), text);
            let whole = format!("{}Z", &text[..19]);
            assert_eq!(since(&whole), Ok(at_ms / 1000 * 1000));
            assert_eq!(since(&text[..10]), Ok(at_ms / 86_400_000 * 86_400_000));
        }
        assert_eq!(since("1700000000000"), Ok(1_700_000_000_000));
        for bad in [
            "",
            "x",
            "2026-13-01",
            "2026-02-30",
            "2026-01-01T24:00:00Z",
            "2026-01-01T00:00:00",
            "2026-01",
        ] {
            assert!(since(bad).is_err(), "{bad}");
        }
    }
}
