//! The site that a command works on: its configuration, its registry, and what time it is.

use std::io::Write;
use std::path::Path;

use anyhow::{Context, anyhow};
use wardlight_core::ids::DeviceId;
use wardlight_core::time::Timestamp;
use wardlight_devices::Record;

use crate::clock;
use crate::config::EnrolmentConfig;
use crate::devices::{Authorities, Registry, broker};

/// A site, and when a command began to work on it.
pub(super) struct Site {
    pub(super) config: EnrolmentConfig,
    pub(super) registry: Registry,
    pub(super) now: Timestamp,
}

impl Site {
    /// The site of a configuration file, now.
    /// # Errors
    /// With every fault of what is needed of the file.
    pub(super) fn load(file: &Path) -> anyhow::Result<Self> {
        let config = EnrolmentConfig::load(file)?;
        Ok(Self {
            registry: Registry::new(&config.devices.dir),
            config,
            now: clock::wall(),
        })
    }

    /// The site's authority; the first that is needed is made, and said.
    /// # Errors
    /// If it cannot be read or made.
    pub(super) fn authorities(&self, output: &mut impl Write) -> anyhow::Result<Authorities> {
        if let Some(authorities) = Authorities::load(&self.registry)? {
            return Ok(authorities);
        }
        let made = Authorities::create(&self.registry, &self.config.site, self.now)?;
        writeln!(
            output,
            "Made the site's authority {:?} in {}: keep a copy of its key, and nobody else should have one.",
            made.current.certificate().name(),
            self.config.devices.dir.join("ca").display()
        )?;
        Ok(made)
    }

    /// A device that was enrolled.
    /// # Errors
    /// If it never was, or its record cannot be read.
    pub(super) fn record(&self, id: &str) -> anyhow::Result<Record> {
        let id = DeviceId::new(id)?;
        let record = self.registry.record(&id)?;
        record.ok_or_else(|| anyhow!("{id}: was never enrolled; see `wardlight device list`"))
    }

    /// Writes what the broker reads, tells the broker, and says so. Where it could not be told, what was done stands all the same.
    /// # Errors
    /// If the files cannot be written.
    pub(super) fn publish(&self, authorities: &Authorities, output: &mut impl Write) -> anyhow::Result<()> {
        broker::publish(&self.registry, authorities, &self.config, self.now).context("what the broker reads")?;
        let told = broker::reload(self.config.devices.broker_pid_file.as_deref());
        writeln!(output, "{}", told.map_or_else(|problem| problem, str::to_owned))?;
        Ok(())
    }
}
