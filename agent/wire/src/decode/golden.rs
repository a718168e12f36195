//! The examples of the contract, byte by byte.

use wardlight_core::codes::{Unit, Waveform};
use wardlight_core::ids::SiteId;
use wardlight_core::message::{Body, Message};
use wardlight_core::time::Timestamp;
use wardlight_core::vitals::{Milli, Quality, Reading};

use super::decode;
use crate::encode;

/// 2026-01-01T00:00:00Z.
const NEW_YEAR: Timestamp = Timestamp::from_millis(1_767_225_600_000);
const RECEIVED: Timestamp = Timestamp::from_millis(1_767_225_600_250);

const NUMERICS: &str = "a400010101021b0000019b76daa8000383821a000241821858821a00024bb81860821a00024b60c48220190173";
const WAVE: &str = "a800010102021b0000019b76daa800041a000201020518fa06822201070008d84d4800000c00f9ffe803";
const SENML: &str = "82a521781d75726e3a6465763a6d61633a303032346265666666653830346666313a221a6955b900006631343738343201642f6d696e021858a30066313530343536016125021860";
const TWIN: &str = r#"{"v":1,"seq":1,"t":1767225600000,"m":[{"c":147842,"x":88},{"c":150456,"x":96,"q":1}]}"#;

fn bytes(hex: &str) -> Vec<u8> {
    let digits: Vec<u8> = hex.chars().map(|c| c.to_digit(16).unwrap() as u8).collect();
    digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect()
}

fn message(topic: &str, payload: &[u8]) -> Message {
    let decoded = decode(topic, payload, None, RECEIVED).unwrap_or_else(|e| panic!("{e}"));
    assert_eq!(decoded.rejected, [], "{topic}");
    decoded.message
}

fn reading(code: u32, thousandths: i32) -> Reading {
    Reading::new(code, Some(Milli::new(thousandths)), Quality::VALID).unwrap()
}

#[test]
fn native_numerics() {
    let m = message("vitals/v1/north/mon-01/num", &bytes(NUMERICS));
    assert_eq!(
        (m.device.as_str(), m.boot, m.seq, m.sent_at),
        ("mon-01", None, Some(1), NEW_YEAR)
    );
    let expected = vec![reading(147_842, 88_000), reading(150_456, 96_000), reading(150_368, 37_100)];
    assert_eq!(m.body, Body::Numerics(expected));
    assert_eq!(encode::cbor(&m), bytes(NUMERICS));
}

#[test]
fn native_wave() {
    let m = message("vitals/v1/north/mon-01/wave/131330", &bytes(WAVE));
    let Body::Wave(block) = &m.body else { panic!("{m:?}") };
    assert_eq!(
        (block.waveform, block.waveform.unit()),
        (Waveform::Ecg(131_330), Unit::Millivolt)
    );
    assert_eq!((block.rate_hz, block.scale, block.offset), (250.0, (-3, 1), 0));
    assert_eq!(block.samples, [0, 12, -7, 1000]);
    assert_eq!((m.seq, m.sent_at, block.quality), (Some(2), NEW_YEAR, Quality::VALID));
    assert_eq!(encode::cbor(&m), bytes(WAVE));
}

#[test]
fn senml_cbor() {
    let m = message("vitals/v1/north/patch-9/num", &bytes(SENML));
    assert_eq!((m.boot, m.seq, m.sent_at), (None, None, NEW_YEAR));
    assert_eq!(
        m.body,
        Body::Numerics(vec![reading(147_842, 88_000), reading(150_456, 96_000)])
    );
}

#[test]
fn json_twin() {
    let m = message("vitals/v1/north/mon-01/num", TWIN.as_bytes());
    assert_eq!((m.boot, m.seq, m.sent_at), (None, Some(1), NEW_YEAR));
    assert_eq!(
        m.body,
        Body::Numerics(vec![reading(147_842, 88_000), reading(150_456, 96_000)])
    );
    // The encoder leaves out the quality that is the default.
    assert_eq!(encode::json(&m), TWIN.replace(r#","q":1"#, "").as_bytes());
}

#[test]
fn state_and_will() {
    let on = message("vitals/v1/north/mon-01/state", br#"{"on":true,"boot":7,"t":1767225600000}"#);
    assert_eq!((on.boot, on.sent_at, on.body), (Some(7), NEW_YEAR, Body::state(true)));
    let will = message("vitals/v1/north/mon-01/state", br#"{"on":false}"#);
    assert_eq!((will.boot, will.sent_at, will.body), (None, RECEIVED, Body::state(false)));
}

#[test]
fn state_with_its_configuration() {
    let topic = "vitals/v1/north/mon-01/state";
    let json = br#"{"v":1,"seq":3,"t":1767225600000,"boot":7,"on":true,"rev":9,"rejected":{"interval_ms":"50: expected 200 to 600000"}}"#;
    let cbor = "a700010103021b0000019b76daa80009070bf5160917a16b696e74657276616c5f6d73781a35303a2065787065637465642032303020746f20363030303030";
    let m = message(topic, json);
    let refused = [("interval_ms".to_owned(), "50: expected 200 to 600000".to_owned())];
    let expected = Body::State {
        online: true,
        rev: Some(9),
        rejected: refused.into(),
    };
    assert_eq!((&m.body, m.seq), (&expected, Some(3)));
    assert_eq!(message(topic, &bytes(cbor)), m);
    assert_eq!(encode::cbor(&m), bytes(cbor));
    assert_eq!(encode::json(&m), json);
}

#[test]
fn topics_of_messages() {
    let m = message("vitals/v1/north/mon-01/wave/131330", &bytes(WAVE));
    let site = SiteId::new("north").unwrap();
    assert_eq!(encode::topic_of(&site, &m), "vitals/v1/north/mon-01/wave/131330");
}
