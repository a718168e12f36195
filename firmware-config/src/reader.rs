//! Reads a TOML table field by field and gathers every fault instead of stopping at the first.

use toml::{Table, Value};

use crate::error::Fault;

/// The faults found so far.
#[derive(Debug, Default)]
pub(crate) struct Faults(pub(crate) Vec<Fault>);

impl Faults {
    pub(crate) fn add(&mut self, path: impl Into<String>, found: impl Into<String>, expected: impl Into<String>) {
        self.0.push(Fault {
            path: path.into(),
            found: found.into(),
            expected: expected.into(),
        });
    }
}

/// One table, and where it stands.
#[derive(Debug)]
pub(crate) struct Fields {
    path: String,
    table: Table,
}

impl Fields {
    /// The file's own table has an empty path.
    pub(crate) fn new(path: impl Into<String>, table: Table) -> Self {
        let path = path.into();
        Self { path, table }
    }

    /// The full path of a field.
    pub(crate) fn path(&self, field: &str) -> String {
        if self.path.is_empty() {
            return field.to_owned();
        }
        format!("{}.{field}", self.path)
    }

    /// Takes a field that may be absent.
    pub(crate) fn optional(&mut self, field: &str) -> Option<Value> {
        self.table.remove(field)
    }

    /// Takes a field through `read`; absent or refused, it is a fault.
    pub(crate) fn required<T>(
        &mut self,
        field: &str,
        expected: &str,
        faults: &mut Faults,
        read: impl FnOnce(&Value) -> Option<T>,
    ) -> Option<T> {
        let value = self.table.remove(field);
        let taken = value.as_ref().and_then(read);
        if taken.is_none() {
            let found = value.as_ref().map_or_else(|| "nothing".to_owned(), shown);
            faults.add(self.path(field), found, expected);
        }
        taken
    }

    /// Whatever was not taken is unknown, and a fault.
    pub(crate) fn finish(self, faults: &mut Faults) {
        for (field, value) in &self.table {
            faults.add(self.path(field), shown(value), "no such field");
        }
    }
}

/// A value for an error message, cut at 60 characters.
pub(crate) fn shown(value: &Value) -> String {
    let text = value.to_string();
    let cut: String = text.chars().take(60).collect();
    if cut.len() < text.len() { format!("{cut}…") } else { cut }
}

/// A whole or broken number.
pub(crate) fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Integer(n) => Some(*n as f64),
        Value::Float(x) => x.is_finite().then_some(*x),
        Value::String(_) | Value::Boolean(_) | Value::Datetime(_) | Value::Array(_) | Value::Table(_) => None,
    }
}

/// An integer from `low` to `high`.
pub(crate) fn integer<T: TryFrom<i64>>(value: &Value, low: i64, high: i64) -> Option<T> {
    let n = value.as_integer().filter(|n| (low..=high).contains(n))?;
    T::try_from(n).ok()
}
