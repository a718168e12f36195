//! The native CBOR payloads as CDDL (RFC 8610).

use std::fmt::Write;

use wardlight_core::codes::NUMERICS;

use super::WAVEFORMS;
use crate::key::{FIRST_EXTENSION, Key};
use crate::limits::{
    MAX_CHANNELS, MAX_CONDITION, MAX_READINGS, MAX_REJECTED, MAX_SAMPLES, MAX_SETTING, MAX_TEXT, RATE_HZ, SCALE_EXPONENT,
};

/// The contract's CDDL: one rule per topic (`birth`, `state`, `num`, `wave`, `alarm`, `event`), and what they are made of.
pub fn cddl() -> String {
    let mut out = String::from(HEADER);
    topics(&mut out);
    parts(&mut out);
    codes(&mut out);
    out
}

const HEADER: &str = "\
; vitals/v1: the native payloads, CBOR (RFC 8949) with integer keys. One rule per topic.
; What the agent says to a device (cmd) is JSON: see vitals-v1.schema.json.
; Written by the code (UPDATE_GOLDEN=1 cargo test -p wardlight-wire contract): change the code, not this file.

payload = birth / state / num / wave / alarm / event

";

/// One entry of a map.
fn entry(key: Key, kind: &str) -> String {
    format!("  {}: {kind}, ; {}\n", key.number(), key.name())
}

fn maybe(key: Key, kind: &str) -> String {
    format!("  ? {}: {kind}, ; {}\n", key.number(), key.name())
}

fn rule(out: &mut String, name: &str, entries: &[String]) {
    out.push_str(&[name, " = {\n", &entries.concat(), "}\n\n"].concat());
}

