//! Arbitrary valid messages.

use std::collections::BTreeMap;

use proptest::collection::{btree_map, vec};
use proptest::option;
use proptest::prelude::*;
use wardlight_core::codes::{self, NUMERICS, Waveform};
use wardlight_core::ids::DeviceId;
use wardlight_core::message::{Birth, Body, Channel, DeviceAlarm, DeviceEvent, Message, Priority, WaveBlock};
use wardlight_core::time::Timestamp;
use wardlight_core::vitals::{Milli, Quality, Reading};

/// The codes of all waveforms.
pub(crate) fn wave_codes() -> Vec<u32> {
    (131_000..152_000)
        .filter(|code| Waveform::from_code(*code).is_some())
        .collect()
}

fn quality() -> impl Strategy<Value = Quality> {
    prop_oneof![
        Just(Quality::VALID),
        (0_u16..=63).prop_map(|bits| Quality::from_bits(bits).unwrap())
    ]
}

fn reading(code: u32) -> impl Strategy<Value = Reading> {
    let (low, high) = codes::numeric(code).unwrap().technical;
    let value = option::weighted(0.9, low..=high);
    (value, any::<i32>(), quality()).prop_map(move |(value, wild, quality)| {
        // A value that its quality voids may be anything.
        let value = value.map(|v| if quality.usable() { v } else { wild });
        Reading::new(code, value.map(Milli::new), quality).unwrap()
    })
}

fn readings() -> impl Strategy<Value = Vec<Reading>> {
    let codes: Vec<u32> = NUMERICS.iter().map(|n| n.code).collect();
    let chosen = prop::sample::subsequence(codes, 0..=41).prop_shuffle();
    chosen.prop_flat_map(|codes| codes.into_iter().map(reading).collect::<Vec<_>>())
}

fn wave() -> impl Strategy<Value = WaveBlock> {
    let scale = (-12_i8..=12, any::<i32>().prop_filter("not 0", |m| *m != 0));
    let rate = prop_oneof![Just(250.0_f32), 1.0_f32..=2000.0];
    let code = prop::sample::select(wave_codes());
    (code, rate, scale, any::<i32>(), vec(any::<i16>(), 1..300), quality()).prop_map(
        |(code, rate_hz, scale, offset, samples, quality)| WaveBlock {
            waveform: Waveform::from_code(code).unwrap(),
            rate_hz,
            scale,
            offset,
            samples,
            quality,
        },
    )
}

fn text() -> impl Strategy<Value = String> {
    vec(any::<char>(), 0..=64).prop_map(|chars| chars.into_iter().collect())
}

fn channels() -> impl Strategy<Value = Vec<Channel>> {
    let mut codes = wave_codes();
    codes.extend(NUMERICS.iter().map(|n| n.code));
    let rate = option::of(1.0_f32..=2000.0);
    btree_map(prop::sample::select(codes), rate, 0..=20).prop_map(|all: BTreeMap<u32, Option<f32>>| {
        let channel = |(code, rate): (u32, Option<f32>)| match Waveform::from_code(code) {
            Some(wave) => Channel {
                code,
                unit: wave.unit(),
                rate_hz: rate.or(Some(125.0)),
            },
            None => Channel {
                code,
                unit: codes::numeric(code).unwrap().unit,
                rate_hz: rate,
            },
        };
        all.into_iter().map(channel).collect()
    })
}

fn alarm() -> impl Strategy<Value = DeviceAlarm> {
    let priority = prop::sample::select(vec![Priority::Low, Priority::Medium, Priority::High]);
    ("[a-z0-9_]{1,32}", any::<bool>(), priority, text()).prop_map(|(condition, present, priority, text)| DeviceAlarm {
        condition,
        present,
        priority,
        text,
    })
}

fn event() -> impl Strategy<Value = DeviceEvent> {
    let code = option::of(prop::sample::select(vec![131_330, 150_452, 147_842, 150_456]));
    prop_oneof![
        (code, any::<bool>()).prop_map(|(code, off)| DeviceEvent::LeadOff { code, off }),
        (0_u8..=100).prop_map(|percent| DeviceEvent::Battery { percent }),
        any::<bool>().prop_map(|on| DeviceEvent::Demo { on }),
        Just(DeviceEvent::Button),
    ]
}

fn birth() -> impl Strategy<Value = Birth> {
    (text(), text(), channels()).prop_map(|(model, firmware, channels)| Birth {
        model,
        firmware,
        channels,
    })
}

fn state() -> impl Strategy<Value = Body> {
    let setting = vec(any::<char>(), 1..=32).prop_map(|chars| chars.into_iter().collect());
    (
        any::<bool>(),
        option::of(any::<u32>()),
        btree_map::<_, _>(setting, text(), 0..=16),
    )
        .prop_map(|(online, rev, rejected)| Body::State { online, rev, rejected })
}

fn body() -> impl Strategy<Value = Body> {
    prop_oneof![
        4 => readings().prop_map(Body::Numerics),
        4 => wave().prop_map(Body::Wave),
        2 => birth().prop_map(Body::Birth),
        2 => alarm().prop_map(Body::Alarm),
        1 => state(),
        1 => event().prop_map(Body::Event),
    ]
}

/// Any message that a device may send in the native format.
pub(crate) fn message() -> impl Strategy<Value = Message> {
    let ids = ("[A-Za-z0-9._-]{1,64}", option::of(any::<u32>()), option::of(any::<u32>()));
    (ids, any::<i64>(), body()).prop_map(|((device, boot, seq), t, body)| {
        let numbered = !matches!(body, Body::Birth(_) | Body::State { .. });
        let starts = matches!(body, Body::Birth(_) | Body::State { online: true, .. });
        Message {
            device: DeviceId::new(&device).unwrap(),
            boot: if starts { boot.or(Some(1)) } else { boot },
            seq: if numbered { seq.or(Some(0)) } else { seq },
            sent_at: Timestamp::from_millis(t),
            body,
        }
    })
}
