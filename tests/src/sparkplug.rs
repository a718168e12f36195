//! Sparkplug B payloads, as an edge node writes them.

use crate::wait::now_ms;

/// Sparkplug's data types.
pub const FLOAT: u64 = 9;
/// True or false.
pub const BOOLEAN: u64 = 11;
/// Whole numbers without a sign.
pub const UINT64: u64 = 8;

/// A metric's value.
#[derive(Clone, Copy, Debug)]
pub enum Value {
    /// Of `FLOAT`.
    Float(f32),
    /// Of `BOOLEAN`.
    Boolean(bool),
    /// Of `UINT64`.
    Long(u64),
}

/// A metric as a birth lists it: name, alias and value.
pub fn described(name: &str, alias: u64, value: Value) -> Vec<u8> {
    let mut out = Vec::new();
    bytes(&mut out, 1, name.as_bytes());
    number(&mut out, 2, alias);
    let datatype = match value {
        Value::Float(_) => FLOAT,
        Value::Boolean(_) => BOOLEAN,
        Value::Long(_) => UINT64,
    };
    number(&mut out, 4, datatype);
    put(&mut out, value);
    out
}

/// A metric as data has it: alias and value.
pub fn changed(alias: u64, value: Value) -> Vec<u8> {
    let mut out = Vec::new();
    number(&mut out, 2, alias);
    put(&mut out, value);
    out
}

/// The will of a node, and the metric of its birth that belongs to it.
pub fn bd_seq(session: u64) -> Vec<u8> {
    let mut out = Vec::new();
    bytes(&mut out, 1, b"bdSeq");
    number(&mut out, 4, UINT64);
    put(&mut out, Value::Long(session));
    out
}

/// A payload of now; wills have no number.
pub fn payload(seq: Option<u64>, metrics: &[Vec<u8>]) -> Vec<u8> {
    let mut out = Vec::new();
    number(&mut out, 1, u64::try_from(now_ms()).unwrap());
    for metric in metrics {
        bytes(&mut out, 2, metric);
    }
    if let Some(seq) = seq {
        number(&mut out, 3, seq);
    }
    out
}

fn put(out: &mut Vec<u8>, value: Value) {
    match value {
        Value::Float(real) => {
            varint(out, 12 << 3 | 5);
            out.extend(real.to_le_bytes());
        }
        Value::Boolean(on) => number(out, 14, u64::from(on)),
        Value::Long(long) => number(out, 11, long),
    }
}

fn number(out: &mut Vec<u8>, field: u64, value: u64) {
    varint(out, field << 3);
    varint(out, value);
}

fn bytes(out: &mut Vec<u8>, field: u64, value: &[u8]) {
    varint(out, field << 3 | 2);
    varint(out, value.len() as u64);
    out.extend(value);
}

fn varint(out: &mut Vec<u8>, mut value: u64) {
    while value > 0x7F {
        out.push((value & 0x7F) as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}
