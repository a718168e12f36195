//! Backups: a folder that is brought up to date beside the running journal, and from which a journal is made again.
//!
//! Segments never change, so each backup adds the new ones in a file of its own. All else, the data keys above all, is in one file, `head.db`, that
//! every backup writes anew: a stay that was erased has no key in the next backup, whatever older segments are there. The rows are sealed as
//! in the journal, the data keys wrapped under the site key of then.

use std::path::{Path, PathBuf};

use rusqlite::{Connection, OpenFlags, OptionalExtension};

use crate::error::JournalError;
use crate::key::SiteKey;
use crate::open::make_folder;
use crate::rebuild::sync_folder;
use crate::schema::{self, Condition};
use crate::seal::SiteKeys;

const HEAD: &str = "head.db";
/// Segments copied by one statement: the journal's log cannot be emptied meanwhile.
const BATCH: u32 = 64;
/// What the head holds beside the journal's own tables: the segments that belong to it.
const LIVE: &str = "CREATE TABLE live (id INTEGER PRIMARY KEY) STRICT";

/// What a backup did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BackedUp {
    /// Segments that were added.
    pub added: u64,
    /// Segments in the backup.
    pub segments: u64,
    /// Rows that are not in segments yet.
    pub rows: u64,
}

/// Brings the backup in `to` up to date with the journal in `dir`; makes the folder if there is none. A kill leaves the backup as it was before.
///
/// # Errors
/// [`JournalError::WrongKey`] and others as [`crate::Reader::open`], and from the file system.
pub fn backup(dir: &Path, key: &SiteKey, to: &Path) -> Result<BackedUp, JournalError> {
    let journal = schema::database_path(dir);
    refuse_wrong(&journal, key)?;
    make_folder(to)?;
    let site = SiteKeys::new(key)?;
    let increment = next_increment(to)?;
    let (new_increment, new_head) = (
        schema::with_suffix(&increment, ".new"),
        schema::with_suffix(&to.join(HEAD), ".new"),
    );
    for file in [&new_increment, &new_head] {
        remove(file)?;
        schema::create(file, &site)?;
    }
    let db = work()?;
    attach(&db, &journal, "journal", true)?;
    attach(&db, &new_increment, "increment", false)?;
    attach(&db, &new_head, "head", false)?;
    let mut known = Known::of(&db, to)?;
    while known.copy_some(&db)? > 0 {}
    let done = copy_head(&db, &mut known)?;
    drop(db);
    if known.added == 0 {
        remove(&new_increment)?;
    } else {
        put(&new_increment, &increment)?;
    }
    put(&new_head, &to.join(HEAD))?;
    sync_folder(to)?;
    prune(to)?;
    Ok(done)
}

/// Makes a journal in `dir`, which must have none, from the backup in `from`.
///
/// # Errors
/// [`JournalError::WrongKey`] if the backup was made under another key, [`JournalError::Incomplete`] if segments are missing in it,
/// [`JournalError::Exists`] if there is a journal already.
pub fn restore(from: &Path, dir: &Path, key: &SiteKey) -> Result<(), JournalError> {
    let journal = schema::database_path(dir);
    if journal.exists() {
        return Err(JournalError::Exists { path: journal });
    }
    let head = from.join(HEAD);
    if !head.exists() {
        return Err(JournalError::Missing { path: head });
    }
    make_folder(dir)?;
    let restoring = schema::with_suffix(&journal, ".restoring");
    remove(&restoring)?;
    schema::create(&restoring, &SiteKeys::new(key)?)?;
    std::fs::copy(&head, &restoring).map_err(JournalError::io(&restoring))?;
    let db = Connection::open_with_flags(&restoring, OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_URI)?;
    for increment in increments(from)? {
        attach(&db, &increment, "increment", true)?;
        db.execute_batch(
            "INSERT OR IGNORE INTO main.segments SELECT * FROM increment.segments WHERE id IN (SELECT id FROM main.live);
             DETACH increment",
        )?;
    }
    let missing: i64 = db.query_row(
        "SELECT count(*) FROM live WHERE id NOT IN (SELECT id FROM segments)",
        [],
        |row| row.get(0),
    )?;
    if missing > 0 {
        return Err(JournalError::Incomplete {
            path: from.to_path_buf(),
            missing: missing.cast_unsigned(),
        });
    }
    db.execute_batch("DROP TABLE live")?;
    drop(db);
    refuse_wrong(&restoring, key)?;
    put(&restoring, &journal)?;
    sync_folder(dir)
}

fn refuse_wrong(path: &Path, key: &SiteKey) -> Result<(), JournalError> {
    match schema::inspect(path, &SiteKeys::new(key)?)? {
        Condition::Sound | Condition::Marked => Ok(()),
        Condition::Absent => Err(JournalError::Missing {
            path: path.to_path_buf(),
        }),
        Condition::Broken(reason) => Err(JournalError::Malformed(reason)),
    }
}

/// A connection that holds nothing by itself.
fn work() -> Result<Connection, JournalError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_URI | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let db = Connection::open_with_flags(":memory:", flags)?;
    db.pragma_update(None, "temp_store", "MEMORY")?;
    Ok(db)
}

fn attach(db: &Connection, path: &Path, name: &str, read_only: bool) -> Result<(), JournalError> {
    let text = path.to_string_lossy();
    let escaped = text.replace('%', "%25").replace('?', "%3f").replace('#', "%23");
    let mode = if read_only { "ro" } else { "rw" };
    db.execute(&format!("ATTACH ?1 AS {name}"), [format!("file:{escaped}?mode={mode}")])?;
    if !read_only {
        db.pragma_update(Some(name), "secure_delete", "ON")?;
    }
    Ok(())
}

