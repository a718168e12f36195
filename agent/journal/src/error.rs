//! What can go wrong, and what to do about it.

use std::path::{Path, PathBuf};

use rusqlite::ErrorCode;
use rusqlite::ffi;

/// What the caller should do with an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// The same call may succeed later: disk full, I/O trouble, a lock held.
    Retry,
    /// The item itself is at fault and will never be stored; everything else goes on.
    Refuse,
    /// A person or a restart is needed.
    Fatal,
}

/// Why a site key file was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyFault {
    /// There is no such file.
    #[error("there is no such file; `wardlight init` makes one")]
    Missing,
    /// Somebody else than the owner may read it.
    #[error("mode {0:04o} lets group or others in; expected 0600 or 0400")]
    Mode(u32),
    /// Not 32 raw bytes, 64 hex digits or 44 base64 characters.
    #[error("expected 32 raw bytes, or one line of 64 hex digits or base64 of 32 bytes")]
    Malformed,
    /// A key may never be overwritten: the old journal would be unreadable for good.
    #[error("it exists already and is never overwritten")]
    Exists,
    /// Reading or writing it failed.
    #[error("{0}")]
    Io(std::io::ErrorKind),
}

/// The table in which a damaged item lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Place {
    /// A row that is not yet in a segment.
    Entry,
    /// An hourly segment.
    Segment,
    /// A checkpoint of the agent's state.
    Checkpoint,
    /// An undecodable input that was put aside.
    Quarantine,
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Place::Entry => "entry",
            Place::Segment => "segment",
            Place::Checkpoint => "checkpoint",
            Place::Quarantine => "quarantined item",
        })
    }
}

/// One item that cannot be read back. Everything around it still can.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{place} at sequence {first}..={last} is damaged: {reason}")]
pub struct Damage {
    /// Which table.
    pub place: Place,
    /// First sequence that is lost (for a quarantined item, its number).
    pub first: u64,
    /// Last sequence of the span in which items are lost; a segment holds only some of its span.
    pub last: u64,
    /// What is wrong with it, without anything of its content.
    pub reason: &'static str,
}

/// Every failure of the journal.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// The site key file cannot be used.
    #[error("site key {}: {fault}", path.display())]
    KeyFile {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        fault: KeyFault,
    },
    /// The journal was written under another site key. Nothing was changed.
    #[error("journal {}: it was written under the site key {written}, and this is {given}", path.display())]
    WrongKey {
        /// The database.
        path: PathBuf,
        /// Fingerprint of the key that it was written under.
        written: String,
        /// Fingerprint of the key that was tried.
        given: String,
    },
    /// Another process (or another part of this one) has the journal open for writing.
    #[error("journal {}: another process is writing to it", path.display())]
    InUse {
        /// The folder.
        path: PathBuf,
    },
    /// The journal was written by a newer version of this program. Nothing was changed.
    #[error("journal {}: schema {found} is newer than {supported}, which this version can read", path.display())]
    NewerSchema {
        /// The database.
        path: PathBuf,
        /// Its schema version.
        found: i64,
        /// The newest version known here.
        supported: i64,
    },
    /// There is no journal in the folder (reading never creates one).
    #[error("journal {}: there is none here", path.display())]
    Missing {
        /// The database that was looked for.
        path: PathBuf,
    },
    /// The database file was removed or replaced under the running journal.
    #[error("journal {}: the file was removed or replaced while in use", path.display())]
    Gone {
        /// The database.
        path: PathBuf,
    },
    /// The disk is full; nothing of the call was stored.
    #[error("journal: the disk is full")]
    Full,
    /// An entry, checkpoint or batch is larger than can be stored.
    #[error("journal: {what} of {bytes} bytes is over the limit of {limit}")]
    TooLarge {
        /// What is too large.
        what: &'static str,
        /// Its size.
        bytes: usize,
        /// The limit.
        limit: usize,
    },
    /// One item cannot be read back.
    #[error(transparent)]
    Damaged(#[from] Damage),
    /// The database file is malformed where the call had to write or look.
    #[error("journal: the database file is malformed ({0})")]
    Malformed(String),
    /// The journal has no data key of this stay: it never was, or is erased already.
    #[error("journal: it has nothing of this stay")]
    UnknownStay,
    /// A damaged file that was moved aside still has the keys of every stay.
    #[error("journal {}: this damaged copy still holds the stay: delete it first, then erase", path.display())]
    Aside {
        /// The copy.
        path: PathBuf,
    },
    /// There is a journal already where one was to be made.
    #[error("journal {}: there is one already: move it away first", path.display())]
    Exists {
        /// The database.
        path: PathBuf,
    },
    /// A backup has lost some of its files.
    #[error("backup {}: {missing} segments are missing in it", path.display())]
    Incomplete {
        /// The folder.
        path: PathBuf,
        /// Segments that are missing.
        missing: u64,
    },
    /// Sealing failed; ring gives no reason.
    #[error("journal: sealing failed")]
    Seal,
    /// The file system refused.
    #[error("journal {}: {source}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// The cause.
        source: std::io::Error,
    },
    /// The system could not start a thread.
    #[error("journal: no thread could be started: {0}")]
    Thread(std::io::Error),
    /// Any other failure of SQLite.
    #[error("journal: {0}")]
    Sqlite(rusqlite::Error),
}

