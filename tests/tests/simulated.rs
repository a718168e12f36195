//! Simulated hospitals, faster than the clock: every scripted red event alarms in time, nothing else sounds, a quiet ward is
//! quiet, and the same seed gives the same alarms.
//!
//! `cargo run --release -p wardlight-tests --example ward_days` plays days of them.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "tests fail by panicking, and these print their figures"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use wardlight_core::alarms::{AlarmId, AlarmKind, AlarmState};
use wardlight_core::event::{AlarmChange, Transition};
use wardlight_core::message::Priority;
use wardlight_core::time::Timestamp;
use wardlight_simulator::scenario::{BUILTIN, builtin};
use wardlight_simulator::ward::ExpectedAlarm;
use wardlight_tests::Random;
use wardlight_tests::burden::Burden;
use wardlight_tests::fast_ward::{ANSWERED_AFTER, FastWard, START};

/// Each scenario with a red event is played with this many seeds.
const RED_SEEDS: u64 = 12;
/// The quiet ward of twelve beds is watched with this many seeds, each for so long.
const QUIET_SEEDS: u64 = 3;
const QUIET_LENGTH: Duration = Duration::from_mins(40);

/// Runs a script to its end.
fn play(name: &str, seed: u64) -> FastWard {
    let mut ward = FastWard::new(&builtin(name).unwrap(), seed, None);
    let end = ward.simulated().ends_at();
    ward.run_until(end);
    ward
}

/// First raises of episodes.
fn raised(ward: &FastWard) -> impl Iterator<Item = &AlarmChange> {
    ward.changes
        .iter()
        .filter(|c| c.revision == 1 && c.state == AlarmState::Active)
}

/// When an expected alarm was raised, if it was in its time.
fn in_time(ward: &FastWard, expected: &ExpectedAlarm) -> Option<Timestamp> {
    let is_it = |c: &&AlarmChange| c.bed == expected.bed && c.kind.to_string() == expected.kind;
    let mut times = raised(ward).filter(is_it).map(|c| c.raised_at);
    times.find(|at| (expected.from..=expected.by).contains(at))
}

fn seconds(at: Timestamp) -> f64 {
    at.since(START).as_secs_f64()
}

