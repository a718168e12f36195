//! `wardlight user …`: who may log in. It changes the users' file; a running agent follows and audits what changed.

use std::io::Write;
use std::path::Path;

use anyhow::{Context, anyhow, bail};
use wardlight_core::people::Role;

use crate::cli::UserCommand;
use crate::config;
use crate::people::password;
use crate::people::users::{self, Change, User};

/// Carries the command out.
/// # Errors
/// With what is wrong; then nothing was changed.
pub(crate) fn run(command: UserCommand, mut output: impl Write) -> anyhow::Result<()> {
    match command {
        UserCommand::List { config } => {
            for user in users::read(&users_file(&config.config)?).map_err(anyhow::Error::msg)? {
                writeln!(output, "{:<20} {:<13} {}", user.name, user.role.name(), user.display_name)?;
            }
        }
        UserCommand::Add {
            name,
            role,
            display_name,
            password_file,
            config,
        } => {
            let role = Role::from_name(&role).ok_or_else(|| anyhow!("--role {role:?}: must be {}", users::roles()))?;
            let name = users::check_name(&name).map_err(|problem| anyhow!("NAME {name:?}: {problem}"))?;
            let shown = display_name.unwrap_or_else(|| name.clone());
            let display_name =
                users::check_display_name(&shown).map_err(|problem| anyhow!("--display-name {shown:?}: {problem}"))?;
            let path = users_file(&config.config)?;
            let password = password::choose(password_file.as_deref(), &name)?;
            let new = User {
                password: password::hash(&password)?,
                changed_by: whoami(),
                name,
                display_name,
                role,
            };
            let said = format!("{}: added as {}.", new.name, new.role.name());
            change(&path, |all| {
                let taken = |user: &&User| {
                    user.name.eq_ignore_ascii_case(&new.name) || user.display_name.eq_ignore_ascii_case(&new.display_name)
                };
                if all.iter().find(taken).is_some() {
                    bail!("{}: somebody has this name or display name already", new.name);
                }
                all.push(new);
                Ok(())
            })?;
            writeln!(output, "{said}")?;
        }
        UserCommand::Remove { name, config } => {
            change(&users_file(&config.config)?, |all| {
                let before = all.len();
                all.retain(|user| user.name != name);
                if all.len() == before { Err(unknown(&name)) } else { Ok(()) }
            })?;
            writeln!(output, "{name}: removed; logged off within seconds.")?;
        }
        UserCommand::Password {
            name,
            password_file,
            config,
        } => {
            let path = users_file(&config.config)?;
            if !users::read(&path)
                .map_err(anyhow::Error::msg)?
                .iter()
                .any(|user| user.name == name)
            {
                return Err(unknown(&name));
            }
            let hash = password::hash(&password::choose(password_file.as_deref(), &name)?)?;
            change(&path, |all| {
                let user = all.iter_mut().find(|user| user.name == name).ok_or_else(|| unknown(&name))?;
                user.password = hash;
                user.changed_by = whoami();
                Ok(())
            })?;
            writeln!(output, "{name}: new password; sessions under the old one end.")?;
        }
    }
    output.flush()?;
    Ok(())
}

fn users_file(config: &Path) -> anyhow::Result<std::path::PathBuf> {
    config::users_file(config).map_err(anyhow::Error::msg)
}

fn change(path: &Path, edit: impl FnOnce(&mut Vec<User>) -> anyhow::Result<()>) -> anyhow::Result<()> {
    let change = Change::begin(path).with_context(|| format!("{}: cannot be changed", path.display()))?;
    let mut all = change.users().map_err(anyhow::Error::msg)?;
    edit(&mut all)?;
    change
        .write(&all)
        .with_context(|| format!("{}: cannot be written", path.display()))
}

fn unknown(name: &str) -> anyhow::Error {
    anyhow!("{name}: nobody has this name; see `wardlight user list`")
}

/// Who runs this, as far as the system says. A claim, not a proof: whoever may write the file may write anything into it.
pub(crate) fn whoami() -> String {
    let named = ["SUDO_USER", "USER", "LOGNAME"]
        .into_iter()
        .find_map(|name| std::env::var(name).ok());
    let name = named.filter(|name| users::check_name(name).is_ok());
    name.unwrap_or_else(|| "unknown".to_owned())
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;
    use std::path::PathBuf;

    use super::*;
    use crate::cli::ConfigArg;

    struct Folder(tempfile::TempDir);

    impl Folder {
        fn new() -> Self {
            let folder = tempfile::tempdir().unwrap();
            fs::write(folder.path().join("agent.toml"), "[people]\nusers_file = \"users.toml\"\n").unwrap();
            Self(folder)
        }

        fn config(&self) -> ConfigArg {
            ConfigArg {
                config: self.0.path().join("agent.toml"),
            }
        }

        fn secret(&self, text: &str) -> PathBuf {
            let path = self.0.path().join("secret");
            fs::write(&path, text).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
            path
        }

        fn add(&self, name: &str, role: &str) -> anyhow::Result<String> {
            said(UserCommand::Add {
                name: name.to_owned(),
                role: role.to_owned(),
                display_name: None,
                password_file: Some(self.secret("correct horse")),
                config: self.config(),
            })
        }

        fn users(&self) -> Vec<User> {
            users::read(&self.0.path().join("users.toml")).unwrap()
        }
    }

    fn said(command: UserCommand) -> anyhow::Result<String> {
        let mut said = Vec::new();
        run(command, &mut said)?;
        Ok(String::from_utf8(said).unwrap())
    }

    #[test]
    fn users_come_and_go_and_change_their_password() {
        let folder = Folder::new();
        assert_eq!(folder.add("klein", "nurse").unwrap(), "klein: added as nurse.\n");
        folder.add("bauer", "biomed").unwrap();
        assert!(folder.add("KLEIN", "nurse").is_err());
        assert!(
            folder
                .add("c", "doctor")
                .unwrap_err()
                .to_string()
                .contains("must be nurse, charge_nurse")
        );
        let listed = said(UserCommand::List { config: folder.config() }).unwrap();
        assert!(
            listed.contains("klein") && listed.contains("biomed") && !listed.contains("argon2"),
            "{listed}"
        );
        let before = folder.users()[0].password.clone();
        let password_file = Some(folder.secret("battery staple"));
        let name = "klein".to_owned();
        said(UserCommand::Password {
            name: name.clone(),
            password_file,
            config: folder.config(),
        })
        .unwrap();
        assert_ne!(folder.users()[0].password, before);
        assert!(password::verify(&folder.users()[0].password, "battery staple"));
        said(UserCommand::Remove {
            name: name.clone(),
            config: folder.config(),
        })
        .unwrap();
        assert_eq!(folder.users().len(), 1);
        assert!(
            said(UserCommand::Remove {
                name,
                config: folder.config()
            })
            .is_err()
        );
    }

    #[test]
    fn a_configuration_without_a_users_file_says_what_to_write() {
        let folder = Folder::new();
        fs::write(folder.0.path().join("agent.toml"), "").unwrap();
        let error = folder.add("klein", "nurse").unwrap_err().to_string();
        assert!(error.contains("people.users_file"), "{error}");
    }
}
