//! The journal's own thread: gathers submissions, commits them together, and only then says so.

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::entry::Part;
use crate::error::{Fate, JournalError};
use crate::open::Journal;
use crate::retain::Maintained;
use crate::submit::{Item, Submission, Submitter, Task};
use crate::wal::LogKeeper;

/// No linger is longer, whatever the options say.
const MAX_LINGER: Duration = Duration::from_millis(20);
/// First pause after a failed commit; it doubles up to [`MAX_BACKOFF`].
const MIN_BACKOFF: Duration = Duration::from_millis(50);
const MAX_BACKOFF: Duration = Duration::from_secs(5);
/// How often the writer looks whether an hour has ended or something has grown old.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// Commits between two steps of tidying up while the queue is never empty; none while compaction is behind.
const COMMITS_PER_STEP: u32 = 4;
/// What an entry adds to its body in the log, roughly.
const ROW_BYTES: usize = 60;
/// What a step of tidying up adds to the log, roughly.
const STEP_BYTES: u64 = 512 << 10;

/// How submissions are gathered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WriterOptions {
    /// Submissions that may wait. When it is full, [`Submitter::try_submit`] hands the submission back and
    /// [`Submitter::submit`] waits; nothing is ever dropped. While a commit fails, as many again as fit into one
    /// transaction are held beside it.
    pub capacity: usize,
    /// How long the first submission of a transaction waits for company; at most 20 ms.
    pub linger: Duration,
    /// Entries that make a transaction go at once.
    pub max_entries: usize,
    /// Bytes of content that make a transaction go at once.
    pub max_bytes: usize,
}

impl Default for WriterOptions {
    fn default() -> Self {
        WriterOptions {
            capacity: 4096,
            linger: Duration::from_millis(5),
            max_entries: 1000,
            max_bytes: 1 << 20,
        }
    }
}

/// What to do after a failed commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Keep everything and try again after a pause that doubles from 50 ms to 5 s.
    Retry,
    /// End the thread; [`Writer::close`] returns what was not stored.
    Stop,
}

/// What the writer's thread tells. The calls hold up the next commit, so they must be short.
pub trait WriterEvents<T>: Send {
    /// These are on disk, in the order of submission, with the sequences of their entries.
    fn on_commit(&mut self, committed: Vec<(T, Range<u64>)>);

    /// A commit failed. Nothing of it is stored and nothing of it is dropped.
    fn on_failure(&mut self, error: &JournalError, fate: Fate) -> Verdict;

    /// The time in milliseconds since 1970, for retention and the end of hours. With `None`, the default, the
    /// writer does neither.
    fn now_ms(&mut self) -> Option<i64> {
        None
    }

    /// A step of retention or compaction did something, or failed. Appending is not affected by a failure here.
    fn on_maintenance(&mut self, _done: &Result<Maintained, JournalError>) {}
}

/// What is left when the writer has ended.
#[derive(Debug)]
pub struct Closed<T> {
    /// The journal, unless the thread died of a panic in the caller's [`WriterEvents`].
    pub journal: Option<Journal>,
    /// Submissions that could not be stored, in order. Their tickets were never released.
    pub uncommitted: Vec<Submission<T>>,
}

/// Owns the thread that owns the journal.
#[derive(Debug)]
pub struct Writer<T> {
    submitter: Submitter<T>,
    thread: Option<JoinHandle<Closed<T>>>,
}

impl<T: Send + 'static> Writer<T> {
    /// Starts the thread `journal`, and beside it `journal-wal`, which keeps SQLite's log short.
    ///
    /// # Errors
    /// [`JournalError::Thread`] if the system cannot start a thread.
    pub fn start<E: WriterEvents<T> + 'static>(
        journal: Journal,
        options: WriterOptions,
        events: E,
    ) -> Result<Self, JournalError> {
        let (sender, receiver) = mpsc::sync_channel(options.capacity.max(1));
        let closing = Arc::new(AtomicBool::new(false));
        let engine = Engine {
            log_keeper: journal.start_log_keeper()?,
            journal,
            receiver,
            closing: Arc::clone(&closing),
            options,
            events,
            pending: Vec::new(),
            tasks: Vec::new(),
            entries: 0,
            bytes: 0,
            failing: false,
            tidying: Tidying::default(),
        };
        let thread = std::thread::Builder::new()
            .name("journal".to_owned())
            .spawn(move || engine.run())
            .map_err(JournalError::Thread)?;
        Ok(Writer {
            submitter: Submitter { sender, closing },
            thread: Some(thread),
        })
    }

    /// A handle to submit through.
    pub fn submitter(&self) -> Submitter<T> {
        self.submitter.clone()
    }

    /// Commits everything that was submitted and ends the thread. A commit that fails now is not tried again.
    pub fn close(mut self) -> Closed<T> {
        self.end().unwrap_or(Closed {
            journal: None,
            uncommitted: Vec::new(),
        })
    }
}

impl<T> Writer<T> {
    fn end(&mut self) -> Option<Closed<T>> {
        let thread = self.thread.take()?;
        self.submitter.closing.store(true, Ordering::Release);
        // If the queue is full the thread is awake anyway; a thread in a pause is woken by the unpark.
        drop(self.submitter.sender.try_send(Item::Wake));
        thread.thread().unpark();
        thread.join().ok()
    }
}

impl<T> Drop for Writer<T> {
    fn drop(&mut self) {
        drop(self.end());
    }
}

