//! Which views of patients were told to the audit trail lately, so that one look is one record.

use std::collections::HashMap;
use std::time::Duration;

use wardlight_core::ids::{BedId, StayToken};
use wardlight_core::time::Timestamp;

/// Looks of one person at one patient within this time are one record.
const ONE_LOOK: Duration = Duration::from_mins(5);
/// Looks remembered; when there are more all are forgotten, and told again: never too few.
const REMEMBERED: usize = 4096;

/// What was looked at.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(crate) enum Sight {
    /// All beds, with the names of patients.
    Ward,
    /// One bed and the stay that was in it.
    Bed(BedId, Option<StayToken>),
}

/// Who looked at what, and when.
#[derive(Default)]
pub(crate) struct Views(HashMap<(String, Sight), Timestamp>);

impl Views {
    /// Whether this look has to be told; if so it counts as told.
    pub(crate) fn is_new(&mut self, person: &str, sight: &Sight, now: Timestamp) -> bool {
        let key = (person.to_owned(), sight.clone());
        let recent = |told: &Timestamp| now.since(*told) < ONE_LOOK;
        if self.0.get(&key).is_some_and(recent) {
            return false;
        }
        if self.0.len() >= REMEMBERED {
            self.0.retain(|_, told| recent(told));
        }
        if self.0.len() >= REMEMBERED {
            self.0.clear();
        }
        self.0.insert(key, now);
        true
    }

    /// The record could not be handed over: the next look is told.
    pub(crate) fn forget(&mut self, person: &str, sight: &Sight) {
        self.0.remove(&(person.to_owned(), sight.clone()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_look_is_told_once_in_five_minutes_per_person_and_patient() {
        let mut views = Views::default();
        let bed = |name, stay| Sight::Bed(BedId::new(name).unwrap(), Some(StayToken::from_bytes([stay; 16])));
        let at = |minutes| Timestamp::default().plus(Duration::from_mins(minutes));
        assert!(views.is_new("k", &bed("b1", 1), at(0)));
        assert!(!views.is_new("k", &bed("b1", 1), at(4)));
        assert!(views.is_new("k", &bed("b1", 2), at(4)), "another patient");
        assert!(views.is_new("k", &bed("b2", 1), at(4)));
        assert!(views.is_new("m", &bed("b1", 1), at(4)));
        assert!(views.is_new("k", &Sight::Ward, at(4)));
        assert!(views.is_new("k", &bed("b1", 1), at(5)));
    }
}
