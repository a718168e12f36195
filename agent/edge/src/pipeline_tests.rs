//! What of a message is recorded, and under whose key.

use super::*;
use crate::fixture::{Fixture, STAY, at, message, number};
use serde_json::json;

#[test]
fn a_waveform_that_asks_for_an_acknowledgement_is_sealed_under_the_key_of_its_stay() {
    let mut ward = Fixture::new();
    let block = json!({"c": 131_330, "fs": 250, "s": [0, 12, -7, 1000]});
    let (ticket, _told) = ward.acker.direct_ticket();
    let wave = message("wave/131330", 0, at(1000), &block, Some(ticket));
    ward.pipeline.on_inbound(&wave, at(1000));
    let (ticket, _told) = ward.acker.direct_ticket();
    let mut stranger = message("wave/131330", 0, at(1000), &block, Some(ticket));
    stranger.topic = stranger.topic.replace("/mon/", "/other/");
    ward.pipeline.on_inbound(&stranger, at(1000));
    let keys: Vec<_> = ward.stored(&[Kind::Message]).iter().map(|entry| entry.stay).collect();
    assert_eq!(keys, [StayKey(*STAY.as_bytes()), StayKey::SITE]);
}

fn apnea(ward: &Fixture, seq: u32, live: bool) -> Inbound {
    let alarm = json!({"condition": "apnea", "on": true, "prio": "high"});
    // A real broker's ticket and a door's are the same to the pipeline.
    let ticket = (!live).then(|| ward.acker.direct_ticket().0);
    let mut message = message("alarm", seq, at(1000), &alarm, ticket);
    message.live = live;
    message
}

#[test]
fn what_was_judged_live_rings_once_and_is_on_record_when_its_copy_is_acknowledged() {
    let mut ward = Fixture::new();
    let heard = apnea(&ward, 1, true);
    ward.pipeline.on_live(&heard, at(1010));
    let raised = ward.pipeline.ward.bed(&BedId::new("B1").unwrap()).unwrap().alarms.len();
    assert_eq!(raised, 1, "the alarm does not wait for the copy");
    let copy = apnea(&ward, 1, false);
    ward.pipeline.on_inbound(&copy, at(3000));
    let again = apnea(&ward, 1, true);
    ward.pipeline.on_live(&again, at(3010));

    let entries = ward.stored(&[Kind::Message, Kind::Alarm]);
    let messages: Vec<_> = entries.iter().filter(|entry| entry.kind == Kind::Message).collect();
    assert_eq!(messages.len(), 1, "the copy is on record, and nothing else");
    assert_eq!((number(messages[0]), messages[0].stay), (1, StayKey(*STAY.as_bytes())));
    assert_eq!(entries.len(), 2, "one change of one alarm");
}

#[test]
fn a_message_that_came_before_it_was_heard_live_is_recorded_once() {
    let mut ward = Fixture::new();
    for live in [false, true] {
        let message = apnea(&ward, 1, live);
        if live {
            ward.pipeline.on_live(&message, at(1010));
        } else {
            ward.pipeline.on_inbound(&message, at(1000));
        }
    }
    assert!(!ward.pipeline.heard.is_behind(at(90_000)));
    assert_eq!(ward.stored(&[Kind::Message]).len(), 1);
}

#[test]
fn a_device_that_repeats_itself_is_recorded_once_where_nothing_was_heard_live() {
    let mut ward = Fixture::new();
    for _ in 0..3 {
        let message = apnea(&ward, 1, false);
        ward.pipeline.on_inbound(&message, at(1000));
    }
    assert_eq!(ward.stored(&[Kind::Message]).len(), 1);
}

#[test]
fn what_cannot_be_read_is_put_into_quarantine_by_its_copy_only() {
    let mut ward = Fixture::new();
    let mut heard = apnea(&ward, 1, true);
    heard.payload = Bytes::from_static(b"hello");
    ward.pipeline.on_live(&heard, at(1000));
    assert_eq!(ward.quarantined(), 0);
}
