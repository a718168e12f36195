//! The way into the writer's queue, which is bounded and never drops anything.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, SyncSender, TrySendError};

use crate::entry::{Checkpoint, Entry, Part, Suspect};
use crate::error::JournalError;
use crate::open::Journal;

/// What is to be stored together, and what the caller wants back when it is.
#[derive(Debug)]
pub struct Submission<T> {
    /// Entries in order.
    pub entries: Vec<Entry>,
    /// The state after every entry submitted so far, these included. It is only true if all submissions come
    /// from one thread in the order of its steps.
    pub checkpoint: Option<Checkpoint>,
    /// Undecodable inputs to be put aside.
    pub suspects: Vec<Suspect>,
    /// Handed to [`WriterEvents::on_commit`](crate::WriterEvents::on_commit) when all of it is on disk: the right to acknowledge.
    pub ticket: T,
}

impl<T> Submission<T> {
    /// A submission of entries only.
    pub fn new(entries: Vec<Entry>, ticket: T) -> Self {
        Submission {
            entries,
            checkpoint: None,
            suspects: Vec::new(),
            ticket,
        }
    }

    pub(crate) fn part(&self) -> Part<'_> {
        Part {
            entries: &self.entries,
            checkpoint: self.checkpoint.as_ref(),
            suspects: &self.suspects,
        }
    }
}

/// Why a submission came back.
#[derive(Debug)]
pub enum Reason {
    /// The queue is full (from [`Submitter::try_submit`] only).
    Full,
    /// The writer is closed or has stopped.
    Closed,
    /// It could never be stored.
    Invalid(JournalError),
}

/// A submission that was not taken, whole.
#[derive(Debug)]
pub struct Refused<T> {
    /// Why.
    pub reason: Reason,
    /// What was submitted.
    pub submission: Box<Submission<T>>,
}

/// Something to be done with the journal itself, between two commits.
pub type Task = Box<dyn FnOnce(&mut Journal) + Send>;

/// What goes through the queue.
pub(crate) enum Item<T> {
    Task(Task),
    Submission(Box<Submission<T>>),
    /// Only there to wake the thread when it is to close.
    Wake,
}

/// Hands submissions to the writer's thread; cheap to clone.
#[derive(Debug)]
pub struct Submitter<T> {
    pub(crate) sender: SyncSender<Item<T>>,
    pub(crate) closing: Arc<AtomicBool>,
}

impl<T> Clone for Submitter<T> {
    fn clone(&self) -> Self {
        Submitter {
            sender: self.sender.clone(),
            closing: Arc::clone(&self.closing),
        }
    }
}

impl<T> Submitter<T> {
    /// Submits without waiting.
    ///
    /// # Errors
    /// The submission comes back whole, with the reason.
    pub fn try_submit(&self, submission: Submission<T>) -> Result<(), Refused<T>> {
        let item = Item::Submission(self.check(submission)?);
        self.sender.try_send(item).or_else(|error| match error {
            TrySendError::Full(item) => refuse(item, Reason::Full),
            TrySendError::Disconnected(item) => refuse(item, Reason::Closed),
        })
    }

    /// Submits, waiting while the queue is full.
    ///
    /// # Errors
    /// The submission comes back whole if the writer is closed or it could never be stored.
    pub fn submit(&self, submission: Submission<T>) -> Result<(), Refused<T>> {
        let item = Item::Submission(self.check(submission)?);
        self.sender
            .send(item)
            .or_else(|mpsc::SendError(item)| refuse(item, Reason::Closed))
    }

    /// Has the journal's thread do something with the journal, once everything submitted before is on disk. It holds up commits for as
    /// long as it takes. A task that is not reached before the writer closes is dropped.
    ///
    /// # Errors
    /// The task comes back if the queue is full or the writer closed.
    pub fn try_task(&self, task: Task) -> Result<(), Task> {
        if self.closing.load(Ordering::Acquire) {
            return Err(task);
        }
        self.sender.try_send(Item::Task(task)).or_else(|error| match error {
            TrySendError::Full(Item::Task(task)) | TrySendError::Disconnected(Item::Task(task)) => Err(task),
            TrySendError::Full(_) | TrySendError::Disconnected(_) => Ok(()),
        })
    }

    fn check(&self, submission: Submission<T>) -> Result<Box<Submission<T>>, Refused<T>> {
        let reason = match submission.part().check() {
            Err(error) => Reason::Invalid(error),
            Ok(()) if self.closing.load(Ordering::Acquire) => Reason::Closed,
            Ok(()) => return Ok(Box::new(submission)),
        };
        Err(Refused {
            reason,
            submission: Box::new(submission),
        })
    }
}

fn refuse<T>(item: Item<T>, reason: Reason) -> Result<(), Refused<T>> {
    match item {
        Item::Submission(submission) => Err(Refused { reason, submission }),
        Item::Task(_) | Item::Wake => Ok(()),
    }
}
