//! The desk at which people log in and off.

use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::http::HeaderMap;
use tokio::sync::{Semaphore, mpsc};
use wardlight_core::people::{Actor, Role};
use wardlight_core::time::Timestamp;

use super::caller::Caller;
use super::cookies::{self, DISPLAY, MAX_COOKIES, SESSION, Visitor};
use super::limiter::Limiter;
use super::session::{Book, Session};
use super::trail::Trail;
use super::views::{Sight, Views};
use super::{Happening, MAX_PASSWORD, Member, Origin, People, Person, Reason, Standing, What};
use crate::command::StationCommand;

/// Passwords hashed at once; each takes 19 MiB and a core.
const HASHING: usize = 2;
/// Logins that may wait for that; one more is told to try again.
const WAITING: usize = 16;

/// Why nobody was logged in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LoginFailure {
    /// The name or the password is wrong.
    Wrong,
    /// There were failures; try again after that.
    TooSoon(Duration),
    /// Too many log in at once, or the audit trail cannot take it.
    Busy,
}

/// What a browser gets after a login.
pub(crate) struct Badge {
    pub(crate) token: String,
    /// The display's right, where there is a login.
    pub(crate) display: Option<String>,
    pub(crate) lasts: Duration,
}

/// See the [module](self).
pub(crate) struct Desk {
    people: People,
    book: Book,
    limiter: Mutex<Limiter>,
    views: Mutex<Views>,
    trail: Trail,
    hashing: Arc<Semaphore>,
    waiting: Semaphore,
}

impl std::fmt::Debug for Desk {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Desk").field("people", &self.people).finish_non_exhaustive()
    }
}

impl Desk {
    pub(crate) fn new(people: People, commands: mpsc::Sender<StationCommand>) -> Self {
        Self {
            people,
            book: Book::default(),
            limiter: Mutex::default(),
            views: Mutex::default(),
            trail: Trail::new(commands),
            hashing: Arc::new(Semaphore::new(HASHING)),
            waiting: Semaphore::new(WAITING),
        }
    }

    pub(crate) fn people(&self) -> &People {
        &self.people
    }

    /// Who comes. `None` if the cookies are too long to be ours.
    pub(crate) fn visitor(&self, headers: &HeaderMap, address: Option<IpAddr>) -> Option<Visitor> {
        if cookies::length(headers) > MAX_COOKIES {
            return None;
        }
        let (token, display) = (cookies::read(headers, SESSION), cookies::read(headers, DISPLAY));
        Some(Visitor {
            session: token.and_then(|token| self.book.find(token)),
            display_until: display.and_then(|value| cookies::read_display(&self.people.display_key, value)),
            address,
            by_cookie: token.is_some() || display.is_some(),
        })
    }

    /// What the visitor is now.
    pub(crate) fn standing(&self, visitor: &Visitor, now: Timestamp) -> Standing {
        let session = visitor.session.as_ref();
        if let Some(person) = session.and_then(|session| session.person(&self.people, now)) {
            return Standing::Person(person);
        }
        match visitor.display_until {
            _ if !self.people.login() => Standing::Anybody,
            Some(until) if now < until => Standing::Display,
            _ => Standing::Stranger,
        }
    }

    /// The visitor touched the page.
    pub(crate) fn gesture(&self, visitor: &Visitor, now: Timestamp) {
        if let Some(session) = &visitor.session {
            session.gesture(&self.people, now);
        }
    }

    /// Logs a person in. Without a directory any name will do, and the person acts as charge nurse.
    pub(crate) async fn login(
        &self,
        user: &str,
        password: &str,
        headers: &HeaderMap,
        address: Option<IpAddr>,
        now: Timestamp,
    ) -> Result<Badge, LoginFailure> {
        if now == Timestamp::default() {
            // The agent's clock has not been heard yet: what begins now would end with its first beat.
            return Err(LoginFailure::Busy);
        }
        let member = match &self.people.directory {
            Some(_) => self.identify(user, password, address, now).await?,
            None => Member {
                user: user.to_owned(),
                name: user.to_owned(),
                role: Role::ChargeNurse,
                version: String::new(),
            },
        };
        let token = cookies::new_token().ok_or(LoginFailure::Busy)?;
        if !self.trail.tell(self.happening(Some(&member), address, What::Login)) {
            return Err(LoginFailure::Busy);
        }
        let old = cookies::read(headers, SESSION);
        let mut ended: Vec<Happening> = old
            .and_then(|old| self.book.close(old, What::LoggedOff(Reason::Renewed)))
            .into_iter()
            .collect();
        ended.extend(self.book.open(&self.people, &token, member, address, now));
        self.trail.note(ended);
        let until = now.plus(self.people.display_for);
        Ok(Badge {
            token,
            display: self
                .people
                .login()
                .then(|| cookies::sign_display(&self.people.display_key, until)),
            lasts: self.people.display_for,
        })
    }

