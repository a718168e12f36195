//! Following the chain from its base to its head.

use std::path::Path;

use super::chain::{BASE, HEAD, Head, load};
use super::list::Audited;
use crate::error::{Damage, JournalError};
use crate::key::SiteKey;
use crate::read::Reader;

/// What is wrong with a link.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Break {
    /// The record is not there.
    #[error("missing, up to and including {through}")]
    Missing {
        /// The last of those that are not there.
        through: u64,
    },
    /// The record is there and cannot be what was written.
    #[error("altered: {0}")]
    Altered(String),
    /// The record comes after one with a higher number.
    #[error("reordered: it comes after record {after}")]
    Reordered {
        /// The record before it.
        after: u64,
    },
    /// The chain ends before its head.
    #[error("missing: the trail was cut; its head is record {head}")]
    Truncated {
        /// Number of the newest record that was ever written, as far as the head says.
        head: u64,
    },
    /// The head is not there, or was not sealed with this site key.
    #[error("the head of the trail is missing or forged: what came after this record may be missing")]
    NoHead,
    /// The head is older than the chain.
    #[error("the head of the trail was set back to record {head}")]
    HeadBehind {
        /// Its number.
        head: u64,
    },
    /// A head that was written down before does not fit: the trail was rewritten, or an older copy was put back.
    #[error("not the record that was noted: the trail was rewritten or an older copy of it put back")]
    NotAsNoted,
}

/// The first broken link.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("record {n}: {what}")]
pub struct Broken {
    /// Number of the record.
    pub n: u64,
    /// Its time, or that of the last one before it that is sound, in milliseconds since 1970.
    pub at_ms: Option<i64>,
    /// What is wrong.
    pub what: Break,
}

/// What [`verify_audit`] found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AuditReport {
    /// The chain is followed from the record after this one: 0, or what retention removed last.
    pub base: Head,
    /// The last record that is sound.
    pub head: Head,
    /// When it was written, in milliseconds since 1970.
    pub at_ms: Option<i64>,
    /// Sound records.
    pub records: u64,
    /// The first broken link.
    pub broken: Option<Broken>,
}

/// Follows the audit trail and finds its first broken link. It changes nothing and may run beside the agent.
///
/// `noted` is a head that was written down before, outside of this machine: it tells also an older copy of the whole journal, and
/// a trail rewritten by somebody with the site key, from the true one.
///
/// # Errors
/// If there is no journal to look at, or the file system refuses; what is wrong with the trail is in the report.
pub fn verify_audit(dir: &Path, key: &SiteKey, noted: Option<&Head>) -> Result<AuditReport, JournalError> {
    let mut reader = Reader::open(dir, key)?;
    // The head first: the agent may append meanwhile, and then the chain is longer than the head says.
    let head = load(&reader.db, &mut reader.ring, HEAD)?;
    let base = load(&reader.db, &mut reader.ring, BASE)?.unwrap_or_default();
    let mut walk = Walk {
        report: AuditReport {
            base,
            head: base,
            ..AuditReport::default()
        },
        head,
        noted: noted.copied(),
        damage: None,
        reached: head == Some(base),
    };
    let mut rest = reader.audit();
    for item in rest.by_ref() {
        match item {
            Ok(found) => walk.take(&found),
            Err(JournalError::Damaged(damage)) => walk.damage = Some(damage),
            Err(error) => return Err(error),
        }
        if walk.report.broken.is_some() {
            break;
        }
    }
    if let Some(Broken {
        n,
        what: what @ Break::Missing { .. },
        ..
    }) = &mut walk.report.broken
        && rest.flatten().any(|later| later.head.n == *n)
    {
        *what = Break::Reordered {
            after: walk.report.head.n,
        };
    }
    walk.end();
    Ok(walk.report)
}

struct Walk {
    report: AuditReport,
    head: Option<Head>,
    noted: Option<Head>,
    /// Damage since the last sound record: of a record, or of something else.
    damage: Option<Damage>,
    /// The record that the head names has been seen.
    reached: bool,
}

impl Walk {
    fn take(&mut self, found: &Audited) {
        let (expected, n) = (self.report.head.n + 1, found.head.n);
        if n <= self.report.base.n {
            // Left over from a retention that was cut short: nothing is said of it.
            return;
        }
        if n > expected {
            let through = n - 1;
            self.breaks(expected, self.report.at_ms, self.lost(through));
        } else if n < expected {
            let after = self.report.head.n;
            self.breaks(n, Some(found.at_ms), Break::Reordered { after });
        } else if found.before.hash != self.report.head.hash {
            let (n, at_ms) = if self.report.records == 0 {
                (n, Some(found.at_ms))
            } else {
                (self.report.head.n, self.report.at_ms)
            };
            self.breaks(
                n,
                at_ms,
                Break::Altered("the link of the record after it does not fit".to_owned()),
            );
        } else {
            self.accept(found);
        }
    }

    fn accept(&mut self, found: &Audited) {
        let (n, hash) = (found.head.n, found.head.hash);
        if self.head.is_some_and(|head| head.n == n && head.hash != hash) {
            let reason = "it is not the record that the head names".to_owned();
            self.breaks(n, Some(found.at_ms), Break::Altered(reason));
            return;
        }
        if self.noted.is_some_and(|noted| noted.n == n && noted.hash != hash) {
            self.breaks(n, Some(found.at_ms), Break::NotAsNoted);
            return;
        }
        self.reached |= self.head == Some(found.head);
        self.report.head = found.head;
        self.report.at_ms = Some(found.at_ms);
        self.report.records += 1;
        self.damage = None;
    }

    fn end(&mut self) {
        if self.report.broken.is_some() {
            return;
        }
        let (last, next) = (self.report.head.n, self.report.head.n + 1);
        let at_ms = self.report.at_ms;
        match self.head {
            None => self.breaks(next, at_ms, Break::NoHead),
            Some(head) if head.n > last => {
                let what = match &self.damage {
                    Some(damage) => Break::Altered(damage.to_string()),
                    None => Break::Truncated { head: head.n },
                };
                self.breaks(next, at_ms, what);
            }
            Some(head) if !self.reached => self.breaks(next, at_ms, Break::HeadBehind { head: head.n }),
            Some(_) => {}
        }
        let beyond = self.noted.filter(|noted| noted.n > last);
        if let (None, Some(noted)) = (&self.report.broken, beyond) {
            self.breaks(noted.n, None, Break::NotAsNoted);
        }
    }

    fn lost(&self, through: u64) -> Break {
        match &self.damage {
            Some(damage) => Break::Altered(damage.to_string()),
            None => Break::Missing { through },
        }
    }

    fn breaks(&mut self, n: u64, at_ms: Option<i64>, what: Break) {
        self.report.broken = Some(Broken { n, at_ms, what });
    }
}
