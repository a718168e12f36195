//! Who is logged in: a bounded book of sessions, each known by the hash of its token only.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ring::digest;
use wardlight_core::people::{Actor, Role};
use wardlight_core::time::Timestamp;

use super::{GLASS_FOR, Happening, Member, Origin, People, Reason, What};

/// People logged in at the same time; the one idle for longest makes room for another.
const MAX_SESSIONS: usize = 256;

/// Hash of a token. The token itself is on the page only.
pub(crate) type TokenHash = [u8; 32];

/// The hash under which a token is known.
pub(crate) fn hash(token: &str) -> TokenHash {
    let mut out = [0; 32];
    out.copy_from_slice(digest::digest(&digest::SHA256, token.as_bytes()).as_ref());
    out
}

/// One person logged in on one page.
pub(crate) struct Session {
    member: Member,
    /// There is no login: the name was typed.
    unproved: bool,
    address: Option<IpAddr>,
    since: Timestamp,
    state: Mutex<State>,
}

struct State {
    gesture: Timestamp,
    glass_until: Option<Timestamp>,
    ended: bool,
}

/// A person as logged in now.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Person {
    pub(crate) user: String,
    pub(crate) name: String,
    pub(crate) role: Role,
    /// Logged off then, unless there is a gesture.
    pub(crate) until: Timestamp,
    /// Has the rights of a nurse until then.
    pub(crate) glass_until: Option<Timestamp>,
    /// There is no login: the person may do everything.
    pub(crate) unchecked: bool,
}

impl Person {
    /// Whether names of patients are shown: to those who care for them, and to one who broke the glass.
    pub(crate) fn sees_names(&self) -> bool {
        self.role.cares() || self.glass_until.is_some()
    }

    /// The role in which the person may do what needs one of `roles`: the own one where it is enough, else a broken glass's.
    pub(crate) fn acting(&self, roles: &[Role]) -> Option<Role> {
        let borrowed = self.glass_until.map(|_| Role::Nurse);
        let own = [Some(self.role), borrowed].into_iter().flatten();
        let any = roles.iter().copied().filter(|_| self.unchecked);
        own.chain(any).find(|role| roles.contains(role))
    }

    pub(crate) fn actor(&self, role: Role) -> Actor {
        Actor::new(self.name.clone(), role)
    }
}

/// What a visitor is at this moment.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Standing {
    /// May see the login form.
    Stranger,
    /// May see alarms and numbers, without names.
    Display,
    /// There is no login: may do everything, under a name that is typed.
    Anybody,
    /// May do what the role allows.
    Person(Person),
}

impl Standing {
    /// Whether names of patients are shown.
    pub(crate) fn sees_names(&self) -> bool {
        match self {
            Self::Stranger | Self::Display => false,
            Self::Anybody => true,
            Self::Person(person) => person.sees_names(),
        }
    }

    /// The same, but for times that only move.
    pub(crate) fn is_as(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Person(a), Self::Person(b)) => (&a.user, a.role, a.glass_until) == (&b.user, b.role, b.glass_until),
            _ => self == other,
        }
    }
}

impl Session {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Why it is over, if it is by itself.
    fn over(&self, people: &People, state: &State, now: Timestamp) -> Option<Reason> {
        if now.since(state.gesture) >= people.logoff_after {
            return Some(Reason::Idle);
        }
        (now.since(self.since) >= people.display_for).then_some(Reason::TooLong)
    }

    /// The person, while logged in.
    pub(crate) fn person(&self, people: &People, now: Timestamp) -> Option<Person> {
        let state = self.lock();
        if state.ended || self.over(people, &state, now).is_some() {
            return None;
        }
        Some(Person {
            user: self.member.user.clone(),
            name: self.member.name.clone(),
            role: self.member.role,
            until: state
                .gesture
                .plus(people.logoff_after)
                .min(self.since.plus(people.display_for)),
            glass_until: state.glass_until.filter(|until| now < *until),
            unchecked: self.unproved,
        })
    }

    /// The person did something: stays logged in from now on. One whose time is over stays logged off.
    pub(crate) fn gesture(&self, people: &People, now: Timestamp) {
        let mut state = self.lock();
        if !state.ended && self.over(people, &state, now).is_none() {
            state.gesture = state.gesture.max(now);
        }
    }

    /// Gives the rights of a nurse from now on; returns until when.
    pub(crate) fn break_glass(&self, now: Timestamp) -> Timestamp {
        let until = now.plus(GLASS_FOR);
        self.lock().glass_until = Some(until);
        until
    }

    /// Ends it; whether it had not ended before.
    fn end(&self) -> bool {
        !std::mem::replace(&mut self.lock().ended, true)
    }

    fn happening(&self, what: What) -> Happening {
        Happening {
            by: Some(Actor::new(self.member.name.clone(), self.member.role)),
            from: Origin {
                user: (!self.unproved).then(|| self.member.user.clone()),
                unproved: self.unproved,
                address: self.address,
                break_glass: false,
            },
            what,
        }
    }
}

/// Everybody who is logged in.
#[derive(Default)]
pub(crate) struct Book(Mutex<HashMap<TokenHash, Arc<Session>>>);

impl Book {
    fn lock(&self) -> MutexGuard<'_, HashMap<TokenHash, Arc<Session>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn find(&self, token: &str) -> Option<Arc<Session>> {
        self.lock().get(&hash(token)).cloned()
    }

    /// Opens a session, with `people` as they are; what had to make room for it is told.
    pub(crate) fn open(
        &self,
        people: &People,
        token: &str,
        member: Member,
        address: Option<IpAddr>,
        now: Timestamp,
    ) -> Vec<Happening> {
        let session = Session {
            member,
            unproved: !people.login(),
            address,
            since: now,
            state: Mutex::new(State {
                gesture: now,
                glass_until: None,
                ended: false,
            }),
        };
        let mut sessions = self.lock();
        let mut told = Vec::new();
        if sessions.len() >= MAX_SESSIONS {
            let idlest = sessions.iter().min_by_key(|(_, session)| session.lock().gesture);
            if let Some(key) = idlest.map(|(key, _)| *key) {
                told.extend(finish(sessions.remove(&key), What::LoggedOff(Reason::Crowded)));
            }
        }
        sessions.insert(hash(token), Arc::new(session));
        told
    }

    /// Ends the session of this token.
    pub(crate) fn close(&self, token: &str, what: What) -> Option<Happening> {
        let session = self.lock().remove(&hash(token));
        finish(session, what)
    }

    /// Ends what has been idle or open for too long.
    pub(crate) fn sweep(&self, people: &People, now: Timestamp) -> Vec<Happening> {
        self.end_where(|session| {
            let state = session.lock();
            session.over(people, &state, now)
        })
    }

    /// Ends the sessions of those who were removed or changed.
    pub(crate) fn recheck(&self, people: &People) -> Vec<Happening> {
        let Some(directory) = &people.directory else {
            return Vec::new();
        };
        self.end_where(|session| {
            let current = directory.member(&session.member.user);
            (current.as_ref() != Some(&session.member)).then_some(Reason::Changed)
        })
    }

    fn end_where(&self, reason: impl Fn(&Session) -> Option<Reason>) -> Vec<Happening> {
        let mut told = Vec::new();
        self.lock().retain(|_, session| {
            let Some(reason) = reason(session) else { return true };
            told.extend(finish(Some(Arc::clone(session)), What::LoggedOff(reason)));
            false
        });
        told
    }
}

fn finish(session: Option<Arc<Session>>, what: What) -> Option<Happening> {
    let session = session?;
    session.end().then(|| session.happening(what))
}
