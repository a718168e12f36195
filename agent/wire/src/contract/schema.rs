//! The JSON twins as JSON Schema (draft 2020-12).

use serde_json::{Map, Value, json};
use wardlight_core::codes::NUMERICS;

use super::WAVEFORMS;
use crate::decode::keys_of;
use crate::key::Key;
use crate::limits::{
    MAX_CHANNELS, MAX_CONDITION, MAX_READINGS, MAX_REJECTED, MAX_SAMPLES, MAX_SETTING, MAX_TEXT, NUMERIC_RATE_HZ, RATE_HZ,
    SCALE_EXPONENT,
};
use crate::topic::DeviceTopic;

/// Names of extensions: a number from 32 on, as the CBOR key would be.
const EXTENSION: &str = "^(3[2-9]|[4-9][0-9]|[1-9][0-9]{2,8})$";

/// The contract's JSON Schema as text: one definition per topic (`birth`, `state`, `num`, `wave`, `alarm`, `event`), any of
/// which a payload may be; and `cmd`, what the agent says to a device.
pub fn json_schema() -> String {
    let mut definitions = Map::new();
    for (name, topic) in topics() {
        definitions.insert(name.into(), message(topic));
    }
    definitions.insert("reading".into(), reading());
    definitions.insert("channel".into(), channel());
    definitions.insert("cmd".into(), cmd());
    let any: Vec<Value> = topics()
        .iter()
        .map(|(name, _)| json!({ "$ref": format!("#/$defs/{name}") }))
        .collect();
    let schema = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "vitals/v1: JSON twins of the native payloads",
        "description": "Written by the code (UPDATE_GOLDEN=1 cargo test -p wardlight-wire contract): change the code, not this file.",
        "anyOf": any,
        "$defs": definitions,
    });
    format!("{schema:#}\n")
}

