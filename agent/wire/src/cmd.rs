//! What the agent tells a device on `vitals/v1/{site}/{device}/cmd`.

/// A command to a device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cmd {
    /// Describe yourself again: publish `birth`.
    Rebirth,
}

/// Why a command could not be read.
#[derive(Debug, thiserror::Error)]
#[error("cmd: {found}: expected {{\"v\":1,\"cmd\":\"rebirth\"}}")]
pub struct CmdError {
    found: String,
}

#[derive(serde::Deserialize)]
struct Raw<'a> {
    v: u32,
    cmd: &'a str,
}

impl Cmd {
    /// Its payload, JSON.
    pub const fn to_json(self) -> &'static [u8] {
        match self {
            Self::Rebirth => br#"{"v":1,"cmd":"rebirth"}"#,
        }
    }

    /// Reads a payload, for devices made with this crate; unknown fields are ignored.
    /// # Errors
    /// [`CmdError`] with what was found.
    pub fn from_json(payload: &[u8]) -> Result<Self, CmdError> {
        match serde_json::from_slice(payload) {
            Ok(Raw { v: 1, cmd: "rebirth" }) => Ok(Self::Rebirth),
            Ok(Raw { v, cmd }) => {
                let found = format!("v {v}, cmd {:?}", cmd.chars().take(40).collect::<String>());
                Err(CmdError { found })
            }
            Err(error) => Err(CmdError {
                found: error.to_string(),
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_reads_back_as_it_was_written() {
        assert_eq!(Cmd::from_json(Cmd::Rebirth.to_json()).unwrap(), Cmd::Rebirth);
    }

    #[test]
    fn a_foreign_command_is_refused() {
        for bad in [
            &b"{\"v\":2,\"cmd\":\"rebirth\"}"[..],
            b"{\"v\":1,\"cmd\":\"explode\"}",
            b"",
            b"rebirth",
        ] {
            assert!(Cmd::from_json(bad).is_err());
        }
    }
}
