//! What must hold for any payload on any topic. The fuzz target and the bounded loop of the test suite share it.

use wardlight_core::ids::SiteId;
use wardlight_core::time::Timestamp;
use wardlight_wire::{Decoded, decode, encode, topic_of};

/// The topics whose payloads are fuzzed; the first byte of a fuzz input picks one.
pub(crate) const TOPICS: [&str; 6] = [
    "vitals/v1/north/mon-01/birth",
    "vitals/v1/north/mon-01/state",
    "vitals/v1/north/mon-01/num",
    "vitals/v1/north/mon-01/wave/131330",
    "vitals/v1/north/mon-01/alarm",
    "vitals/v1/north/mon-01/event",
];

/// When the fuzzed message is received: 2026-01-01T00:00:00Z.
pub(crate) const RECEIVED: Timestamp = Timestamp::from_millis(1_767_225_600_000);

/// Decodes, and holds the promises: no panic, an error that names its device, and whatever is taken reads back the same from
/// both native encodings, on the topic that the encoder names.
pub(crate) fn check(topic: &str, payload: &[u8]) {
    let decoded = match decode(topic, payload, None, RECEIVED) {
        Ok(decoded) => decoded,
        Err(error) => {
            assert!(error.to_string().contains("mon-01"), "{error}");
            return;
        }
    };
    let mut message = decoded.message;
    // SenML does not number its messages, the native format must.
    message.seq = message.seq.or(Some(0));
    let site = SiteId::new("north").expect("a site name");
    assert_eq!(topic_of(&site, &message), topic);
    for payload in [encode::cbor(&message), encode::json(&message)] {
        let again = decode(topic, &payload, None, RECEIVED);
        let expected = Decoded {
            message: message.clone(),
            rejected: Vec::new(),
        };
        assert_eq!(again, Ok(expected));
    }
}
