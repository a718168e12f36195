//! Which stays there were, and where, as the audit trail tells it: tokens and beds, no names.

use std::collections::BTreeMap;

use serde_json::Value;
use wardlight_journal::{JournalError, Reader};

/// One stay.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Seen {
    pub(super) stay: String,
    /// The bed that the patient is in, or was in last.
    pub(super) bed: String,
    pub(super) from_ms: i64,
    /// `None` while the patient is there.
    pub(super) until_ms: Option<i64>,
}

/// All stays in the order of their admission.
/// # Errors
/// If the journal cannot be read; single damaged records are passed over.
pub(super) fn list(reader: &mut Reader) -> Result<Vec<Seen>, JournalError> {
    let mut found = Found::default();
    for item in reader.audit() {
        match item {
            Ok(audited) => {
                if let Ok(record) = serde_json::from_slice(&audited.record) {
                    found.take(&record, audited.at_ms);
                }
            }
            Err(JournalError::Damaged(_)) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(found.stays)
}

#[derive(Default)]
struct Found {
    stays: Vec<Seen>,
    at: BTreeMap<String, usize>,
}

impl Found {
    fn take(&mut self, record: &Value, at_ms: i64) {
        let text = |field: &str| record.get(field).and_then(Value::as_str).unwrap_or_default();
        if text("outcome") != "done" || text("stay").is_empty() {
            return;
        }
        let known = self.at.get(text("stay")).and_then(|at| self.stays.get_mut(*at));
        match (text("action"), known) {
            ("admit", None) => {
                self.at.insert(text("stay").to_owned(), self.stays.len());
                self.stays.push(Seen {
                    stay: text("stay").to_owned(),
                    bed: text("bed").to_owned(),
                    from_ms: at_ms,
                    until_ms: None,
                });
            }
            ("discharge", Some(seen)) => seen.until_ms = Some(at_ms),
            ("transfer", Some(seen)) => {
                let to = text("detail").strip_prefix("to ").and_then(|rest| rest.split(',').next());
                seen.bed = to.unwrap_or(&seen.bed).to_owned();
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_stay_is_followed_from_bed_to_bed_until_it_ends() {
        let mut found = Found::default();
        let record = |action: &str, stay: &str, bed: &str, detail: &str, outcome: &str| json!({"action": action, "stay": stay, "bed": bed, "detail": detail, "outcome": outcome});
        for (at_ms, record) in [
            (1, record("admit", "a", "B1", "", "done")),
            (2, record("admit", "b", "B1", "bed B1: occupied", "refused")),
            (3, record("transfer", "a", "B1", "to B2, devices stay", "done")),
            (4, record("admit", "c", "B1", "", "done")),
            (5, record("discharge", "a", "B2", "", "done")),
        ] {
            found.take(&record, at_ms);
        }
        let seen = |stay: &str, bed: &str, from_ms, until_ms| Seen {
            stay: stay.to_owned(),
            bed: bed.to_owned(),
            from_ms,
            until_ms,
        };
        assert_eq!(found.stays, [seen("a", "B2", 1, Some(5)), seen("c", "B1", 4, None)]);
    }
}