fn topics(out: &mut String) {
    use Key as K;
    let tail = || "  * extension => any,\n".to_owned();
    let version = || maybe(K::Version, "1");
    let numbered = || {
        [
            version(),
            entry(K::Seq, "uint32"),
            entry(K::Time, "int64"),
            maybe(K::Boot, "uint32"),
        ]
        .concat()
    };
    rule(
        out,
        "birth",
        &[
            version(),
            maybe(K::Seq, "uint32"),
            maybe(K::Time, "int64"),
            entry(K::Boot, "uint32"),
            entry(K::Model, "text64"),
            entry(K::Firmware, "text64"),
            entry(K::Channels, &format!("[0*{MAX_CHANNELS} channel]")),
            tail(),
        ],
    );
    let configuration = || [maybe(K::Revision, "uint32"), maybe(K::Rejected, "rejected")].concat();
    out.push_str("state = on / off\n\n");
    rule(
        out,
        "on",
        &[
            version(),
            maybe(K::Seq, "uint32"),
            entry(K::Time, "int64"),
            entry(K::Boot, "uint32"),
            entry(K::On, "true"),
            configuration(),
            tail(),
        ],
    );
    out.push_str("; also the last will\n");
    rule(
        out,
        "off",
        &[
            version(),
            maybe(K::Seq, "uint32"),
            maybe(K::Time, "int64"),
            maybe(K::Boot, "uint32"),
            entry(K::On, "false"),
            configuration(),
            tail(),
        ],
    );
    rule(
        out,
        "num",
        &[numbered(), entry(K::Readings, &format!("[0*{MAX_READINGS} reading]")), tail()],
    );
    rule(
        out,
        "wave",
        &[
            numbered(),
            maybe(K::Code, "wave-code"),
            entry(K::Rate, "rate"),
            maybe(K::Scale, "scale"),
            maybe(K::Offset, "int32"),
            entry(K::Samples, "samples"),
            maybe(K::Quality, "quality"),
            tail(),
        ],
    );
    rule(
        out,
        "alarm",
        &[
            numbered(),
            entry(K::Condition, "condition"),
            entry(K::On, "bool"),
            entry(K::Priority, r#""low" / "medium" / "high""#),
            maybe(K::Text, "text64"),
            tail(),
        ],
    );
    out.push_str("event = lead-off / battery / demo / button\n\n");
    let event = |name: &str, more: &[String]| [&[numbered(), entry(K::Event, &format!("{name:?}"))], more, &[tail()]].concat();
    let code = maybe(K::Code, "numeric-code / wave-code");
    rule(out, "lead-off", &event("lead_off", &[code, entry(K::On, "bool")]));
    rule(out, "battery", &event("battery", &[entry(K::Value, "percent")]));
    rule(out, "demo", &event("demo", &[entry(K::On, "bool")]));
    rule(out, "button", &event("button", &[]));
}

fn parts(out: &mut String) {
    use Key as K;
    let tail = || "  * extension => any,\n".to_owned();
    let range = || maybe(K::Range, "[low: number, high: number]");
    out.push_str("channel = numeric-channel / wave-channel\n\n");
    rule(
        out,
        "numeric-channel",
        &[
            entry(K::Code, "numeric-code"),
            maybe(K::Rate, "numeric-rate"),
            entry(K::Unit, "unit"),
            range(),
            tail(),
        ],
    );
    rule(
        out,
        "wave-channel",
        &[
            entry(K::Code, "wave-code"),
            entry(K::Rate, "rate"),
            maybe(K::Scale, "scale"),
            maybe(K::Offset, "int32"),
            entry(K::Unit, "unit"),
            range(),
            tail(),
        ],
    );
    let (low, high) = RATE_HZ;
    let (least, most) = SCALE_EXPONENT;
    // Writing to memory cannot fail.
    let _written = write!(
        out,
        "\
reading = [c: numeric-code, x: value, ? q: quality]

; in the unit of the code; null where there is none
value = int / float / decimal / nil

; value = mantissa * 10^exponent (RFC 8949, 3.4.4)
decimal = #6.4([exponent: int, mantissa: int])

; sum of: 1 valid, 2 questionable, 4 lead-off, 8 artefact, 16 demo, 32 calibrating; absent means 1
quality = 0..63

; samples per second, {low} to {high}
rate = {low}..{high} / float
; how often a numeric comes, in hertz: once in about three hours to as often as a waveform
numeric-rate = float / uint

; 0 to 100
percent = 0..100 / float

; value = (sample + offset) * mantissa * 10^exponent; the mantissa is not 0; absent means [0, 1]
scale = [exponent: {least}..{most}, mantissa: int32]

; int16 arrays of RFC 8746: tag 77 little-endian (native), tag 73 big-endian; -32768 or null: a missing sample
samples = #6.77(int16s) / #6.73(int16s) / [1*{MAX_SAMPLES} sample]
int16s = bstr .size (2..{bytes}) ; an even number of bytes
sample = -32768..32767 / nil

; 1 to {MAX_CONDITION} characters of a-z 0-9 _
condition = tstr .size (1..{MAX_CONDITION})

; settings that the device does not take, each with the reason; names have at most {MAX_SETTING} characters
rejected = {{ 0*{MAX_REJECTED} setting => text64 }}
setting = tstr .size (1..{setting})

; at most {MAX_TEXT} characters
text64 = tstr .size (0..{text})

; keys that later versions may add: ignored where unknown
extension = uint .ge {FIRST_EXTENSION}

uint32 = 0..4294967295
int32 = -2147483648..2147483647
int64 = -9223372036854775808..9223372036854775807

",
        bytes = 2 * MAX_SAMPLES,
        text = 4 * MAX_TEXT,
        setting = 4 * MAX_SETTING,
    );
}

fn codes(out: &mut String) {
    let mut units: Vec<&str> = NUMERICS.iter().map(|n| n.unit.ucum()).collect();
    units.extend(WAVEFORMS.iter().map(|(wave, _)| wave.unit().ucum()));
    units.sort_unstable();
    units.dedup();
    let units: Vec<String> = units.iter().map(|unit| format!("{unit:?}")).collect();
    out.push_str(&["; UCUM, the unit of the code\nunit = ", &units.join(" / "), "\n\n"].concat());
    let numerics = NUMERICS.iter().map(|n| {
        let (low, high) = n.technical;
        let about = format!("{}, {}, {} to {}", n.reference, n.unit.ucum(), low / 1000, high / 1000);
        (n.code, about)
    });
    choices(out, "numeric-code", numerics);
    out.push('\n');
    let waves = WAVEFORMS
        .iter()
        .map(|(wave, reference)| (wave.code(), format!("{reference}, {}", wave.unit().ucum())));
    choices(out, "wave-code", waves);
}

fn choices(out: &mut String, name: &str, codes: impl Iterator<Item = (u32, String)>) {
    out.push_str(&[name, " =\n"].concat());
    for (i, (code, about)) in codes.enumerate() {
        let slash = if i == 0 { ' ' } else { '/' };
        // Writing to memory cannot fail.
        let _written = writeln!(out, "  {slash} {code} ; {about}");
    }
}
