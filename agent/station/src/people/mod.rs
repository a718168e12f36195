//! The people at the pages: who they are, how long they stay logged in, and what of it is told to the audit trail.
//!
//! Two rights, in two cookies. A *display* may show alarms and numbers, without the names of patients; it is a signed date and
//! outlives a restart of the agent, because a ward must never be blinded by a logoff. A *person* may act and see names; a person
//! is a random token that only this process knows, and is logged off after some minutes without a gesture.
//!
//! The time is the agent's, as [`Station::publish_beds`](crate::Station::publish_beds) last said it: nothing here reads a clock.

mod caller;
mod cookies;
mod limiter;
mod login;
mod session;
mod trail;
mod views;

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use wardlight_core::ids::BedId;
use wardlight_core::people::{Actor, Role};
use wardlight_core::time::Timestamp;

pub(crate) use caller::Caller;
pub(crate) use cookies::{DISPLAY, MAX_COOKIES, SESSION, Visitor, set};
pub(crate) use login::{Badge, Desk, LoginFailure};
pub(crate) use session::{Person, Standing};
pub(crate) use views::Sight;

/// A break-glass lasts this long.
pub(crate) const GLASS_FOR: Duration = Duration::from_mins(15);
/// Shortest reason for a break-glass, in characters.
pub(crate) const MIN_REASON: usize = 8;
/// Longest reason for a break-glass, in characters.
pub(crate) const MAX_REASON: usize = 200;
/// Longest password, in bytes: what is longer is no password, and hashing it would only cost.
pub(crate) const MAX_PASSWORD: usize = 256;

/// Somebody who may log in.
#[derive(Clone, PartialEq, Eq)]
pub struct Member {
    /// What is typed to log in.
    pub user: String,
    /// The name that stands with what this person does.
    pub name: String,
    /// The role.
    pub role: Role,
    /// Changes whenever the password or the role does: a session of an older version ends.
    pub version: String,
}

/// Points at a person, so it keeps the names to itself.
impl std::fmt::Debug for Member {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Member").field("role", &self.role).finish_non_exhaustive()
    }
}

/// The list of those who may log in; the agent keeps it.
pub trait Directory: Send + Sync + std::fmt::Debug {
    /// Checks a password. Slow on purpose, and as slow for a name that nobody has; called where it may block.
    /// `None` if the name or the password is wrong.
    fn check(&self, user: &str, password: &str) -> Option<Member>;

    /// The person as the list has it now; `None` for one who is not on it. Fast.
    fn member(&self, user: &str) -> Option<Member>;
}

/// Who may use the station, and for how long.
#[derive(Clone, Debug)]
pub struct People {
    pub(crate) directory: Option<Arc<dyn Directory>>,
    pub(crate) display_for: Duration,
    pub(crate) logoff_after: Duration,
    pub(crate) display_key: [u8; 32],
}

impl People {
    /// No login: everybody who reaches the page can act, as charge nurse and under a name that is typed.
    pub fn open() -> Self {
        Self {
            directory: None,
            display_for: Duration::from_hours(12),
            logoff_after: Duration::from_mins(10),
            // Without a login no display needs a right, so none is ever signed.
            display_key: [0; 32],
        }
    }

    /// Only those in the directory can act. A page on which somebody has logged in stays a display for `display_for`;
    /// a person is logged off after `logoff_after` without a gesture. `display_key` signs the displays' right: the same
    /// key after a restart, and displays go on.
    pub fn with_login(
        directory: Arc<dyn Directory>,
        display_for: Duration,
        logoff_after: Duration,
        display_key: [u8; 32],
    ) -> Self {
        Self {
            directory: Some(directory),
            display_for,
            logoff_after,
            display_key,
        }
    }

    /// Whether there is a login at all.
    pub(crate) fn login(&self) -> bool {
        self.directory.is_some()
    }
}

/// From where, and under which login, something was asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origin {
    /// What was typed to log in; `None` without a login.
    pub user: Option<String>,
    /// Whether the name was typed at a station without a login: nobody proved who it was.
    pub unproved: bool,
    /// Address of the station; `None` for the agent itself.
    pub address: Option<IpAddr>,
    /// Whether the rights of a nurse come from a break-glass.
    pub break_glass: bool,
}

/// Something about people that belongs in the audit trail and is no command.
#[derive(Clone, PartialEq, Eq)]
pub struct Happening {
    /// Who; `None` where nobody was logged in.
    pub by: Option<Actor>,
    /// From where.
    pub from: Origin,
    /// What.
    pub what: What,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// A person logged in.
    Login,
    /// A login failed. The name that was typed is told only if somebody has it: it may have been a password.
    LoginFailed {
        /// Logins from this address or under this name that were turned away unread since the last one that was looked at.
        turned_away: u32,
    },
    /// A person logged off.
    Logoff,
    /// A person was logged off.
    LoggedOff(Reason),
    /// A person took the rights of a nurse.
    BreakGlass {
        /// Why, in the person's words.
        reason: String,
        /// Until when.
        until: Timestamp,
    },
    /// A person opened a bed.
    Viewed(BedId),
    /// A person was shown the beds with the names of patients.
    ViewedWard,
    /// A person asked for what the role does not allow: method and path.
    Denied(String),
}

/// Why a person was logged off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// Nobody touched the page for too long.
    Idle,
    /// The login was too long ago.
    TooLong,
    /// The person was removed from the users, or got another role or password.
    Changed,
    /// Too many others logged in; this one had been idle for longest.
    Crowded,
    /// The same page logged in anew.
    Renewed,
}

impl Reason {
    /// `idle`, `too_long`, `changed`, `crowded` or `renewed`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Idle => "idle",
            Self::TooLong => "too_long",
            Self::Changed => "changed",
            Self::Crowded => "crowded",
            Self::Renewed => "renewed",
        }
    }
}

/// Points at a person, so it keeps the names to itself.
impl std::fmt::Debug for Happening {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Happening").field("by", &self.by).finish_non_exhaustive()
    }
}
