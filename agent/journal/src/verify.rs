//! Walking everything there is and saying what is wrong, and where. It changes nothing and may run beside the agent.

use std::collections::BTreeMap;
use std::path::Path;

use crate::entry::Kind;
use crate::error::{Damage, JournalError, Place};
use crate::key::SiteKey;
use crate::read::{Count, Filter, Reader};
use crate::schema::{self, meta};

/// Faults listed one by one; more are only counted.
const LISTED_FAULTS: usize = 1000;

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// SQLite's own check of the file found this.
    #[error("database file: {0}")]
    File(String),
    /// An item that cannot be read back.
    #[error(transparent)]
    Damaged(Damage),
    /// Sequences that nothing accounts for.
    #[error("sequence {first}..={last}: missing")]
    Missing {
        /// First sequence that is missing.
        first: u64,
        /// Last sequence that is missing.
        last: u64,
    },
    /// The number of readable entries is not what was appended less what retention removed.
    #[error("{kind:?}: {found} entries can be read, {expected} should be there")]
    Count {
        /// The kind.
        kind: Kind,
        /// Entries that can be read.
        found: u64,
        /// Entries that should be there.
        expected: u64,
    },
    /// The data key of a stay that does not open: everything of the stay is unreadable.
    #[error("data key {0}: does not open under the site key")]
    Key(i64),
}

/// What [`verify`] found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct VerifyReport {
    /// Entries whose seals and sequences are right.
    pub entries: u64,
    /// Segments in the file.
    pub segments: u64,
    /// Checkpoints that open.
    pub checkpoints: u64,
    /// Quarantined items that open.
    pub quarantined: u64,
    /// Data keys that open.
    pub keys: u64,
    /// The newest sequence.
    pub newest: u64,
    /// What is wrong, at most 1000 of them.
    pub faults: Vec<Fault>,
    /// Faults beyond those listed.
    pub unlisted: u64,
}

impl VerifyReport {
    /// True if nothing is wrong.
    pub fn is_sound(&self) -> bool {
        self.faults.is_empty()
    }

    fn add(&mut self, fault: Fault) {
        if self.faults.len() < LISTED_FAULTS {
            self.faults.push(fault);
        } else {
            self.unlisted += 1;
        }
    }

