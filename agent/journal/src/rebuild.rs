//! Replacing a damaged file: everything in it that can still be read and proves itself goes into a new one, and
//! the old one is kept aside.
//!
//! The new file is made under another name, which it changes once it is complete; from then on the swap is
//! carried through, by the next open if need be.

use std::fs::File;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OpenFlags, Row, params_from_iter, types::Value};

use crate::append::checkpoint_associated;
use crate::audit;
use crate::entry::StayToken;
use crate::error::JournalError;
use crate::key::SiteKey;
use crate::keyring::KeyRing;
use crate::probe;
use crate::schema::{self, meta};
use crate::{erase, merge, read, rows, secret};

/// Rows written in one transaction.
const BATCH: u64 = 2000;

/// A damaged file was moved aside and a new one begun. The agent raises this as an alarm.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Replaced {
    /// Where the damaged file is now; nothing of it was deleted.
    pub aside: PathBuf,
    /// What was wrong with it, and what kept its content from being taken over.
    pub reason: String,
    /// What was taken over from it; `None` if nothing could be.
    pub salvaged: Option<Salvaged>,
}

/// What was taken over from a damaged file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Salvaged {
    /// Entries not yet in segments.
    pub entries: u64,
    /// Segments.
    pub segments: u64,
    /// Checkpoints.
    pub checkpoints: u64,
    /// Data keys.
    pub keys: u64,
    /// Rows whose seal does not open, and malformed places that had to be passed over.
    pub lost: u64,
}

/// Puts a new file in the place of the damaged one.
pub(crate) fn replace(dir: &Path, path: &Path, key: &SiteKey, reason: String) -> Result<Replaced, JournalError> {
    let building = schema::with_suffix(path, ".rebuilding");
    let (salvaged, reason) = match build(path, &building, key) {
        Ok(salvaged) => (Some(salvaged), reason),
        Err(error) => {
            // Not even its tables can be found, or there is no room: an empty file lets the agent go on.
            create_anew(&building, &mut KeyRing::new(key)?)?;
            (None, format!("{reason}; nothing could be taken over: {error}"))
        }
    };
    File::open(&building)
        .and_then(|file| file.sync_all())
        .map_err(JournalError::io(&building))?;
    rename(&building, &rebuilt_path(path))?;
    sync_folder(dir)?;
    let aside = finish_swap(dir, path)?.unwrap_or_else(|| path.to_path_buf());
    Ok(Replaced { aside, reason, salvaged })
}

/// If a new file is complete: moves the old one aside and gives the new one its name. Returns where the old one went.
pub(crate) fn finish_swap(dir: &Path, path: &Path) -> Result<Option<PathBuf>, JournalError> {
    let rebuilt = rebuilt_path(path);
    if !rebuilt.exists() {
        return Ok(None);
    }
    let aside = (1..u32::MAX)
        .map(|n| schema::with_suffix(path, &format!(".corrupt-{n}")))
        .find(|candidate| !candidate.exists())
        .ok_or_else(|| JournalError::Malformed("no name is free to move it aside".to_owned()))?;
    // The log first: under the new file's name it would be taken for the new file's.
    for suffix in ["-wal", "-shm", ""] {
        let from = schema::with_suffix(path, suffix);
        if from.exists() {
            rename(&from, &schema::with_suffix(&aside, suffix))?;
        }
    }
    rename(&rebuilt, path)?;
    sync_folder(dir)?;
    Ok(Some(aside))
}

/// Makes names in the folder durable. Where a folder cannot be opened (not Unix) there is nothing to sync.
pub(crate) fn sync_folder(dir: &Path) -> Result<(), JournalError> {
    if cfg!(unix) {
        File::open(dir)
            .and_then(|folder| folder.sync_all())
            .map_err(JournalError::io(dir))?;
    }
    Ok(())
}

fn rebuilt_path(path: &Path) -> PathBuf {
    schema::with_suffix(path, ".rebuilt")
}

fn rename(from: &Path, to: &Path) -> Result<(), JournalError> {
    std::fs::rename(from, to).map_err(JournalError::io(from))
}

fn create_anew(path: &Path, ring: &mut KeyRing) -> Result<(), JournalError> {
    for suffix in ["", "-journal"] {
        let stale = schema::with_suffix(path, suffix);
        if stale.exists() {
            std::fs::remove_file(&stale).map_err(JournalError::io(&stale))?;
        }
    }
    schema::create(path, ring.site())
}

