//! Who asks for something.

use std::net::IpAddr;

use wardlight_core::people::{Actor, Role};

use super::{Happening, Origin, Person, What};

/// Who asks for something, and from where.
#[derive(Clone)]
pub(crate) struct Caller {
    pub(crate) by: Actor,
    pub(crate) from: Origin,
}

impl Caller {
    /// A person who is logged in, in this role.
    pub(crate) fn person(person: &Person, role: Role, address: Option<IpAddr>) -> Self {
        Self {
            by: person.actor(role),
            from: Origin {
                user: (!person.unchecked).then(|| person.user.clone()),
                unproved: person.unchecked,
                address,
                break_glass: role != person.role && !person.unchecked,
            },
        }
    }

    /// Somebody at a station without a login.
    pub(crate) fn anybody(name: &str, role: Role, address: Option<IpAddr>) -> Self {
        Self {
            by: Actor::new(name, role),
            from: Origin {
                unproved: true,
                address,
                ..Origin::default()
            },
        }
    }

    /// Something that this caller did or asked for.
    pub(super) fn happening(&self, what: What) -> Happening {
        Happening {
            by: Some(self.by.clone()),
            from: self.from.clone(),
            what,
        }
    }
}
