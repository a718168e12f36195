//! What may be asked of a device from afar: each setting is checked against its profile before anybody writes it down.

use std::time::Duration;

use serde_json::{Map, Value};
use wardlight_wire::cmd::Desired;

use crate::profile::Profile;

/// What can be set at all.
const SETTINGS: &str = "interval_ms, battery_low_percent or waves";

/// Settings that a profile does not allow, all of them.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", .0.join("\n"))]
pub struct SettingsError(pub Vec<String>);

/// The next revision of what is desired: `assignments` as `name=value`, on top of what was desired before, or of a device as it was
/// delivered. Of waveforms the value lists the codes, none to switch all off.
/// # Errors
/// [`SettingsError`] with every assignment that the profile does not allow.
pub fn configure(
    profile: &Profile,
    before: Option<&Desired>,
    assignments: &[String],
    as_delivered: bool,
) -> Result<Desired, SettingsError> {
    let kept = before.filter(|_| !as_delivered);
    let mut set = kept.map(|desired| desired.set.clone()).unwrap_or_default();
    let mut faults = Vec::new();
    for assignment in assignments {
        match setting(profile, assignment) {
            Ok((name, value)) => drop(set.insert(name, value)),
            Err(fault) => faults.push(fault),
        }
    }
    if !faults.is_empty() {
        return Err(SettingsError(faults));
    }
    // A revision only has to differ from the one before.
    let rev = before.map_or(1, |desired| desired.rev.wrapping_add(1));
    Ok(Desired { rev, set })
}

/// As people read it: `interval_ms = 1000, waves = [131330]`.
pub fn shown(set: &Map<String, Value>) -> String {
    if set.is_empty() {
        return "as delivered".to_owned();
    }
    let all: Vec<String> = set.iter().map(|(name, value)| format!("{name} = {value}")).collect();
    all.join(", ")
}

fn setting(profile: &Profile, assignment: &str) -> Result<(String, Value), String> {
    let (name, text) = assignment
        .split_once('=')
        .ok_or_else(|| format!("{assignment:?}: expected NAME=VALUE with {SETTINGS}"))?;
    let value = match name {
        "interval_ms" => interval(profile, text),
        "battery_low_percent" => battery(profile, text),
        "waves" => waves(profile, text),
        _ => Err(format!("expected {SETTINGS}")),
    };
    let value = value.map_err(|expected| format!("{name} = {text:?}: {expected}"))?;
    Ok((name.to_owned(), value))
}

fn interval(profile: &Profile, text: &str) -> Result<Value, String> {
    let (shortest, longest) = profile.settable.interval;
    let wanted = text
        .parse()
        .ok()
        .filter(|ms| (shortest..=longest).contains(&Duration::from_millis(*ms)));
    let (low, high) = (shortest.as_millis(), longest.as_millis());
    wanted
        .map(Value::from)
        .ok_or_else(|| format!("profile {}: expected {low} to {high}", profile.name))
}

fn battery(profile: &Profile, text: &str) -> Result<Value, String> {
    let (least, most) = profile
        .settable
        .battery_low_percent
        .ok_or_else(|| format!("profile {}: has no battery", profile.name))?;
    let wanted = text.parse::<u8>().ok().filter(|percent| (least..=most).contains(percent));
    wanted
        .map(Value::from)
        .ok_or_else(|| format!("profile {}: expected {least} to {most}", profile.name))
}

fn waves(profile: &Profile, text: &str) -> Result<Value, String> {
    let has: Vec<u32> = profile.channels.iter().filter(|c| c.wave.is_some()).map(|c| c.code).collect();
    let known = |code: &str| code.trim().parse().ok().filter(|code| has.contains(code));
    let codes = text.split(',').filter(|code| !code.trim().is_empty());
    let wanted: Option<Vec<u32>> = codes.map(known).collect();
    wanted.map(Value::from).ok_or_else(|| {
        let all: Vec<String> = has.iter().map(ToString::to_string).collect();
        format!(
            "profile {}: expected codes of its waveforms, of {}",
            profile.name,
            all.join(",")
        )
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn esp32() -> Profile {
        Profile::builtin("esp32-max30102").unwrap()
    }

    fn next(before: Option<&Desired>, assignments: &[&str], as_delivered: bool) -> Result<Desired, String> {
        let assignments: Vec<String> = assignments.iter().map(ToString::to_string).collect();
        configure(&esp32(), before, &assignments, as_delivered).map_err(|error| error.to_string())
    }

    #[test]
    fn settings_come_on_top_of_those_before_or_of_a_device_as_delivered() {
        let first = next(None, &["interval_ms=200", "waves=150452"], false).unwrap();
        assert_eq!(
            Value::Object(first.set.clone()),
            json!({"interval_ms": 200, "waves": [150_452]})
        );
        let second = next(Some(&first), &["battery_low_percent=50", "waves="], false).unwrap();
        let expected = json!({"interval_ms": 200, "waves": [], "battery_low_percent": 50});
        assert_eq!((second.rev, Value::Object(second.set.clone())), (2, expected));
        let third = next(Some(&second), &["interval_ms=600000"], true).unwrap();
        assert_eq!((third.rev, shown(&third.set).as_str()), (3, "interval_ms = 600000"));
        let last = next(Some(&third), &[], true).unwrap();
        assert_eq!((last.rev, shown(&last.set).as_str()), (4, "as delivered"));
        let around = Desired { rev: u32::MAX, ..last };
        assert_eq!(next(Some(&around), &[], true).unwrap().rev, 0);
    }

    #[test]
    fn what_the_profile_does_not_allow_is_named_all_at_once() {
        let faults = next(
            None,
            &[
                "interval_ms=199",
                "interval_ms=600001",
                "battery_low_percent=4",
                "waves=150452,131330",
                "colour=red",
                "waves",
            ],
            false,
        );
        assert_eq!(
            faults.unwrap_err(),
            "interval_ms = \"199\": profile esp32-max30102: expected 200 to 600000\n\
             interval_ms = \"600001\": profile esp32-max30102: expected 200 to 600000\n\
             battery_low_percent = \"4\": profile esp32-max30102: expected 5 to 50\n\
             waves = \"150452,131330\": profile esp32-max30102: expected codes of its waveforms, of 150452\n\
             colour = \"red\": expected interval_ms, battery_low_percent or waves\n\
             \"waves\": expected NAME=VALUE with interval_ms, battery_low_percent or waves"
        );
        let mains = Profile::builtin("simulator").unwrap();
        let fault = configure(&mains, None, &["battery_low_percent=20".to_owned()], false).unwrap_err();
        assert!(fault.to_string().ends_with("profile simulator: has no battery"), "{fault}");
    }
}