/// Which segments of the journal the backup has.
struct Known {
    added: u64,
    /// The newest segment that was looked at.
    looked: i64,
}

impl Known {
    /// Notes those of earlier increments that are still the journal's own, and not of one that was replaced meanwhile.
    fn of(db: &Connection, to: &Path) -> Result<Self, JournalError> {
        db.execute_batch("CREATE TABLE main.known (id INTEGER PRIMARY KEY) STRICT")?;
        for file in increments(to)? {
            attach(db, &file, "earlier", true)?;
            db.execute_batch(
                "INSERT OR IGNORE INTO main.known SELECT e.id FROM earlier.segments e JOIN journal.segments s ON s.id = e.id
                 WHERE s.hour = e.hour AND s.kind = e.kind AND s.key_id = e.key_id AND s.first_seq = e.first_seq
                 AND s.last_seq = e.last_seq AND s.last_ms = e.last_ms AND s.rows = e.rows AND length(s.sealed) = length(e.sealed);
                 DETACH earlier",
            )?;
        }
        Ok(Known { added: 0, looked: 0 })
    }

    /// Copies the next segments that are not known; returns how many were looked at.
    fn copy_some(&mut self, db: &Connection) -> Result<usize, JournalError> {
        let upto: i64 = journal_mark(db)?;
        let ids: Vec<i64> = db
            .prepare_cached("SELECT id FROM journal.segments WHERE id > ?1 AND last_seq <= ?2 ORDER BY id LIMIT ?3")?
            .query_map((self.looked, upto, BATCH), |row| row.get(0))?
            .collect::<Result<_, _>>()?;
        let mut insert = db.prepare_cached(
            "INSERT INTO increment.segments SELECT * FROM journal.segments WHERE id = ?1 AND id NOT IN (SELECT id FROM main.known)",
        )?;
        let begun = db.unchecked_transaction()?;
        for id in &ids {
            self.added += insert.execute([id])? as u64;
            self.looked = *id;
        }
        begun.commit()?;
        Ok(ids.len())
    }
}

fn journal_mark(db: &Connection) -> Result<i64, JournalError> {
    let mark = db
        .query_row("SELECT value FROM journal.meta WHERE name = 'compacted_upto'", [], |row| {
            row.get(0)
        })
        .optional()?;
    Ok(mark.unwrap_or(0))
}

/// In one view of the journal: the last segments, and all that is not in segments.
fn copy_head(db: &Connection, known: &mut Known) -> Result<BackedUp, JournalError> {
    let view = db.unchecked_transaction()?;
    let mark = journal_mark(db)?;
    known.added += db.execute(
        "INSERT INTO increment.segments SELECT * FROM journal.segments
         WHERE last_seq <= ?1 AND id NOT IN (SELECT id FROM main.known) AND id NOT IN (SELECT id FROM increment.segments)",
        [mark],
    )? as u64;
    db.execute_batch(&LIVE.replace("TABLE ", "TABLE head."))?;
    let segments = db.execute(
        "INSERT INTO head.live SELECT id FROM journal.segments WHERE last_seq <= ?1",
        [mark],
    )?;
    let rows = db.execute(
        "INSERT INTO head.entries SELECT * FROM journal.entries WHERE seq > ?1",
        [mark],
    )?;
    db.execute_batch("DELETE FROM head.meta")?;
    for table in ["meta", "data_keys", "checkpoints", "quarantine", "tally"] {
        db.execute_batch(&format!("INSERT INTO head.{table} SELECT * FROM journal.{table}"))?;
    }
    // Numbers are never used twice, not even those of rows that are gone.
    db.execute_batch("DELETE FROM head.sqlite_sequence; INSERT INTO head.sqlite_sequence SELECT * FROM journal.sqlite_sequence")?;
    view.commit()?;
    Ok(BackedUp {
        added: known.added,
        segments: segments as u64,
        rows: rows as u64,
    })
}

/// Takes out of the increments what the head does not name: removed by retention, or erased.
fn prune(to: &Path) -> Result<(), JournalError> {
    let db = work()?;
    attach(&db, &to.join(HEAD), "head", true)?;
    for file in increments(to)? {
        attach(&db, &file, "increment", false)?;
        db.execute_batch("DELETE FROM increment.segments WHERE id NOT IN (SELECT id FROM head.live)")?;
        let left: i64 = db.query_row("SELECT count(*) FROM increment.segments", [], |row| row.get(0))?;
        db.execute_batch("DETACH increment")?;
        if left == 0 {
            remove(&file)?;
        }
    }
    Ok(())
}

/// The files with segments, oldest first.
fn increments(folder: &Path) -> Result<Vec<PathBuf>, JournalError> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(JournalError::io(folder))? {
        let path = entry.map_err(JournalError::io(folder))?.path();
        if number(&path).is_some() {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

fn number(path: &Path) -> Option<u64> {
    path.file_name()?
        .to_str()?
        .strip_prefix("segments-")?
        .strip_suffix(".db")?
        .parse()
        .ok()
}

fn next_increment(folder: &Path) -> Result<PathBuf, JournalError> {
    let newest = increments(folder)?.iter().filter_map(|path| number(path)).max();
    Ok(folder.join(format!("segments-{:06}.db", newest.unwrap_or(0) + 1)))
}

fn put(new: &Path, place: &Path) -> Result<(), JournalError> {
    std::fs::File::open(new)
        .and_then(|file| file.sync_all())
        .map_err(JournalError::io(new))?;
    std::fs::rename(new, place).map_err(JournalError::io(new))
}

fn remove(file: &Path) -> Result<(), JournalError> {
    match std::fs::remove_file(file) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(JournalError::io(file)(error)),
        Ok(()) | Err(_) => Ok(()),
    }
}
