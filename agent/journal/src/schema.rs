//! The tables, and how a connection to them is set up.
//!
//! In clear stand sequences, random stay tokens, kinds, times and sizes; every content is sealed.

use std::path::{Path, PathBuf};

use rusqlite::types::FromSql;
use rusqlite::{Connection, OpenFlags, OptionalExtension, ToSql};

use crate::error::{JournalError, is_malformed};
use crate::key::fingerprint;
use crate::seal::SiteKeys;

/// The version this program writes and reads.
pub(crate) const VERSION: i64 = 1;
const DATABASE: &str = "journal.db";
const LOCK: &str = "journal.lock";
/// "WLJ1": tells a journal from any other SQLite file.
const APPLICATION_ID: i64 = 0x574c_4a31;

/// `key_id` names a row of `data_keys`. `tally` counts what was ever appended and what retention removed, so
/// that a lost row is noticed even where nothing else tells of it.
const TABLES: &str = "
CREATE TABLE schema_version (version INTEGER NOT NULL) STRICT;
CREATE TABLE meta (name TEXT PRIMARY KEY, value ANY NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE data_keys (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    stay BLOB NOT NULL,
    wrapped BLOB NOT NULL
) STRICT;
CREATE INDEX data_keys_by_stay ON data_keys (stay);
CREATE TABLE entries (
    seq INTEGER PRIMARY KEY,
    key_id INTEGER NOT NULL,
    kind INTEGER NOT NULL,
    at_ms INTEGER NOT NULL,
    sealed BLOB NOT NULL
) STRICT;
CREATE TABLE checkpoints (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    covers INTEGER NOT NULL,
    at_ms INTEGER NOT NULL,
    key_id INTEGER NOT NULL,
    sealed BLOB NOT NULL
) STRICT;
CREATE TABLE segments (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    hour INTEGER NOT NULL,
    kind INTEGER NOT NULL,
    key_id INTEGER NOT NULL,
    first_seq INTEGER NOT NULL,
    last_seq INTEGER NOT NULL,
    last_ms INTEGER NOT NULL,
    rows INTEGER NOT NULL,
    sealed BLOB NOT NULL
) STRICT;
CREATE INDEX segments_by_seq ON segments (first_seq, last_seq, kind);
CREATE INDEX segments_by_age ON segments (kind, last_ms, last_seq);
CREATE TABLE quarantine (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    at_ms INTEGER NOT NULL,
    key_id INTEGER NOT NULL,
    bytes INTEGER NOT NULL,
    sealed BLOB NOT NULL
) STRICT;
CREATE TABLE tally (
    kind INTEGER PRIMARY KEY,
    newest INTEGER NOT NULL,
    appended INTEGER NOT NULL,
    removed INTEGER NOT NULL
) STRICT;
";

/// Names in `meta`.
pub(crate) mod meta {
    /// [`crate::seal::SiteKeys::check_value`].
    pub(crate) const KEY_CHECK: &str = "key_check";
    /// Entries up to this sequence are in segments; a row at or below it is no longer looked at.
    pub(crate) const COMPACTED_UPTO: &str = "compacted_upto";
    /// The highest sequence that retention removed; below it gaps are expected.
    pub(crate) const REMOVED_UPTO: &str = "removed_upto";
    /// Set when the file was found malformed while in use: the next open rebuilds it.
    pub(crate) const DAMAGED: &str = "damaged";
}

pub(crate) fn database_path(dir: &Path) -> PathBuf {
    dir.join(DATABASE)
}

/// The path with something added to its last name.
pub(crate) fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

pub(crate) fn lock_path(dir: &Path) -> PathBuf {
    dir.join(LOCK)
}

/// How a file looks before anything is changed in it.
#[derive(Debug)]
pub(crate) enum Condition {
    Absent,
    Sound,
    /// It opens, but was found malformed somewhere while in use.
    Marked,
    /// It cannot be opened as a journal.
    Broken(String),
}

/// Looks at the file through a read-only connection.
///
/// # Errors
/// A wrong key, a newer schema, or a file system that refuses; never for a malformed file.
pub(crate) fn inspect(path: &Path, site: &SiteKeys) -> Result<Condition, JournalError> {
    match std::fs::metadata(path) {
        Ok(file) if file.len() > 0 => {}
        Ok(_) => return Ok(Condition::Absent),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Condition::Absent),
        Err(error) => return Err(JournalError::io(path)(error)),
    }
    let looked = open_read_only(path).and_then(|db| look(&db, path, site));
    match looked {
        Err(JournalError::Malformed(reason)) => Ok(Condition::Broken(reason)),
        other => other,
    }
}

