//! The journal's desk: hands records to the journal's thread, and promises out only after their commit.
//!
//! The Ward's thread never waits here. Unacknowledged messages are bounded by the session's receive maximum, for which the
//! journal's queue has room; what comes on top (records of ticks, strips) waits in a bounded overflow, whose oldest records
//! without a promise go first when the disk has been away for too long, each counted.

use std::collections::VecDeque;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use metrics::{counter, gauge};
use tokio::sync::mpsc::Sender;
use tracing::{error, info, warn};
use wardlight_core::time::Timestamp;
use wardlight_journal::{
    Checkpoint, Entry, Fate, JournalError, Kind, Reason, Submission, Submitter, Suspect, Verdict, WriterEvents,
};
use wardlight_station::Reply;

use crate::agent::Input;
use crate::clock;
use crate::metrics as m;
use crate::session::{AckTicket, Acker};

/// Submissions that may wait beside the journal's own queue.
const MAX_OVERFLOW: usize = 65_536;

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

/// See the [module](self).
#[derive(Debug)]
pub(crate) struct Desk {
    journal: Submitter<Ticket>,
    overflow: VecDeque<Submission<Ticket>>,
}

impl Desk {
    pub(crate) const fn new(journal: Submitter<Ticket>) -> Self {
        Self {
            journal,
            overflow: VecDeque::new(),
        }
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

    /// Passes on what waits, in order, as far as the journal takes it.
    pub(crate) fn flush(&mut self) {
        while let Some(submission) = self.overflow.pop_front() {
            let Err(refused) = self.journal.try_submit(submission) else {
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
    pub(crate) ward: Sender<Input>,
    /// Set when the agent stops: a disk that fails then is not waited for.
    pub(crate) stopping: Arc<AtomicBool>,
    pub(crate) failing_since: Option<Timestamp>,
}

impl WriterEvents<Ticket> for JournalEvents {
    fn on_commit(&mut self, committed: Vec<(Ticket, Range<u64>)>) {
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
            self.tell(None);
        }
    }

    fn on_failure(&mut self, error: &JournalError, fate: Fate) -> Verdict {
        counter!(m::COMMIT_FAILURES).increment(1);
        if self.failing_since.is_none() {
            error!(%error, ?fate, "The journal cannot commit: nothing is acknowledged until it can. Alarms go on.");
            self.failing_since = Some(clock::wall());
            self.tell(Some(error.to_string()));
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

impl JournalEvents {
    fn tell(&self, failure: Option<String>) {
        // A full inbox only delays what the page says of the journal: the next failure or commit says it again.
        self.ward.try_send(Input::Journal(failure)).ok();
    }
}
