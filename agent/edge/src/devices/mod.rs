//! The devices of a site on disk: the authority, the registry, and what the broker reads.
//!
//! ```text
//! devices/ca/        ca.pem ca.key      the authority; former.pem former.key while another takes over;
//!                    agents.pem agents.key for the agents' door
//! devices/registry/  {ID}.toml          one file per device
//! devices/profiles/  {NAME}.toml        profiles of the site's own
//! devices/firmware/  {PROFILE}.toml     firmware for devices of a profile; devices/{ID}.toml for one device
//! devices/broker/    ca.pem crl.pem agents.pem agents-crl.pem acl mosquitto.conf broker.pem broker.key
//! ```

mod authorities;
pub(crate) mod broker;
mod changes;
pub(crate) mod expiry;
pub(crate) mod firmware;
mod wanted;
mod watch;

use std::fs::{self, DirBuilder, File};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use anyhow::{Context, bail};
use wardlight_core::ids::DeviceId;
use wardlight_devices::{Profile, Record};

pub(crate) use authorities::{Authorities, make_of_agents, of_agents};
pub(crate) use wanted::wanted;
pub(crate) use watch::watch;

use crate::whole_file;

/// The folder of a site's devices.
#[derive(Clone, Debug)]
pub(crate) struct Registry {
    folder: PathBuf,
}

impl Registry {
    /// The registry in this folder, which need not be there yet.
    pub(crate) fn new(folder: &Path) -> Self {
        Self {
            folder: folder.to_path_buf(),
        }
    }

    /// The authority's folder: nobody else's to see.
    fn ca(&self) -> PathBuf {
        self.folder.join("ca")
    }

    /// What the broker reads.
    pub(crate) fn broker(&self) -> PathBuf {
        self.folder.join("broker")
    }

    fn records_folder(&self) -> PathBuf {
        self.folder.join("registry")
    }

    /// What firmware there is.
    fn firmware(&self) -> PathBuf {
        self.folder.join("firmware")
    }

    /// When something in here was last written: every change goes by one of these.
    fn stamp(&self) -> [Option<SystemTime>; 4] {
        let access = self.broker().join(broker::ACCESS);
        let watched = [
            access,
            self.records_folder(),
            self.firmware(),
            self.firmware().join(firmware::DEVICES),
        ];
        watched.map(|path| fs::metadata(path).and_then(|metadata| metadata.modified()).ok())
    }

    fn record_file(&self, id: &DeviceId) -> PathBuf {
        self.records_folder().join(format!("{id}.toml"))
    }

    /// Waits for the right to change something, and makes the folders. It lasts as long as the result.
    /// # Errors
    /// If the folders cannot be made.
    pub(crate) fn change(&self) -> anyhow::Result<File> {
        let failed = || self.folder.display().to_string();
        for (folder, mode) in [
            (self.folder.clone(), 0o755),
            (self.ca(), 0o700),
            (self.records_folder(), 0o755),
            (self.firmware(), 0o755),
            (self.firmware().join(firmware::DEVICES), 0o755),
            (self.folder.join("profiles"), 0o755),
            (self.broker(), 0o755),
        ] {
            make(&folder, mode).with_context(failed)?;
        }
        whole_file::lock(&self.ca().join("change")).with_context(failed)
    }

    /// Every device, by identifier.
    /// # Errors
    /// If a record cannot be read. None is passed over: it may be the one of a revoked device, which would then count again.
    pub(crate) fn records(&self) -> anyhow::Result<Vec<Record>> {
        files_in(&self.records_folder())?.iter().map(|path| read(path)).collect()
    }

    /// One device; `None` if it was never enrolled.
    /// # Errors
    /// If its record cannot be read.
    pub(crate) fn record(&self, id: &DeviceId) -> anyhow::Result<Option<Record>> {
        let file = self.record_file(id);
        file.exists().then(|| read(&file)).transpose()
    }

    /// Writes a device's record.
    /// # Errors
    /// If the disk does not let it.
    pub(crate) fn write(&self, record: &Record) -> anyhow::Result<()> {
        let file = self.record_file(&record.id);
        whole_file::write_readable(&file, record.to_toml().as_bytes()).with_context(|| file.display().to_string())
    }

    /// A profile by its name: one that comes with the agent, or one of the site's own.
    /// # Errors
    /// If there is none, or with everything that is wrong with it.
    pub(crate) fn profile(&self, name: &str) -> anyhow::Result<Profile> {
        let file = self.profile_file(name);
        if !file.exists() {
            return Ok(Profile::builtin(name)?);
        }
        let shown = file.display().to_string();
        let text = fs::read_to_string(&file).with_context(|| shown.clone())?;
        Ok(Profile::parse(&shown, &text)?)
    }

    /// Keeps a profile of the site's own.
    /// # Errors
    /// If the disk does not let it.
    pub(crate) fn keep_profile(&self, name: &str, text: &str) -> anyhow::Result<()> {
        let file = self.profile_file(name);
        whole_file::write_readable(&file, text.as_bytes()).with_context(|| file.display().to_string())
    }

    fn profile_file(&self, name: &str) -> PathBuf {
        self.folder.join("profiles").join(format!("{name}.toml"))
    }
}

/// The TOML files of a folder in their order; none where there is no folder.
fn files_in(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.with_context(|| folder.display().to_string())?,
    };
    let paths: Result<Vec<PathBuf>, io::Error> = entries.map(|entry| entry.map(|entry| entry.path())).collect();
    let mut paths = paths.with_context(|| folder.display().to_string())?;
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "toml"));
    paths.sort();
    Ok(paths)
}

fn read(file: &Path) -> anyhow::Result<Record> {
    let shown = file.display().to_string();
    let text = fs::read_to_string(file).with_context(|| shown.clone())?;
    let record = Record::parse(&shown, &text)?;
    if file.file_stem().is_none_or(|stem| stem != record.id.as_str()) {
        bail!("{shown}: id = {:?}: expected the name of the file", record.id.as_str());
    }
    Ok(record)
}

/// Makes a folder that belongs to whom the folder above it belongs.
fn make(folder: &Path, mode: u32) -> io::Result<()> {
    if folder.is_dir() {
        return Ok(());
    }
    let above = whole_file::folder(folder);
    DirBuilder::new().recursive(true).mode(mode).create(folder)?;
    whole_file::belong(folder, &fs::metadata(above)?)
}
