//! Firmware notices on disk: for the devices of a profile, or for a single one, which goes before.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context;
use wardlight_core::ids::DeviceId;
use wardlight_devices::Firmware;

use super::{Registry, files_in};
use crate::whole_file;

/// Folder of the notices for single devices, in that of those for profiles.
pub(super) const DEVICES: &str = "devices";

/// Whom a firmware is for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Audience {
    /// Every device of this profile.
    Profile(String),
    /// One device.
    Device(DeviceId),
}

impl fmt::Display for Audience {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Profile(name) => write!(f, "profile {name}"),
            Self::Device(id) => write!(f, "device {id}"),
        }
    }
}

impl Registry {
    /// Every firmware that somebody noted.
    /// # Errors
    /// If a file cannot be read.
    pub(crate) fn firmware_noted(&self) -> anyhow::Result<BTreeMap<Audience, Firmware>> {
        let mut noted = BTreeMap::new();
        for file in files_in(&self.firmware())? {
            if let Some(stem) = file.file_stem().and_then(OsStr::to_str) {
                noted.insert(Audience::Profile(stem.to_owned()), read(&file)?);
            }
        }
        for file in files_in(&self.firmware().join(DEVICES))? {
            if let Some(stem) = file.file_stem().and_then(OsStr::to_str) {
                noted.insert(Audience::Device(DeviceId::new(stem)?), read(&file)?);
            }
        }
        Ok(noted)
    }

    /// Keeps a firmware; `None` withdraws the one there is.
    /// # Errors
    /// If the disk does not let it.
    pub(crate) fn keep_firmware(&self, audience: &Audience, firmware: Option<&Firmware>) -> anyhow::Result<()> {
        let file = self.firmware_file(audience);
        let done = match firmware {
            Some(firmware) => whole_file::write_readable(&file, firmware.to_toml().as_bytes()),
            None => whole_file::absent(fs::remove_file(&file)),
        };
        done.with_context(|| file.display().to_string())
    }

    fn firmware_file(&self, audience: &Audience) -> PathBuf {
        let folder = self.firmware();
        match audience {
            Audience::Profile(name) => folder.join(format!("{name}.toml")),
            Audience::Device(id) => folder.join(DEVICES).join(format!("{id}.toml")),
        }
    }
}

fn read(file: &Path) -> anyhow::Result<Firmware> {
    let shown = file.display().to_string();
    let text = fs::read_to_string(file).with_context(|| shown.clone())?;
    Ok(Firmware::parse(&shown, &text)?)
}
