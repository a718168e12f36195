//! Reading back, on a connection of its own that cannot write: from the running agent or from another process.

use std::collections::{BTreeMap, VecDeque};
use std::path::Path;

use rusqlite::Connection;

use crate::append::checkpoint_associated;
use crate::audit;
use crate::entry::{Checkpoint, Kind, StayToken, Stored};
use crate::error::{Damage, JournalError, Place, is_malformed};
use crate::key::SiteKey;
use crate::keyring::KeyRing;
use crate::merge::Merge;
use crate::quarantine::{self, Quarantined};
use crate::rows;
use crate::schema::{self, Condition};

/// Which entries are wanted. The default is all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Filter {
    /// Only these kinds; empty means all.
    pub kinds: Vec<Kind>,
    /// Only this stay.
    pub stay: Option<StayToken>,
    /// Not before this time, in milliseconds since 1970.
    pub from_ms: i64,
    /// Before this time, in milliseconds since 1970; `i64::MAX` is no bound.
    pub until_ms: i64,
}

impl Default for Filter {
    fn default() -> Self {
        Filter {
            kinds: Vec::new(),
            stay: None,
            from_ms: i64::MIN,
            until_ms: i64::MAX,
        }
    }
}

impl Filter {
    /// Only entries of these kinds.
    pub fn of_kinds(kinds: &[Kind]) -> Self {
        Filter {
            kinds: kinds.to_vec(),
            ..Filter::default()
        }
    }

    pub(crate) fn wants_kind(&self, kind: Kind) -> bool {
        self.kinds.is_empty() || self.kinds.contains(&kind)
    }

    /// The wanted kinds as bits at their numbers.
    pub(crate) fn kind_bits(&self) -> i64 {
        let wanted = Kind::ALL.into_iter().filter(|kind| self.wants_kind(*kind));
        wanted.fold(0, |bits, kind| bits | 1 << kind.number())
    }

    pub(crate) fn wants_stay(&self, stay: StayToken) -> bool {
        self.stay.is_none_or(|wanted| wanted == stay)
    }

    pub(crate) fn wants_time(&self, at_ms: i64) -> bool {
        let before_end = at_ms < self.until_ms || self.until_ms == i64::MAX;
        at_ms >= self.from_ms && before_end
    }
}

/// How many entries there are of one kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Count {
    /// The newest sequence of this kind.
    pub newest: u64,
    /// Entries ever appended.
    pub appended: u64,
    /// Entries that retention removed.
    pub removed: u64,
}

/// The newest checkpoint that can be read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Restored {
    /// The checkpoint, if there is a readable one.
    pub checkpoint: Option<Checkpoint>,
    /// The sequence up to which the state includes the entries; replay begins behind it. 0 without a checkpoint.
    pub covers: u64,
    /// Newer checkpoints that could not be read.
    pub skipped: Vec<Damage>,
}

/// A read-only view of the journal.
pub struct Reader {
    pub(crate) db: Connection,
    pub(crate) ring: KeyRing,
}

impl std::fmt::Debug for Reader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reader").finish_non_exhaustive()
    }
}

impl Reader {
    /// Opens the journal in `dir` for reading. It sees every commit that is complete when it looks.
    ///
    /// # Errors
    /// [`JournalError::Missing`], [`JournalError::WrongKey`], [`JournalError::NewerSchema`],
    /// [`JournalError::Malformed`] if the file is no journal at all.
    pub fn open(dir: &Path, key: &SiteKey) -> Result<Reader, JournalError> {
        let ring = KeyRing::new(key)?;
        let path = schema::database_path(dir);
        match schema::inspect(&path, ring.site())? {
            Condition::Absent => return Err(JournalError::Missing { path }),
            // A file that was only marked as damaged still gives up everything that is whole.
            Condition::Sound | Condition::Marked => {}
            Condition::Broken(reason) => return Err(JournalError::Malformed(reason)),
        }
        let db = schema::open_read_only(&path)?;
        Ok(Reader { db, ring })
    }

