//! A patient by whom everything in the agent can be searched: a name, a number, words and values that occur nowhere else.

use serde_json::json;

use crate::agent::Agent;
use crate::device::{Device, HR, Message, SPO2};
use crate::mqtt::Client;

/// The patient's name.
pub const NAME: &str = "Zebulon Quimby-Ashgrove";
/// A number that somebody wrote into a text.
pub const NUMBER: &str = "MRN-83517-20946";
/// Words of a handover.
pub const WORDS: &str = "wisteria protocol after nightfall";
/// A heart rate as a device sends it.
pub const RATE: &str = "83.517";
/// A saturation that alarms.
pub const SATURATION: &str = "71.389";
/// What a device sent that cannot be read.
pub const GARBLED: &str = "Zebulon Quimby-Ashgrove wrote this himself";

/// Everything that is planted.
pub const ALL: [&str; 6] = [NAME, NUMBER, WORDS, RATE, SATURATION, GARBLED];

/// The patient comes into the bed, is measured, alarms, is charted and handed over; one message cannot be read.
pub fn live(agent: &Agent<'_>, wire: &mut Client, device: &mut Device, bed: &str) {
    let admitted = agent.post(&format!("/api/v1/beds/{bed}/admit"), &json!({"name": NAME, "age_years": 71}));
    assert_eq!(admitted.status, 200, "{}", admitted.body);
    let attached = agent.post(&format!("/api/v1/beds/{bed}/attach"), &json!({ "device": device.name }));
    assert_eq!(attached.status, 200, "{}", attached.body);
    let mut live = agent.live();
    live.find("the snapshot", |frame| frame["type"] == "snapshot");
    let (rate, saturation) = (RATE.parse().unwrap(), SATURATION.parse().unwrap());
    for _ in 0..3 {
        deliver(wire, &device.numerics(&[(HR, rate), (SPO2, saturation)]));
    }
    let garbled = device.message("num", &json!({"m": [], "patient": GARBLED}));
    deliver(wire, &garbled);
    deliver(wire, &device.alarm("vf", true));
    let alarm = live.alarm("device_alarm_vf", "active");
    let alarm = alarm["id"].as_str().unwrap();
    for (path, body) in [
        (format!("beds/{bed}/chart"), json!({"consciousness": "V", "oxygen": true})),
        (
            format!("beds/{bed}/handover"),
            json!({"severity": "watcher", "summary": NUMBER, "actions": WORDS, "contingency": NAME}),
        ),
        (
            format!("beds/{bed}/limits"),
            json!({"parameter": "hr", "low": 45, "high": 140}),
        ),
        (format!("alarms/{alarm}/acknowledge"), json!({"by": "N. Klein"})),
    ] {
        let answer = agent.post(&format!("/api/v1/{path}"), &body);
        assert_eq!(answer.status, 200, "{path}: {}", answer.body);
    }
}

fn deliver(wire: &mut Client, message: &Message) {
    wire.deliver(&message.topic, &message.payload());
}

/// Which of the planted are in these bytes, in any of the usual forms.
pub fn found(bytes: &[u8]) -> Vec<&'static str> {
    let hit = |text: &&'static str| forms(text).iter().any(|form| holds(bytes, form));
    ALL.into_iter().filter(hit).collect()
}

/// UTF-8, UTF-16 of both orders, hexadecimal digits of both cases, base64 at each of its three places.
fn forms(text: &str) -> Vec<Vec<u8>> {
    let utf16 = || text.encode_utf16();
    let digit = |nibble: u8| char::from_digit(u32::from(nibble), 16).unwrap();
    let hex: String = text.bytes().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect();
    let mut forms = vec![
        text.as_bytes().to_vec(),
        utf16().flat_map(u16::to_le_bytes).collect(),
        utf16().flat_map(u16::to_be_bytes).collect(),
        hex.to_uppercase().into_bytes(),
        hex.into_bytes(),
    ];
    forms.extend((0..3).map(|place| base64_inside(text.as_bytes(), place)));
    forms
}

/// The digits that stand for these bytes whatever is around them, when they begin at `place` of a group of three.
fn base64_inside(bytes: &[u8], place: usize) -> Vec<u8> {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let shifted = [&vec![0; place], bytes].concat();
    let groups = shifted.chunks_exact(3).skip(usize::from(place > 0));
    let digits = groups.flat_map(|group| {
        let bits = group.iter().fold(0_usize, |bits, byte| bits << 8 | usize::from(*byte));
        [18, 12, 6, 0].map(|shift| DIGITS[bits >> shift & 63])
    });
    digits.collect()
}

fn holds(bytes: &[u8], part: &[u8]) -> bool {
    let Some(first) = part.first() else { return false };
    let starts = bytes.iter().enumerate().filter(|(_, byte)| *byte == first);
    starts.into_iter().any(|(at, _)| bytes[at..].starts_with(part))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_planted_is_found_in_every_form() {
        assert_eq!(base64_inside(b"light work.", 0), b"bGlnaHQgd29y");
        for form in forms(NUMBER) {
            let around = [b"x--".as_slice(), &form, b"--x"].concat();
            assert!(found(&around).contains(&NUMBER), "{}", String::from_utf8_lossy(&form));
        }
        assert!(found(b"nothing of the kind").is_empty());
    }
}
