//! Any bytes on any topic: the first byte picks the topic, the rest is the payload.
#![no_main]

#[path = "../check.rs"]
mod check;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    if let Some((pick, payload)) = data.split_first() {
        let topic = check::TOPICS[usize::from(*pick) % check::TOPICS.len()];
        check::check(topic, payload);
    }
});
