//! `[people]`: who may log in, and for how long.

use std::path::PathBuf;
use std::time::Duration;

use super::reader::Section;

/// Who may log in, and for how long.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PeopleConfig {
    /// The users' file; `None` is no login.
    pub(crate) users_file: Option<PathBuf>,
    /// How long a page stays a display after a login.
    pub(crate) display_for: Duration,
    /// How long a person stays logged in without a gesture.
    pub(crate) logoff_after: Duration,
}

pub(super) fn read(mut section: Section<'_>) -> PeopleConfig {
    let config = PeopleConfig {
        users_file: section.secret_file("users_file"),
        display_for: Duration::from_secs(section.integer("display_hours", 12, 1..=168) * 3600),
        logoff_after: Duration::from_secs(section.integer("logoff_after_min", 10, 1..=240) * 60),
    };
    section.finish();
    config
}
