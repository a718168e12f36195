//! What makes this machine this machine.

use std::fs;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::{Backend, Engine, ModelError, hex};

/// A machine, as far as it can change what a model computes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Machine {
    /// A digest of the installation's machine id, which itself is not to be told.
    id: String,
    /// The processor's name.
    cpu: String,
    /// The engines of the integer plan that it has.
    engines: Vec<String>,
    /// Name and driver of the GPU that computed it too.
    pub(super) gpu: Option<String>,
}

impl Machine {
    /// This machine, as far as its processor goes.
    ///
    /// # Errors
    /// [`ModelError::Read`] if `/etc/machine-id` or `/proc/cpuinfo` cannot be read.
    pub fn this() -> Result<Self, ModelError> {
        let id = read("/etc/machine-id")?;
        let cpu = read("/proc/cpuinfo")?;
        Ok(Self {
            id: hex::sha256(format!("wardlight {}", id.trim()).as_bytes()),
            cpu: cpu_name(&cpu),
            engines: Backend::available()
                .into_iter()
                .map(|backend| Engine::Plan(backend).to_string())
                .collect(),
            gpu: None,
        })
    }
}

impl Machine {
    /// Whether it is `other`, whatever their GPUs: a card that is lost takes no certificate from the processor.
    pub(super) fn is(&self, other: &Self) -> bool {
        (&self.id, &self.cpu, &self.engines) == (&other.id, &other.cpu, &other.engines)
    }
}

/// The name of the first processor; on ARM, which gives none, its maker and part.
fn cpu_name(cpuinfo: &str) -> String {
    let value = |wanted: &str| {
        let mut fields = cpuinfo.lines().filter_map(|line| line.split_once(':'));
        fields
            .find(|(name, _)| name.trim() == wanted)
            .map(|(_, value)| value.trim().to_owned())
    };
    let part = || Some(format!("{} {}", value("CPU implementer")?, value("CPU part")?));
    value("model name").or_else(part).unwrap_or_else(|| "unknown".to_owned())
}

fn read(path: &str) -> Result<String, ModelError> {
    fs::read_to_string(path).map_err(|cause| ModelError::Read {
        path: Path::new(path).to_path_buf(),
        cause,
    })
}

#[cfg(test)]
mod tests {
    use super::cpu_name;

    #[test]
    fn a_processor_has_its_name_or_its_maker_and_part() {
        for (cpuinfo, expected) in [
            (
                "processor\t: 0\nmodel name\t: EPYC: the third\nmodel name\t: other\n",
                "EPYC: the third",
            ),
            ("CPU implementer\t: 0x41\nCPU part\t: 0xd0c\n", "0x41 0xd0c"),
            ("", "unknown"),
        ] {
            assert_eq!(cpu_name(cpuinfo), expected);
        }
    }
}