    fn note<T>(&mut self, item: Result<T, JournalError>) -> Result<Option<T>, JournalError> {
        match item {
            Ok(item) => Ok(Some(item)),
            Err(JournalError::Damaged(damage)) => {
                self.add(Fault::Damaged(damage));
                Ok(None)
            }
            Err(JournalError::Malformed(reason)) => {
                self.add(Fault::File(reason));
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }
}

/// Checks every seal, every sequence, the counts, and the file itself.
///
/// # Errors
/// If there is no journal to look at, or the file system refuses; whatever is wrong inside is in the report.
pub fn verify(dir: &Path, key: &SiteKey) -> Result<VerifyReport, JournalError> {
    let mut reader = Reader::open(dir, key)?;
    let mut report = VerifyReport::default();
    check_file(&reader, &mut report)?;
    check_keys(&mut reader, &mut report)?;
    check_entries(&mut reader, &mut report)?;
    check_rest(&mut reader, &mut report)?;
    Ok(report)
}

fn check_file(reader: &Reader, report: &mut VerifyReport) -> Result<(), JournalError> {
    let mut found = Vec::new();
    let checked = reader.db.pragma_query(None, "integrity_check", |row| {
        found.push(row.get::<_, String>(0)?);
        Ok(())
    });
    if let Err(error) = checked {
        report.note::<()>(Err(error.into()))?;
    }
    for line in found.into_iter().filter(|line| line != "ok") {
        report.add(Fault::File(line));
    }
    Ok(())
}

fn check_keys(reader: &mut Reader, report: &mut VerifyReport) -> Result<(), JournalError> {
    let ids = reader
        .db
        .prepare("SELECT id FROM data_keys ORDER BY id")
        .and_then(|mut statement| statement.query_map([], |row| row.get(0))?.collect());
    let ids: Vec<i64> = report.note(ids.map_err(JournalError::from))?.unwrap_or_default();
    for id in ids {
        match reader.ring.for_reading(&reader.db, id)? {
            Some(_) => report.keys += 1,
            None => report.add(Fault::Key(id)),
        }
    }
    Ok(())
}

/// What the tally said at one moment.
struct Tally {
    counts: BTreeMap<Kind, Count>,
    newest: u64,
    removed_upto: u64,
}

impl Tally {
    fn of(reader: &Reader) -> Result<Self, JournalError> {
        let snapshot = reader.db.unchecked_transaction()?;
        let removed: Option<i64> = schema::get_meta(&snapshot, meta::REMOVED_UPTO)?;
        Ok(Tally {
            counts: reader.counts()?,
            newest: reader.newest()?,
            removed_upto: removed.unwrap_or(0).cast_unsigned(),
        })
    }
}

fn check_entries(reader: &mut Reader, report: &mut VerifyReport) -> Result<(), JournalError> {
    let before = Tally::of(reader);
    let Some(before) = report.note(before)? else {
        return Ok(());
    };
    report.newest = before.newest;
    let mut walk = Walk::default();
    for item in reader.entries(1, Filter::default()) {
        if let Err(JournalError::Damaged(damage)) = &item {
            walk.explain(damage);
        }
        let Some(stored) = report.note(item)? else {
            continue;
        };
        if stored.seq > before.newest {
            break;
        }
        walk.step(stored.seq);
        *walk.found.entry(stored.entry.kind).or_default() += 1;
        report.entries += 1;
    }
    walk.step(before.newest + 1);
    let segments = reader
        .db
        .query_row("SELECT count(*) FROM segments", [], |row| row.get::<_, i64>(0));
    let segments = report.note(segments.map_err(JournalError::from))?;
    report.segments = segments.unwrap_or(0).cast_unsigned();
    // Retention may have gone on meanwhile.
    let after = Tally::of(reader);
    if let Some(after) = report.note(after)? {
        walk.compare(&before, &after, report);
    }
    Ok(())
}

#[derive(Default)]
struct Walk {
    last: u64,
    gaps: Vec<(u64, u64)>,
    damaged: Vec<(u64, u64)>,
    found: BTreeMap<Kind, u64>,
}

impl Walk {
    fn step(&mut self, seq: u64) {
        if seq > self.last + 1 && self.gaps.len() < LISTED_FAULTS {
            self.gaps.push((self.last + 1, seq - 1));
        }
        self.last = seq;
    }

    fn explain(&mut self, damage: &Damage) {
        if self.damaged.len() < LISTED_FAULTS && matches!(damage.place, Place::Entry | Place::Segment) {
            self.damaged.push((damage.first, damage.last));
        }
    }

    /// Gaps that neither retention nor reported damage explains, and counts that do not add up.
    fn compare(&self, before: &Tally, after: &Tally, report: &mut VerifyReport) {
        for &(first, last) in &self.gaps {
            let first = first.max(after.removed_upto + 1);
            let explained = self.damaged.iter().any(|&(from, to)| from <= first && last <= to);
            if first <= last && !explained {
                report.add(Fault::Missing { first, last });
            }
        }
        for (kind, count) in &before.counts {
            let found = self.found.get(kind).copied().unwrap_or(0);
            let removed_after = after.counts.get(kind).map_or(0, |count| count.removed);
            let most = count.appended.saturating_sub(count.removed);
            let least = count.appended.saturating_sub(removed_after);
            if !(least..=most).contains(&found) {
                report.add(Fault::Count {
                    kind: *kind,
                    found,
                    expected: most,
                });
            }
        }
    }
}

fn check_rest(reader: &mut Reader, report: &mut VerifyReport) -> Result<(), JournalError> {
    let checkpoints = reader.all_checkpoints();
    for checkpoint in report.note(checkpoints)?.unwrap_or_default() {
        if report.note(checkpoint.map_err(JournalError::from))?.is_some() {
            report.checkpoints += 1;
        }
    }
    let quarantine = reader.quarantine();
    for item in report.note(quarantine)?.unwrap_or_default() {
        if report.note(item)?.is_some() {
            report.quarantined += 1;
        }
    }
    Ok(())
}

impl Reader {
    /// The sequence that each checkpoint covers, newest first, or what is wrong with it.
    fn all_checkpoints(&mut self) -> Result<Vec<Result<u64, Damage>>, JournalError> {
        self.checkpoint_ids()?
            .into_iter()
            .map(|id| Ok(self.read_checkpoint(id)?.map(|(covers, _)| covers)))
            .collect()
    }
}
