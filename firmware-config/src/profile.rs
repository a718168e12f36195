//! A profile as a whole.

use std::time::Duration;

use toml::de::{DeTable, DeValue};
use wardlight_core::message::Birth;
use wardlight_wire::limits::MAX_TEXT;

use crate::behaviour::{Battery, Failing, INTERVAL_S, Platform, Settable};
use crate::channel::{self, ChannelProfile};
use crate::error::ProfileError;
use crate::reader::{Faults, Fields, number, text};

/// Name and text of a profile that comes with the agent.
macro_rules! builtin {
    ($($name:literal),+ $(,)?) => {
        [$(($name, include_str!(concat!("../profiles/", $name, ".toml")))),+]
    };
}

/// The profiles that come with the agent.
const BUILTIN: [(&str, &str); 9] = builtin![
    "bedside-monitor",
    "capnograph",
    "esp32-max30102",
    "icu-gateway",
    "nrf-chest-patch",
    "phone-gateway",
    "simulator",
    "ventilator",
    "wearable",
];

/// What a model of device measures, how it sends it, and how it fails.
#[derive(Clone, Debug, PartialEq)]
pub struct Profile {
    /// Name of the profile, as its file is called.
    pub name: String,
    /// Maker's model, as the device's birth says it.
    pub model: String,
    /// What its firmware is built with.
    pub platform: Platform,
    /// Time between two messages of numerics, 0.1 s to 10 min.
    pub interval: Duration,
    /// Its battery, if it runs on one.
    pub battery: Option<Battery>,
    /// What may be asked of it.
    pub settable: Settable,
    /// How it fails.
    pub failing: Failing,
    /// What it sends, each code once.
    pub channels: Vec<ChannelProfile>,
}

impl Profile {
    /// The names of the profiles that come with the agent.
    pub fn names() -> impl Iterator<Item = &'static str> {
        BUILTIN.iter().map(|(name, _)| *name)
    }

    /// A profile that comes with the agent.
    /// # Errors
    /// [`ProfileError::Unknown`] with the names there are.
    pub fn builtin(name: &str) -> Result<Self, ProfileError> {
        Self::parse(&format!("{name}.toml"), Self::builtin_text(name)?)
    }

    /// The text of a profile that comes with the agent: a beginning for one's own.
    /// # Errors
    /// [`ProfileError::Unknown`] with the names there are.
    pub fn builtin_text(name: &str) -> Result<&'static str, ProfileError> {
        let found = BUILTIN.iter().find(|(known, _)| *known == name);
        found.map(|(_, text)| *text).ok_or_else(|| ProfileError::Unknown {
            name: name.chars().take(64).collect(),
            known: Self::names().collect(),
        })
    }

    /// Reads a profile; `file` is only named in errors.
    /// # Errors
    /// [`ProfileError::Toml`] if the text is no TOML, else [`ProfileError::Faults`] with all that is wrong.
    pub fn parse(file: &str, text: &str) -> Result<Self, ProfileError> {
        let table = DeTable::parse(text).map_err(|error| ProfileError::Toml {
            file: file.to_owned(),
            message: error.to_string().trim_end().to_owned(),
        })?;
        let mut faults = Faults::of(text);
        let profile = Self::read(Fields::new("", 0..0, table.into_inner()), &mut faults);
        match profile {
            Some(profile) if faults.is_empty() => Ok(profile),
            _ => Err(ProfileError::Faults {
                file: file.to_owned(),
                faults: faults.in_order(),
            }),
        }
    }

    /// The birth of a device of this model.
    pub fn birth(&self, firmware: &str) -> Birth {
        Birth {
            model: self.model.clone(),
            firmware: firmware.to_owned(),
            channels: self.channels.iter().map(ChannelProfile::announced).collect(),
        }
    }

    /// The channel of a code.
    pub fn channel(&self, code: u32) -> Option<&ChannelProfile> {
        self.channels.iter().find(|channel| channel.code == code)
    }

    fn read(mut root: Fields<'_>, faults: &mut Faults<'_>) -> Option<Self> {
        let name = root.required("name", "1 to 64 characters of a-z 0-9 -", faults, name);
        let model = root.required("model", "text of 1 to 64 characters", faults, |v| text(v, MAX_TEXT));
        let platform = Platform::read(&mut root, faults);
        let (least, most) = INTERVAL_S;
        let interval = root.required("interval_s", &format!("{least} to {most}"), faults, |v| {
            number(v, least, most)
        });
        let has_battery = root.has("battery");
        let battery = root.table("battery", "a table with hours and low_percent", faults);
        let battery = battery.and_then(|fields| Battery::read(fields, faults));
        let settable = required_table(&mut root, "settable", "what may be asked of it: interval_s", faults);
        let settable = settable.and_then(|fields| Settable::read(fields, has_battery, faults));
        let failing = required_table(&mut root, "failing", "how it fails: sensor_off, buffer_minutes", faults);
        let failing = failing.and_then(|fields| Failing::read(fields, has_battery, faults));
        let channels = channel::read_all(&mut root, faults);
        root.finish(faults);
        Some(Self {
            name: name?,
            model: model?,
            platform: platform?,
            interval: Duration::from_secs_f64(interval?),
            battery,
            settable: settable?,
            failing: failing?,
            channels,
        })
    }
}

fn required_table<'a>(root: &mut Fields<'a>, field: &str, expected: &str, faults: &mut Faults<'_>) -> Option<Fields<'a>> {
    if !root.has(field) {
        faults.missing(root.at(), field, format!("a table [{field}]: {expected}"));
    }
    root.table(field, &format!("a table [{field}]: {expected}"), faults)
}

fn name(value: &DeValue<'_>) -> Option<String> {
    let allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    text(value, 64).filter(|text| text.bytes().all(allowed))
}
