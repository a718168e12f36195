//! The commands in `docs/devices.md`: each is decoded, and is what the published contract says.

use wardlight_core::time::Timestamp;
use wardlight_wire::{DeviceTopic, Format, Topic, contract, decode};

use crate::cddl::Cddl;
use crate::contract::docs;
use crate::json_schema::Schema;

/// What `$(date +%s%3N)` gives in this test: 2026-01-01T00:00:00Z.
const NOW: i64 = 1_767_225_600_000;

/// One command of the document.
pub(crate) struct Command {
    pub(crate) line: String,
    pub(crate) topic: String,
    pub(crate) qos: u8,
    pub(crate) retain: bool,
    pub(crate) payload: Vec<u8>,
}

pub(crate) fn text() -> String {
    std::fs::read_to_string(docs().join("devices.md")).unwrap()
}

pub(crate) fn commands() -> Vec<Command> {
    let text = text();
    let blocks = text.split("```sh\n").skip(1).map(|block| block.split("```").next().unwrap());
    let commands: Vec<Command> = blocks.flat_map(str::lines).map(command).collect();
    assert!(
        commands.len() >= 15,
        "only {} commands found in docs/devices.md",
        commands.len()
    );
    commands
}

fn command(line: &str) -> Command {
    let after = |mark: &str| line.split_once(mark).map(|(_, rest)| rest.split(' ').next().unwrap());
    let payload = match line.split_once(" -m '") {
        Some((_, rest)) => rest
            .trim_end_matches('\'')
            .replace("'$(date +%s%3N)'", &NOW.to_string())
            .into_bytes(),
        None => hexadecimal(line),
    };
    Command {
        line: line.to_owned(),
        topic: after(" -t ").unwrap().to_owned(),
        qos: after(" -q ").unwrap().parse().unwrap(),
        retain: line.split_once("mosquitto_pub").unwrap().1.contains(" -r "),
        payload,
    }
}

/// The bytes that `xxd -r -p` makes of the text before the first pipe.
fn hexadecimal(line: &str) -> Vec<u8> {
    let (source, _) = line
        .split_once(" | xxd -r -p | mosquitto_pub ")
        .expect("a known kind of command");
    let hex = match source.strip_prefix("echo ") {
        Some(hex) => hex.to_owned(),
        None => source
            .strip_prefix("printf '")
            .and_then(|rest| rest.strip_suffix("' $(date +%s%3N)"))
            .expect("a known kind of command")
            .replace("%016x", &format!("{NOW:016x}")),
    };
    let digits: Vec<u8> = hex
        .chars()
        .filter(|c| *c != ' ')
        .map(|c| c.to_digit(16).unwrap() as u8)
        .collect();
    digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect()
}

#[test]
fn document_commands_are_decoded_without_a_rejection() {
    for Command {
        line, topic, payload, ..
    } in commands()
    {
        let decoded = decode(&topic, &payload, None, Timestamp::from_millis(NOW)).unwrap_or_else(|e| panic!("{line}\n{e}"));
        assert_eq!(decoded.rejected, [], "{line}");
    }
}

#[test]
fn document_commands_use_the_contract_s_qos_and_retention() {
    for Command {
        line,
        topic,
        qos,
        retain,
        ..
    } in commands()
    {
        let Ok(Topic::Device { kind, .. }) = topic.parse() else {
            panic!("{line}")
        };
        assert_eq!((qos, retain), (kind.qos(), kind.retained()), "{line}");
    }
}

#[test]
fn document_commands_are_what_the_published_contract_says() {
    let (cddl, schema) = (Cddl::parse(&contract::cddl()), Schema::parse(&contract::json_schema()));
    let mut checked = [0, 0];
    for Command {
        line, topic, payload, ..
    } in commands()
    {
        let Ok(Topic::Device { kind, .. }) = topic.parse() else {
            panic!("{line}")
        };
        let family = match kind {
            DeviceTopic::Wave(_) => "wave".to_owned(),
            other => other.to_string(),
        };
        match Format::sniff(&payload).unwrap() {
            Format::Cbor => {
                assert_eq!(cddl.check(&family, &payload), Ok(()), "{line}");
                checked[0] += 1;
            }
            Format::Json => {
                let json = serde_json::from_slice(&payload).unwrap();
                assert_eq!(schema.check(&family, &json), Ok(()), "{line}");
                checked[1] += 1;
            }
            Format::SenmlCbor | Format::SenmlJson => {}
        }
    }
    assert!(checked[0] >= 2 && checked[1] >= 10, "{checked:?}");
}

#[test]
fn document_commands_say_the_same_in_cbor_and_json() {
    let bodies = |suffix: &str| {
        let all = commands().into_iter().filter(|c| c.topic.ends_with(suffix)).map(|c| {
            let decoded = decode(&c.topic, &c.payload, None, Timestamp::from_millis(NOW)).unwrap();
            decoded.message.body
        });
        all.collect::<Vec<_>>()
    };
    for suffix in ["mon-01/num", "wave/131330", "patch-9/num"] {
        let bodies = bodies(suffix);
        assert_eq!(bodies.len(), 2, "{suffix}");
        assert_eq!(bodies[0], bodies[1], "{suffix}");
    }
}

#[test]
fn document_lists_every_key_under_its_number() {
    for key in wardlight_wire::Key::ALL {
        let row = format!("| {} | `{}` |", key.number(), key.name());
        assert!(text().contains(&row), "no row {row}");
    }
}
