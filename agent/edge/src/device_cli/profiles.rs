//! Profiles on the command line.

use std::fs;
use std::io::Write;
use std::path::Path;

use anyhow::{Context, bail};
use wardlight_devices::Profile;

use crate::devices::Registry;

/// Prints one line for each profile of this binary.
/// # Errors
/// If the output fails.
pub(super) fn list(output: &mut impl Write) -> anyhow::Result<()> {
    for name in Profile::names() {
        writeln!(output, "{name:<18} {}", summary(&Profile::builtin(name)?))?;
    }
    Ok(())
}

/// Reads a profile of one's own and says what it means.
/// # Errors
/// With everything that is wrong, each with its line.
pub(super) fn check(file: &Path, output: &mut impl Write) -> anyhow::Result<()> {
    let profile = read(file)?;
    writeln!(output, "{}: {}", profile.name, summary(&profile))?;
    Ok(())
}

/// A profile by its name, or from a file: what has a dot or a slash in it is no name. One from a file is kept beside the registry, where the
/// device's next bundle finds it by name.
/// # Errors
/// If there is none, with everything that is wrong in the file, or if it is named like one that comes with the agent.
pub(super) fn named(registry: &Registry, name: &str) -> anyhow::Result<Profile> {
    if !name.contains(['.', '/']) {
        return registry.profile(name);
    }
    let profile = read(Path::new(name))?;
    if Profile::names().any(|known| known == profile.name) {
        bail!(
            "{name}: name = {:?}: expected a name that no profile of the agent has",
            profile.name
        );
    }
    registry.keep_profile(&profile.name, &fs::read_to_string(name).with_context(|| name.to_owned())?)?;
    Ok(profile)
}

fn read(file: &Path) -> anyhow::Result<Profile> {
    let shown = file.display().to_string();
    let text = fs::read_to_string(file).with_context(|| shown.clone())?;
    Ok(Profile::parse(&shown, &text)?)
}

fn summary(profile: &Profile) -> String {
    let waves = profile.channels.iter().filter(|channel| channel.wave.is_some()).count();
    format!(
        "{}; {}, {} numerics every {}, {waves} waveforms",
        profile.model,
        profile.platform.name(),
        profile.channels.len() - waves,
        humantime::format_duration(profile.interval),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_profile_of_the_binary_is_listed() {
        let mut said = Vec::new();
        list(&mut said).unwrap();
        let said = String::from_utf8(said).unwrap();
        assert_eq!(said.lines().count(), Profile::names().count());
        assert!(
            said.contains("esp32-max30102     ESP32 MAX30102 MAX30205; esp-idf, 4 numerics every 5s, 1 waveforms\n"),
            "{said}"
        );
    }

    #[test]
    fn a_file_of_ones_own_is_checked_and_faults_come_with_their_lines() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("own.toml");
        fs::write(&file, Profile::builtin_text("capnograph").unwrap()).unwrap();
        check(&file, &mut Vec::new()).unwrap();
        fs::write(&file, "name = \"own\"\nmodel = 3\n").unwrap();
        let error = check(&file, &mut Vec::new()).unwrap_err().to_string();
        assert!(
            error.contains("own.toml:2: model = 3: expected text of 1 to 64 characters"),
            "{error}"
        );
    }
}
