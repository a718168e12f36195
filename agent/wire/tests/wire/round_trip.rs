//! What is written reads back the same, and half of it does not read at all.

use proptest::prelude::*;
use wardlight_core::ids::SiteId;
use wardlight_core::message::Message;
use wardlight_core::time::Timestamp;
use wardlight_wire::{DecodeError, Decoded, Format, Topic, decode, encode, topic_of};

use crate::messages::message;

const NOW: Timestamp = Timestamp::from_millis(5);

fn read(message: &Message, payload: &[u8], content_type: Option<&str>) -> Result<Decoded, DecodeError> {
    decode(&topic_of(&site(), message), payload, content_type, NOW)
}

fn site() -> SiteId {
    SiteId::new("north").unwrap()
}

proptest! {
    #[test]
    fn messages_read_back_as_they_were_written(message in message()) {
        let expected = Ok(Decoded { message: message.clone(), rejected: vec![] });
        let (cbor, json) = (encode::cbor(&message), encode::json(&message));
        prop_assert_eq!(&read(&message, &cbor, None), &expected);
        prop_assert_eq!(&read(&message, &json, None), &expected);
        prop_assert_eq!(&read(&message, &cbor, Some(Format::Cbor.content_type())), &expected);
        prop_assert_eq!(&read(&message, &json, Some(Format::Json.content_type())), &expected);
        prop_assert!(serde_json::from_slice::<serde_json::Value>(&json).is_ok());
    }

    #[test]
    fn topics_of_messages_parse(message in message()) {
        let topic = topic_of(&site(), &message);
        let Ok(Topic::Device { site: s, device, kind }) = topic.parse::<Topic>() else { panic!("{topic}") };
        prop_assert_eq!((s, device, kind), (site(), message.device.clone(), encode::topic_kind(&message.body)));
    }

    #[test]
    fn a_truncated_message_is_refused_wherever_it_is_cut(message in message()) {
        for payload in [encode::cbor(&message), encode::json(&message)] {
            let step = 1 + payload.len() / 200;
            for end in (0..payload.len()).step_by(step) {
                prop_assert!(read(&message, &payload[..end], None).is_err(), "cut at {}", end);
            }
        }
    }

    #[test]
    fn bytes_after_the_message_are_refused(message in message(), more in 0x21_u8..) {
        for mut payload in [encode::cbor(&message), encode::json(&message)] {
            payload.push(more);
            prop_assert!(read(&message, &payload, None).is_err());
        }
    }
}
