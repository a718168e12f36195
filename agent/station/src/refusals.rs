//! Whom the agent's doors turned away, for the technician: the newest of each kind, counted.

use std::collections::VecDeque;

use wardlight_core::time::Timestamp;

/// Kinds that are remembered; the one that happened longest ago goes.
const MOST: usize = 32;

/// One kind of refusal: who, where and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// Which door: `page`, `broker`.
    pub door: &'static str,
    /// Who: an address, or the name of a device.
    pub who: String,
    /// Why, a few words.
    pub reason: String,
}

/// A kind of refusal and how often it happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refused {
    pub(crate) what: Refusal,
    pub(crate) count: u64,
    pub(crate) first: Timestamp,
    pub(crate) last: Timestamp,
}

/// The newest kinds, the newest first.
#[derive(Clone, Debug, Default)]
pub(crate) struct Refusals(VecDeque<Refused>);

impl Refusals {
    /// Counts it; whether it is of a kind that is not remembered.
    pub(crate) fn add(&mut self, what: Refusal, now: Timestamp) -> bool {
        let known = self.0.iter().position(|refused| refused.what == what);
        let mut refused = known.and_then(|at| self.0.remove(at)).unwrap_or(Refused {
            what,
            count: 0,
            first: now,
            last: now,
        });
        refused.count += 1;
        refused.last = now;
        self.0.push_front(refused);
        self.0.truncate(MOST);
        known.is_none()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Refused> {
        self.0.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(who: &str) -> Refusal {
        Refusal {
            door: "page",
            who: who.to_owned(),
            reason: "expired".to_owned(),
        }
    }

    #[test]
    fn a_kind_is_counted_once_and_the_newest_comes_first() {
        let mut refusals = Refusals::default();
        for (ms, who) in [(1, "a"), (2, "b"), (3, "a")] {
            assert_eq!(refusals.add(refusal(who), Timestamp::from_millis(ms)), ms < 3);
        }
        let seen: Vec<_> = refusals
            .iter()
            .map(|r| (r.what.who.as_str(), r.count, r.first, r.last))
            .collect();
        let at = Timestamp::from_millis;
        assert_eq!(seen, [("a", 2, at(1), at(3)), ("b", 1, at(2), at(2))]);
    }

    #[test]
    fn strangers_without_end_take_no_memory_without_end() {
        let mut refusals = Refusals::default();
        for n in 0..1000 {
            refusals.add(refusal(&n.to_string()), Timestamp::default());
        }
        assert_eq!(refusals.iter().count(), MOST);
        assert_eq!(refusals.iter().next().unwrap().what.who, "999");
    }
}