fn build(old: &Path, new: &Path, key: &SiteKey) -> Result<Salvaged, JournalError> {
    let mut ring = KeyRing::new(key)?;
    create_anew(new, &mut ring)?;
    let old = schema::open_read_only(old)?;
    let new = Connection::open_with_flags(new, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    // The whole file is synced before it gets its name.
    new.pragma_update(None, "synchronous", "OFF")?;
    let mut copy = Copy {
        new,
        ring,
        pending: 0,
        done: Salvaged::default(),
    };
    copy.all(&old)?;
    Ok(copy.done)
}

struct Copy {
    new: Connection,
    ring: KeyRing,
    pending: u64,
    done: Salvaged,
}

impl Copy {
    fn all(&mut self, old: &Connection) -> Result<(), JournalError> {
        self.new.execute_batch("BEGIN")?;
        self.done.keys = self.table(old, "data_keys", 3, |copy, row| {
            let stay = StayToken(row.get(1)?);
            let wrapped: Vec<u8> = row.get(2)?;
            Ok(copy.ring.site().unwrap(row.get(0)?, stay, &wrapped).is_some())
        })?;
        self.done.checkpoints = self.table(old, "checkpoints", 5, |copy, row| {
            let covers = row.get::<_, i64>(1)?.cast_unsigned();
            let associated = checkpoint_associated(covers, row.get(2)?);
            let sealed: Vec<u8> = row.get(4)?;
            let key = copy.ring.for_reading(&copy.new, row.get(3)?)?;
            Ok(key.is_some_and(|key| key.open_blob(&associated, &sealed).is_some()))
        })?;
        self.table(old, "quarantine", 5, |_, _| Ok(true))?;
        self.table(old, "tally", 4, |_, _| Ok(true))?;
        self.done.segments = self.table(old, "segments", 9, |copy, row| {
            let Ok(found) = merge::Found::of(row, 1) else {
                return Ok(false);
            };
            let entries = found.entries(&copy.new, &mut copy.ring, &read::Filter::default())?;
            Ok(entries.is_some())
        })?;
        self.done.entries = self.table(old, "entries", 5, |copy, row| match rows::Found::of(row) {
            Some(found) => Ok(found.open(&copy.new, &mut copy.ring)?.is_some()),
            None => Ok(false),
        })?;
        self.marks(old)?;
        self.new.execute_batch("COMMIT")?;
        Ok(())
    }

    /// Copies the rows that `proves` accepts; returns how many.
    fn table(
        &mut self,
        old: &Connection,
        table: &str,
        columns: usize,
        mut proves: impl FnMut(&mut Self, &Row<'_>) -> Result<bool, JournalError>,
    ) -> Result<u64, JournalError> {
        let number = match table {
            "entries" => "seq",
            "tally" => "kind",
            _ => "id",
        };
        let query = format!("SELECT * FROM {table} WHERE {number} >= ?1 ORDER BY {number}");
        let places = vec!["?"; columns].join(", ");
        let insert = format!("INSERT OR IGNORE INTO {table} VALUES ({places})");
        let mut copied = 0;
        let passed_over = probe::each_reachable(old, &query, |row| {
            let is_proved = match proves(self, row) {
                Err(JournalError::Malformed(_)) => false,
                other => other?,
            };
            if is_proved {
                let values = (0..columns)
                    .map(|column| row.get(column))
                    .collect::<Result<Vec<Value>, _>>()?;
                copied += self.new.prepare_cached(&insert)?.execute(params_from_iter(values))? as u64;
                self.breathe()?;
            } else {
                self.done.lost += 1;
            }
            Ok(is_proved)
        });
        match passed_over {
            Ok(count) => self.done.lost += count,
            // Not even the way into the table can be read: it stays empty.
            Err(JournalError::Malformed(_)) => self.done.lost += 1,
            Err(error) => return Err(error),
        }
        Ok(copied)
    }

    /// Keeps transactions, and so the memory they take, small.
    fn breathe(&mut self) -> Result<(), JournalError> {
        self.pending += 1;
        if self.pending.is_multiple_of(BATCH) {
            self.new.execute_batch("COMMIT; BEGIN")?;
        }
        Ok(())
    }

    /// The marks of compaction and retention, and the tally, or what follows from the rows where they are lost.
    fn marks(&mut self, old: &Connection) -> Result<(), JournalError> {
        let compacted = schema::get_meta::<i64>(old, meta::COMPACTED_UPTO).ok().flatten();
        let removed = schema::get_meta::<i64>(old, meta::REMOVED_UPTO).ok().flatten();
        // Rows are deleted from the oldest on, so from the oldest row on all are there, in a segment or not.
        let inferred: i64 = self.new.query_row(
            "SELECT coalesce((SELECT min(seq) - 1 FROM entries), (SELECT max(last_seq) FROM segments), 0)",
            [],
            |row| row.get(0),
        )?;
        let compacted = compacted.unwrap_or(inferred);
        schema::set_meta(&self.new, meta::COMPACTED_UPTO, &compacted)?;
        // They are sealed under keys that were taken over: what they say of the audit trail stays true, also of what was lost.
        for name in [audit::HEAD, audit::BASE, secret::NAME] {
            if let Some(end) = schema::get_meta::<Vec<u8>>(old, name).ok().flatten() {
                schema::set_meta(&self.new, name, &end)?;
            }
        }
        for stay in erase::erased_stays(old).unwrap_or_default() {
            let name = erase::name(stay);
            if let Some(tombstone) = schema::get_meta::<Vec<u8>>(old, &name).ok().flatten() {
                schema::set_meta(&self.new, &name, &tombstone)?;
            }
        }
        if let Some(removed) = removed {
            schema::set_meta(&self.new, meta::REMOVED_UPTO, &removed)?;
        }
        self.new.execute(
            "INSERT OR IGNORE INTO tally
             SELECT kind, max(newest), sum(found), 0 FROM (
                SELECT kind, max(seq) AS newest, count(*) AS found FROM entries WHERE seq > ?1 GROUP BY kind
                UNION ALL
                SELECT kind, max(last_seq), sum(rows) FROM segments WHERE last_seq <= ?1 GROUP BY kind)
             GROUP BY kind",
            [compacted],
        )?;
        Ok(())
    }
}