fn look(db: &Connection, path: &Path, site: &SiteKeys) -> Result<Condition, JournalError> {
    let tables: i64 = db.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    if tables == 0 {
        return Ok(Condition::Absent);
    }
    let id: i64 = db.pragma_query_value(None, "application_id", |row| row.get(0))?;
    if id != APPLICATION_ID {
        return Ok(Condition::Broken("it is another program's database".to_owned()));
    }
    let found: i64 = db.query_row("SELECT version FROM schema_version", [], |row| row.get(0))?;
    if found > VERSION {
        return Err(JournalError::NewerSchema {
            path: path.to_path_buf(),
            found,
            supported: VERSION,
        });
    }
    if tables_of(db)? != tables_of(&expected_tables()?)? {
        return Ok(Condition::Broken("its tables are not those of a journal".to_owned()));
    }
    if !key_fits(db, site)? {
        let written: Option<Vec<u8>> = get_meta(db, meta::KEY_CHECK).unwrap_or(None);
        return Err(JournalError::WrongKey {
            path: path.to_path_buf(),
            written: written.map_or_else(|| "unknown".to_owned(), |check| fingerprint(&check)),
            given: fingerprint(site.check_value()),
        });
    }
    if get_meta::<i64>(db, meta::DAMAGED)?.is_some_and(|flag| flag != 0) {
        return Ok(Condition::Marked);
    }
    Ok(Condition::Sound)
}

fn expected_tables() -> Result<Connection, JournalError> {
    let db = Connection::open_in_memory()?;
    db.execute_batch(TABLES)?;
    Ok(db)
}