#[test]
fn every_scenario_raises_what_it_promises_and_nothing_else() {
    let mut faults = Vec::new();
    for (name, _) in BUILTIN {
        for seed in [1, 2] {
            let ward = play(name, seed);
            let expected = ward.simulated().expected();
            for alarm in expected.iter().filter(|e| e.required && in_time(&ward, e).is_none()) {
                let (from, by) = (seconds(alarm.from), seconds(alarm.by));
                let found: Vec<f64> = raised(&ward)
                    .filter(|c| c.bed == alarm.bed && c.kind.to_string() == alarm.kind)
                    .map(|c| seconds(c.raised_at))
                    .collect();
                faults.push(format!(
                    "{name}, seed {seed}: {} at {} not between {from} and {by} s but at {found:?}",
                    alarm.kind, alarm.bed
                ));
            }
            let known: BTreeSet<_> = expected.iter().map(|e| (&e.bed, e.kind.clone())).collect();
            for change in raised(&ward).filter(|c| !known.contains(&(&c.bed, c.kind.to_string()))) {
                faults.push(format!(
                    "{name}, seed {seed}: {} at {} after {} s not expected",
                    change.kind,
                    change.bed,
                    seconds(change.raised_at)
                ));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn disorder_on_the_network_is_recognised() {
    let counts = play("disorder", 1).counts;
    assert!(counts.duplicates > 5 && counts.refused > 2, "{counts:?}");
}

/// Red events of one kind.
#[derive(Default)]
struct Row {
    delays: Vec<f64>,
    missed: usize,
}

impl Row {
    fn events(&self) -> usize {
        self.delays.len() + self.missed
    }

    fn print(&mut self, kind: &str) {
        self.delays.sort_by(f64::total_cmp);
        let median = self.delays.get(self.delays.len() / 2).copied().unwrap_or(f64::NAN);
        let most = self.delays.last().copied().unwrap_or(f64::NAN);
        println!(
            "{kind:24} {:6} {:7} {:6} {median:8.2} {most:8.2}",
            self.events(),
            self.delays.len(),
            self.missed
        );
    }
}

#[test]
fn scripted_red_events_are_alarmed_in_time() {
    let mut rows = BTreeMap::<String, Row>::new();
    for (name, _) in BUILTIN {
        let scenario = builtin(name).unwrap();
        let red = |kind: &str| AlarmKind::from_name(kind).is_some_and(|kind| kind.is_red());
        if !scenario.scripts.iter().flat_map(|s| &s.expect).any(|e| red(&e.kind)) {
            continue;
        }
        for seed in 1..=RED_SEEDS {
            let ward = play(name, seed);
            let expected = ward.simulated().expected();
            for event in expected.iter().filter(|e| e.required && red(&e.kind)) {
                let row = rows.entry(event.kind.clone()).or_default();
                match in_time(&ward, event) {
                    Some(at) => row.delays.push(at.since(event.from).as_secs_f64()),
                    None => row.missed += 1,
                }
            }
        }
    }
    println!("red event                events in time missed median s   most s   after the earliest that the script allows");
    let mut all = Row::default();
    for (kind, row) in &mut rows {
        row.print(kind);
        all.delays.extend(&row.delays);
        all.missed += row.missed;
    }
    all.print("all");
    assert!(all.events() >= 200, "{} events", all.events());
    assert!(all.delays.len() * 100 >= all.events() * 99, "{} missed", all.missed);
}

#[test]
fn a_quiet_ward_calls_at_most_twenty_times_per_bed_and_day() {
    let mut burden = Burden::default();
    for seed in 1..=QUIET_SEEDS {
        let mut ward = FastWard::new(&builtin("quiet").unwrap(), seed, None).with_nurse(ANSWERED_AFTER);
        ward.run_until(START.plus(QUIET_LENGTH));
        burden += Burden::of(&ward);
    }
    println!("{burden}");
    assert!(burden.calls_per_bed_day() <= 20.0);
    let red = burden.raised.keys().find(|(priority, _)| *priority == Priority::High);
    assert_eq!(red, None, "nobody was ill");
}

#[test]
fn the_same_seed_gives_the_same_alarms_bit_for_bit() {
    let run = || {
        let mut ward = FastWard::new(&builtin("demo").unwrap(), 3, None).with_nurse(ANSWERED_AFTER);
        ward.run_until(START.plus(Duration::from_secs(80)));
        ward
    };
    let (first, again) = (run(), run());
    assert!(first.changes.len() > 20, "{}", first.changes.len());
    assert_eq!(first.changes, again.changes);
    assert_eq!(first.ward().state(), again.ward().state());
}

/// Red alarms that stand, whatever their state, by their identity.
fn standing_red(ward: &FastWard) -> BTreeSet<AlarmId> {
    let alarms = ward.ward().beds().into_iter().flat_map(|bed| bed.alarms);
    alarms.filter(|alarm| alarm.kind.is_red()).map(|alarm| alarm.id).collect()
}

#[test]
fn a_crash_at_any_instant_loses_no_standing_red_alarm() {
    let mut ward = FastWard::new(&builtin("demo").unwrap(), 5, None);
    let mut random = Random::new(5);
    let mut seen = 0;
    let mut now = START.plus(Duration::from_secs(26));
    while now < START.plus(Duration::from_mins(2)) {
        ward.run_until(now);
        let before = standing_red(&ward);
        let away = Duration::from_millis(random.below(8_000));
        let mut after = ward.crashed(away);
        let announced = after.changes.iter().filter(|c| c.transition == Transition::Announced);
        let announced: BTreeSet<AlarmId> = announced.map(|c| c.id.clone()).collect();
        assert!(
            announced.is_superset(&before),
            "at {} s: {before:?} stood, said again: {announced:?}",
            seconds(now)
        );
        // Nobody has taken note, so they stand after the analysis has begun anew as well.
        after.run_until(now.plus(away + Duration::from_secs(20)));
        let later = standing_red(&after);
        assert!(
            later.is_superset(&before),
            "at {} s: {before:?} stood, then {later:?}",
            seconds(now)
        );
        seen += before.len();
        now = now.plus(Duration::from_millis(4_000 + random.below(9_000)));
    }
    assert!(seen > 20, "only {seen} alarms stood at the cuts");
}
