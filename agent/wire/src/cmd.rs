//! What the agent tells a device on `vitals/v1/{site}/{device}/cmd`: JSON, because devices without a JSON reader need not listen.

mod hex;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// A command to a device. A device ignores what it does not know.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "cmd", rename_all = "lowercase")]
pub enum Cmd {
    /// Describe yourself again: publish `birth`.
    Rebirth,
    /// The configuration that is wanted; the device says in `state` which revision is in force.
    Config(Desired),
    /// A firmware that may be fetched; the device says in its next `birth` which one it runs.
    Firmware(FirmwareNotice),
}

/// A configuration for a device. A setting that is absent is as the device was delivered.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Desired {
    /// Counts up with each change.
    pub rev: u32,
    /// Settings by name: `interval_ms`, `battery_low_percent`, `waves`. What a value may be is the device's to judge, so that it
    /// can answer a bad one with a reason.
    pub set: Map<String, Value>,
}

/// Which firmware there is, and how to know that it is the maker's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FirmwareNotice {
    /// Its version, as a birth will say it in `fw`.
    pub version: String,
    /// Its size in bytes.
    pub size: u64,
    /// Its hash.
    #[serde(with = "hex")]
    pub sha256: [u8; 32],
    /// The maker's Ed25519 signature of the 32 bytes of the hash.
    #[serde(with = "hex")]
    pub sig: [u8; 64],
    /// Where it is.
    pub url: String,
}

/// Why a command could not be read.
#[derive(Debug, thiserror::Error)]
#[error("cmd: {found}: expected {{\"v\":1,\"cmd\":\"rebirth\"}}, or config or firmware with their fields")]
pub struct CmdError {
    found: String,
}

#[derive(Serialize, Deserialize)]
struct Versioned<C> {
    v: u32,
    #[serde(flatten)]
    cmd: C,
}

impl Cmd {
    /// Its payload, JSON.
    pub fn to_json(&self) -> Vec<u8> {
        // Maps with names for keys cannot fail to be written.
        serde_json::to_vec(&Versioned { v: 1, cmd: self }).unwrap_or_default()
    }

    /// Reads a payload, for devices made with this crate; unknown fields are ignored.
    /// # Errors
    /// [`CmdError`] with what was found.
    pub fn from_json(payload: &[u8]) -> Result<Self, CmdError> {
        let refused = |found: String| CmdError { found };
        let read: Versioned<Self> = serde_json::from_slice(payload).map_err(|error| refused(error.to_string()))?;
        if read.v != 1 {
            return Err(refused(format!("v {}", read.v)));
        }
        Ok(read.cmd)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn all() -> [Cmd; 3] {
        let set = json!({"interval_ms": 1000, "battery_low_percent": 20, "waves": [131_330]});
        [
            Cmd::Rebirth,
            Cmd::Config(Desired {
                rev: 7,
                set: set.as_object().cloned().unwrap(),
            }),
            Cmd::Firmware(FirmwareNotice {
                version: "2.5.0".into(),
                size: 183_204,
                sha256: [0xa5; 32],
                sig: [0x0f; 64],
                url: "https://updates.example/2.5.0.bin".into(),
            }),
        ]
    }

    #[test]
    fn a_command_reads_back_as_it_was_written() {
        for cmd in all() {
            assert_eq!(Cmd::from_json(&cmd.to_json()).unwrap(), cmd);
        }
    }

    #[test]
    fn commands_are_written_as_the_document_has_them() {
        let [rebirth, config, firmware] = all().map(|cmd| String::from_utf8(cmd.to_json()).unwrap());
        assert_eq!(rebirth, r#"{"v":1,"cmd":"rebirth"}"#);
        assert!(config.starts_with(r#"{"v":1,"cmd":"config","rev":7,"set":{"#), "{config}");
        let hash = "a5".repeat(32);
        assert!(
            firmware.starts_with(&format!(
                r#"{{"v":1,"cmd":"firmware","version":"2.5.0","size":183204,"sha256":"{hash}","sig":"0f0f"#
            )),
            "{firmware}"
        );
    }

    #[test]
    fn a_field_that_a_later_version_adds_is_ignored() {
        let later = br#"{"v":1,"cmd":"config","rev":1,"set":{},"by":"biomed"}"#;
        assert_eq!(
            Cmd::from_json(later).unwrap(),
            Cmd::Config(Desired { rev: 1, set: Map::new() })
        );
    }

    #[test]
    fn a_foreign_command_is_refused() {
        for bad in [
            &b"{\"v\":2,\"cmd\":\"rebirth\"}"[..],
            b"{\"v\":1,\"cmd\":\"explode\"}",
            b"{\"v\":1,\"cmd\":\"config\",\"set\":{}}",
            b"{\"v\":1,\"cmd\":\"config\",\"rev\":-1,\"set\":{}}",
            b"{\"v\":1,\"cmd\":\"firmware\",\"version\":\"1\",\"size\":1,\"sha256\":\"a5\",\"sig\":\"\",\"url\":\"\"}",
            b"",
            b"rebirth",
        ] {
            assert!(Cmd::from_json(bad).is_err());
        }
    }
}
