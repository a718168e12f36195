//! `wardlight score news2`: JSON lines in, JSON lines out.

use std::io::{BufRead, Write};

use anyhow::Context;
use serde::{Deserialize, Serialize};
use wardlight_core::patient::{Consciousness, Spo2Scale};
use wardlight_core::scores::{News2, News2Input};
use wardlight_core::vitals::Milli;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    rr: Option<f64>,
    spo2: Option<f64>,
    scale: Option<u8>,
    oxygen: Option<bool>,
    sbp: Option<f64>,
    pulse: Option<f64>,
    acvpu: Option<String>,
    temp: Option<f64>,
}

#[derive(Debug, Serialize)]
struct Answer {
    total: Option<u8>,
    at_least: u8,
    parts: serde_json::Map<String, serde_json::Value>,
    any_three: bool,
    band: &'static str,
}

#[derive(Debug, Serialize)]
struct Failure {
    line: usize,
    error: String,
}

/// Scores each line of `input`. A line that cannot be scored is answered with its number and what was expected;
/// the others go on. Returns how many could not.
/// # Errors
/// If reading or writing fails.
pub(crate) fn news2(input: impl BufRead, mut output: impl Write) -> anyhow::Result<usize> {
    let mut failures = 0;
    for (index, line) in input.lines().enumerate() {
        let line = line.context("standard input")?;
        if line.trim().is_empty() {
            continue;
        }
        let answer = match answer(&line) {
            Ok(answer) => serde_json::to_string(&answer)?,
            Err(error) => {
                failures += 1;
                serde_json::to_string(&Failure { line: index + 1, error })?
            }
        };
        writeln!(output, "{answer}").context("standard output")?;
    }
    Ok(failures)
}

fn answer(line: &str) -> Result<Answer, String> {
    let line: Line = serde_json::from_str(line).map_err(|error| error.to_string())?;
    let whole = |field, value| number(field, value, (0.0, 400.0)).map(|v| v.map(Milli::rounded));
    let scale = match line.scale {
        None | Some(1) => Spo2Scale::One,
        Some(2) => Spo2Scale::Two,
        Some(other) => return Err(format!("scale = {other}: expected 1 or 2")),
    };
    let consciousness = match line.acvpu.as_deref() {
        None => None,
        Some(letter) => match Consciousness::from_letter(letter) {
            Some(level) => Some(level),
            None => return Err(format!("acvpu = {letter:?}: expected A, C, V, P or U")),
        },
    };
    let score = News2::of(&News2Input {
        resp_rate: whole("rr", line.rr)?,
        spo2: number("spo2", line.spo2, (0.0, 100.0))?.map(Milli::rounded),
        scale,
        oxygen: line.oxygen,
        systolic: whole("sbp", line.sbp)?,
        pulse: whole("pulse", line.pulse)?,
        consciousness,
        temperature_tenths: number("temp", line.temp, (0.0, 50.0))?.map(Milli::tenths),
    });
    // The same keys as on the way in; the score's parts come in the order of the chart.
    let keys = ["rr", "spo2", "oxygen", "sbp", "pulse", "acvpu", "temp"];
    let points = score.parts.named().map(|(_, points)| points.into());
    let parts = keys.map(str::to_owned).into_iter().zip(points);
    Ok(Answer {
        total: score.total,
        at_least: score.at_least,
        parts: parts.collect(),
        any_three: score.any_three,
        band: score.band.name(),
    })
}

fn number(field: &str, value: Option<f64>, (low, high): (f64, f64)) -> Result<Option<Milli>, String> {
    match value {
        None => Ok(None),
        Some(v) if (low..=high).contains(&v) => Ok(Milli::from_f64(v)),
        Some(v) => Err(format!("{field} = {v}: expected {low} to {high}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(line: &str) -> serde_json::Value {
        let mut out = Vec::new();
        news2(line.as_bytes(), &mut out).unwrap();
        serde_json::from_slice(&out).unwrap()
    }

    #[test]
    fn a_full_line_gets_a_total_and_a_partial_one_a_lower_bound() {
        let full = ask(r#"{"rr":22,"spo2":94,"scale":1,"oxygen":false,"sbp":105,"pulse":95,"acvpu":"A","temp":38.5}"#);
        assert_eq!((&full["total"], &full["band"]), (&6.into(), &"medium".into()));
        let partial = ask(r#"{"rr":25,"spo2":null}"#);
        assert_eq!(
            (&partial["total"], &partial["at_least"]),
            (&serde_json::Value::Null, &3.into())
        );
    }

    #[test]
    fn nonsense_is_answered_with_the_field_and_what_was_expected() {
        for (line, names) in [
            (r#"{"rr":"x"}"#, "invalid type"),
            (r#"{"acvpu":"X"}"#, "acvpu"),
            (r#"{"spo2":101}"#, "spo2"),
            (r#"{"scale":3}"#, "scale"),
            (r#"{"hr":70}"#, "unknown field `hr`"),
            ("{", "EOF"),
        ] {
            let answer = ask(line);
            assert!(answer["error"].as_str().unwrap().contains(names), "{answer}");
        }
    }
}
