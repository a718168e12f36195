//! The export as JSON lines: each as `wardlight audit list` prints it, with the record byte for byte.

use serde_json::{Value, json};

use super::{End, Exported};
use crate::audit_cli;

pub(super) fn write(exported: &Exported) -> Value {
    let mut line = audit_cli::line(&exported.head, &exported.before, exported.at_ms, exported.raw.as_bytes());
    line.insert("raw".to_owned(), json!(exported.raw));
    Value::Object(line)
}

pub(super) fn read(value: &Value) -> Option<Exported> {
    let n = value.get("n")?.as_u64()?;
    let hash = |n: u64, field: &str| format!("{n}:{}", value.get(field)?.as_str()?).parse().ok();
    Some(Exported {
        head: hash(n, "hash")?,
        before: hash(n.checked_sub(1)?, "prev")?,
        at_ms: value.get("at")?.as_i64()?,
        raw: value.get("raw")?.as_str()?.to_owned(),
    })
}

pub(super) fn write_end(end: &End, signature: &str) -> Value {
    json!({ "end": end, "signature": signature })
}

pub(super) fn read_end(value: &Value) -> Option<(End, String)> {
    let end = serde_json::from_value(value.get("end")?.clone()).ok()?;
    Some((end, value.get("signature")?.as_str()?.to_owned()))
}