    /// Entries with sequences from `from_seq` on, in order, up to the newest at the time the iteration gets there.
    ///
    /// A damaged item comes as [`JournalError::Damaged`] with the sequences it takes, and the iteration goes on
    /// behind it; any other error ends it. Memory is bounded whatever the length.
    pub fn entries(&mut self, from_seq: u64, filter: Filter) -> Entries<'_> {
        Entries {
            reader: self,
            filter,
            expected: from_seq.max(1),
            merge: Merge::default(),
            ready: VecDeque::new(),
            done: false,
            linked: false,
        }
    }

    /// All entries as they are stored: audit records with their links.
    pub(crate) fn linked(&mut self, filter: Filter) -> Entries<'_> {
        Entries {
            linked: true,
            ..self.entries(1, filter)
        }
    }

    /// The newest checkpoint that opens, and those that did not.
    ///
    /// # Errors
    /// Only from the file system: damage is in the result.
    pub fn latest_checkpoint(&mut self) -> Result<Restored, JournalError> {
        let mut restored = Restored::default();
        let ids = match self.checkpoint_ids() {
            Err(error) if is_malformed(&error) => {
                restored.skipped.push(checkpoint_damage(0, "the table cannot be read"));
                return Ok(restored);
            }
            ids => ids?,
        };
        for id in ids {
            match self.read_checkpoint(id)? {
                Ok((covers, checkpoint)) => {
                    restored.covers = covers;
                    restored.checkpoint = Some(checkpoint);
                    return Ok(restored);
                }
                Err(damage) => restored.skipped.push(damage),
            }
        }
        Ok(restored)
    }

    /// Newest first.
    pub(crate) fn checkpoint_ids(&self) -> rusqlite::Result<Vec<i64>> {
        self.db
            .prepare_cached("SELECT id FROM checkpoints ORDER BY id DESC")?
            .query_map([], |row| row.get(0))?
            .collect()
    }

    pub(crate) fn read_checkpoint(&mut self, id: i64) -> Result<Result<(u64, Checkpoint), Damage>, JournalError> {
        let row = self
            .db
            .prepare_cached("SELECT covers, at_ms, key_id, sealed FROM checkpoints WHERE id = ?1")?
            .query_row([id], |row| {
                Ok((
                    row.get::<_, i64>(0)?,
                    row.get::<_, i64>(1)?,
                    row.get::<_, i64>(2)?,
                    row.get::<_, Vec<u8>>(3)?,
                ))
            });
        let (covers, at_ms, key_id, sealed) = match row {
            Err(error) if is_malformed(&error) => {
                return Ok(Err(checkpoint_damage(0, "the row cannot be read")));
            }
            row => row?,
        };
        let covers = covers.cast_unsigned();
        let body = self
            .ring
            .for_reading(&self.db, key_id)?
            .and_then(|key| key.open_blob(&checkpoint_associated(covers, at_ms), &sealed));
        Ok(match body {
            Some(body) => Ok((covers, Checkpoint { at_ms, body })),
            None => Err(checkpoint_damage(covers, "the seal does not open")),
        })
    }

    /// Counts and newest sequence of each kind that ever occurred.
    ///
    /// # Errors
    /// From SQLite.
    pub fn counts(&self) -> Result<BTreeMap<Kind, Count>, JournalError> {
        let mut statement = self.db.prepare_cached("SELECT kind, newest, appended, removed FROM tally")?;
        let mut rows = statement.query([])?;
        let mut counts = BTreeMap::new();
        while let Some(row) = rows.next()? {
            if let Some(kind) = Kind::from_number(row.get(0)?) {
                let number = |column| row.get::<_, i64>(column).map(i64::cast_unsigned);
                counts.insert(
                    kind,
                    Count {
                        newest: number(1)?,
                        appended: number(2)?,
                        removed: number(3)?,
                    },
                );
            }
        }
        Ok(counts)
    }

    /// The newest committed sequence; 0 in an empty journal.
    ///
    /// # Errors
    /// From SQLite.
    pub fn newest(&self) -> Result<u64, JournalError> {
        newest(&self.db)
    }

    /// Everything in quarantine, oldest first; an item that cannot be opened comes as an error.
    ///
    /// # Errors
    /// From SQLite.
    pub fn quarantine(&mut self) -> Result<Vec<Result<Quarantined, JournalError>>, JournalError> {
        quarantine::list(&self.db, &mut self.ring)
    }
}

/// The newest sequence that any readable table knows of.
pub(crate) fn newest(db: &Connection) -> Result<u64, JournalError> {
    let mut newest = 0;
    for query in [
        "SELECT coalesce(max(newest), 0) FROM tally",
        "SELECT coalesce(max(seq), 0) FROM entries",
        "SELECT coalesce(max(value), 0) FROM meta WHERE name = 'compacted_upto'",
    ] {
        match db.prepare_cached(query)?.query_row([], |row| row.get::<_, i64>(0)) {
            Ok(found) => newest = newest.max(found),
            Err(error) if is_malformed(&error) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(newest.cast_unsigned())
}

/// The entry as it was handed in.
fn without_link(mut stored: Stored) -> Stored {
    if stored.entry.kind == Kind::Audit
        && let Some((_, record)) = audit::unlink(&stored.entry.body)
    {
        stored.entry.body = record.to_vec();
    }
    stored
}

fn checkpoint_damage(covers: u64, reason: &'static str) -> Damage {
    Damage {
        place: Place::Checkpoint,
        first: covers,
        last: covers,
        reason,
    }
}

/// See [`Reader::entries`].
pub struct Entries<'r> {
    reader: &'r mut Reader,
    filter: Filter,
    /// The next sequence to come.
    expected: u64,
    merge: Merge,
    ready: VecDeque<Result<Stored, JournalError>>,
    done: bool,
    /// Whether audit records keep their links.
    linked: bool,
}

impl std::fmt::Debug for Entries<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Entries")
            .field("expected", &self.expected)
            .finish_non_exhaustive()
    }
}

impl Iterator for Entries<'_> {
    type Item = Result<Stored, JournalError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(item) = self.ready.pop_front() {
                return Some(item.map(|stored| if self.linked { stored } else { without_link(stored) }));
            }
            if self.done {
                return None;
            }
            if let Err(error) = self.refill() {
                self.done = true;
                return Some(Err(error));
            }
        }
    }
}

impl Entries<'_> {
    /// Reads on in one short read transaction: a long one would keep the log from being taken into the file.
    fn refill(&mut self) -> Result<(), JournalError> {
        let Reader { db, ring } = &mut *self.reader;
        let snapshot = db.unchecked_transaction()?;
        let newest = newest(&snapshot)?;
        if self.expected > newest {
            self.done = true;
            return Ok(());
        }
        let compacted = schema::compacted_upto(&snapshot)?;
        if self.expected <= compacted {
            self.expected = self
                .merge
                .read(&snapshot, ring, self.expected, compacted, &self.filter, &mut self.ready)?;
            return Ok(());
        }
        self.expected = rows::read(&snapshot, ring, self.expected, newest, &self.filter, &mut self.ready)?;
        Ok(())
    }
}
