//! The people who act: who they are and what their role lets them do.

use std::fmt;

use serde::{Deserialize, Serialize};

/// What a person is in the ward. (*ratify*: a hospital decides which of its people get which role.)
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Role {
    /// Cares for patients: acknowledges, pauses, charts, admits, sets limits of a patient.
    Nurse,
    /// Leads the shift: also longer delays, and the pages of handover and burden.
    ChargeNurse,
    /// Looks after devices: attaches and detaches them, sees the IT page; touches no alarm.
    Biomed,
    /// Looks after the agent and its users; touches no alarm.
    Admin,
}

impl Role {
    /// All roles.
    pub const ALL: [Self; 4] = [Self::Nurse, Self::ChargeNurse, Self::Biomed, Self::Admin];

    /// `nurse`, `charge_nurse`, `biomed` or `admin`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Nurse => "nurse",
            Self::ChargeNurse => "charge_nurse",
            Self::Biomed => "biomed",
            Self::Admin => "admin",
        }
    }

    /// From its name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.name() == name)
    }

    /// Whether this role cares for patients.
    pub const fn cares(self) -> bool {
        matches!(self, Self::Nurse | Self::ChargeNurse)
    }
}

/// Who acts, in which role.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Actor {
    /// The person's name as it stands in the audit trail.
    pub name: String,
    /// The role in which the person acts now.
    pub role: Role,
}

impl Actor {
    /// A person in a role.
    pub fn new(name: impl Into<String>, role: Role) -> Self {
        Self { name: name.into(), role }
    }

    /// The agent itself: bindings from its file, simulated wards.
    pub fn agent() -> Self {
        Self::new("the agent", Role::Admin)
    }
}

/// Points at a person, so it keeps the name to itself.
impl fmt::Debug for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Actor").field("role", &self.role).finish_non_exhaustive()
    }
}
