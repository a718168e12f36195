//! Taking the write-ahead log into the database file, beside the writer.
//!
//! SQLite does this inside a commit whenever the log has grown by so much, and that commit then waits for the disk
//! to take thousands of scattered pages. Here a thread with a connection of its own does it while commits go on;
//! the writer steps in only where the log has grown to four times that, so the log stays bounded under any load.

use std::path::PathBuf;
use std::sync::mpsc::{self, Receiver, SyncSender};
use std::thread::JoinHandle;

use crate::error::JournalError;
use crate::schema;

/// Bytes written after which the log is taken in: about the 1000 pages that are SQLite's own default.
const EVERY_BYTES: u64 = 3 << 20;

/// The thread. It ends, and is joined, when this is dropped.
#[derive(Debug)]
pub(crate) struct LogKeeper {
    nudge: Option<SyncSender<()>>,
    thread: Option<JoinHandle<()>>,
    written: u64,
}

impl LogKeeper {
    /// Starts the thread `journal-wal`.
    pub(crate) fn start(database: PathBuf) -> std::io::Result<Self> {
        // One nudge waiting is as good as many.
        let (nudge, nudged) = mpsc::sync_channel(1);
        let thread = std::thread::Builder::new()
            .name("journal-wal".to_owned())
            // Where it fails, as on a full disk, the log stays and the writer meets the same trouble and says so.
            .spawn(move || drop(keep(&database, &nudged)))?;
        Ok(LogKeeper {
            nudge: Some(nudge),
            thread: Some(thread),
            written: 0,
        })
    }

    /// Tells of bytes that were written to the log.
    pub(crate) fn wrote(&mut self, bytes: u64) {
        self.written += bytes;
        if self.written >= EVERY_BYTES
            && let Some(nudge) = &self.nudge
        {
            self.written = 0;
            nudge.try_send(()).ok();
        }
    }
}

impl Drop for LogKeeper {
    fn drop(&mut self) {
        self.nudge = None;
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}

fn keep(database: &std::path::Path, nudged: &Receiver<()>) -> Result<(), JournalError> {
    let db = schema::open_for_checkpoints(database)?;
    for () in nudged {
        // Passive: it waits for nobody and nobody waits for it. What it cannot do now it does the next time.
        drop(db.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(())));
    }
    Ok(())
}
