//! Calls: conditions that begin at one bed within a few seconds of each other are one call for help, and a call that
//! nobody answers goes on to the next receiver.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::AlarmId;
use crate::message::Priority;
use crate::time::Timestamp;

/// Conditions within this time of the first are one call (*ratify*).
pub const MERGE_WITHIN: Duration = Duration::from_secs(10);

/// Who is called. A call goes up, never down, and those called before stay called.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Receiver {
    /// The nurse of the bed.
    #[default]
    Primary,
    /// The nurse who stands in.
    Second,
    /// The charge nurse and every page.
    ChargeNurse,
}

impl Receiver {
    /// `primary`, `second` or `charge_nurse`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Primary => "primary",
            Self::Second => "second",
            Self::ChargeNurse => "charge_nurse",
        }
    }

    /// The next one, if there is one.
    pub const fn next(self) -> Option<Self> {
        match self {
            Self::Primary => Some(Self::Second),
            Self::Second => Some(Self::ChargeNurse),
            Self::ChargeNurse => None,
        }
    }
}

/// Who is called at each step, by the names that the hospital gave: people, telephones, pager groups. Empty where it gave none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Roster {
    /// The nurses of the beds.
    pub primary: Vec<String>,
    /// Those who stand in.
    pub second: Vec<String>,
    /// The charge nurse.
    pub charge_nurse: Vec<String>,
}

impl Roster {
    /// Those of one step.
    pub fn at(&self, step: Receiver) -> &[String] {
        match step {
            Receiver::Primary => &self.primary,
            Receiver::Second => &self.second,
            Receiver::ChargeNurse => &self.charge_nurse,
        }
    }
}

/// How long after its beginning an unanswered call goes on to the second receiver and to the charge nurse (*ratify*).
const fn goes_on_after(priority: Priority, from: Receiver) -> Option<Duration> {
    match (priority, from) {
        (Priority::High, Receiver::Primary) => Some(Duration::from_secs(30)),
        (Priority::High, Receiver::Second) => Some(Duration::from_mins(1)),
        (Priority::Medium, Receiver::Primary) => Some(Duration::from_mins(2)),
        (Priority::Medium, Receiver::Second) => Some(Duration::from_mins(5)),
        (Priority::Low, _) | (_, Receiver::ChargeNurse) => None,
    }
}

/// How long "I am going" holds a call back before it goes on after all (*ratify*).
const fn accepted_for(priority: Priority) -> Duration {
    match priority {
        Priority::High => Duration::from_mins(1),
        Priority::Medium | Priority::Low => Duration::from_mins(5),
    }
}

/// One call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Call {
    /// The alarm that began it; its name is the call's.
    pub(crate) id: AlarmId,
    pub(crate) began_at: Timestamp,
    pub(crate) receiver: Receiver,
    /// Who said "I am going", and until when that holds the call back.
    pub(crate) accepted: Option<(String, Timestamp)>,
}

impl Call {
    pub(crate) const fn new(id: AlarmId, now: Timestamp) -> Self {
        Self {
            id,
            began_at: now,
            receiver: Receiver::Primary,
            accepted: None,
        }
    }

    /// Whether a condition that begins now is part of this call.
    pub(crate) fn takes_in(&self, now: Timestamp) -> bool {
        now.since(self.began_at) <= MERGE_WITHIN
    }

    /// Somebody is going there.
    pub(crate) fn accept(&mut self, by: &str, priority: Priority, now: Timestamp) {
        self.accepted = Some((by.to_owned(), now.plus(accepted_for(priority))));
    }

    /// On to the next receiver; returns whether there was one.
    pub(crate) fn go_on(&mut self) -> bool {
        self.accepted = None;
        match self.receiver.next() {
            Some(next) => {
                self.receiver = next;
                true
            }
            None => false,
        }
    }

    /// Whether an unanswered call of this priority goes on now.
    pub(crate) fn is_due(&self, priority: Priority, now: Timestamp) -> bool {
        let held = self.accepted.as_ref().is_some_and(|(_, until)| now < *until);
        !held && goes_on_after(priority, self.receiver).is_some_and(|after| now.since(self.began_at) >= after)
    }
}
