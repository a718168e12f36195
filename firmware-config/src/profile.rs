//! A profile as a whole.

use std::time::Duration;

use toml::{Table, Value};
use wardlight_core::message::Birth;
use wardlight_wire::limits::{MAX_CHANNELS, MAX_TEXT};

use crate::channel::ChannelProfile;
use crate::error::ProfileError;
use crate::reader::{Faults, Fields, integer, number, shown};

/// The profiles that come with the agent: name and text.
const BUILTIN: [(&str, &str); 2] = [
    ("bedside-monitor", include_str!("../profiles/bedside-monitor.toml")),
    ("wearable", include_str!("../profiles/wearable.toml")),
];

/// What a model of device measures and how it sends it.
#[derive(Clone, Debug, PartialEq)]
pub struct Profile {
    /// Name of the profile, as its file is called.
    pub name: String,
    /// Maker's model, as the device's birth says it.
    pub model: String,
    /// Time between two messages of numerics, 0.1 s to 10 min.
    pub interval: Duration,
    /// Its battery, if it runs on one.
    pub battery: Option<Battery>,
    /// What it sends, each code once.
    pub channels: Vec<ChannelProfile>,
}

/// A device's battery.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Battery {
    /// From full to empty.
    pub lasts: Duration,
    /// Charge in percent from which on it is low.
    pub low_percent: u8,
}

impl Profile {
    /// The names of the profiles that come with the agent.
    pub fn names() -> impl Iterator<Item = &'static str> {
        BUILTIN.iter().map(|(name, _)| *name)
    }

    /// A profile that comes with the agent: `bedside-monitor` or `wearable`.
    /// # Errors
    /// [`ProfileError::Unknown`] with the names there are.
    pub fn builtin(name: &str) -> Result<Self, ProfileError> {
        match BUILTIN.iter().find(|(known, _)| *known == name) {
            Some((known, text)) => Self::parse(&format!("{known}.toml"), text),
            None => Err(ProfileError::Unknown {
                name: name.chars().take(64).collect(),
                known: Self::names().collect(),
            }),
        }
    }

    /// Reads a profile; `file` is only named in errors.
    /// # Errors
    /// [`ProfileError::Toml`] if the text is no TOML, else [`ProfileError::Faults`] with all that is wrong.
    pub fn parse(file: &str, text: &str) -> Result<Self, ProfileError> {
        let table: Table = text.parse().map_err(|error: toml::de::Error| ProfileError::Toml {
            file: file.to_owned(),
            message: error.to_string(),
        })?;
        let mut faults = Faults::default();
        let profile = Self::read(table, &mut faults);
        match profile {
            Some(profile) if faults.0.is_empty() => Ok(profile),
            _ => Err(ProfileError::Faults {
                file: file.to_owned(),
                faults: faults.0,
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

    fn read(table: Table, faults: &mut Faults) -> Option<Self> {
        let mut fields = Fields::new("", table);
        let name = fields.required("name", "1 to 64 characters of a-z 0-9 -", faults, name);
        let model = fields.required("model", "text of 1 to 64 characters", faults, model);
        let interval = fields.required("interval_s", "0.1 to 600", faults, |v| {
            number(v).filter(|s| (0.1..=600.0).contains(s))
        });
        let battery = match fields.optional("battery") {
            Some(Value::Table(table)) => Battery::read(table, faults),
            Some(other) => {
                faults.add("battery", shown(&other), "a table with hours and low_percent");
                None
            }
            None => None,
        };
        let channels = channels(fields.optional("channel"), faults);
        fields.finish(faults);
        Some(Self {
            name: name?,
            model: model?,
            interval: Duration::from_secs_f64(interval?),
            battery,
            channels,
        })
    }
}

impl Battery {
    fn read(table: Table, faults: &mut Faults) -> Option<Self> {
        let mut fields = Fields::new("battery", table);
        let hours = fields.required("hours", "0.1 to 100000", faults, |v| {
            number(v).filter(|h| (0.1..=100_000.0).contains(h))
        });
        let low = fields.required("low_percent", "0 to 100", faults, |v| integer::<u8>(v, 0, 100));
        fields.finish(faults);
        Some(Self {
            lasts: Duration::from_secs_f64(hours? * 3600.0),
            low_percent: low?,
        })
    }
}

fn name(value: &Value) -> Option<String> {
    let allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    let text = value.as_str()?;
    ((1..=64).contains(&text.len()) && text.bytes().all(allowed)).then(|| text.to_owned())
}

fn model(value: &Value) -> Option<String> {
    let text = value.as_str()?;
    (1..=MAX_TEXT).contains(&text.chars().count()).then(|| text.to_owned())
}

fn channels(value: Option<Value>, faults: &mut Faults) -> Vec<ChannelProfile> {
    let items = match value {
        Some(Value::Array(items)) if (1..=MAX_CHANNELS).contains(&items.len()) => items,
        other => {
            let found = match other {
                None => "nothing".to_owned(),
                Some(Value::Array(items)) => format!("{} channels", items.len()),
                Some(value) => shown(&value),
            };
            faults.add("channel", found, format!("1 to {MAX_CHANNELS} tables [[channel]]"));
            return Vec::new();
        }
    };
    let mut channels: Vec<ChannelProfile> = Vec::with_capacity(items.len());
    for (index, item) in items.into_iter().enumerate() {
        let Value::Table(table) = item else {
            faults.add(format!("channel[{index}]"), shown(&item), "a table [[channel]]");
            continue;
        };
        let Some(channel) = ChannelProfile::read(index, table, faults) else {
            continue;
        };
        if channels.iter().any(|c| c.code == channel.code) {
            faults.add(format!("channel[{index}].code"), channel.code.to_string(), "each code once");
        } else {
            channels.push(channel);
        }
    }
    channels
}
