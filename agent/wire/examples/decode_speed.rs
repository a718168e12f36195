//! Prints nanoseconds per message for decoding and encoding:
//! `cargo run --release -p wardlight-wire --example decode_speed`.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a measurement reads the clock, prints, and fails by panicking"
)]

use std::hint::black_box;
use std::time::Instant;

use wardlight_core::message::Message;
use wardlight_core::time::Timestamp;
use wardlight_wire::{decode, encode};

const NOW: Timestamp = Timestamp::from_millis(1_767_225_600_000);
const NUM: &str = "vitals/v1/north/mon-01/num";
const WAVE: &str = "vitals/v1/north/mon-01/wave/131330";
const VITALS: &str = r#"{"v":1,"seq":123456,"t":1767225600000,"boot":7,"m":[{"c":147842,"x":88},{"c":150456,"x":96,"q":1},{"c":151578,"x":16},{"c":150368,"x":37.1},{"c":150037,"x":121},{"c":150038,"x":74},{"c":150039,"x":89}]}"#;
const SENML: &str = r#"[{"bn":"urn:dev:mac:0024befffe804ff1:","bt":1767225600,"bu":"/min","n":"147842","v":88},{"n":"150456","u":"%","v":96},{"n":"151578","v":16},{"n":"150368","u":"Cel","v":37.1}]"#;

/// The fastest of many short runs: the one that other work on the machine disturbed least.
fn nanoseconds(mut work: impl FnMut()) -> u128 {
    const ROUNDS: u32 = 500;
    let run = |_| {
        let start = Instant::now();
        (0..ROUNDS).for_each(|_| work());
        start.elapsed().as_nanos() / u128::from(ROUNDS)
    };
    (0..1000).map(run).min().unwrap()
}

fn report(name: &str, topic: &str, payload: &[u8]) {
    if std::env::args().nth(1).is_some_and(|only| only != name) {
        return;
    }
    let ns = nanoseconds(|| {
        black_box(decode(black_box(topic), black_box(payload), None, NOW)).unwrap();
    });
    println!("decode {name:<28} {:>5} B {ns:>6} ns", payload.len());
}

fn message(topic: &str, payload: &[u8]) -> Message {
    decode(topic, payload, None, NOW).unwrap().message
}

fn main() {
    let vitals = message(NUM, VITALS.as_bytes());
    let samples: Vec<String> = (0..250).map(|i: i32| (i * 37 % 1200 - 300).to_string()).collect();
    let samples = samples.join(",");
    let wave =
        format!(r#"{{"v":1,"seq":9,"t":1767225600000,"c":131330,"fs":250,"scale":[-3,1],"offset":0,"s":[{samples}],"boot":7}}"#);
    let block = message(WAVE, wave.as_bytes());
    report("numerics, 7 values, CBOR", NUM, &encode::cbor(&vitals));
    report("numerics, 7 values, JSON", NUM, VITALS.as_bytes());
    report("numerics, 4 values, SenML", NUM, SENML.as_bytes());
    report("wave, 250 samples, CBOR", WAVE, &encode::cbor(&block));
    report("wave, 250 samples, JSON", WAVE, wave.as_bytes());
    println!(
        "encode numerics, 7 values, CBOR    {:>13} ns",
        nanoseconds(|| drop(black_box(encode::cbor(&vitals))))
    );
    println!(
        "encode numerics, 7 values, JSON    {:>13} ns",
        nanoseconds(|| drop(black_box(encode::json(&vitals))))
    );
}
