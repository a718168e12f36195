//! Opening the journal for writing: one writer per folder, a sound file, and where the numbering goes on.

use std::fs::{File, OpenOptions};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, params};

use crate::audit::{self, Head};
use crate::compact::Compaction;
use crate::erase;
use crate::error::JournalError;
use crate::key::SiteKey;
use crate::keyring::KeyRing;
use crate::rebuild::{self, Replaced};
use crate::schema::{self, Condition};
use crate::seal::{NoncePrefix, new_prefix};
use crate::wal::LogKeeper;

/// How the journal is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// Age at which strips of waveform go.
    pub keep_strips: Duration,
    /// Age at which messages, scores and restarts go.
    pub keep_stream: Duration,
    /// Age at which commands and alarms go.
    pub keep_records: Duration,
    /// Age at which audit records go. What is left of the trail still verifies.
    pub keep_audit: Duration,
    /// Bytes of the database in use beyond which the oldest goes early: strips first, then the stream, records, the audit trail last.
    pub max_bytes: u64,
    /// Bytes of rows not yet in segments beyond which they are compacted before their hour is over.
    pub max_hot_bytes: u64,
    /// Quarantined items kept; the oldest goes first.
    pub quarantine_items: u32,
    /// Bytes of quarantined items kept; the oldest goes first.
    pub quarantine_bytes: u64,
    /// True (the default) syncs each commit to disk before it is reported. False only to measure what that costs:
    /// a power cut may then lose what was reported as committed.
    pub sync_every_commit: bool,
}

impl Default for Options {
    fn default() -> Self {
        const DAY: u64 = 24 * 3600;
        Options {
            keep_strips: Duration::from_secs(7 * DAY),
            keep_stream: Duration::from_secs(30 * DAY),
            keep_records: Duration::from_secs(365 * DAY),
            // HIPAA asks for six years. (*ratify*)
            keep_audit: Duration::from_secs(6 * 366 * DAY),
            max_bytes: 8 << 30,
            max_hot_bytes: 256 << 20,
            quarantine_items: 1000,
            quarantine_bytes: 4 << 20,
            sync_every_commit: true,
        }
    }
}

impl Options {
    /// Bytes of rows not yet in segments at which they are compacted early. Only segments can be removed, so a
    /// small bound on the whole needs a small share for the rows.
    pub(crate) fn hot_limit(&self) -> u64 {
        self.max_hot_bytes.min(self.max_bytes / 4)
    }
}

/// What opening found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OpenReport {
    /// There was no journal; an empty one was made.
    pub created: bool,
    /// The file was damaged; see inside.
    pub replaced: Option<Replaced>,
    /// The newest sequence in the journal; 0 when it is empty.
    pub newest: u64,
    /// Group or others may enter the folder. The files themselves are private to the owner.
    pub folder_open_to_others: bool,
}

/// The journal, open for writing.
pub struct Journal {
    pub(crate) db: Connection,
    pub(crate) ring: KeyRing,
    pub(crate) prefix: NoncePrefix,
    pub(crate) next_seq: u64,
    /// The newest record of the audit trail.
    pub(crate) chain: Head,
    pub(crate) options: Options,
    pub(crate) scratch: Vec<u8>,
    pub(crate) compaction: Compaction,
    /// The log may hold what was deleted or replaced for good.
    pub(crate) log_is_dirty: bool,
    pub(crate) path: PathBuf,
    identity: Option<FileIdentity>,
    // Last, so that it is released after the database is closed.
    _lock: File,
}

impl std::fmt::Debug for Journal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Journal")
            .field("path", &self.path)
            .field("next_seq", &self.next_seq)
            .finish_non_exhaustive()
    }
}

impl Journal {
    /// Opens the journal in `dir`, making both if there are none (the folder with mode 0700, the files 0600).
    /// A file that is not a journal, or malformed where it must be written, is moved aside and a new one begun
    /// with everything that can still be read from it; that takes as long as copying it.
    ///
    /// # Errors
    /// [`JournalError::InUse`] while another process writes, [`JournalError::WrongKey`] and
    /// [`JournalError::NewerSchema`] with the file untouched, [`JournalError::Full`] and [`JournalError::Io`] from
    /// the file system.
    pub fn open(dir: &Path, key: &SiteKey, options: Options) -> Result<(Journal, OpenReport), JournalError> {
        make_folder(dir)?;
        let lock = take_lock(dir)?;
        let ring = KeyRing::new(key)?;
        let path = schema::database_path(dir);
        rebuild::finish_swap(dir, &path)?;
        let mut report = OpenReport {
            folder_open_to_others: is_open_to_others(dir),
            ..OpenReport::default()
        };
        let sound = match schema::inspect(&path, ring.site())? {
            Condition::Sound => attach(&path, &options),
            Condition::Absent => {
                schema::create(&path, ring.site())?;
                rebuild::sync_folder(dir)?;
                report.created = true;
                attach(&path, &options)
            }
            Condition::Marked => Err(JournalError::Malformed("it was found damaged while in use".to_owned())),
            Condition::Broken(reason) => Err(JournalError::Malformed(reason)),
        };
        let (db, newest) = match sound {
            Err(JournalError::Malformed(reason)) => {
                report.replaced = Some(rebuild::replace(dir, &path, key, reason)?);
                attach(&path, &options)?
            }
            other => other?,
        };
        report.newest = newest;
        let mut ring = ring;
        ring.erased.extend(erase::erased_stays(&db)?);
        let chain = audit::resume(&db, &mut ring, dir, key, newest)?;
        let mut journal = Journal {
            log_is_dirty: true,
            compaction: Compaction::resume(&db, newest)?,
            db,
            prefix: new_prefix(&ring.random)?,
            ring,
            next_seq: newest + 1,
            chain,
            options,
            scratch: Vec::new(),
            identity: FileIdentity::of(&path),
            path,
            _lock: lock,
        };
        // A kill may have come between an erasure or a rotation and this.
        journal.clean_log()?;
        Ok((journal, report))
    }

