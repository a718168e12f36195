//! The journal's desk: hands records to the journal's thread, and promises out only after their commit.
//!
//! The Ward's thread never waits here. Unacknowledged messages are bounded by the session's receive maximum, for which the
//! journal's queue has room; what comes on top (records of ticks, strips) waits in a bounded overflow, whose oldest records
//! without a promise go first when the disk has been away for too long, each counted.

use std::collections::VecDeque;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use metrics::{counter, gauge};
use tracing::{error, info, warn};
use wardlight_core::time::Timestamp;
use wardlight_journal::{
    Checkpoint, Entry, Fate, JournalError, Kind, Reason, Submission, Submitter, Suspect, Task, Verdict, WriterEvents,
};
use wardlight_station::Reply;

use crate::clock;
use crate::metrics as m;
use crate::session::{AckTicket, Acker};

/// Submissions that may wait beside the journal's own queue.
const MAX_OVERFLOW: usize = 65_536;

/// A journal that holds something and commits nothing for this long cannot commit, whatever it says or does not say: a
/// disk may hang instead of failing.
const STUCK_AFTER: Duration = Duration::from_secs(3);

/// What is promised to somebody once the record is on disk.
#[derive(Debug)]
pub(crate) enum Ticket {
    /// Nothing.
    Nothing,
    /// The broker waits for its PUBACK.
    Puback(AckTicket),
    /// A person waits for the answer.
    Reply(Reply),
}

/// How far the journal is, as its own thread says it.
#[derive(Debug, Default)]
pub(crate) struct Progress {
    /// The last commit failed.
    failing: AtomicBool,
    /// Submissions committed.
    committed: AtomicU64,
}

#[cfg(test)]
impl Progress {
    /// As if so many submissions had been committed by now.
    pub(crate) fn reach(&self, committed: u64) {
        self.committed.store(committed, Ordering::Relaxed);
    }
}

/// See the [module](self).
#[derive(Debug)]
pub(crate) struct Desk {
    journal: Submitter<Ticket>,
    overflow: VecDeque<Submission<Ticket>>,
    progress: Arc<Progress>,
    /// Submissions that the journal has taken.
    taken: u64,
    /// Submissions that it had committed when it was last asked about.
    committed: u64,
    /// When it last had committed more than before, or everything.
    moved_at: Option<Instant>,
}

impl Desk {
    pub(crate) const fn new(journal: Submitter<Ticket>, progress: Arc<Progress>) -> Self {
        Self {
            journal,
            overflow: VecDeque::new(),
            progress,
            taken: 0,
            committed: 0,
            moved_at: None,
        }
    }

    /// Whether the journal cannot commit: the last commit failed, or none has come for [`STUCK_AFTER`].
    pub(crate) fn is_stuck(&mut self, now: Instant) -> bool {
        let committed = self.progress.committed.load(Ordering::Relaxed);
        if committed != self.committed || committed >= self.taken {
            self.committed = committed;
            self.moved_at = Some(now);
        }
        let moved_at = *self.moved_at.get_or_insert(now);
        self.progress.failing.load(Ordering::Relaxed) || now.duration_since(moved_at) > STUCK_AFTER
    }

    /// Hands over records with their promise; nothing to record and nothing promised is nothing to do.
    pub(crate) fn submit(&mut self, entries: Vec<Entry>, suspects: Vec<Suspect>, ticket: Ticket) {
        if entries.is_empty() && suspects.is_empty() && matches!(ticket, Ticket::Nothing) {
            return;
        }
        self.overflow.push_back(Submission {
            entries,
            checkpoint: None,
            suspects,
            ticket,
        });
        self.flush();
    }

    /// Hands over a checkpoint of the state after everything submitted so far; none while the journal is behind, so that
    /// whole states do not pile up beside a failing disk.
    pub(crate) fn checkpoint(&mut self, checkpoint: Checkpoint) {
        if !self.overflow.is_empty() {
            return;
        }
        let mut submission = Submission::new(Vec::new(), Ticket::Nothing);
        submission.checkpoint = Some(checkpoint);
        self.overflow.push_back(submission);
        self.flush();
    }

    /// Has the journal do something after everything submitted so far.
    /// # Errors
    /// The task comes back while anything waits here, or the journal's queue is full.
    pub(crate) fn task(&mut self, task: Task) -> Result<(), Task> {
        self.flush();
        if !self.overflow.is_empty() {
            return Err(task);
        }
        self.journal.try_task(task)
    }

    /// Passes on what waits, in order, as far as the journal takes it.
    pub(crate) fn flush(&mut self) {
        while let Some(submission) = self.overflow.pop_front() {
            let Err(refused) = self.journal.try_submit(submission) else {
                self.taken += 1;
                continue;
            };
            match refused.reason {
                Reason::Full | Reason::Closed => {
                    self.overflow.push_front(*refused.submission);
                    break;
                }
                Reason::Invalid(error) => {
                    // Its promise is dropped with it: the broker keeps the message, a person is told "not confirmed".
                    counter!(m::RECORDS_DROPPED).increment(1);
                    error!(%error, "A record can never be stored.");
                }
            }
        }
        if self.overflow.len() > MAX_OVERFLOW {
            let at = self
                .overflow
                .iter()
                .position(|s| matches!(s.ticket, Ticket::Nothing) && s.checkpoint.is_none() && !is_audit(s));
            if at.and_then(|at| self.overflow.remove(at)).is_some() {
                counter!(m::RECORDS_DROPPED).increment(1);
            }
        }
        gauge!(m::JOURNAL_WAITING).set(self.overflow.len() as f64);
    }
}

