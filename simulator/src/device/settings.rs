//! What a device can be told from afar, and what it was told.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde_json::Value;
use wardlight_core::codes::Waveform;
use wardlight_core::message::Birth;
use wardlight_wire::cmd::Desired;
use wardlight_wire::limits::{MAX_REJECTED, MAX_SETTING, MAX_TEXT};

use crate::ward::TICK;

/// Longest time between numerics.
const LONGEST_INTERVAL: Duration = Duration::from_mins(10);
/// At this charge a device says that its battery is low, unless told otherwise.
const BATTERY_LOW_PERCENT: u8 = 15;

/// The settings of one device.
#[derive(Clone, Debug)]
pub(super) struct Settings {
    /// As the device was delivered.
    delivered: (Duration, BTreeSet<u32>),
    has_battery: bool,
    /// Time between numerics.
    pub(super) interval: Duration,
    /// The charge at which the battery is low.
    pub(super) battery_low_percent: u8,
    /// Codes of the waveforms that are sent.
    pub(super) waves: BTreeSet<u32>,
}

impl Settings {
    /// A device that is delivered with these.
    pub(super) fn new(interval: Duration, waves: BTreeSet<u32>, has_battery: bool) -> Self {
        Self {
            delivered: (interval, waves.clone()),
            has_battery,
            interval,
            battery_low_percent: BATTERY_LOW_PERCENT,
            waves,
        }
    }

    /// Takes what is desired; the rest is as delivered. Returns what it does not take, each with the reason.
    pub(super) fn take(&mut self, desired: &Desired) -> BTreeMap<String, String> {
        let (interval, waves) = self.delivered.clone();
        *self = Self::new(interval, waves, self.has_battery);
        let mut rejected = BTreeMap::new();
        for (name, value) in desired.set.iter().take(MAX_REJECTED) {
            if let Err(expected) = self.set(name, value) {
                rejected.insert(cut(name, MAX_SETTING), cut(&format!("{value}: {expected}"), MAX_TEXT));
            }
        }
        rejected
    }

    fn set(&mut self, name: &str, value: &Value) -> Result<(), String> {
        match name {
            "interval_ms" => {
                let wanted = value.as_u64().map(Duration::from_millis);
                let possible = wanted.filter(|interval| (TICK..=LONGEST_INTERVAL).contains(interval));
                let (low, high) = (TICK.as_millis(), LONGEST_INTERVAL.as_millis());
                self.interval = possible.ok_or_else(|| format!("expected {low} to {high}"))?;
            }
            "battery_low_percent" if self.has_battery => {
                let percent = value.as_u64().and_then(|p| u8::try_from(p).ok()).filter(|p| *p <= 100);
                self.battery_low_percent = percent.ok_or("expected 0 to 100")?;
            }
            "waves" => {
                let codes = value.as_array().ok_or("expected a list of codes")?;
                let known = |code: &Value| {
                    let code = u32::try_from(code.as_u64()?).ok()?;
                    self.delivered.1.get(&code).copied()
                };
                let waves: Option<BTreeSet<u32>> = codes.iter().map(known).collect();
                self.waves = waves.ok_or("expected waveforms of this device")?;
            }
            _ => return Err("no such setting".to_owned()),
        }
        Ok(())
    }

    /// What the device then says of itself.
    pub(super) fn birth(&self, delivered: &Birth) -> Birth {
        let mut birth = delivered.clone();
        let is_wave = |code| Waveform::from_code(code).is_some();
        birth.channels.retain(|c| !is_wave(c.code) || self.waves.contains(&c.code));
        if self.interval != self.delivered.0 {
            let hz = self.interval.as_secs_f32().recip();
            let numerics = birth.channels.iter_mut().filter(|c| !is_wave(c.code));
            numerics.for_each(|channel| channel.rate_hz = Some(hz));
        }
        birth
    }
}

fn cut(text: &str, characters: usize) -> String {
    text.chars().take(characters).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn told(set: &Value) -> (Settings, BTreeMap<String, String>) {
        let mut settings = Settings::new(Duration::from_secs(1), [131_330, 150_452].into(), true);
        let set = set.as_object().cloned().unwrap();
        let rejected = settings.take(&Desired { rev: 1, set });
        (settings, rejected)
    }

    #[test]
    fn what_is_possible_is_taken_and_the_rest_is_named_with_the_reason() {
        let (settings, rejected) = told(&json!({
            "interval_ms": 50, "battery_low_percent": 20, "waves": [131_330], "colour": "red",
        }));
        assert_eq!(settings.interval, Duration::from_secs(1), "as delivered");
        assert_eq!((settings.battery_low_percent, settings.waves), (20, [131_330].into()));
        let expected = [
            ("colour".to_owned(), "\"red\": no such setting".to_owned()),
            ("interval_ms".to_owned(), "50: expected 500 to 600000".to_owned()),
        ];
        assert_eq!(rejected, expected.into());
    }

    #[test]
    fn a_setting_that_is_no_longer_desired_is_as_delivered() {
        let (mut settings, rejected) = told(&json!({"interval_ms": 5000, "waves": []}));
        assert_eq!((rejected.len(), settings.interval), (0, Duration::from_secs(5)));
        settings.take(&Desired::default());
        assert_eq!(settings.interval, Duration::from_secs(1));
        assert_eq!(settings.waves, [131_330, 150_452].into());
    }

    #[test]
    fn a_reason_is_never_longer_than_the_contract_allows() {
        let (_, rejected) = told(&json!({"x".repeat(99): "y".repeat(99), "waves": [1]}));
        assert_eq!(rejected.len(), 2);
        assert!(rejected.iter().all(|(name, reason)| name.len() <= 32 && reason.len() <= 64));
    }
}
