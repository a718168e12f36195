//! What the site notes of a firmware that devices may fetch.

use serde::{Deserialize, Serialize};
use wardlight_wire::cmd::FirmwareNotice;
use wardlight_wire::limits::MAX_TEXT;

use crate::enrolment::EnrolError;

/// Longest address.
const MAX_URL: usize = 512;

/// A firmware, as devices are told of it, and who said so.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Firmware {
    /// Who noted it, as far as the system says. A claim, not a proof; the signature is one.
    pub changed_by: String,
    /// What devices are told.
    pub notice: FirmwareNotice,
}

impl Firmware {
    /// As TOML.
    pub fn to_toml(&self) -> String {
        // Strings and a number: there is nothing that TOML could not write.
        toml::to_string(self).unwrap_or_default()
    }

    /// Reads what [`Firmware::to_toml`] writes; `file` is only named in errors.
    /// # Errors
    /// [`EnrolError::Record`] with what is wrong.
    pub fn parse(file: &str, text: &str) -> Result<Self, EnrolError> {
        let fault = |problem: String| EnrolError::Record {
            file: file.to_owned(),
            problem,
        };
        let read: Self = toml::from_str(text).map_err(|error| fault(error.to_string()))?;
        check(&read.notice).map_err(fault)?;
        Ok(read)
    }
}

/// Whether a device could be told of it.
/// # Errors
/// What is wrong.
pub fn check(notice: &FirmwareNotice) -> Result<(), String> {
    let characters = notice.version.chars().count();
    if !(1..=MAX_TEXT).contains(&characters) {
        return Err(format!("version = {:?}: expected 1 to {MAX_TEXT} characters", notice.version));
    }
    if notice.size == 0 {
        return Err("size = 0: expected an image".to_owned());
    }
    let address = notice.url.strip_prefix("https://");
    let plain = |rest: &str| !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_graphic());
    if notice.url.len() > MAX_URL || !address.is_some_and(plain) {
        return Err(format!(
            "url = {:?}: expected https://… of at most {MAX_URL} characters",
            notice.url
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn firmware() -> Firmware {
        Firmware {
            changed_by: "klein".to_owned(),
            notice: FirmwareNotice {
                version: "2.5.0".to_owned(),
                size: 183_204,
                sha256: [0xa5; 32],
                sig: [0x0f; 64],
                url: "https://updates.example/2.5.0.bin".to_owned(),
            },
        }
    }

    #[test]
    fn a_firmware_is_read_back_as_it_was_written() {
        let text = firmware().to_toml();
        assert!(text.contains(&format!("sha256 = \"{}\"", "a5".repeat(32))), "{text}");
        assert_eq!(Firmware::parse("wearable.toml", &text).unwrap(), firmware());
    }

    #[test]
    fn what_no_device_could_be_told_is_refused() {
        let text = firmware().to_toml();
        for (wrong, said) in [
            (text.replace("2.5.0\"", "\""), "version = \"\": expected 1 to 64 characters"),
            (text.replace("183204", "0"), "size = 0"),
            (text.replace("https", "http"), "url = \"http://updates"),
            (text.replace("example/", "example/ "), "expected https://"),
            (text.replace("a5a5", "a5"), "sha256"),
        ] {
            let error = Firmware::parse("wearable.toml", &wrong).unwrap_err().to_string();
            assert!(error.starts_with("wearable.toml: ") && error.contains(said), "{error}");
        }
    }
}