struct Engine<T, E> {
    log_keeper: LogKeeper,
    journal: Journal,
    receiver: Receiver<Item<T>>,
    closing: Arc<AtomicBool>,
    options: WriterOptions,
    events: E,
    /// Taken from the queue and not yet on disk.
    pending: Vec<Submission<T>>,
    /// To be done once nothing is pending.
    tasks: Vec<Task>,
    entries: usize,
    bytes: usize,
    /// The last commit failed: what is pending waits for no more company.
    failing: bool,
    tidying: Tidying,
}

/// When the next step of retention or compaction is due.
#[derive(Default)]
struct Tidying {
    /// The last step left something to do.
    pending: bool,
    /// When the writer last looked; `None` before the first time.
    looked: Option<Instant>,
    /// Commits since the last step.
    commits: u32,
}

impl Tidying {
    fn is_due(&self) -> bool {
        self.pending || self.looked.is_none_or(|looked| looked.elapsed() >= LOOK_EVERY)
    }
}

impl<T, E: WriterEvents<T>> Engine<T, E> {
    fn run(mut self) -> Closed<T> {
        let mut backoff = MIN_BACKOFF;
        loop {
            self.gather();
            let closing = self.is_closing();
            if self.pending.is_empty() {
                self.run_tasks();
                if closing {
                    break;
                }
                self.tidy_up();
                continue;
            }
            let result = self.commit();
            self.failing = result.is_err();
            match result {
                Ok(()) => {
                    backoff = MIN_BACKOFF;
                    self.run_tasks();
                    self.tidy_up_if_overdue();
                }
                Err(error) => {
                    let verdict = self.events.on_failure(&error, error.fate());
                    if verdict == Verdict::Stop || closing {
                        break;
                    }
                    // A pause that close() can end: the queue may be full, so waiting on it would not do.
                    std::thread::park_timeout(backoff);
                    backoff = (backoff * 2).min(MAX_BACKOFF);
                }
            }
        }
        self.finish()
    }

    fn finish(mut self) -> Closed<T> {
        while let Ok(item) = self.receiver.try_recv() {
            self.take(item);
        }
        Closed {
            journal: Some(self.journal),
            uncommitted: self.pending,
        }
    }

    fn is_closing(&self) -> bool {
        self.closing.load(Ordering::Acquire)
    }

    /// Fills the next transaction: waits for a first submission, then as long as the linger for more.
    fn gather(&mut self) {
        if self.pending.is_empty() && !self.wait_for_first() {
            return;
        }
        let linger = self.options.linger.min(MAX_LINGER);
        // The linger is a bound on waiting, not a time in the data: the thread's own monotonic clock is meant.
        #[allow(clippy::disallowed_methods, reason = "measures the linger only")]
        let gathered_since = Instant::now();
        while !self.is_full() {
            let left = if self.is_closing() || self.failing {
                Duration::ZERO
            } else {
                linger.saturating_sub(gathered_since.elapsed())
            };
            match self.receiver.recv_timeout(left) {
                Ok(item) => self.take(item),
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => return,
            }
        }
    }

    /// False if there was nothing to be had: for a while, or at all if there is something to tidy up.
    fn wait_for_first(&mut self) -> bool {
        let wait = if self.is_closing() || self.tidying.is_due() {
            Duration::ZERO
        } else {
            LOOK_EVERY
        };
        match self.receiver.recv_timeout(wait) {
            Ok(item) => self.take(item),
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {}
        }
        !self.pending.is_empty()
    }

    /// Under constant load there is no quiet moment, so a step is taken between commits.
    fn tidy_up_if_overdue(&mut self) {
        self.tidying.commits += 1;
        let enough = self.tidying.commits >= COMMITS_PER_STEP || self.journal.is_behind();
        if enough && self.tidying.is_due() && !self.is_closing() {
            self.tidy_up();
        }
    }

    /// One step of retention or compaction, short enough for a submission that comes meanwhile.
    fn tidy_up(&mut self) {
        self.tidying.commits = 0;
        #[allow(clippy::disallowed_methods, reason = "measures how often to look, no time in the data")]
        let now = Instant::now();
        self.tidying.looked = Some(now);
        let Some(now_ms) = self.events.now_ms() else {
            self.tidying.pending = false;
            return;
        };
        let done = self.journal.maintain(now_ms);
        self.log_keeper.wrote(STEP_BYTES);
        self.tidying.pending = done.as_ref().is_ok_and(|done| done.pending);
        if !done.as_ref().is_ok_and(Maintained::is_nothing) {
            self.events.on_maintenance(&done);
        }
    }

    fn run_tasks(&mut self) {
        for task in self.tasks.drain(..) {
            task(&mut self.journal);
        }
    }

    /// A task must not meet anything that was submitted after it.
    fn is_full(&self) -> bool {
        !self.tasks.is_empty() || self.entries >= self.options.max_entries || self.bytes >= self.options.max_bytes
    }

    fn take(&mut self, item: Item<T>) {
        match item {
            Item::Submission(submission) => {
                self.entries += submission.entries.len();
                self.bytes += submission.part().bytes();
                self.pending.push(*submission);
            }
            Item::Task(task) => self.tasks.push(task),
            Item::Wake => {}
        }
    }

    fn commit(&mut self) -> Result<(), JournalError> {
        let parts: Vec<Part<'_>> = self.pending.iter().map(Submission::part).collect();
        let range = self.journal.commit(&parts)?;
        let mut next = range.start;
        let committed = self
            .pending
            .drain(..)
            .map(|submission| {
                let first = next;
                next += submission.entries.len() as u64;
                (submission.ticket, first..next)
            })
            .collect();
        self.log_keeper.wrote((self.bytes + self.entries * ROW_BYTES) as u64);
        self.entries = 0;
        self.bytes = 0;
        self.events.on_commit(committed);
        Ok(())
    }
}
