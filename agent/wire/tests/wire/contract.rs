//! The published contract: the files are what the code says, and the examples, the document's commands and arbitrary
//! messages are what the files say.

use std::path::{Path, PathBuf};

use proptest::prelude::*;
use wardlight_core::message::{Body, Message};
use wardlight_wire::cmd::{Desired, FirmwareNotice};
use wardlight_wire::{Cmd, contract, encode};

use crate::cddl::Cddl;
use crate::document;
use crate::json_schema::Schema;
use crate::messages::message;

/// The folder `docs` of the repository.
pub(crate) fn docs() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs")
}

/// Compares with the checked-in file, or rewrites it where `UPDATE_GOLDEN=1`.
#[track_caller]
fn golden(file: &str, current: &str) {
    let path = docs().join(file);
    if std::env::var("UPDATE_GOLDEN").is_ok_and(|v| v == "1") {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, current).unwrap();
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        kept == current,
        "docs/{file} is not what the code says; UPDATE_GOLDEN=1 rewrites it"
    );
}

#[test]
fn contract_cddl_is_what_the_code_says() {
    golden("contract/vitals-v1.cddl", &contract::cddl());
}

#[test]
fn contract_json_schema_is_what_the_code_says() {
    // Compared as JSON: whether serde_json keeps the order of fields depends on what else is built with it.
    let parse = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap();
    let kept = std::fs::read_to_string(docs().join("contract/vitals-v1.schema.json")).unwrap_or("null".into());
    if parse(&kept) != parse(&contract::json_schema()) {
        golden("contract/vitals-v1.schema.json", &contract::json_schema());
    }
}

#[test]
fn contract_table_of_codes_in_the_document_is_what_the_code_says() {
    let (begin, end) = ("<!-- codes: written by the code -->\n", "<!-- end of codes -->");
    let text = document::text();
    let (before, rest) = text.split_once(begin).expect("the mark where the codes begin");
    let (_, after) = rest.split_once(end).expect("the mark where the codes end");
    golden(
        "devices.md",
        &[before, begin, &contract::codes_markdown(), end, after].concat(),
    );
}

fn family(message: &Message) -> &'static str {
    match message.body {
        Body::Birth(_) => "birth",
        Body::State { .. } => "state",
        Body::Numerics(_) => "num",
        Body::Wave(_) => "wave",
        Body::Alarm(_) => "alarm",
        Body::Event(_) => "event",
    }
}

/// A value that its quality voids may be anything to the decoder, but the schema wants it in range or null.
fn in_range(message: &Message) -> bool {
    match &message.body {
        Body::Numerics(readings) => readings.iter().all(|r| {
            let (low, high) = r.numeric().technical;
            r.value().is_none_or(|v| (low..=high).contains(&v.get()))
        }),
        _ => true,
    }
}

proptest! {
    #[test]
    fn contract_describes_every_message_that_the_encoder_writes(message in message()) {
        let cbor = encode::cbor(&message);
        let cddl = Cddl::parse(&contract::cddl());
        prop_assert_eq!(cddl.check(family(&message), &cbor), Ok(()));
        prop_assert_eq!(cddl.check("payload", &cbor), Ok(()));
        if in_range(&message) {
            let json = serde_json::from_slice(&encode::json(&message)).unwrap();
            prop_assert_eq!(Schema::parse(&contract::json_schema()).check(family(&message), &json), Ok(()));
        }
    }
}

#[test]
fn contract_describes_the_commands_that_are_sent() {
    let schema = Schema::parse(&contract::json_schema());
    let set = serde_json::json!({"interval_ms": 1000, "battery_low_percent": 20, "waves": [131_330]});
    for cmd in [
        Cmd::Rebirth,
        Cmd::Config(Desired {
            rev: 7,
            set: set.as_object().cloned().unwrap(),
        }),
        Cmd::Firmware(FirmwareNotice {
            version: "2.5.0".into(),
            size: 183_204,
            sha256: [1; 32],
            sig: [0xff; 64],
            url: "https://updates.example/2.5.0.bin".into(),
        }),
    ] {
        let json = serde_json::from_slice(&cmd.to_json()).unwrap();
        assert_eq!(schema.check("cmd", &json), Ok(()), "{cmd:?}");
    }
    for bad in [
        r#"{"cmd":"rebirth"}"#,
        r#"{"v":1,"cmd":"explode"}"#,
        r#"{"v":1,"cmd":"config","rev":1,"set":{"waves":[1]}}"#,
        r#"{"v":1,"cmd":"config","set":{}}"#,
    ] {
        assert!(
            schema.check("cmd", &serde_json::from_str(bad).unwrap()).is_err(),
            "{bad} was taken"
        );
    }
}

#[test]
fn contract_refuses_what_the_decoder_refuses() {
    let schema = Schema::parse(&contract::json_schema());
    for (family, bad) in [
        ("num", r#"{"t":5,"m":[]}"#),
        ("num", r#"{"seq":1,"t":5,"m":[{"c":147842,"x":999}]}"#),
        ("num", r#"{"seq":1,"t":5,"m":[{"c":1,"x":9}]}"#),
        ("num", r#"{"seq":1,"t":5,"m":[],"patient":"J. Doe"}"#),
        ("num", r#"{"seq":1,"t":5,"m":[],"31":1}"#),
        ("wave", r#"{"seq":1,"t":5,"fs":250,"s":[40000]}"#),
        ("wave", r#"{"seq":1,"t":5,"fs":250,"scale":[0,0],"s":[1]}"#),
        ("state", r#"{"on":true,"boot":1}"#),
        ("state", r#"{"on":false,"rev":-1}"#),
        ("state", r#"{"on":false,"rejected":{"":"no name"}}"#),
        ("state", r#"{"on":false,"rejected":{"interval_ms":50}}"#),
        (
            "birth",
            r#"{"boot":1,"model":"M","fw":"1","channels":[{"c":150344,"unit":"[degF]"}]}"#,
        ),
        (
            "birth",
            r#"{"boot":1,"model":"M","fw":"1","channels":[{"c":131330,"unit":"mV"}]}"#,
        ),
        ("alarm", r#"{"seq":1,"t":5,"condition":"VF!","on":true,"prio":"high"}"#),
        ("event", r#"{"seq":1,"t":5,"e":"battery"}"#),
    ] {
        assert!(
            schema.check(family, &serde_json::from_str(bad).unwrap()).is_err(),
            "{bad} was taken"
        );
    }
    let cddl = Cddl::parse(&contract::cddl());
    for (family, bad) in [
        ("num", &[0xa2, 0x01, 0x01, 0x02, 0x05][..]),
        ("num", &[0xa3, 0x01, 0x01, 0x02, 0x05, 0x03, 0x81, 0x82, 0x01, 0x05]),
        ("num", &[0xa4, 0x01, 0x01, 0x02, 0x05, 0x03, 0x80, 0x18, 0x1f, 0x00]),
        ("state", &[0xa1, 0x0b, 0xf5]),
        ("num", &[0x80]),
    ] {
        assert!(cddl.check(family, bad).is_err(), "{bad:x?} was taken");
    }
}
