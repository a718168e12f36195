//! Alarms of recorded patients, per bed and day: `cargo run --release -p wardlight-tests --example recorded_ward -- DATA_DIR`.
//!
//! Beds in turn: one of the 22 records of MIT-BIH DS1 at its own speed, and a charted stay of CinC 2012, two days in 48 minutes. So
//! a day of the second kind is a day of the chart, and the rules' delays are sixty times as long there.
#![allow(
    clippy::panic,
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a program that prints tables, and stops at the first wrong argument"
)]

use std::path::Path;
use std::time::Duration;

use wardlight_simulator::scenario::builtin;
use wardlight_tests::burden::Burden;
use wardlight_tests::fast_ward::{ANSWERED_AFTER, FastWard, START};

/// Records of MIT-BIH DS1, and as many stays.
const RECORDS: usize = 22;
/// Minutes of a record.
const MINUTES: u64 = 30;
/// Hours of a charted stay in an hour of the clock.
const CHARTED_SPEED: f64 = 60.0;

fn main() {
    let folder = std::env::args()
        .nth(1)
        .unwrap_or_else(|| panic!("usage: recorded_ward DATA_DIR"));
    let mut ward = FastWard::recorded(&builtin("quiet").unwrap(), 2 * RECORDS, Path::new(&folder)).with_nurse(ANSWERED_AFTER);
    ward.run_until(START.plus(Duration::from_mins(MINUTES)));
    println!("MIT-BIH, {RECORDS} records, {MINUTES} min each; every alarm is answered after {ANSWERED_AFTER:?}");
    println!("{}\n", Burden::of_beds(&ward, |number| number.is_multiple_of(2)));
    let mut stays = Burden::of_beds(&ward, |number| !number.is_multiple_of(2));
    stays.bed_days *= CHARTED_SPEED;
    println!("CinC 2012, {RECORDS} stays, the first {MINUTES} hours of each");
    println!("{stays}");
}