impl JournalError {
    /// What the caller should do.
    pub fn fate(&self) -> Fate {
        match self {
            JournalError::Full
            | JournalError::Io { .. }
            | JournalError::InUse { .. }
            | JournalError::Thread(_)
            | JournalError::Sqlite(_) => Fate::Retry,
            JournalError::TooLarge { .. } | JournalError::UnknownStay | JournalError::Aside { .. } | JournalError::Damaged(_) => {
                Fate::Refuse
            }
            JournalError::KeyFile { .. }
            | JournalError::WrongKey { .. }
            | JournalError::NewerSchema { .. }
            | JournalError::Missing { .. }
            | JournalError::Exists { .. }
            | JournalError::Incomplete { .. }
            | JournalError::Gone { .. }
            | JournalError::Malformed(_)
            | JournalError::Seal => Fate::Fatal,
        }
    }

    pub(crate) fn io(path: &Path) -> impl FnOnce(std::io::Error) -> JournalError {
        let path = path.to_path_buf();
        move |source| match source.kind() {
            std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => JournalError::Full,
            _ => JournalError::Io { path, source },
        }
    }
}

impl From<rusqlite::Error> for JournalError {
    fn from(error: rusqlite::Error) -> Self {
        let (code, extended) = match &error {
            rusqlite::Error::SqliteFailure(failure, _) => (failure.code, failure.extended_code),
            _ if is_malformed(&error) => return JournalError::Malformed(error.to_string()),
            _ => return JournalError::Sqlite(error),
        };
        match code {
            ErrorCode::DiskFull => JournalError::Full,
            // The shared-memory index could not grow: on a full disk this comes before SQLITE_FULL.
            ErrorCode::SystemIoFailure if extended == ffi::SQLITE_IOERR_SHMSIZE => JournalError::Full,
            _ if is_malformed(&error) => JournalError::Malformed(error.to_string()),
            _ => JournalError::Sqlite(error),
        }
    }
}

/// True where the bytes of the file are at fault, not the call or the machine: a page that SQLite cannot
/// parse, a column whose type no version of the schema has, or, since every statement here is fixed, a statement
/// that does not fit the tables.
pub(crate) fn is_malformed(error: &rusqlite::Error) -> bool {
    match error {
        rusqlite::Error::SqliteFailure(failure, _) => {
            matches!(
                failure.code,
                ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase | ErrorCode::TypeMismatch
            ) || failure.extended_code == ffi::SQLITE_ERROR
        }
        rusqlite::Error::SqlInputError { .. }
        | rusqlite::Error::InvalidColumnType(..)
        | rusqlite::Error::FromSqlConversionFailure(..)
        | rusqlite::Error::IntegralValueOutOfRange(..)
        | rusqlite::Error::Utf8Error(..) => true,
        _ => false,
    }
}
