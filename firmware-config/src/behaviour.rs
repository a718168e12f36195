//! What a device is built on, what may be asked of it, and how it fails.

use std::time::Duration;

use toml::de::DeValue;

use crate::reader::{Faults, Fields, choice, integer, number, span, words};

/// Shortest and longest interval between two messages of numerics, in seconds.
pub(crate) const INTERVAL_S: (f64, f64) = (0.1, 600.0);

/// What the firmware is built with, which says what its bundle holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Platform {
    /// Espressif's ESP-IDF.
    EspIdf,
    /// Zephyr, also as Nordic's SDK.
    Zephyr,
    /// An app on a telephone that speaks for Bluetooth wearables.
    Phone,
    /// A computer or a box that speaks for devices with a serial line or HL7.
    Gateway,
}

const PLATFORMS: [(&str, Platform); 4] = [
    ("esp-idf", Platform::EspIdf),
    ("zephyr", Platform::Zephyr),
    ("phone", Platform::Phone),
    ("gateway", Platform::Gateway),
];

impl Platform {
    /// Its name in a profile.
    pub fn name(self) -> &'static str {
        PLATFORMS
            .iter()
            .find(|(_, known)| *known == self)
            .map_or("gateway", |(name, _)| name)
    }

    pub(crate) fn read(root: &mut Fields<'_>, faults: &mut Faults<'_>) -> Option<Self> {
        root.required("platform", &words(&PLATFORMS), faults, |v| choice(v, &PLATFORMS))
    }
}

/// A device's battery.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Battery {
    /// From full to empty.
    pub lasts: Duration,
    /// Charge in percent from which on it is low.
    pub low_percent: u8,
}

impl Battery {
    pub(crate) fn read(mut fields: Fields<'_>, faults: &mut Faults<'_>) -> Option<Self> {
        let hours = fields.required("hours", "0.1 to 100000", faults, |v| number(v, 0.1, 100_000.0));
        let low = fields.required("low_percent", "0 to 100", faults, percent);
        fields.finish(faults);
        Some(Self {
            lasts: Duration::from_secs_f64(hours? * 3600.0),
            low_percent: low?,
        })
    }
}

/// What may be asked of the device while it runs; anything else it rejects. Which waveforms it sends may always be asked.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Settable {
    /// Shortest and longest interval between two messages of numerics.
    pub interval: (Duration, Duration),
    /// Least and most percent of charge that may count as low; `None` without a battery.
    pub battery_low_percent: Option<(u8, u8)>,
}

impl Settable {
    pub(crate) fn read(mut fields: Fields<'_>, battery: bool, faults: &mut Faults<'_>) -> Option<Self> {
        let (least, most) = INTERVAL_S;
        let expected = format!("[shortest, longest] within {least} to {most}");
        let interval = fields.required("interval_s", &expected, faults, |v| span(v, least, most));
        let low = if battery {
            let expected = "[least, most] percent within 0 to 100";
            fields.required("battery_low_percent", expected, faults, |v| span(v, 0.0, 100.0))
        } else {
            None
        };
        fields.finish(faults);
        let (shortest, longest) = interval?;
        Some(Self {
            interval: (Duration::from_secs_f64(shortest), Duration::from_secs_f64(longest)),
            battery_low_percent: low.map(|(least, most)| (least as u8, most as u8)),
        })
    }
}

/// Whether a device tells of a trouble.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Telling {
    /// It says so: an empty value with the reason, an event, or both.
    Said,
    /// It only falls silent; the agent notices by the missing values.
    Silent,
}

const TELLINGS: [(&str, Telling); 2] = [("said", Telling::Said), ("silent", Telling::Silent)];

impl Telling {
    /// Its name in a profile.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Said => "said",
            Self::Silent => "silent",
        }
    }
}

/// How the device fails: what a ward sees when something of it does not work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Failing {
    /// A sensor or electrode is off.
    pub sensor_off: Telling,
    /// The battery runs empty; `None` without a battery.
    pub battery_empty: Option<Telling>,
    /// How long numerics are kept while the link is down, to be sent afterwards with their own times; zero: they are lost.
    pub buffer: Duration,
}

impl Failing {
    pub(crate) fn read(mut fields: Fields<'_>, battery: bool, faults: &mut Faults<'_>) -> Option<Self> {
        let telling = |v: &DeValue<'_>| choice(v, &TELLINGS);
        let sensor_off = fields.required("sensor_off", &words(&TELLINGS), faults, telling);
        let battery_empty = if battery {
            fields.required("battery_empty", &words(&TELLINGS), faults, telling)
        } else {
            None
        };
        let buffer = fields.required("buffer_minutes", "0 to 10080", faults, |v| integer::<u64>(v, 0, 10_080));
        fields.finish(faults);
        Some(Self {
            sensor_off: sensor_off?,
            battery_empty,
            buffer: Duration::from_mins(buffer?),
        })
    }
}

fn percent(value: &DeValue<'_>) -> Option<u8> {
    integer(value, 0, 100)
}
