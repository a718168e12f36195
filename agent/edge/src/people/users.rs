//! The users' file: who may log in, in which role, with which password's hash.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use wardlight_core::people::Role;

use super::password;
use crate::config::secret;
use crate::whole_file;

/// Most users in one file.
const MAX_USERS: usize = 1000;
/// Longest name, in characters.
const MAX_NAME: usize = 64;

/// One who may log in.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct User {
    /// What is typed to log in.
    pub(crate) name: String,
    /// What stands with the person's actions.
    pub(crate) display_name: String,
    /// The role.
    pub(crate) role: Role,
    /// PHC string.
    pub(crate) password: String,
    /// Who changed this last, as the command line knew it.
    pub(crate) changed_by: String,
}

#[derive(Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct FileToml {
    #[serde(default)]
    user: Vec<UserToml>,
}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct UserToml {
    name: String,
    display_name: Option<String>,
    role: String,
    password: String,
    #[serde(default)]
    changed_by: String,
}

const HEAD: &str = "# Who may log in at the nurse's page. Change it with: wardlight user add|password|remove\n# A running agent follows within seconds.\n\n";

/// Reads and checks the file; it must be closed to group and others.
/// # Errors
/// What is wrong, with the path.
pub(crate) fn read(path: &Path) -> Result<Vec<User>, String> {
    let noun = |problem: String| format!("{}: {problem}", path.display());
    secret::check(path).map_err(noun)?;
    let text = fs::read_to_string(path).map_err(|error| noun(error.to_string()))?;
    parse(&text).map_err(noun)
}

/// Checks a file's text.
/// # Errors
/// What is wrong.
pub(crate) fn parse(text: &str) -> Result<Vec<User>, String> {
    let file: FileToml = toml::from_str(text).map_err(|error| error.to_string().trim_end().to_owned())?;
    if file.user.len() > MAX_USERS {
        return Err(format!("{} users: at most {MAX_USERS} expected", file.user.len()));
    }
    let mut taken = BTreeSet::new();
    let mut users = Vec::new();
    for (index, raw) in file.user.into_iter().enumerate() {
        let user = check(raw).map_err(|problem| format!("user[{}].{problem}", index + 1))?;
        for name in BTreeSet::from([user.name.to_lowercase(), user.display_name.to_lowercase()]) {
            if !taken.insert(name) {
                return Err(format!(
                    "user[{}].name = {:?}: somebody else has this name already",
                    index + 1,
                    user.name
                ));
            }
        }
        users.push(user);
    }
    Ok(users)
}

fn check(raw: UserToml) -> Result<User, String> {
    let name = check_name(&raw.name).map_err(|problem| format!("name = {:?}: {problem}", raw.name))?;
    let display_name = raw.display_name.unwrap_or_else(|| raw.name.clone());
    let display_name =
        check_display_name(&display_name).map_err(|problem| format!("display_name = {display_name:?}: {problem}"))?;
    let expected = || format!("role = {:?}: must be {}", raw.role, roles());
    let role = Role::from_name(&raw.role).ok_or_else(expected)?;
    password::check_hash(&raw.password).map_err(|problem| format!("password: {problem}"))?;
    Ok(User {
        name,
        display_name,
        role,
        password: raw.password,
        changed_by: raw.changed_by,
    })
}

/// All roles in words.
pub(crate) fn roles() -> String {
    Role::ALL.map(Role::name).join(", ")
}

/// Checks a login name.
/// # Errors
/// What was expected, as a clause.
pub(crate) fn check_name(text: &str) -> Result<String, &'static str> {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    if (1..=MAX_NAME).contains(&text.len()) && text.chars().all(plain) {
        return Ok(text.to_owned());
    }
    Err("must be 1 to 64 characters of A-Z a-z 0-9 . _ -")
}

