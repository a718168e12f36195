//! The users' file as the station's directory: in memory, and read anew when the file changes.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;
use wardlight_core::hex;

use ring::digest;
use wardlight_station::{Directory, Member};

use super::password;
use super::users::{self, User};

/// One difference between the users before and after.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct UserChange {
    /// `user_added`, `user_removed` or `user_changed`.
    pub(crate) action: &'static str,
    /// Who, and what of it changed.
    pub(crate) detail: String,
}

/// Tells one content of the file from another without reading it.
type Stamp = Option<(SystemTime, u64)>;

/// See the [module](self).
pub(crate) struct UsersFile {
    path: PathBuf,
    /// A hash of nothing that anybody knows, for names that nobody has: it takes as long as a real one.
    nobody: String,
    state: Mutex<State>,
}

struct State {
    stamp: Stamp,
    users: Vec<User>,
    /// Differences that nobody has asked for yet.
    changes: Vec<UserChange>,
}

impl std::fmt::Debug for UsersFile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("UsersFile").field("path", &self.path).finish_non_exhaustive()
    }
}

impl UsersFile {
    /// Reads the file.
    /// # Errors
    /// What is wrong with it.
    pub(crate) fn open(path: &Path) -> Result<Self, String> {
        let stamp = stamp(path);
        Ok(Self {
            path: path.to_path_buf(),
            nobody: password::hash("nobody").map_err(|error| error.to_string())?,
            state: Mutex::new(State {
                stamp,
                users: users::read(path)?,
                changes: Vec::new(),
            }),
        })
    }

    /// Looks at the file; what changed since the last call.
    /// # Errors
    /// If the file changed and cannot be used; then the users stay as they were, and it is said once.
    pub(crate) fn changes(&self) -> Result<Vec<UserChange>, String> {
        self.refresh()?;
        Ok(std::mem::take(&mut self.lock().changes))
    }

    /// Everybody with the role and a fingerprint of the password's hash, for the audit trail.
    pub(crate) fn summary(&self) -> String {
        let shown: Vec<String> = self.lock().users.iter().map(describe).collect();
        if shown.is_empty() {
            "nobody".to_owned()
        } else {
            shown.join("; ")
        }
    }

    fn refresh(&self) -> Result<(), String> {
        let found = stamp(&self.path);
        if self.lock().stamp == found {
            return Ok(());
        }
        // Read without the lock: a login must not wait for a slow disk.
        let read = users::read(&self.path);
        let mut state = self.lock();
        state.stamp = found;
        let users = read?;
        let changes = differences(&state.users, &users);
        state.changes.extend(changes);
        state.users = users;
        Ok(())
    }

    fn find(&self, name: &str) -> Option<User> {
        let state = self.lock();
        state.users.iter().find(|user| user.name.eq_ignore_ascii_case(name)).cloned()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Directory for UsersFile {
    fn check(&self, user: &str, password: &str) -> Option<Member> {
        if let Err(problem) = self.refresh() {
            tracing::error!(problem, "The users' file cannot be used; the users stay as they were.");
        }
        let found = self.find(user);
        let hash = found.as_ref().map_or(self.nobody.as_str(), |user| user.password.as_str());
        let fits = password::verify(hash, password);
        found.filter(|_| fits).map(|user| member(&user))
    }

    fn member(&self, user: &str) -> Option<Member> {
        self.find(user).map(|user| member(&user))
    }
}

fn member(user: &User) -> Member {
    Member {
        user: user.name.clone(),
        name: user.display_name.clone(),
        role: user.role,
        version: fingerprint(&user.password),
    }
}

/// Tells one hash from another without being one.
fn fingerprint(hash: &str) -> String {
    let digest = digest::digest(&digest::SHA256, hash.as_bytes());
    hex::encode(digest.as_ref().get(..4).unwrap_or_default())
}

fn describe(user: &User) -> String {
    let by = if user.changed_by.is_empty() {
        "hand"
    } else {
        &user.changed_by
    };
    format!(
        "{} ({}, password {}, by {by})",
        user.name,
        user.role.name(),
        fingerprint(&user.password)
    )
}

fn differences(before: &[User], after: &[User]) -> Vec<UserChange> {
    let find = |users: &[User], name: &str| users.iter().find(|user| user.name == name).cloned();
    let change = |action, detail| UserChange { action, detail };
    let gone = before.iter().filter(|user| find(after, &user.name).is_none());
    let mut changes: Vec<UserChange> = gone.map(|user| change("user_removed", describe(user))).collect();
    for user in after {
        match find(before, &user.name) {
            None => changes.push(change("user_added", describe(user))),
            Some(old) if old != *user => {
                changes.push(change(
                    "user_changed",
                    format!("{}, before {}", describe(user), describe(&old)),
                ));
            }
            Some(_) => {}
        }
    }
    changes
}

fn stamp(path: &Path) -> Stamp {
    let file = fs::metadata(path).ok()?;
    // A file that took another's place within the clock's resolution has another number.
    Some((file.modified().ok()?, std::os::unix::fs::MetadataExt::ino(&file)))
}

#[cfg(test)]
mod tests {
    use wardlight_core::people::Role;

    use super::*;
    use crate::people::users::Change;

    fn user(name: &str, role: Role, password: &str) -> User {
        User {
            name: name.to_owned(),
            display_name: name.to_uppercase(),
            role,
            password: password::hash(password).unwrap(),
            changed_by: "root".to_owned(),
        }
    }

    #[test]
    fn a_changed_file_is_followed_at_the_next_login() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("users.toml");
        let klein = user("klein", Role::Nurse, "correct horse");
        Change::begin(&path).unwrap().write(std::slice::from_ref(&klein)).unwrap();
        let file = UsersFile::open(&path).unwrap();
        assert_eq!(file.check("Klein", "correct horse").unwrap().name, "KLEIN");
        assert!(file.check("klein", "wrong horse").is_none() && file.check("bauer", "battery staple").is_none());
        assert!(file.changes().unwrap().is_empty());

        let bauer = user("bauer", Role::Biomed, "battery staple");
        Change::begin(&path).unwrap().write(&[bauer]).unwrap();
        assert_eq!(file.check("bauer", "battery staple").unwrap().role, Role::Biomed);
        assert!(file.member("klein").is_none());
        let actions: Vec<_> = file.changes().unwrap().into_iter().map(|change| change.action).collect();
        assert_eq!(actions, ["user_removed", "user_added"]);
        assert!(file.changes().unwrap().is_empty());
    }

    #[test]
    fn a_file_that_cannot_be_used_leaves_the_users_as_they_were() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("users.toml");
        Change::begin(&path)
            .unwrap()
            .write(&[user("klein", Role::Nurse, "correct horse")])
            .unwrap();
        let file = UsersFile::open(&path).unwrap();
        fs::write(folder.path().join("bad"), "[[user]").unwrap();
        fs::rename(folder.path().join("bad"), &path).unwrap();
        assert!(file.changes().is_err());
        assert!(file.changes().unwrap().is_empty(), "said once");
        assert!(file.check("klein", "correct horse").is_some());
    }

    #[test]
    fn a_new_password_or_role_is_a_new_version() {
        let (a, b) = (
            user("a", Role::Nurse, "correct horse"),
            user("a", Role::Nurse, "battery staple"),
        );
        assert_ne!(member(&a), member(&b));
        let found = differences(std::slice::from_ref(&a), &[b]);
        assert_eq!(found[0].action, "user_changed");
        assert!(!found[0].detail.contains("argon2"), "{}", found[0].detail);
        assert!(differences(std::slice::from_ref(&a), std::slice::from_ref(&a)).is_empty());
    }
}
