//! Failed logins make the next one wait: per name and per address, doubling, in bounded memory.
//!
//! An attempt counts as failed when it begins, so that many at once gain nothing; a success takes it back.
//! The waits are short on purpose: a page that nobody can log in to for long would itself be a hazard, and with
//! argon2 a guess every half minute leads nowhere.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::IpAddr;
use std::time::Duration;

use wardlight_core::time::Timestamp;

/// Names and addresses remembered, each; the one not heard for longest is forgotten.
const REMEMBERED: usize = 4096;
/// Failures are forgotten after this long without another.
const FORGET_AFTER: Duration = Duration::from_mins(15);

/// How failures turn into waiting.
struct Policy {
    /// Failures that cost nothing.
    free: u32,
    /// The longest wait; it starts at a second and doubles.
    longest: Duration,
}

/// Someone mistypes three times.
const BY_NAME: Policy = Policy {
    free: 3,
    longest: Duration::from_mins(1),
};
/// Behind a proxy a whole ward has one address.
const BY_ADDRESS: Policy = Policy {
    free: 10,
    longest: Duration::from_secs(30),
};

#[derive(Clone, Copy, Default)]
struct Failures {
    count: u32,
    turned_away: u32,
    last: Timestamp,
    until: Timestamp,
}

struct Ledger<K> {
    policy: Policy,
    failures: HashMap<K, Failures>,
}

impl<K: Eq + Hash + Clone> Ledger<K> {
    fn new(policy: Policy) -> Self {
        Self {
            policy,
            failures: HashMap::new(),
        }
    }

    fn wait(&self, key: &K, now: Timestamp) -> Duration {
        self.failures.get(key).map_or(Duration::ZERO, |f| f.until.since(now))
    }

    /// Counts an attempt as failed; returns how many were turned away before it.
    fn begin(&mut self, key: &K, now: Timestamp) -> u32 {
        self.make_room(key, now);
        let entry = self.failures.entry(key.clone()).or_default();
        if now.since(entry.last) > FORGET_AFTER {
            *entry = Failures::default();
        }
        entry.count = entry.count.saturating_add(1);
        entry.last = now;
        let over = entry.count.saturating_sub(self.policy.free);
        if over > 0 {
            let doubled = Duration::from_secs(1 << over.saturating_sub(1).min(16));
            entry.until = now.plus(doubled.min(self.policy.longest));
        }
        std::mem::take(&mut entry.turned_away)
    }

    fn turn_away(&mut self, key: &K) {
        if let Some(entry) = self.failures.get_mut(key) {
            entry.turned_away = entry.turned_away.saturating_add(1);
        }
    }

    fn make_room(&mut self, key: &K, now: Timestamp) {
        if self.failures.len() < REMEMBERED || self.failures.contains_key(key) {
            return;
        }
        self.failures.retain(|_, f| now.since(f.last) <= FORGET_AFTER);
        if self.failures.len() >= REMEMBERED {
            let oldest = self.failures.iter().min_by_key(|(_, f)| f.last).map(|(key, _)| key.clone());
            oldest.and_then(|key| self.failures.remove(&key));
        }
    }
}

/// See the [module](self).
pub(crate) struct Limiter {
    names: Ledger<String>,
    addresses: Ledger<Option<IpAddr>>,
}

impl Default for Limiter {
    fn default() -> Self {
        Self {
            names: Ledger::new(BY_NAME),
            addresses: Ledger::new(BY_ADDRESS),
        }
    }
}

impl Limiter {
    /// Begins an attempt; returns how many were turned away since the last one.
    /// # Errors
    /// How long to wait first.
    pub(crate) fn begin(&mut self, name: &str, address: Option<IpAddr>, now: Timestamp) -> Result<u32, Duration> {
        let name = name.to_lowercase();
        let wait = self.names.wait(&name, now).max(self.addresses.wait(&address, now));
        if !wait.is_zero() {
            self.names.turn_away(&name);
            self.addresses.turn_away(&address);
            return Err(wait);
        }
        let by_name = self.names.begin(&name, now);
        Ok(by_name.max(self.addresses.begin(&address, now)))
    }

    /// The attempt was right: neither the name nor the address waits any more.
    pub(crate) fn succeeded(&mut self, name: &str, address: Option<IpAddr>) {
        self.names.failures.remove(&name.to_lowercase());
        self.addresses.failures.remove(&address);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Timestamp {
        Timestamp::default().plus(Duration::from_secs(1_000_000 + seconds))
    }

    fn address(last: u8) -> IpAddr {
        IpAddr::from([10, 0, 0, last])
    }

    #[test]
    fn the_wait_for_a_name_doubles_up_to_a_minute() {
        let mut limiter = Limiter::default();
        let (mut now, mut waits) = (0, Vec::new());
        for n in 0..11 {
            // From everywhere, so that no address is the reason.
            limiter.begin("klein", Some(address(n)), at(now)).unwrap();
            if n >= 3 {
                let wait = limiter.begin("KLEIN", Some(address(n)), at(now)).unwrap_err().as_secs();
                now += wait;
                waits.push(wait);
            }
        }
        assert_eq!(waits, [1, 2, 4, 8, 16, 32, 60, 60]);
        assert!(limiter.begin("other", Some(address(99)), at(now)).is_ok());
    }

    #[test]
    fn an_address_that_tries_many_names_waits_too() {
        let mut limiter = Limiter::default();
        for n in 0..11 {
            limiter.begin(&format!("name{n}"), Some(address(1)), at(0)).unwrap();
        }
        assert_eq!(limiter.begin("name99", Some(address(1)), at(0)), Err(Duration::from_secs(1)));
        assert!(limiter.begin("name99", Some(address(2)), at(0)).is_ok());
        assert_eq!(limiter.begin("name100", Some(address(1)), at(1)), Ok(1));
    }

    #[test]
    fn a_success_and_a_quarter_of_an_hour_make_good() {
        let mut limiter = Limiter::default();
        for _ in 0..4 {
            limiter.begin("klein", Some(address(1)), at(0)).unwrap();
        }
        assert!(limiter.begin("klein", Some(address(1)), at(0)).is_err());
        limiter.succeeded("Klein", Some(address(1)));
        for _ in 0..4 {
            limiter.begin("klein", Some(address(1)), at(0)).unwrap();
        }
        for _ in 0..3 {
            limiter.begin("klein", Some(address(1)), at(16 * 60)).unwrap();
        }
    }

    #[test]
    fn a_flood_of_names_takes_bounded_memory() {
        let mut limiter = Limiter::default();
        for n in 0..u32::try_from(REMEMBERED).unwrap() + 500 {
            let from = Some(IpAddr::from(n.to_be_bytes()));
            limiter.begin(&format!("name{n}"), from, at(u64::from(n))).unwrap();
        }
        assert!(limiter.names.failures.len() <= REMEMBERED && limiter.addresses.failures.len() <= REMEMBERED);
    }
}
