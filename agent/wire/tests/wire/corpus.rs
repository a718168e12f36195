//! The bounded form of the fuzz target: the same check over the same seeds, with seeded mutations.

use std::path::Path;

use proptest::prelude::*;

use crate::check::{TOPICS, check};

/// A small generator of pseudo-random numbers (xorshift64, Marsaglia 2003), so that every run mutates alike.
struct Random(u64);

impl Random {
    fn next(&mut self) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 16).unwrap()
    }

    fn below(&mut self, bound: usize) -> usize {
        self.next() % bound.max(1)
    }
}

fn seeds() -> Vec<(String, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/seeds");
    let mut seeds: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| {
            let path = entry.unwrap().path();
            (path.display().to_string(), std::fs::read(&path).unwrap())
        })
        .collect();
    seeds.sort();
    assert!(seeds.len() >= 15, "the seeds are gone");
    seeds
}

/// Bytes that matter to one of the formats.
const TELLING: &[u8] = b"{}[]\",:-+.eE0199nulltruefalse\\u\xff\xfb\xfa\xf9\xf6\xf5\x9f\xbf\xc4\xd8\x4d\x1b\x3b\x5f\x7f\x00\x80";

fn mutate(payload: &mut Vec<u8>, other: &[u8], random: &mut Random) {
    let at = random.below(payload.len() + 1);
    let end = at + random.below(payload.len() - at + 1).min(random.below(9));
    match random.below(7) {
        0 if at < payload.len() => payload[at] ^= 1 << random.below(8),
        1 if at < payload.len() => payload[at] = TELLING[random.below(TELLING.len())],
        2 => payload.insert(at, TELLING[random.below(TELLING.len())]),
        3 => drop(payload.drain(at..end)),
        4 => {
            let copy = payload[at..end].to_vec();
            payload.splice(at..at, copy);
        }
        5 => payload.truncate(at),
        _ => {
            let from = random.below(other.len());
            let to = from + random.below(other.len() - from);
            payload.splice(at..end, other[from..to].iter().copied());
        }
    }
}

#[test]
fn every_seed_keeps_the_promises() {
    for (_, seed) in seeds() {
        let (pick, payload) = seed.split_first().unwrap();
        check(TOPICS[usize::from(*pick) % TOPICS.len()], payload);
    }
}

#[test]
fn corpus_mutations_never_panic_and_keep_the_promises() {
    let rounds: usize = std::env::var("WARDLIGHT_FUZZ_ROUNDS")
        .ok()
        .map_or(60_000, |n| n.parse().unwrap());
    let (seeds, mut random) = (seeds(), Random(0x5EED_CAFE));
    for _ in 0..rounds {
        let (pick, payload) = seeds[random.below(seeds.len())].1.split_first().unwrap();
        let other = &seeds[random.below(seeds.len())].1;
        let mut payload = payload.to_vec();
        for _ in 0..=random.below(4) {
            mutate(&mut payload, other, &mut random);
        }
        let pick = if random.below(8) == 0 {
            random.below(6)
        } else {
            usize::from(*pick)
        };
        check(TOPICS[pick % TOPICS.len()], &payload);
    }
}

proptest! {
    #[test]
    fn arbitrary_bytes_never_panic(pick in 0_usize..6, payload in prop::collection::vec(any::<u8>(), 0..200)) {
        check(TOPICS[pick], &payload);
    }

    #[test]
    fn arbitrary_topics_and_content_types_never_panic(topic in ".*", content_type in ".*", payload in ".*") {
        let decoded = wardlight_wire::decode(&topic, payload.as_bytes(), Some(&content_type), crate::check::RECEIVED);
        prop_assert!(decoded.is_err());
        prop_assert!(topic.parse::<wardlight_wire::Topic>().is_err());
    }
}