/// The definitions of all tables and indices, as text.
fn tables_of(db: &Connection) -> Result<Vec<String>, JournalError> {
    let definitions = db
        .prepare("SELECT concat(type, ' ', name, ' ', tbl_name, ' ', sql) FROM sqlite_schema ORDER BY name")?
        .query_map([], |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    Ok(definitions)
}

/// The check value decides; where it is damaged, any data key that still opens does.
pub(crate) fn key_fits(db: &Connection, site: &SiteKeys) -> Result<bool, JournalError> {
    let check: Option<Vec<u8>> = get_meta(db, meta::KEY_CHECK).unwrap_or(None);
    if check.as_deref() == Some(site.check_value()) {
        return Ok(true);
    }
    let mut statement = db.prepare("SELECT stay, wrapped FROM data_keys ORDER BY id LIMIT 100")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let (Ok(stay), Ok(wrapped)) = (row.get::<_, [u8; 16]>(0), row.get::<_, Vec<u8>>(1)) else {
            continue;
        };
        if site.unwrap(0, crate::entry::StayToken(stay), &wrapped).is_some() {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Makes the tables in a new file. Until it returns the file does not count as a journal.
pub(crate) fn create(path: &Path, site: &SiteKeys) -> Result<(), JournalError> {
    create_private(path)?;
    let mut db = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    db.pragma_update(None, "synchronous", "FULL")?;
    let transaction = db.transaction()?;
    transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
    transaction.execute_batch(TABLES)?;
    transaction.execute("INSERT INTO schema_version VALUES (?1)", [VERSION])?;
    set_meta(&transaction, meta::KEY_CHECK, &site.check_value())?;
    transaction.commit()?;
    Ok(())
}

#[cfg(unix)]
fn create_private(path: &Path) -> Result<(), JournalError> {
    use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
    std::fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(path)
        .map_err(JournalError::io(path))?;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).map_err(JournalError::io(path))
}

#[cfg(not(unix))]
fn create_private(path: &Path) -> Result<(), JournalError> {
    std::fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .open(path)
        .map(drop)
        .map_err(JournalError::io(path))
}

/// The writer's connection. `full` is false only to measure what `synchronous=FULL` costs.
pub(crate) fn open_for_writing(path: &Path, full: bool) -> Result<Connection, JournalError> {
    let db = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    let mode: String = db.pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get(0))?;
    if mode != "wal" {
        return Err(JournalError::Malformed(format!("journal mode is {mode}, not wal")));
    }
    set_synchronous(&db, full)?;
    db.pragma_update(None, "secure_delete", "ON")?;
    // The write-ahead log is taken into the file by the commit that makes it 4 MiB long.
    set_log_pages(&db, 1000)?;
    limit_memory(&db, 2048)?;
    Ok(db)
}

/// How long the write-ahead log grows, in pages of 4 KiB, before a commit takes it into the file; the log's file is
/// cut back to twice that.
pub(crate) fn set_log_pages(db: &Connection, pages: u32) -> Result<(), JournalError> {
    db.pragma_update(None, "wal_autocheckpoint", pages)?;
    Ok(db.pragma_update(None, "journal_size_limit", pages * 2 * 4096)?)
}

/// A connection that does nothing but take the log into the file.
pub(crate) fn open_for_checkpoints(path: &Path) -> Result<Connection, JournalError> {
    let db = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    db.pragma_update(None, "synchronous", "FULL")?;
    db.pragma_update(None, "wal_autocheckpoint", 0)?;
    limit_memory(&db, 64)?;
    Ok(db)
}

pub(crate) fn set_synchronous(db: &Connection, full: bool) -> Result<(), JournalError> {
    let level = if full { "FULL" } else { "NORMAL" };
    Ok(db.pragma_update(None, "synchronous", level)?)
}

/// A connection that cannot write the database.
pub(crate) fn open_read_only(path: &Path) -> Result<Connection, JournalError> {
    let db = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    limit_memory(&db, 1024)?;
    Ok(db)
}

fn limit_memory(db: &Connection, cache_kib: i64) -> Result<(), JournalError> {
    // Negative: KiB rather than pages.
    db.pragma_update(None, "cache_size", -cache_kib)?;
    db.pragma_update(None, "mmap_size", 0)?;
    db.pragma_update(None, "temp_store", "MEMORY")?;
    db.set_prepared_statement_cache_capacity(32);
    Ok(())
}

pub(crate) fn get_meta<T: FromSql>(db: &Connection, name: &str) -> Result<Option<T>, JournalError> {
    let value = db
        .prepare_cached("SELECT value FROM meta WHERE name = ?1")?
        .query_row([name], |row| row.get(0))
        .optional();
    match value {
        Err(error) if is_malformed(&error) => Err(JournalError::Malformed(error.to_string())),
        other => Ok(other?),
    }
}

pub(crate) fn set_meta(db: &Connection, name: &str, value: &dyn ToSql) -> Result<(), JournalError> {
    db.prepare_cached(
        "INSERT INTO meta (name, value) VALUES (?1, ?2)
         ON CONFLICT (name) DO UPDATE SET value = excluded.value",
    )?
    .execute((name, value))?;
    Ok(())
}

/// The sequence up to which entries are in segments.
pub(crate) fn compacted_upto(db: &Connection) -> Result<u64, JournalError> {
    let upto: Option<i64> = get_meta(db, meta::COMPACTED_UPTO)?;
    Ok(upto.unwrap_or(0).max(0).cast_unsigned())
}