/// The audit trail loses nothing: people are slow, and failed logins are made to be.
fn is_audit(submission: &Submission<Ticket>) -> bool {
    submission.entries.iter().any(|entry| entry.kind == Kind::Audit)
}

/// What the journal's thread tells the rest of the agent.
pub(crate) struct JournalEvents {
    pub(crate) acker: Acker,
    pub(crate) progress: Arc<Progress>,
    /// Set when the agent stops: a disk that fails then is not waited for.
    pub(crate) stopping: Arc<AtomicBool>,
    pub(crate) failing_since: Option<Timestamp>,
}

impl WriterEvents<Ticket> for JournalEvents {
    fn on_commit(&mut self, committed: Vec<(Ticket, Range<u64>)>) {
        self.progress.failing.store(false, Ordering::Relaxed);
        self.progress.committed.fetch_add(committed.len() as u64, Ordering::Relaxed);
        let mut pubacks = Vec::with_capacity(committed.len());
        let mut entries = 0;
        for (ticket, range) in committed {
            entries += range.end - range.start;
            match ticket {
                Ticket::Nothing => {}
                Ticket::Puback(ticket) => pubacks.push(ticket),
                Ticket::Reply(reply) => {
                    // A page that has gone needs no answer.
                    reply.send(Ok(())).ok();
                }
            }
        }
        self.acker.ack(pubacks);
        counter!(m::COMMITS).increment(1);
        counter!(m::JOURNALED).increment(entries);
        if let Some(since) = self.failing_since.take() {
            info!(failed_ms = clock::wall().millis_after(since), "The journal commits again.");
        }
    }

    fn on_failure(&mut self, error: &JournalError, fate: Fate) -> Verdict {
        counter!(m::COMMIT_FAILURES).increment(1);
        self.progress.failing.store(true, Ordering::Relaxed);
        if self.failing_since.is_none() {
            error!(%error, ?fate, "The journal cannot commit: nothing is acknowledged until it can. Alarms go on.");
            self.failing_since = Some(clock::wall());
        }
        if self.stopping.load(Ordering::Relaxed) {
            Verdict::Stop
        } else {
            Verdict::Retry
        }
    }

    fn now_ms(&mut self) -> Option<i64> {
        Some(clock::wall().as_millis())
    }

    fn on_maintenance(&mut self, done: &Result<wardlight_journal::Maintained, JournalError>) {
        if let Err(error) = done {
            warn!(%error, "Retention or compaction of the journal failed; it is tried again.");
        }
    }
}

#[cfg(test)]
mod tests {
    use wardlight_journal::{Journal, Kind, Options, SiteKey, Writer, WriterOptions};

    use super::*;
    use crate::record::Stored;

    /// A journal whose commits are only those that a test makes in `progress`.
    fn desk(progress: &Arc<Progress>) -> (Desk, Writer<Ticket>, tempfile::TempDir) {
        let folder = tempfile::tempdir().unwrap();
        let (journal, _) = Journal::open(folder.path(), &SiteKey::from_bytes([1; 32]), Options::default()).unwrap();
        let events = JournalEvents {
            acker: Acker::default(),
            progress: Arc::default(),
            stopping: Arc::default(),
            failing_since: None,
        };
        let journal = Writer::start(journal, WriterOptions::default(), events).unwrap();
        (Desk::new(journal.submitter(), Arc::clone(progress)), journal, folder)
    }

    fn submit(desk: &mut Desk) {
        let entry = Stored::Restart.entry(Kind::Restart, None, Timestamp::default());
        desk.submit(vec![entry], Vec::new(), Ticket::Nothing);
    }

    #[test]
    fn a_journal_that_hangs_is_stuck_without_ever_having_failed() {
        let progress = Arc::<Progress>::default();
        let (mut desk, _journal, _folder) = desk(&progress);
        let start = clock::instant();
        let at = |ms| start + Duration::from_millis(ms);
        assert!(!desk.is_stuck(at(0)));
        assert!(!desk.is_stuck(at(9000)), "nothing to commit is no failure");
        submit(&mut desk);
        submit(&mut desk);
        assert!(!desk.is_stuck(at(12_000)));
        assert!(desk.is_stuck(at(12_001)));
        progress.reach(1);
        assert!(!desk.is_stuck(at(12_002)), "slow is not stuck");
        assert!(desk.is_stuck(at(15_003)));
        progress.reach(2);
        assert!(!desk.is_stuck(at(90_000)));
    }

    #[test]
    fn a_commit_that_fails_is_told_at_once_and_until_one_succeeds() {
        let progress = Arc::<Progress>::default();
        let (mut desk, _journal, _folder) = desk(&progress);
        let mut events = JournalEvents {
            acker: Acker::default(),
            progress,
            stopping: Arc::default(),
            failing_since: None,
        };
        let now = clock::instant();
        assert!(!desk.is_stuck(now));
        events.on_failure(&JournalError::Thread(std::io::ErrorKind::StorageFull.into()), Fate::Retry);
        assert!(desk.is_stuck(now));
        events.on_commit(Vec::new());
        assert!(!desk.is_stuck(now));
    }
}
