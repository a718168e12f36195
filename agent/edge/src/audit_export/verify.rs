//! Verifying an export with the public key alone: what is wrong first, and where.

use std::collections::BTreeMap;
use wardlight_core::hex;

use serde_json::Value;
use wardlight_journal::Head;

use super::{End, Exported, Format, head, head_message, is_signed};

/// What is wrong with an export.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Fault {
    #[error("truncated: the signed end is missing")]
    NoEnd,
    #[error("the signed end was altered, or signed by another key")]
    EndAltered,
    #[error("truncated: records {from} to {to} are missing at the end")]
    Truncated { from: u64, to: u64 },
    #[error("line {line}: altered: it cannot be read as a record")]
    Unreadable { line: usize },
    #[error("line {line}: record {n} was altered")]
    Altered { line: usize, n: u64 },
    #[error("line {line}: records {from} to {to} are missing before it")]
    Missing { line: usize, from: u64, to: u64 },
    #[error("line {line}: reordered: record {n} stands here and comes later in the trail")]
    Reordered { line: usize, n: u64 },
    #[error("line {line}: inserted: record {n} has been before")]
    Inserted { line: usize, n: u64 },
    #[error(
        "records {from} to {to}: one or more were altered, inserted or taken out, and the chain was computed anew: a signed head does not fit"
    )]
    Rewritten { from: u64, to: u64 },
    #[error("record {n}: it is not the one that was noted: the export is another trail's, or older")]
    NotAsNoted { n: u64 },
}

/// What a sound export holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Sound {
    pub(super) end: End,
    /// Signed heads on the way.
    pub(super) heads: u64,
}

/// Verifies an export.
/// # Errors
/// The first fault.
pub(super) fn verify(text: &str, public_key: &[u8], noted: Option<&Head>) -> Result<Sound, Fault> {
    let lines: Vec<&str> = text.lines().collect();
    let value = |line: &&str| serde_json::from_str::<Value>(line).ok();
    let last = lines.last().and_then(value).ok_or(Fault::NoEnd)?;
    let found = [Format::Jsonl, Format::Fhir]
        .into_iter()
        .find_map(|format| format.read_end(&last).map(|(end, signature)| (format, end, signature)));
    let (format, end, signature) = found.ok_or(Fault::NoEnd)?;
    let genuine =
        hex::decode(&end.public_key).as_deref() == Some(public_key) && is_signed(public_key, &end.message(), &signature);
    let as_made = format.end(&end, &signature).is_ok_and(|made| made == last);
    let ends = head(&end.base).and_then(|base| Ok((base, head(&end.head)?)));
    let (true, true, Ok((base, end_head))) = (genuine, as_made, ends) else {
        return Err(Fault::EndAltered);
    };
    let records = lines.get(..lines.len().saturating_sub(1)).unwrap_or_default();
    let parsed: Vec<Option<(Exported, Value)>> = records
        .iter()
        .map(|line| value(line).and_then(|value| Some((format.read(&value)?, value))))
        .collect();
    let mut walk = Walk {
        before: base,
        signed: base.n,
        heads: 0,
        public_key,
        later: later(&parsed),
    };
    for (line, found) in (1..).zip(&parsed) {
        let (exported, value) = found.as_ref().ok_or(Fault::Unreadable { line })?;
        let as_made = format.line(&end.site, exported) == *value;
        walk.step(line, exported, as_made)?;
        if noted.is_some_and(|noted| noted.n == walk.before.n && *noted != walk.before) {
            return Err(Fault::NotAsNoted { n: walk.before.n });
        }
    }
    walk.end(&end_head)?;
    match noted {
        Some(noted) if noted.n > end_head.n => Err(Fault::NotAsNoted { n: noted.n }),
        _ => Ok(Sound { end, heads: walk.heads }),
    }
}

/// The last line of each number.
fn later(parsed: &[Option<(Exported, Value)>]) -> BTreeMap<u64, usize> {
    let numbered = (1..).zip(parsed);
    numbered
        .filter_map(|(line, found)| Some((found.as_ref()?.0.head.n, line)))
        .collect()
}

struct Walk<'a> {
    before: Head,
    /// The last record that a signature covers, and the chain up to there with it.
    signed: u64,
    heads: u64,
    public_key: &'a [u8],
    later: BTreeMap<u64, usize>,
}

impl Walk<'_> {
    fn step(&mut self, line: usize, exported: &Exported, as_made: bool) -> Result<(), Fault> {
        let (n, expected) = (exported.head.n, self.before.n + 1);
        if n > expected {
            return Err(if self.later.get(&expected).is_some_and(|later| *later > line) {
                Fault::Reordered { line, n }
            } else {
                Fault::Missing {
                    line,
                    from: expected,
                    to: n - 1,
                }
            });
        }
        if n < expected {
            return Err(Fault::Inserted { line, n });
        }
        if exported.before != self.before {
            // The link of this record proves the one before it, unless the chain was computed anew up to there.
            return Err(if self.before.n == self.signed {
                Fault::Altered { line, n }
            } else {
                Fault::Rewritten {
                    from: self.signed + 1,
                    to: n,
                }
            });
        }
        let hash = self.before.after(exported.at_ms, exported.raw.as_bytes());
        if hash != exported.head || !as_made {
            return Err(Fault::Altered { line, n });
        }
        self.check_signed_head(exported)?;
        self.before = hash;
        Ok(())
    }

    /// A record that signs the head before it.
    fn check_signed_head(&mut self, exported: &Exported) -> Result<(), Fault> {
        let record: Value = serde_json::from_str(&exported.raw).unwrap_or_default();
        if record.get("action").is_none_or(|action| action != "audit_head") {
            return Ok(());
        }
        let detail = record.get("detail").and_then(Value::as_str).unwrap_or_default();
        let fits = detail.split_once(' ').is_some_and(|(named, signature)| {
            named == self.before.to_string() && is_signed(self.public_key, &head_message(&self.before), signature)
        });
        if !fits {
            return Err(self.rewritten(exported.head.n));
        }
        self.signed = self.before.n;
        self.heads += 1;
        Ok(())
    }

    fn end(&self, end: &Head) -> Result<(), Fault> {
        match end {
            end if end.n > self.before.n => Err(Fault::Truncated {
                from: self.before.n + 1,
                to: end.n,
            }),
            end if *end != self.before => Err(self.rewritten(self.before.n)),
            _ => Ok(()),
        }
    }

    fn rewritten(&self, to: u64) -> Fault {
        Fault::Rewritten {
            from: self.signed + 1,
            to,
        }
    }
}

#[cfg(test)]
mod tests;