/// Each topic that devices publish to, by the name of its definition.
fn topics() -> [(&'static str, DeviceTopic); 6] {
    let [(wave, _), ..] = WAVEFORMS;
    [
        ("birth", DeviceTopic::Birth),
        ("state", DeviceTopic::State),
        ("num", DeviceTopic::Num),
        ("wave", DeviceTopic::Wave(wave)),
        ("alarm", DeviceTopic::Alarm),
        ("event", DeviceTopic::Event),
    ]
}

fn message(topic: DeviceTopic) -> Value {
    let (required, optional) = keys_of(topic);
    let mut properties = Map::new();
    for key in required.iter().chain(optional) {
        properties.insert(key.name().into(), field(*key, topic));
    }
    let required: Vec<&str> = required.iter().map(|key| key.name()).collect();
    let mut schema = object(&properties, &required);
    if let Some(cases) = cases(topic)
        && let Some(schema) = schema.as_object_mut()
    {
        schema.insert("oneOf".into(), cases);
    }
    schema
}

/// A closed object that allows extensions.
fn object(properties: &Map<String, Value>, required: &[&str]) -> Value {
    json!({
        "type": "object",
        "properties": properties,
        "patternProperties": { EXTENSION: true },
        "required": required,
        "additionalProperties": false,
    })
}

/// What a message must hold beyond its single fields.
fn cases(topic: DeviceTopic) -> Option<Value> {
    let case = |properties: Value, required: &[&str]| json!({ "properties": properties, "required": required });
    match topic {
        DeviceTopic::State => Some(json!([
            case(json!({ "on": { "const": true } }), &["t", "boot"]),
            case(json!({ "on": { "const": false } }), &[]),
        ])),
        DeviceTopic::Event => Some(json!([
            case(json!({ "e": { "const": "lead_off" } }), &["on"]),
            case(json!({ "e": { "const": "battery" } }), &["x"]),
            case(json!({ "e": { "const": "demo" } }), &["on"]),
            case(json!({ "e": { "const": "button" } }), &[]),
        ])),
        _ => None,
    }
}

fn field(key: Key, topic: DeviceTopic) -> Value {
    let integer =
        |low: i64, high: i64, about: &str| json!({ "type": "integer", "minimum": low, "maximum": high, "description": about });
    let text = |about: &str| json!({ "type": "string", "maxLength": MAX_TEXT, "description": about });
    match key {
        Key::Version => json!({ "const": 1, "description": "version of the payload" }),
        Key::Seq => integer(0, u32::MAX.into(), "sequence number"),
        Key::Time => integer(i64::MIN, i64::MAX, "device time, milliseconds since 1970-01-01 UTC"),
        Key::Boot => integer(0, u32::MAX.into(), "which start of the device"),
        Key::Readings => json!({ "type": "array", "maxItems": MAX_READINGS, "items": { "$ref": "#/$defs/reading" } }),
        Key::Code => {
            let mut codes: Vec<u32> = WAVEFORMS.iter().map(|(wave, _)| wave.code()).collect();
            if topic == DeviceTopic::Event {
                codes.extend(NUMERICS.iter().map(|n| n.code));
                codes.sort_unstable();
            }
            json!({ "enum": codes, "description": "MDC code" })
        }
        Key::Rate => rate(),
        Key::Scale => scale(),
        Key::Offset => integer(i32::MIN.into(), i32::MAX.into(), "added to each sample before scaling"),
        Key::Samples => json!({
            "type": "array", "minItems": 1, "maxItems": MAX_SAMPLES,
            "items": { "type": ["integer", "null"], "minimum": i16::MIN, "maximum": i16::MAX },
            "description": "raw samples; null or -32768: missing",
        }),
        Key::Quality => quality(),
        Key::On => json!({ "type": "boolean" }),
        Key::Model => text("maker's model"),
        Key::Firmware => text("firmware version"),
        Key::Channels => json!({ "type": "array", "maxItems": MAX_CHANNELS, "items": { "$ref": "#/$defs/channel" } }),
        Key::Unit => json!({ "type": "string" }),
        Key::Range => range(),
        Key::Condition => json!({ "type": "string", "pattern": format!("^[a-z0-9_]{{1,{MAX_CONDITION}}}$") }),
        Key::Priority => json!({ "enum": ["low", "medium", "high"] }),
        Key::Text => text("the device's own words"),
        Key::Event => json!({ "enum": ["lead_off", "battery", "demo", "button"] }),
        Key::Value => json!({ "type": "number", "minimum": 0, "maximum": 100, "description": "battery charge in percent" }),
        Key::Revision => integer(0, u32::MAX.into(), "revision of the remote configuration in force"),
        Key::Rejected => json!({
            "type": "object", "maxProperties": MAX_REJECTED,
            "propertyNames": { "minLength": 1, "maxLength": MAX_SETTING },
            "additionalProperties": { "type": "string", "maxLength": MAX_TEXT },
            "description": "settings that the device does not take, each with the reason",
        }),
    }
}

/// What the agent says to a device: one case per command.
fn cmd() -> Value {
    let waves: Vec<u32> = WAVEFORMS.iter().map(|(wave, _)| wave.code()).collect();
    let hex = |bytes: usize| json!({ "type": "string", "pattern": format!("^[0-9a-f]{{{}}}$", 2 * bytes) });
    let text = json!({ "type": "string" });
    let settings = json!({
        "type": "object",
        "properties": {
            "interval_ms": { "type": "integer", "minimum": 1, "description": "time between numerics" },
            "battery_low_percent": { "type": "integer", "minimum": 0, "maximum": 100 },
            "waves": { "type": "array", "items": { "enum": waves }, "description": "the waveforms to send; others are off" },
        },
        "description": "settings; an absent one is as the device was delivered",
    });
    json!({
        "type": "object",
        "properties": { "v": { "const": 1 } },
        "required": ["v", "cmd"],
        "oneOf": [
            { "properties": { "cmd": { "const": "rebirth" } } },
            {
                "properties": {
                    "cmd": { "const": "config" },
                    "rev": { "type": "integer", "minimum": 0, "maximum": u32::MAX },
                    "set": settings,
                },
                "required": ["rev", "set"],
            },
            {
                "properties": {
                    "cmd": { "const": "firmware" },
                    "version": text,
                    "size": { "type": "integer", "minimum": 0, "description": "bytes" },
                    "sha256": hex(32),
                    "sig": hex(64),
                    "url": text,
                },
                "required": ["version", "size", "sha256", "sig", "url"],
            },
        ],
    })
}

fn rate() -> Value {
    rate_within(RATE_HZ)
}

fn rate_within((low, high): (f64, f64)) -> Value {
    json!({ "type": "number", "minimum": low, "maximum": high, "description": "samples per second" })
}

fn scale() -> Value {
    let (low, high) = SCALE_EXPONENT;
    json!({
        "type": "array", "minItems": 2, "maxItems": 2,
        "prefixItems": [
            { "type": "integer", "minimum": low, "maximum": high },
            { "type": "integer", "minimum": i32::MIN, "maximum": i32::MAX, "not": { "const": 0 } },
        ],
        "description": "[exponent, mantissa]: value = (sample + offset) * mantissa * 10^exponent; absent means [0, 1]",
    })
}

fn range() -> Value {
    json!({
        "type": "array", "minItems": 2, "maxItems": 2, "items": { "type": "number" },
        "description": "[low, high] that the instrument can report",
    })
}

fn quality() -> Value {
    json!({
        "type": "integer", "minimum": 0, "maximum": 63,
        "description": "sum of: 1 valid, 2 questionable, 4 lead-off, 8 artefact, 16 demo, 32 calibrating; absent means 1",
    })
}

/// A reading: one case per code, with its unit and technical range.
fn reading() -> Value {
    let cases = NUMERICS.iter().map(|n| {
        let (low, high) = n.technical;
        json!({
            "title": n.reference,
            "description": format!("{} in {}", n.parameter.name(), n.unit.ucum()),
            "properties": {
                "c": { "const": n.code },
                "x": { "minimum": low / 1000, "maximum": high / 1000 },
            },
        })
    });
    let mut properties = Map::new();
    properties.insert("c".into(), json!({ "type": "integer", "description": "MDC code" }));
    let about = "value in the unit of the code; null where there is none";
    properties.insert("x".into(), json!({ "type": ["number", "null"], "description": about }));
    properties.insert("q".into(), quality());
    with_cases(object(&properties, &["c", "x"]), cases.collect())
}

/// A channel of a birth: one case per code, with its unit; waveforms must give their rate.
fn channel() -> Value {
    let case = |code: u32, unit: &str, title: &str, required: &[&str]| {
        let required = [&["c", "unit"], required].concat();
        json!({
            "title": title,
            "properties": { "c": { "const": code }, "unit": { "const": unit } },
            "required": required,
        })
    };
    let numerics = NUMERICS.iter().map(|n| case(n.code, n.unit.ucum(), n.reference, &[]));
    let waves = WAVEFORMS.iter().map(|(w, title)| {
        let mut wave = case(w.code(), w.unit().ucum(), title, &["fs"]);
        if let Some(properties) = wave.pointer_mut("/properties").and_then(Value::as_object_mut) {
            properties.insert("fs".into(), rate());
        }
        wave
    });
    let mut properties = Map::new();
    properties.insert("c".into(), json!({ "type": "integer", "description": "MDC code" }));
    properties.insert("unit".into(), json!({ "type": "string", "description": "UCUM" }));
    properties.insert("fs".into(), rate_within(NUMERIC_RATE_HZ));
    properties.insert("scale".into(), scale());
    properties.insert("offset".into(), field(Key::Offset, DeviceTopic::Birth));
    properties.insert("range".into(), range());
    with_cases(object(&properties, &["c", "unit"]), numerics.chain(waves).collect())
}

fn with_cases(mut schema: Value, cases: Vec<Value>) -> Value {
    if let Some(schema) = schema.as_object_mut() {
        schema.insert("oneOf".into(), cases.into());
    }
    schema
}
