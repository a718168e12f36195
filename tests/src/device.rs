//! A device as its maker would write it: numbered messages in the JSON of `vitals/v1`.

use serde_json::{Map, Value, json};

use crate::wait::now_ms;

/// Heart rate of the ECG.
pub const HR: u32 = 147_842;
/// Oxygen saturation.
pub const SPO2: u32 = 150_456;
/// Systolic pressure of the cuff; its limits alarm without delay.
pub const NIBP_SYS: u32 = 150_021;
/// Core temperature.
pub const TEMP: u32 = 150_368;

/// One device of the site `site`.
#[derive(Clone, Debug)]
pub struct Device {
    /// Its name in topics.
    pub name: String,
    /// Which start of it.
    pub boot: u32,
    /// Number of the last message.
    pub seq: u32,
    /// How far its clock is ahead of ours, in milliseconds.
    pub ahead_ms: i64,
}

/// A message ready to be sent.
#[derive(Clone, Debug)]
pub struct Message {
    /// Where to.
    pub topic: String,
    /// Its JSON.
    pub body: Value,
    /// Its number.
    pub seq: u32,
}

impl Message {
    /// Payload bytes.
    pub fn payload(&self) -> Vec<u8> {
        self.body.to_string().into_bytes()
    }
}

impl Device {
    /// A device on its first start.
    pub fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            boot: 1,
            seq: 0,
            ahead_ms: 0,
        }
    }

    /// The topic of one kind of message.
    pub fn topic(&self, kind: &str) -> String {
        format!("vitals/v1/site/{}/{kind}", self.name)
    }

    /// Values measured now.
    pub fn numerics(&mut self, values: &[(u32, f64)]) -> Message {
        let readings: Vec<Value> = values.iter().map(|(code, x)| json!({"c": code, "x": x})).collect();
        self.message("num", &json!({"m": readings}))
    }

    /// The device's own alarm begins or ends now.
    pub fn alarm(&mut self, condition: &str, on: bool) -> Message {
        self.message("alarm", &json!({"condition": condition, "on": on, "prio": "high"}))
    }

    /// Any message: the fields beside version, number, time and boot.
    pub fn message(&mut self, kind: &str, fields: &Value) -> Message {
        self.seq += 1;
        let head = json!({"v": 1, "seq": self.seq, "t": now_ms() + self.ahead_ms, "boot": self.boot});
        let mut body: Map<String, Value> = head.as_object().cloned().unwrap();
        body.extend(fields.as_object().cloned().unwrap());
        Message {
            topic: self.topic(kind),
            body: Value::Object(body),
            seq: self.seq,
        }
    }
}
