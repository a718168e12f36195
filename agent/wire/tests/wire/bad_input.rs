//! Bad input: each case with the words that a device maker reads.

use wardlight_core::ids::DeviceId;
use wardlight_core::message::{Body, Priority};
use wardlight_core::time::Timestamp;
use wardlight_core::vitals::{Milli, Quality};
use wardlight_wire::{DecodeError, Decoded, RejectReason, RejectedReading, decode};

const NOW: Timestamp = Timestamp::from_millis(1_767_225_600_000);

fn read(kind: &str, payload: impl AsRef<[u8]>) -> Result<Decoded, DecodeError> {
    decode(&format!("vitals/v1/north/mon-01/{kind}"), payload.as_ref(), None, NOW)
}

/// Checks that a payload as a whole is refused with exactly these words.
#[track_caller]
fn refused(kind: &str, payload: impl AsRef<[u8]>, expected: &str) {
    let error = read(kind, payload).expect_err("was taken");
    assert_eq!(error.to_string(), expected);
    assert_eq!(error.device().map(DeviceId::as_str), Some("mon-01"));
}

/// Checks that one reading costs only itself, and is refused with exactly these words.
#[track_caller]
fn costs_itself(reading: &str, reason: RejectReason, expected: &str) {
    let payload = format!(r#"{{"v":1,"seq":1,"t":5,"m":[{{"c":150456,"x":97}},{reading},{{"c":151578,"x":14}}]}}"#);
    let decoded = read("num", payload).unwrap_or_else(|e| panic!("{e}"));
    assert_eq!(decoded.rejected.len(), 1, "{:?}", decoded.rejected);
    assert_eq!(decoded.rejected[0].to_string(), expected);
    assert_eq!(decoded.rejected[0].reason, reason);
    let Body::Numerics(readings) = &decoded.message.body else {
        panic!("not numerics")
    };
    let spo2 = readings.iter().find(|r| r.numeric().code == 150_456).unwrap();
    let resp = readings.iter().find(|r| r.numeric().code == 151_578).unwrap();
    assert_eq!(
        (spo2.usable(), resp.usable()),
        (Some(Milli::from_int(97)), Some(Milli::from_int(14)))
    );
    for other in readings.iter().filter(|r| !matches!(r.numeric().code, 150_456 | 151_578)) {
        assert_eq!(other.value(), None, "a refused value must not stand in the message");
    }
}

#[test]
fn bad_readings_cost_only_themselves() {
    use RejectReason as R;
    let cases = [
        (
            r#"{"c":147842,"x":999}"#,
            R::OutOfRange,
            "m[1] (code 147842) = 999: expected 15 to 350 /min (MDC_ECG_HEART_RATE)",
        ),
        (
            r#"{"c":150344,"x":98.6}"#,
            R::OutOfRange,
            "m[1] (code 150344) = 98.6: expected 0 to 50 Cel (MDC_TEMP)",
        ),
        (
            r#"{"c":150344,"x":1e99}"#,
            R::OutOfRange,
            "m[1] (code 150344) = 1e99: expected 0 to 50 Cel (MDC_TEMP)",
        ),
        (
            r#"{"c":150344,"x":1e999}"#,
            R::NotANumber,
            "m[1] (code 150344) = 1e999: expected a finite number or null",
        ),
        (
            r#"{"c":188740,"x":37}"#,
            R::UnknownCode,
            "m[1] (code 188740) = 188740: expected a numeric code of vitals/v1, see the table of codes",
        ),
        (
            r#"{"c":147842,"x":"88"}"#,
            R::NotANumber,
            r#"m[1] (code 147842) = "88": expected a number or null"#,
        ),
        (
            r#"{"c":147842}"#,
            R::NotANumber,
            "m[1] (code 147842) = nothing: expected a number or null",
        ),
        (
            r#"{"c":147842,"x":[[8]]}"#,
            R::NotANumber,
            "m[1] (code 147842) = an array: expected a number or null",
        ),
        (
            r#"{"x":88}"#,
            R::BadShape,
            "m[1] = nothing: expected an MDC code, a 32-bit integer",
        ),
        (
            r#"{"c":-1,"x":88}"#,
            R::BadShape,
            "m[1] = -1: expected an MDC code, a 32-bit integer",
        ),
        ("7", R::BadShape, "m[1] = 7: expected an object with c, x and q"),
        (
            r#"{"c":147842,"x":88,"name":"J. Doe"}"#,
            R::BadShape,
            r#"m[1] (code 147842) = "name": expected no field but c, x and q"#,
        ),
        (
            r#"{"c":147842,"x":88,"x":89}"#,
            R::BadShape,
            "m[1] (code 147842) = x twice: expected each field once",
        ),
        (
            r#"{"c":150456,"x":50}"#,
            R::Repeated,
            "m[1] (code 150456) = a second reading: expected each code once",
        ),
        (
            r#"{"c":147842,"x":88,"q":64}"#,
            R::BadQuality,
            "m[1] (code 147842) = 64: expected quality bits 0 to 63 (1 valid, 2 questionable, 4 lead-off, 8 artefact, 16 demo, 32 calibrating)",
        ),
    ];
    for (reading, reason, expected) in cases {
        costs_itself(reading, reason, expected);
    }
}

#[test]
fn a_refused_reading_leaves_its_channel_questionable_and_a_voided_one_as_it_was() {
    let payload = r#"{"seq":1,"t":5,"m":[{"c":147842,"x":999},{"c":150456,"x":"off","q":4}]}"#;
    let decoded = read("num", payload).unwrap();
    let Body::Numerics(readings) = &decoded.message.body else {
        panic!("not numerics")
    };
    let left: Vec<_> = readings.iter().map(|r| (r.numeric().code, r.value(), r.quality())).collect();
    assert_eq!(
        left,
        [(147_842, None, Quality::QUESTIONABLE), (150_456, None, Quality::LEAD_OFF)]
    );
}

#[test]
fn nan_in_cbor_costs_its_reading() {
    let mut payload = vec![0xa3, 0x01, 0x01, 0x02, 0x05, 0x03, 0x81, 0x82, 0x1a, 0x00, 0x02, 0x41, 0x82];
    payload.extend([0xf9, 0x7e, 0x00]);
    let decoded = read("num", payload).unwrap();
    assert_eq!(
        decoded.rejected[0].to_string(),
        "m[0] (code 147842) = NaN: expected a finite number or null"
    );
}

#[test]
fn a_reported_configuration_that_cannot_be_is_named() {
    let cases = [
        (
            "state",
            r#"{"on":false,"rev":-1}"#,
            "rev = -1: expected an integer from 0 to 4294967295",
        ),
        (
            "state",
            r#"{"on":false,"rejected":7}"#,
            "rejected = 7: expected a map of at most 16 names of 1 to 32 characters to text of at most 64",
        ),
        (
            "state",
            r#"{"on":false,"rejected":{"waves":[1]}}"#,
            "rejected = \"waves\": an array: expected a map of at most 16 names of 1 to 32 characters to text of at most 64",
        ),
        (
            "state",
            r#"{"on":false,"rejected":{"waves":"a","waves":"b"}}"#,
            "rejected = \"waves\" twice: expected a map of at most 16 names of 1 to 32 characters to text of at most 64",
        ),
    ];
    for (kind, payload, expected) in cases {
        refused(kind, payload, &format!("device mon-01: {expected}"));
    }
}

#[test]
fn fields_that_cannot_be_are_named() {
    let cases = [
        ("num", r#"{"t":5,"m":[]}"#, "seq = nothing: expected this field"),
        ("num", r#"{"seq":1,"m":[]}"#, "t = nothing: expected this field"),
        ("num", r#"{"seq":1,"t":5}"#, "m = nothing: expected this field"),
        ("num", r#"{"v":2}"#, "v = 2: expected 1"),
        ("num", r#"{"seq":-1}"#, "seq = -1: expected an integer from 0 to 4294967295"),
        (
            "num",
            r#"{"seq":4294967296}"#,
            "seq = 4294967296: expected an integer from 0 to 4294967295",
        ),
        (
            "num",
            r#"{"seq":"1"}"#,
            r#"seq = "1": expected an integer from 0 to 4294967295"#,
        ),
        (
            "num",
            r#"{"seq":1,"seq":2}"#,
            "seq = the field twice: expected each field once",
        ),
        (
            "num",
            r#"{"t":1e30}"#,
            "t = 1e30: expected milliseconds since 1970-01-01 UTC, a 64-bit integer",
        ),
        (
            "num",
            r#"{"patient":"J. Doe"}"#,
            r#"a key = "patient": expected a field of the contract, or an extension (a number from 32 on)"#,
        ),
        (
            "num",
            r#"{"s":[1]}"#,
            "s = a value: expected no such field in a message on num",
        ),
        ("num", r#"{"m":{}}"#, "m = an object: expected an array of readings"),
        (
            "wave/131330",
            r#"{"c":131331,"seq":1,"t":5,"fs":250,"s":[1]}"#,
            "c = 131331: expected 131330, as in the topic",
        ),
        (
            "wave/131330",
            r#"{"seq":1,"t":5,"fs":250,"s":[]}"#,
            "s = no samples: expected at least one sample",
        ),
        (
            "wave/131330",
            r#"{"s":[40000]}"#,
            "s = 40000: expected integers from -32768 to 32767, or null",
        ),
        ("wave/131330", r#"{"fs":0}"#, "fs = 0: expected 1 to 2000 Hz"),
        (
            "wave/131330",
            r#"{"scale":[-3]}"#,
            "scale = 1 items: expected [exponent, mantissa], the exponent from -12 to 12, the mantissa a 32-bit integer but 0",
        ),
        ("state", r#"{"on":1}"#, "on = 1: expected true or false"),
        ("state", r#"{"on":true,"boot":1}"#, "t = nothing: expected this field"),
        (
            "birth",
            r#"{"model":"M","fw":"1","channels":[]}"#,
            "boot = nothing: expected this field",
        ),
        (
            "alarm",
            r#"{"condition":"Asystole!"}"#,
            r#"condition = "Asystole!": expected 1 to 32 characters of a-z 0-9 _"#,
        ),
        (
            "event",
            r#"{"seq":1,"t":5,"e":"fell"}"#,
            r#"e = "fell": expected lead_off, battery, demo or button"#,
        ),
        (
            "event",
            r#"{"seq":1,"t":5,"e":"battery","x":140}"#,
            "x = 140: expected 0 to 100 percent",
        ),
        (
            "event",
            r#"{"seq":1,"t":5,"e":"lead_off","c":1,"on":true}"#,
            "c = 1: expected a code of vitals/v1, or no c for the whole device",
        ),
        (
            "birth",
            r"[]",
            "payload = SenML: expected the native format on birth; SenML carries numerics only, on num",
        ),
    ];
    for (kind, payload, expected) in cases {
        refused(kind, payload, &format!("device mon-01: {expected}"));
    }
}

#[test]
fn payloads_that_are_no_payloads_are_refused() {
    refused("num", "", "device mon-01: payload of 0 bytes: expected 1 to 65536");
    refused(
        "num",
        vec![b' '; 65_537],
        "device mon-01: payload of 65537 bytes: expected 1 to 65536",
    );
    let format = "expected JSON ({ or [) or CBOR (a map or an array)";
    refused("num", "<x/>", &format!("device mon-01: format first byte 0x3C: {format}"));
    refused(
        "num",
        r#"{"seq":1"#,
        "device mon-01: not well-formed JSON: end of payload at byte 8: expected a comma or the end of the object",
    );
    refused(
        "num",
        [0xa1, 0x01],
        "device mon-01: not well-formed CBOR: end of payload at byte 2: expected a CBOR item",
    );
    refused(
        "num",
        format!(r#"{{"99":{}}}"#, "[".repeat(20)),
        "device mon-01: not well-formed JSON: '[' at byte 14: expected nesting of at most 8 levels",
    );
    let error = decode("vitals/v1/north/mon-01/num", b"{}", Some("text/plain"), NOW).unwrap_err();
    assert_eq!(
        (error.reason(), error.to_string().contains("\"text/plain\"")),
        ("format", true)
    );
}

#[test]
fn too_much_of_a_thing_is_refused() {
    let many = |n: usize, item: &str| vec![item; n].join(",");
    let num = |n| format!(r#"{{"seq":1,"t":5,"m":[{}]}}"#, many(n, r#"{"c":1,"x":1}"#));
    assert_eq!(read("num", num(64)).unwrap().rejected.len(), 64);
    assert!(read("num", num(65)).is_err());
    let wave = |n| format!(r#"{{"seq":1,"t":5,"fs":250,"s":[{}]}}"#, many(n, "-7"));
    assert!(read("wave/131330", wave(4096)).is_ok());
    assert!(read("wave/131330", wave(4097)).is_err());
    let birth = |n| format!(r#"{{"boot":1,"model":"{}","fw":"1","channels":[]}}"#, "é".repeat(n));
    assert!(read("birth", birth(64)).is_ok());
    assert!(read("birth", birth(65)).is_err());
}

#[test]
fn a_wrong_clock_costs_no_vitals() {
    for t in ["0", "-1", "4102444800001", "9223372036854775807", "-9223372036854775808"] {
        let decoded = read("num", format!(r#"{{"seq":1,"t":{t},"m":[{{"c":147842,"x":88}}]}}"#)).unwrap();
        assert_eq!(decoded.message.sent_at.as_millis().to_string(), t);
    }
    // 2^64 - 1 in CBOR is no point in time.
    let payload = [&[0xa1, 0x02, 0x1b][..], &[0xff; 8]].concat();
    assert!(read("num", payload).is_err());
}

#[test]
fn extensions_are_ignored_and_keys_in_the_reserved_range_are_not() {
    let ok = read("num", r#"{"seq":1,"t":5,"m":[],"32":{"a":[1,{"b":2}]},"1000":null}"#).unwrap();
    assert_eq!(ok.rejected, []);
    assert!(read("num", r#"{"seq":1,"t":5,"m":[],"31":0}"#).is_err());
    let cbor = |key: &[u8]| [&[0xa4, 0x01, 0x01, 0x02, 0x05, 0x03, 0x80][..], key, &[0xf6]].concat();
    assert!(read("num", cbor(&[0x18, 0x20])).is_ok());
    for refused in [&[0x18, 0x1f][..], &[0x16], &[0x20], &[0x63, b's', b'e', b'q'], &[0x02]] {
        assert!(read("num", cbor(refused)).is_err(), "{refused:x?}");
    }
}

#[test]
fn an_alarm_is_not_lost_for_its_priority_or_text() {
    let text = "x".repeat(80);
    let payload = format!(r#"{{"seq":1,"t":5,"condition":"asystole","on":true,"prio":"crisis","text":"{text}"}}"#);
    let decoded = read("alarm", payload).unwrap();
    let Body::Alarm(alarm) = &decoded.message.body else {
        panic!("not an alarm")
    };
    assert_eq!((alarm.priority, alarm.text.len()), (Priority::High, 64));
    let said: Vec<_> = decoded.rejected.iter().map(ToString::to_string).collect();
    assert_eq!(
        said,
        [
            r#"prio = "crisis": expected low, medium or high; taken as high"#,
            "text = 80 characters: expected at most 64 characters; cut",
        ]
    );
}

#[test]
fn a_bad_channel_costs_the_birth_only_that_channel() {
    let payload = r#"{"boot":7,"model":"M","fw":"1","channels":[
        {"c":150344,"unit":"[degF]"},{"c":131330,"unit":"mV"},{"c":9,"unit":"1"},{"c":147842,"unit":"{beats}/min"}]}"#;
    let decoded = read("birth", payload).unwrap();
    let Body::Birth(birth) = &decoded.message.body else {
        panic!("not a birth")
    };
    assert_eq!(birth.channels.iter().map(|c| c.code).collect::<Vec<_>>(), [147_842]);
    let said: Vec<_> = decoded.rejected.iter().map(ToString::to_string).collect();
    assert_eq!(
        said,
        [
            r#"channels[0] (code 150344) = "[degF]": expected unit "Cel""#,
            "channels[1] (code 131330) = nothing: expected fs from 1 to 2000 Hz",
            "channels[2] (code 9) = 9: expected a code of vitals/v1, see the table of codes",
        ]
    );
}

#[test]
fn a_numeric_may_come_rarely_and_a_waveform_may_not() {
    let payload = r#"{"boot":7,"model":"M","fw":"1","channels":[
        {"c":150456,"unit":"%","fs":0.0033},{"c":131330,"unit":"mV","fs":0.5},{"c":150456,"unit":"%","fs":0}]}"#;
    let decoded = read("birth", payload).unwrap();
    let Body::Birth(birth) = &decoded.message.body else {
        panic!("not a birth")
    };
    assert_eq!(birth.channels[0].rate_hz, Some(0.0033));
    let said: Vec<_> = decoded.rejected.iter().map(ToString::to_string).collect();
    assert_eq!(
        said,
        [
            "channels[1] (code 131330) = 0.5: expected fs from 1 to 2000 Hz",
            "channels[2] (code 150456) = 0: expected fs from 0.0001 to 2000 Hz",
        ]
    );
}

#[test]
fn what_goes_to_the_log_repeats_nothing_of_the_payload() {
    let kinds = ["birth", "state", "num", "wave/131330", "alarm", "event", "unknown"];
    let payloads = [
        r#"{"Secret":1}"#,
        r#"{"seq":"Secret"}"#,
        r#"{"model":{"Secret":1}}"#,
        r#"{"on":"Secret","condition":"Secret"}"#,
        r#"{"e":"Secret","seq":1,"t":5}"#,
        r#"{"seq":1 Secret"#,
        "Secret",
    ];
    for (kind, payload) in kinds.iter().flat_map(|kind| payloads.map(|payload| (kind, payload))) {
        let error = read(kind, payload).expect_err(payload).for_log();
        assert!(!error.contains("Sec") && !error.contains("'S'"), "{error}");
    }
    let error = decode("Secret/topic", b"{}", None, NOW).unwrap_err().for_log();
    assert!(!error.contains("Secret"), "{error}");
    let error = decode("vitals/v1/north/mon-01/num", b"{}", Some("Secret"), NOW)
        .unwrap_err()
        .for_log();
    assert!(!error.contains("Secret"), "{error}");
    let reading = r#"{"seq":1,"t":5,"m":[{"c":147842,"x":999},{"c":150456,"x":"Secret"},{"c":150344,"x":37,"Secret":1}]}"#;
    let said: Vec<_> = read("num", reading)
        .unwrap()
        .rejected
        .iter()
        .map(RejectedReading::for_log)
        .collect();
    assert_eq!(
        said,
        [
            "m[0] (code 147842): expected 15 to 350 /min (MDC_ECG_HEART_RATE)",
            "m[1] (code 150456): expected a number or null",
            "m[2] (code 150344): expected no field but c, x and q",
        ]
    );
}
