//! Days of a simulated quiet ward, faster than the clock:
//! `cargo run --release -p wardlight-tests --example ward_days -- --beds 12 --days 10 --seed 1`.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a program that prints tables, measures its own speed, and stops at the first wrong argument"
)]

use std::time::{Duration, Instant};

use wardlight_simulator::scenario::builtin;
use wardlight_tests::burden::Burden;
use wardlight_tests::fast_ward::{ANSWERED_AFTER, FastWard, START};

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let number = |name: &str, default: f64| {
        let at = arguments.iter().position(|word| word == name);
        let text = at.map(|at| arguments.get(at + 1).unwrap_or_else(|| panic!("{name}: expected a number")));
        text.map_or(default, |text| {
            text.parse().unwrap_or_else(|_| panic!("{name} {text}: expected a number"))
        })
    };
    let (beds, days, seed) = (number("--beds", 12.0), number("--days", 10.0), number("--seed", 1.0));
    let mut ward = FastWard::new(&builtin("quiet").unwrap(), seed as u64, Some(beds as usize)).with_nurse(ANSWERED_AFTER);
    let length = Duration::from_secs_f64(days * 86_400.0);
    let began = Instant::now();
    ward.run_until(START.plus(length));
    let took = began.elapsed().as_secs_f64();
    println!("quiet ward, {beds} beds, {days} days, seed {seed}; every alarm is answered after {ANSWERED_AFTER:?}");
    println!("{}", Burden::of(&ward));
    println!(
        "{} messages in {took:.1} s: {:.0} times as fast as the clock, {:.0} bed-hours an hour",
        ward.counts.messages,
        length.as_secs_f64() / took,
        beds * length.as_secs_f64() / took
    );
}