    /// Checks the password, unless there were too many failures; off the workers that carry alarms.
    async fn identify(
        &self,
        user: &str,
        password: &str,
        address: Option<IpAddr>,
        now: Timestamp,
    ) -> Result<Member, LoginFailure> {
        let Some(directory) = self.people.directory.clone() else {
            return Err(LoginFailure::Wrong);
        };
        let Ok(_place) = self.waiting.try_acquire() else {
            return Err(LoginFailure::Busy);
        };
        let begun = lock(&self.limiter).begin(user, address, now);
        let turned_away = begun.map_err(LoginFailure::TooSoon)?;
        let Ok(turn) = Arc::clone(&self.hashing).acquire_owned().await else {
            return Err(LoginFailure::Busy);
        };
        let (name, secret) = (user.to_owned(), password.to_owned());
        let known = directory.member(user);
        let checked = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            (secret.len() <= MAX_PASSWORD)
                .then(|| directory.check(&name, &secret))
                .flatten()
        });
        match checked.await {
            Ok(Some(member)) => {
                lock(&self.limiter).succeeded(user, address);
                Ok(member)
            }
            Ok(None) => {
                self.trail.note(vec![self.happening(
                    known.as_ref(),
                    address,
                    What::LoginFailed { turned_away },
                )]);
                Err(LoginFailure::Wrong)
            }
            Err(_died) => Err(LoginFailure::Busy),
        }
    }

    /// Logs the person off; the page stays a display.
    pub(crate) fn logoff(&self, headers: &HeaderMap) {
        let told = cookies::read(headers, SESSION).and_then(|token| self.book.close(token, What::Logoff));
        self.trail.note(told.into_iter().collect());
    }

    /// Gives a person the rights of a nurse for a while, if that can be told.
    pub(crate) fn break_glass(&self, session: &Session, caller: &Caller, reason: String, now: Timestamp) -> bool {
        let what = What::BreakGlass {
            reason,
            until: now.plus(super::GLASS_FOR),
        };
        let told = self.trail.tell(caller.happening(what));
        if told {
            session.break_glass(now);
        }
        told
    }

    /// Tells that a person saw a patient, once in five minutes. False if it could not be told: then it may not be shown.
    pub(crate) fn saw(&self, person: &Person, address: Option<IpAddr>, sight: &Sight, now: Timestamp) -> bool {
        let mut views = lock(&self.views);
        if !views.is_new(&person.user, sight, now) {
            return true;
        }
        let role = if person.role.cares() { person.role } else { Role::Nurse };
        let caller = Caller::person(person, role, address);
        let what = match sight {
            Sight::Ward => What::ViewedWard,
            Sight::Bed(bed, _) => What::Viewed(bed.clone()),
        };
        let told = self.trail.tell(caller.happening(what));
        if !told {
            views.forget(&person.user, sight);
        }
        told
    }

    /// Tells that a person asked for what the role does not allow.
    pub(crate) fn denied(&self, caller: &Caller, what: String) {
        self.trail.note(vec![caller.happening(What::Denied(what))]);
    }

    /// Logs off whose time is over. Once a second, from the agent's heartbeat.
    pub(crate) fn sweep(&self, now: Timestamp) {
        self.trail.note(self.book.sweep(&self.people, now));
    }

    /// Logs off who was removed or changed.
    pub(crate) fn recheck(&self) {
        self.trail.note(self.book.recheck(&self.people));
    }

    fn happening(&self, member: Option<&Member>, address: Option<IpAddr>, what: What) -> Happening {
        let login = self.people.login();
        Happening {
            by: member.map(|member| Actor::new(member.name.clone(), member.role)),
            from: Origin {
                user: member.filter(|_| login).map(|member| member.user.clone()),
                unproved: !login,
                address,
                break_glass: false,
            },
            what,
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