    /// The newest sequence that is committed; 0 when the journal is empty.
    pub fn newest(&self) -> u64 {
        self.next_seq - 1
    }

    /// The newest record of the audit trail.
    pub fn audit_head(&self) -> Head {
        self.chain
    }

    /// Takes the log into the file and empties it: what was deleted or replaced is then nowhere in either, since the file's free pages
    /// are overwritten. A reader in the way, or a full disk, only delays this to the next step of [`Journal::maintain`].
    pub(crate) fn clean_log(&mut self) -> Result<(), JournalError> {
        self.log_is_dirty = true;
        let busy = self
            .db
            .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get::<_, i64>(0));
        self.log_is_dirty = match busy.map_err(JournalError::from) {
            Ok(busy) => busy != 0,
            Err(JournalError::Malformed(reason)) => return Err(JournalError::Malformed(reason)),
            Err(_) => true,
        };
        Ok(())
    }

    /// Starts the thread that takes the log into the file, and lets the log grow longer before a commit has to.
    pub(crate) fn start_log_keeper(&self) -> Result<LogKeeper, JournalError> {
        let keeper = LogKeeper::start(self.path.clone()).map_err(JournalError::Thread)?;
        schema::set_log_pages(&self.db, 4000)?;
        Ok(keeper)
    }

    /// Refuses to write into a file that no path leads to any more: it would vanish with the process.
    pub(crate) fn check_in_place(&self) -> Result<(), JournalError> {
        if self.identity == FileIdentity::of(&self.path) {
            return Ok(());
        }
        Err(JournalError::Gone { path: self.path.clone() })
    }
}

/// Opens a sound file for writing and proves that it can be written.
fn attach(path: &Path, options: &Options) -> Result<(Connection, u64), JournalError> {
    let mut db = schema::open_for_writing(path, options.sync_every_commit)?;
    let newest = newest_sequence(&db)?;
    prove_writable(&mut db, newest)?;
    Ok((db, newest))
}

/// Every place that knows of a sequence, so that none is used again though some rows are gone.
fn newest_sequence(db: &Connection) -> Result<u64, JournalError> {
    let newest: i64 = db.query_row(
        "SELECT max(
            (SELECT coalesce(max(seq), 0) FROM entries),
            (SELECT coalesce(max(newest), 0) FROM tally),
            (SELECT coalesce(max(covers), 0) FROM checkpoints))",
        [],
        |row| row.get(0),
    )?;
    let newest = newest.max(0).cast_unsigned();
    Ok(newest.max(schema::compacted_upto(db)?))
}

/// Walks the way to where the next row of each table goes, and takes it back: a malformed page there shows
/// now, while another file can still be begun.
fn prove_writable(db: &mut Connection, newest: u64) -> Result<(), JournalError> {
    let transaction = db.transaction()?;
    let tried = transaction
        .execute(
            "INSERT INTO entries VALUES (?1, 0, 0, 0, x'00')",
            params![newest.cast_signed() + 1],
        )
        .and_then(|_| {
            transaction.execute_batch(
                "INSERT INTO data_keys (stay, wrapped) VALUES (x'', x'');
                 INSERT INTO checkpoints (covers, at_ms, key_id, sealed) VALUES (0, 0, 0, x'');
                 INSERT INTO segments (hour, kind, key_id, first_seq, last_seq, last_ms, rows, sealed)
                    VALUES (0, 0, 0, 0, 0, 0, 0, x'');
                 INSERT INTO quarantine (at_ms, key_id, bytes, sealed) VALUES (0, 0, 0, x'');
                 INSERT INTO tally VALUES (0, 0, 0, 0);",
            )
        });
    transaction.rollback()?;
    match tried.map_err(JournalError::from) {
        // A full disk is no fault of the file; the first append will say so.
        Err(JournalError::Full) => Ok(()),
        other => other,
    }
}

pub(crate) fn make_folder(dir: &Path) -> Result<(), JournalError> {
    if dir.is_dir() {
        return Ok(());
    }
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(dir).map_err(JournalError::io(dir))
}

/// The folder's lock is the kernel's: it goes with the process, however that ends.
fn take_lock(dir: &Path) -> Result<File, JournalError> {
    let path = schema::lock_path(dir);
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = options.open(&path).map_err(JournalError::io(&path))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(std::fs::TryLockError::WouldBlock) => Err(JournalError::InUse { path: dir.to_path_buf() }),
        Err(std::fs::TryLockError::Error(error)) => Err(JournalError::io(&path)(error)),
    }
}

#[cfg(unix)]
fn is_open_to_others(dir: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    std::fs::metadata(dir).is_ok_and(|folder| folder.permissions().mode() & 0o077 != 0)
}

#[cfg(not(unix))]
fn is_open_to_others(_dir: &Path) -> bool {
    false
}

/// Device and inode: the file itself, whatever its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct FileIdentity {
    device: u64,
    inode: u64,
}

impl FileIdentity {
    #[cfg(unix)]
    fn of(path: &Path) -> Option<Self> {
        use std::os::unix::fs::MetadataExt;
        let file = std::fs::metadata(path).ok()?;
        Some(FileIdentity {
            device: file.dev(),
            inode: file.ino(),
        })
    }

    #[cfg(not(unix))]
    fn of(_path: &Path) -> Option<Self> {
        None
    }
}
