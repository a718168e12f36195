//! What of a message is recorded, and under whose key.

use serde_json::json;
use wardlight_journal::StayToken as StayKey;

use super::*;
use crate::fixture::{Fixture, STAY, at, message};

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
    let keys: Vec<_> = ward.stored(Kind::Message).iter().map(|entry| entry.stay).collect();
    assert_eq!(keys, [StayKey(*STAY.as_bytes()), StayKey::SITE]);
}
