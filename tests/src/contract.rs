//! What every device keeps to, whoever made it: one suite, run on the reference client and on the simulator.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use wardlight_core::codes::Waveform;
use wardlight_core::message::{Birth, Body, Message};
use wardlight_core::time::Timestamp;
use wardlight_wire::decode;

use crate::mqtt::{Client, Heard};
use crate::wait::now_ms;

/// A pulse rate, which both devices measure, each time they measure at all.
const PULSE: u32 = 149_530;
/// How long a device may be silent.
const PATIENCE: Duration = Duration::from_secs(20);
/// And how long something may take while other messages come.
const LONGEST: Duration = Duration::from_mins(1);

/// Listens to one device of the site `site`, and speaks to it as the agent would.
#[derive(Debug)]
pub struct Ear {
    client: Client,
    device: String,
    /// Everything that was heard.
    pub messages: Vec<Message>,
}

impl Ear {
    /// Listens from now on.
    pub fn new(port: u16, device: &str) -> Self {
        let mut client = Client::connect(port, &format!("ear-{device}")).unwrap();
        client.subscribe(&format!("vitals/v1/site/{device}/#"));
        Self {
            client,
            device: device.to_owned(),
            messages: Vec::new(),
        }
    }

    /// The next message of the device; it must be one that the contract knows, with nothing in it to object to.
    pub fn hear(&mut self) -> &Message {
        loop {
            let heard = self.client.heard.recv_timeout(PATIENCE);
            let Heard::Message(topic, payload) = heard.expect("the device says nothing more") else {
                continue;
            };
            if topic.ends_with("/cmd") {
                continue;
            }
            let decoded = decode(&topic, &payload, None, Timestamp::from_millis(now_ms()));
            let decoded = decoded.unwrap_or_else(|error| panic!("{topic}: {error}"));
            assert_eq!(decoded.rejected, [], "{topic}");
            self.messages.push(decoded.message);
            return self.messages.last().unwrap();
        }
    }

    /// The first message from now on that fits.
    pub fn until<T>(&mut self, what: &str, fits: impl Fn(&Message) -> Option<T>) -> T {
        let end = Instant::now() + LONGEST;
        while Instant::now() < end {
            if let Some(found) = fits(self.hear()) {
                return found;
            }
        }
        panic!("{}: not {what} within {} s", self.device, LONGEST.as_secs())
    }

    /// Tells the device something.
    pub fn tell(&mut self, cmd: &[u8]) {
        self.client
            .publish(&format!("vitals/v1/site/{}/cmd", self.device), cmd)
            .unwrap();
    }

    /// Desires a configuration, and waits for the state that answers it. Returns what was refused.
    pub fn configure(&mut self, rev: u32, set: &Value) -> BTreeMap<String, String> {
        self.tell(
            json!({"v": 1, "cmd": "config", "rev": rev, "set": set})
                .to_string()
                .as_bytes(),
        );
        self.until("a state with the revision", |m| match &m.body {
            Body::State {
                rev: Some(r), rejected, ..
            } if *r == rev => Some(rejected.clone()),
            _ => None,
        })
    }

    fn birth(&mut self) -> Birth {
        self.until("a birth", |m| match &m.body {
            Body::Birth(birth) => Some(birth.clone()),
            _ => None,
        })
    }
}

fn is_live_pulse(message: &Message) -> bool {
    // A monitor may also send what it had stored.
    let is_now = message.sent_at.as_millis() > now_ms() - 60_000;
    is_now && matches!(&message.body, Body::Numerics(list) if list.iter().any(|r| r.numeric().code == PULSE))
}

/// The whole suite. `ear` listens already; the device was just started, and `kill` is a `kill -9` of it.
pub fn assert_kept(port: u16, mut ear: Ear, kill: impl FnOnce()) {
    describes_itself_and_numbers_what_it_sends(&mut ear);
    ignores_what_it_does_not_know_and_describes_itself_again(&mut ear);
    takes_a_configuration_and_says_so(&mut ear);
    names_what_it_refuses(&mut ear);
    assert_numbered(&ear.messages);
    kill();
    ear.until("its will", |m| {
        matches!(m.body, Body::State { online: false, .. }).then_some(())
    });
    nothing_measured_is_kept(port, &ear.device);
}

fn describes_itself_and_numbers_what_it_sends(ear: &mut Ear) {
    let birth = ear.birth();
    let position = |ear: &Ear, fits: fn(&Body) -> bool| ear.messages.iter().position(|m| fits(&m.body));
    ear.until("a state", |m| {
        matches!(m.body, Body::State { online: true, .. }).then_some(())
    });
    for _ in 0..3 {
        ear.until("a pulse rate", |m| is_live_pulse(m).then_some(()));
        ear.until("a waveform", |m| matches!(m.body, Body::Wave(_)).then_some(()));
    }
    let first = position(ear, |body| !matches!(body, Body::Wave(_)));
    assert_eq!(
        first,
        position(ear, |body| matches!(body, Body::Birth(_))),
        "a birth comes first"
    );
    let announced: BTreeMap<u32, Option<f32>> = birth.channels.iter().map(|c| (c.code, c.rate_hz)).collect();
    for message in &ear.messages {
        assert!(message.sent_at.as_millis() < now_ms() + 5_000, "from the future: {message:?}");
        match &message.body {
            Body::Numerics(list) => assert!(list.iter().all(|r| announced.contains_key(&r.numeric().code))),
            Body::Wave(block) => assert_eq!(announced.get(&block.waveform.code()), Some(&Some(block.rate_hz))),
            _ => {}
        }
    }
}

