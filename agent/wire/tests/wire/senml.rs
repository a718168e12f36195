//! SenML as wearables send it.

use wardlight_core::message::{Body, Message};
use wardlight_core::time::Timestamp;
use wardlight_wire::{DecodeError, Decoded, RejectReason, decode};

const NOW: Timestamp = Timestamp::from_millis(1_800_000_000_000);

fn read(payload: &str) -> Result<Decoded, DecodeError> {
    decode("vitals/v1/north/patch-9/num", payload.as_bytes(), None, NOW)
}

fn values(message: &Message) -> Vec<(u32, f64)> {
    let Body::Numerics(readings) = &message.body else {
        panic!("not numerics")
    };
    readings
        .iter()
        .filter_map(|r| r.usable().map(|v| (r.numeric().code, v.to_f64())))
        .collect()
}

#[test]
fn base_fields_hold_for_what_follows() {
    let decoded = read(
        r#"[{"bn":"urn:dev:ow:10e2073a01080063_","bt":1767225600.25,"bu":"/min","bver":10},
            {"n":"147842","v":88},{"n":"151578","v":14},{"n":"150456","u":"%","v":96.5}]"#,
    )
    .unwrap();
    assert_eq!(decoded.rejected, []);
    assert_eq!(values(&decoded.message), [(147_842, 88.0), (151_578, 14.0), (150_456, 96.5)]);
    assert_eq!(decoded.message.sent_at.as_millis(), 1_767_225_600_250);
    assert_eq!((decoded.message.boot, decoded.message.seq), (None, None));
}

#[test]
fn a_base_value_is_added() {
    let decoded = read(r#"[{"bn":"x:","bv":37,"bu":"Cel","n":"150344","v":0.1},{"n":"150364"}]"#).unwrap();
    assert_eq!(values(&decoded.message), [(150_344, 37.1), (150_364, 37.0)]);
}

#[test]
fn small_times_are_relative_to_the_receipt() {
    for (time, expected) in [("0", 0), ("-2.5", -2_500), ("10", 10_000), ("268435455", 268_435_455_000)] {
        let decoded = read(&format!(r#"[{{"n":"147842","u":"/min","v":88,"t":{time}}}]"#)).unwrap();
        assert_eq!(decoded.message.sent_at.millis_after(NOW), expected, "t {time}");
    }
    let absolute = read(r#"[{"n":"147842","u":"/min","v":88,"t":268435456}]"#).unwrap();
    assert_eq!(absolute.message.sent_at.as_millis(), 268_435_456_000);
    assert!(read(r#"[{"n":"147842","u":"/min","v":88,"t":1e17}]"#).is_err());
}

#[test]
fn records_without_the_unit_of_their_code_are_refused() {
    let decoded =
        read(r#"[{"n":"a_150344","u":"[degF]","v":98.6},{"n":"a_147842","v":88},{"n":"a_150456","u":"%","v":97}]"#).unwrap();
    assert_eq!(values(&decoded.message), [(150_456, 97.0)]);
    let said: Vec<_> = decoded.rejected.iter().map(ToString::to_string).collect();
    assert_eq!(
        said,
        [
            r#"record[0] (code 150344) = unit "[degF]": expected unit "Cel" for MDC_TEMP (150344)"#,
            r#"record[1] (code 147842) = no unit: expected unit "/min" for MDC_ECG_HEART_RATE (147842)"#,
        ]
    );
}

#[test]
fn names_must_end_in_a_code_of_their_own() {
    for name in ["hr", "hr147842", "147842x", "147842_", "99999999999"] {
        let decoded = read(&format!(r#"[{{"n":"{name}","u":"/min","v":88}}]"#)).unwrap();
        assert_eq!((values(&decoded.message), decoded.rejected.len()), (vec![], 1), "{name}");
    }
    for (base, name) in [
        ("", "147842"),
        ("dev-", "147842"),
        ("dev/7", ":147842"),
        ("urn:x:147842", ""),
        ("dev", "/147842"),
    ] {
        let decoded = read(&format!(r#"[{{"bn":"{base}","n":"{name}","u":"/min","v":88}}]"#)).unwrap();
        assert_eq!(values(&decoded.message), [(147_842, 88.0)], "{base} {name}");
    }
    // The base name's last digit belongs to the device, not to the code.
    let decoded = read(r#"[{"bn":"dev7","n":"147842","u":"/min","v":88}]"#).unwrap();
    assert_eq!(values(&decoded.message), []);
}

#[test]
fn a_pack_is_one_instant_and_late_records_are_not_shown_as_now() {
    let decoded = read(
        r#"[{"bn":"x:","bt":1767225600,"n":"150456","u":"%","v":80,"t":-30},
            {"n":"150456","u":"%","v":97},{"n":"147842","u":"/min","v":88,"t":-1}]"#,
    )
    .unwrap();
    assert_eq!(values(&decoded.message), [(150_456, 97.0), (147_842, 88.0)]);
    assert_eq!(decoded.message.sent_at.as_millis(), 1_767_225_600_000);
    assert_eq!(decoded.rejected[0].reason, RejectReason::OldTime);
}

#[test]
fn what_must_be_understood_and_is_not_refuses_the_pack() {
    assert!(read(r#"[{"n":"147842","u":"/min","v":88,"safety_":1}]"#).is_err());
    assert!(read(r#"[{"bver":11,"n":"147842","u":"/min","v":88}]"#).is_err());
    assert!(read(r#"[{"n":"147842","u":"/min","v":88,"v":89}]"#).is_err());
    assert!(read(r#"{"e":[]}"#).is_err());
    let relaxed = read(r#"[{"n":"147842","u":"/min","v":88,"ut":5,"colour":"red"}]"#).unwrap();
    assert_eq!(relaxed.rejected, []);
}

#[test]
fn values_that_are_no_numbers_cost_their_record() {
    for value in [
        r#""vs":"88""#,
        r#""vb":true"#,
        r#""vd":"AAA""#,
        r#""v":"88""#,
        r#""v":null"#,
        r#""s":5"#,
    ] {
        let decoded = read(&format!(
            r#"[{{"n":"147842","u":"/min",{value}}},{{"n":"150456","u":"%","v":97}}]"#
        ))
        .unwrap();
        assert_eq!(values(&decoded.message), [(150_456, 97.0)], "{value}");
        assert_eq!(decoded.rejected[0].reason, RejectReason::NotANumber);
    }
}