/// Checks a name for people to read.
/// # Errors
/// What was expected, as a clause.
pub(crate) fn check_display_name(text: &str) -> Result<String, &'static str> {
    let text = text.trim();
    if (1..=MAX_NAME).contains(&text.chars().count()) && !text.chars().any(char::is_control) {
        return Ok(text.to_owned());
    }
    Err("must be 1 to 64 characters, none of them a control character")
}

/// Holds the file for a change, so that two changes at once do not lose one.
pub(crate) struct Change {
    path: PathBuf,
    _lock: File,
}

impl Change {
    /// Waits for the right to change the file.
    /// # Errors
    /// If the lock beside the file cannot be made.
    pub(crate) fn begin(path: &Path) -> io::Result<Self> {
        Ok(Self {
            path: path.to_path_buf(),
            _lock: whole_file::lock(path)?,
        })
    }

    /// The users as they are; none where there is no file yet.
    /// # Errors
    /// What is wrong with the file.
    pub(crate) fn users(&self) -> Result<Vec<User>, String> {
        if self.path.exists() {
            read(&self.path)
        } else {
            Ok(Vec::new())
        }
    }

    /// Writes all users, whole or not at all. The file stays whose it was: an agent that runs as another user must read it.
    /// # Errors
    /// If it cannot be written; then it is as it was.
    pub(crate) fn write(self, users: &[User]) -> io::Result<()> {
        whole_file::write(&self.path, text(users).as_bytes())
    }
}

fn text(users: &[User]) -> String {
    let raw = |user: &User| UserToml {
        name: user.name.clone(),
        display_name: Some(user.display_name.clone()),
        role: user.role.name().to_owned(),
        password: user.password.clone(),
        changed_by: user.changed_by.clone(),
    };
    let file = FileToml {
        user: users.iter().map(raw).collect(),
    };
    // Strings in a list of tables can always be written.
    HEAD.to_owned() + &toml::to_string(&file).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    pub(crate) fn user(name: &str, role: Role) -> User {
        User {
            name: name.to_owned(),
            display_name: name.to_uppercase(),
            role,
            password: password::hash("correct horse").unwrap(),
            changed_by: "root".to_owned(),
        }
    }

    #[test]
    fn what_is_written_is_read_and_is_private() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("users.toml");
        let users = [user("klein", Role::Nurse), user("bauer", Role::Biomed)];
        Change::begin(&path).unwrap().write(&users).unwrap();
        assert!(read(&path).unwrap() == users);
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        let problem = read(&path).err().unwrap();
        assert!(problem.contains("mode 0640 lets others"), "{problem}");
    }

    #[test]
    fn every_fault_is_named_with_its_place() {
        let hash = password::hash("correct horse").unwrap();
        let one = |fields: &str| format!("[[user]]\n{fields}\npassword = \"{hash}\"\n");
        let cases = [
            (
                one("name = \"a b\"\nrole = \"nurse\""),
                "user[1].name = \"a b\": must be 1 to 64 characters",
            ),
            (
                one("name = \"a\"\nrole = \"doctor\""),
                "user[1].role = \"doctor\": must be nurse, charge_nurse, biomed, admin",
            ),
            (one("name = \"a\"\nrole = \"nurse\"\nx = 1"), "unknown field"),
            (
                "[[user]]\nname = \"a\"\nrole = \"nurse\"\npassword = \"geheim\"".to_owned(),
                "user[1].password: must be an argon2id hash",
            ),
            (
                one("name = \"a\"\nrole = \"nurse\"") + &one("name = \"A\"\nrole = \"nurse\""),
                "user[2].name = \"A\": somebody else",
            ),
            ("[[user]".to_owned(), "line 1"),
        ];
        for (text, expected) in cases {
            let problem = parse(&text).err().unwrap();
            assert!(problem.contains(expected), "{problem}");
            assert!(!problem.contains("geheim"), "{problem}");
        }
        assert!(parse("").unwrap().is_empty());
    }
}
