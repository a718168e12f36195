//! Scripts as they are written, in TOML.

use std::time::Duration;

use serde::Deserialize;

use super::{Act, BedScript, Expectation, Happening, Scenario};
use crate::SimulatorError;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    about: String,
    #[serde(default = "one")]
    beds: usize,
    #[serde(default)]
    wearables: usize,
    duration_s: f64,
    #[serde(default)]
    daily_life: bool,
    #[serde(default)]
    may: Vec<String>,
    #[serde(default)]
    bed: Vec<RawBed>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawBed {
    number: usize,
    #[serde(default = "real_time")]
    speed: f64,
    #[serde(default)]
    arterial_line: bool,
    #[serde(default)]
    happening: Vec<RawHappening>,
    #[serde(default)]
    expect: Vec<RawExpectation>,
    #[serde(default)]
    may: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawHappening {
    at_s: f64,
    act: Act,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawExpectation {
    kind: String,
    from_s: f64,
    by_s: f64,
}

const fn one() -> usize {
    1
}

const fn real_time() -> f64 {
    1.0
}

/// Most beds of a script.
const MOST_BEDS: usize = 10_000;
/// Longest script: a week.
const LONGEST_S: f64 = 7.0 * 86_400.0;

/// Reads a script.
/// # Errors
/// [`SimulatorError::Scenario`] with the place in the script.
pub fn parse(name: &str, text: &str) -> Result<Scenario, SimulatorError> {
    let fault = |what: String| SimulatorError::Scenario {
        scenario: name.to_owned(),
        what,
    };
    let raw: Raw = toml::from_str(text).map_err(|e| fault(e.to_string()))?;
    if !(1..=MOST_BEDS).contains(&raw.beds) || raw.wearables > raw.beds {
        return Err(fault(format!(
            "beds = {}, wearables = {}: expected 1 to {MOST_BEDS} beds and no more wearables than beds",
            raw.beds, raw.wearables
        )));
    }
    let duration = seconds("duration_s", raw.duration_s).map_err(fault)?;
    let scripts: Result<Vec<BedScript>, String> = raw.bed.into_iter().map(|bed| check(bed, raw.beds)).collect();
    let mut scripts = scripts.map_err(fault)?;
    scripts.sort_by_key(|s| s.bed);
    if let Some(twice) = scripts
        .windows(2)
        .find_map(|pair| pair.first().filter(|a| pair.last().is_some_and(|b| a.bed == b.bed)))
    {
        return Err(fault(format!("bed {}: scripted twice", twice.bed)));
    }
    Ok(Scenario {
        name: name.to_owned(),
        about: raw.about,
        beds: raw.beds,
        wearables: raw.wearables,
        duration,
        daily_life: raw.daily_life,
        scripts,
        may: raw.may,
    })
}

fn check(raw: RawBed, beds: usize) -> Result<BedScript, String> {
    if !(1..=beds).contains(&raw.number) {
        return Err(format!("bed number {}: expected 1 to {beds}", raw.number));
    }
    if !(0.01..=10_000.0).contains(&raw.speed) {
        return Err(format!("bed {}: speed {}: expected 0.01 to 10000", raw.number, raw.speed));
    }
    let mut happenings = Vec::with_capacity(raw.happening.len());
    for happening in raw.happening {
        happenings.push(Happening {
            at: seconds("at_s", happening.at_s)?,
            act: happening.act,
        });
    }
    happenings.sort_by_key(|h| h.at);
    let mut expect = Vec::with_capacity(raw.expect.len());
    for expected in raw.expect {
        let (from, by) = (seconds("from_s", expected.from_s)?, seconds("by_s", expected.by_s)?);
        if from >= by {
            return Err(format!("bed {}: {}: from_s is not before by_s", raw.number, expected.kind));
        }
        expect.push(Expectation {
            kind: expected.kind,
            from,
            by,
        });
    }
    Ok(BedScript {
        bed: raw.number,
        speed: raw.speed,
        arterial_line: raw.arterial_line,
        happenings,
        expect,
        may: raw.may,
    })
}

fn seconds(what: &str, value: f64) -> Result<Duration, String> {
    if (0.0..=LONGEST_S).contains(&value) {
        return Ok(Duration::from_secs_f64(value));
    }
    Err(format!("{what} = {value}: expected 0 to {LONGEST_S} seconds"))
}
