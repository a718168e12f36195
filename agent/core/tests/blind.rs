//! Blind time: scenarios, and the ledger against a naive set of milliseconds.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests fail by panicking")]

use std::time::Duration;

use wardlight_core::blind::BlindCause::{self, *};
use wardlight_core::blind::{BlindLedger, RECENT};
use wardlight_core::time::Timestamp;

fn at(ms: i64) -> Timestamp {
    Timestamp::from_millis(ms)
}

fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

#[test]
fn overlapping_causes_count_once_in_the_total_and_in_full_by_cause() {
    let mut ledger = BlindLedger::default();
    ledger.open(NoData, at(1_000));
    ledger.open(LeadOff, at(3_000));
    ledger.close(NoData, at(4_000));
    assert_eq!(ledger.blind_since(), Some(at(1_000)));
    ledger.close(LeadOff, at(6_000));
    assert_eq!(ledger.blind_since(), None);
    assert_eq!(ledger.total(at(60_000)), ms(5_000));
    assert_eq!(ledger.total_of(NoData, at(60_000)), ms(3_000));
    assert_eq!(ledger.total_of(LeadOff, at(60_000)), ms(3_000));
    assert_eq!(ledger.total_of(Gap, at(60_000)), ms(0));
}

#[test]
fn an_open_cause_counts_up_to_now() {
    let mut ledger = BlindLedger::default();
    ledger.open(AgentDown, at(1_000));
    assert_eq!(ledger.total(at(1_000)), ms(0));
    assert_eq!(ledger.total(at(1_750)), ms(750));
    assert_eq!(ledger.since(AgentDown), Some(at(1_000)));
}

#[test]
fn a_cause_that_takes_over_at_the_same_instant_does_not_restart_the_stretch() {
    let mut ledger = BlindLedger::default();
    ledger.open(NoData, at(1_000));
    ledger.close(NoData, at(2_000));
    ledger.open(Artefact, at(2_000));
    assert_eq!(ledger.blind_since(), Some(at(1_000)));
    assert_eq!(ledger.total(at(3_000)), ms(2_000));
    ledger.close(Artefact, at(3_000));
    ledger.open(NoData, at(3_001));
    assert_eq!(ledger.blind_since(), Some(at(3_001)));
    assert_eq!(ledger.total(at(3_001)), ms(2_000));
}

#[test]
fn a_time_that_goes_backwards_never_lowers_a_total() {
    let mut ledger = BlindLedger::default();
    ledger.open(NoData, at(10_000));
    ledger.close(NoData, at(12_000));
    ledger.open(Gap, at(5_000));
    assert_eq!(ledger.since(Gap), Some(at(12_000)));
    assert_eq!(ledger.total(at(1_000)), ms(2_000));
    ledger.close(Gap, at(4_000));
    assert_eq!(ledger.total(at(20_000)), ms(2_000));
}

#[test]
fn memory_is_bounded_and_totals_survive_what_is_forgotten() {
    let mut ledger = BlindLedger::default();
    for i in 0..1_000 {
        ledger.open(BlindCause::ALL[i % 7], at(i as i64 * 10));
        ledger.close(BlindCause::ALL[i % 7], at(i as i64 * 10 + 3));
    }
    assert_eq!(ledger.recent().count(), RECENT);
    assert_eq!(ledger.recent().last().unwrap().until, at(9_993));
    assert_eq!(ledger.total(at(1_000_000)), ms(3_000));
}

/// The next number of a small generator (splitmix64).
fn next(seed: &mut u64) -> u64 {
    *seed = seed.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let mut z = *seed;
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

/// Which causes are open (one bit each), now and at each millisecond so far.
#[derive(Default)]
struct Model {
    open: u8,
    instants: Vec<u8>,
}

impl Model {
    fn run_to(&mut self, ms: i64) {
        let len = self.instants.len().max(ms as usize);
        self.instants.resize(len, self.open);
    }

    fn count(&self, causes: u8) -> u64 {
        self.instants.iter().filter(|open| **open & causes != 0).count() as u64
    }

    /// Start of the unbroken run of blind milliseconds that ends now.
    fn blind_since(&self) -> Option<i64> {
        let blind = self.instants.iter().rev().take_while(|open| **open != 0).count();
        (self.open != 0).then(|| (self.instants.len() - blind) as i64)
    }
}

#[test]
fn the_ledger_agrees_with_a_naive_set_of_milliseconds() {
    for seed in 0..300 {
        let mut seed = seed;
        let (mut ledger, mut model) = (BlindLedger::default(), Model::default());
        let mut clock = 0;
        for _ in 0..60 {
            let index = (next(&mut seed) % 7) as usize;
            let cause = BlindCause::ALL[index];
            // Mostly forwards or standing still, now and then backwards.
            clock = (clock + (next(&mut seed) % 12) as i64 - 3).max(0);
            let opens = next(&mut seed).is_multiple_of(2);
            model.run_to(clock);
            if opens {
                ledger.open(cause, at(clock));
                model.open |= 1 << index;
            } else {
                ledger.close(cause, at(clock));
                model.open &= !(1 << index);
            }
            assert_eq!(ledger.total(at(clock)), ms(model.count(u8::MAX)));
            assert_eq!(ledger.blind_since(), model.blind_since().map(at));
            for (bit, cause) in BlindCause::ALL.into_iter().enumerate() {
                assert_eq!(ledger.total_of(cause, at(clock)), ms(model.count(1 << bit)));
            }
        }
    }
}