fn ignores_what_it_does_not_know_and_describes_itself_again(ear: &mut Ear) {
    let long = [&br#"{"v":1,"cmd":"config","rev":1,"set":{"#[..], &[b' '; 5000], b"}}"].concat();
    for unknown in [
        &br#"{"v":1,"cmd":"dance"}"#[..],
        br#"{"v":2,"cmd":"rebirth"}"#,
        b"{",
        b"",
        &[0xff; 200],
        br#"{"v":1,"cmd":"firmware","version":"9","size":1,"sha256":"0","sig":"0","url":"x"}"#,
        &long[..long.len() - 1],
    ] {
        ear.tell(unknown);
    }
    let before = ear.messages.len();
    ear.tell(br#"{"v":1,"cmd":"rebirth"}"#);
    ear.birth();
    let states = ear.messages[before..].iter().filter(|m| matches!(m.body, Body::State { .. }));
    assert_eq!(states.count(), 0, "an unknown command was answered");
}

fn takes_a_configuration_and_says_so(ear: &mut Ear) {
    let before = ear.messages.len();
    let rejected = ear.configure(7, &json!({"interval_ms": 2000, "waves": []}));
    assert_eq!(rejected, BTreeMap::new());
    let mut births = ear.messages[before..].iter().filter_map(|m| match &m.body {
        Body::Birth(birth) => Some(birth),
        _ => None,
    });
    let birth = births.next_back().expect("what is sent has changed: a birth is due").clone();
    let rate = birth.channels.iter().find(|c| c.code == PULSE).and_then(|c| c.rate_hz);
    assert_eq!(rate, Some(0.5));
    assert!(
        birth.channels.iter().all(|c| Waveform::from_code(c.code).is_none()),
        "a waveform is announced: {birth:?}"
    );
    let before = ear.messages.len();
    let times: Vec<i64> = (0..4)
        .map(|_| ear.until("a pulse rate", |m| is_live_pulse(m).then_some(m.sent_at.as_millis())))
        .collect();
    assert!(
        times
            .windows(2)
            .skip(1)
            .all(|pair| (1_990..=2_510).contains(&(pair[1] - pair[0]))),
        "{times:?}"
    );
    let waves = ear.messages[before..].iter().filter(|m| matches!(m.body, Body::Wave(_)));
    assert_eq!(waves.count(), 0, "a waveform that is off");
    // The same again does no harm.
    assert_eq!(ear.configure(7, &json!({"interval_ms": 2000, "waves": []})), BTreeMap::new());
}

fn names_what_it_refuses(ear: &mut Ear) {
    let rejected = ear.configure(8, &json!({"interval_ms": 50, "waves": [131_330, 1], "colour": "red"}));
    let names: Vec<&str> = rejected.keys().map(String::as_str).collect();
    assert_eq!(names, ["colour", "interval_ms", "waves"]);
    assert!(rejected["interval_ms"].starts_with("50: expected "), "{rejected:?}");
    assert_eq!(rejected["colour"], r#""red": no such setting"#);
    // What is refused is as delivered.
    ear.until("a waveform", |m| matches!(m.body, Body::Wave(_)).then_some(()));
}

/// Fails unless the numbers of what must arrive have no gap and no repetition, and those of each waveform neither while it is on.
pub fn assert_numbered(messages: &[Message]) {
    let mut last: BTreeMap<Option<u32>, u32> = BTreeMap::new();
    let boots: Vec<Option<u32>> = messages.iter().map(|m| m.boot).collect();
    assert!(
        boots[0].is_some() && boots.iter().all(|boot| *boot == boots[0]),
        "one start: {boots:?}"
    );
    for message in messages {
        let stream = match &message.body {
            Body::Wave(block) => Some(block.waveform.code()),
            _ => None,
        };
        let seq = match (message.seq, &message.body) {
            (Some(seq), _) => seq,
            // What the broker keeps needs no number.
            (None, Body::Birth(_) | Body::State { .. }) => continue,
            (None, _) => panic!("no number: {message:?}"),
        };
        if let Some(before) = last.insert(stream, seq) {
            assert_eq!(seq, before + 1, "{stream:?}");
        }
    }
}

/// A newcomer gets the birth and the state, and nothing that was measured.
fn nothing_measured_is_kept(port: u16, device: &str) {
    let mut late = Client::connect(port, "late").unwrap();
    late.subscribe("end");
    let mut kept = late.subscribe(&format!("vitals/v1/site/{device}/#"));
    late.publish("end", b"").unwrap();
    loop {
        match late.heard.recv_timeout(PATIENCE).unwrap() {
            Heard::Message(topic, _) if topic == "end" => break,
            Heard::Message(topic, _) => kept.push(topic),
            Heard::Puback(_) | Heard::Suback => {}
        }
    }
    kept.sort();
    let expected = ["birth", "state"].map(|kind| format!("vitals/v1/site/{device}/{kind}"));
    assert_eq!(kept, expected);
}
