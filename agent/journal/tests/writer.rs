//! The writer's thread: what it promises about order, acknowledgement, a full queue and a failing disk.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests fail by panicking"
)]

mod common;

use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use common::{START_MS, database, entry, key, messages, numbered, open, read_all};
use wardlight_journal::{
    Checkpoint, Entry, Fate, Filter, JournalError, Kind, MAX_BODY, Reader, Reason, Submission, Suspect, Verdict, Writer,
    WriterEvents, WriterOptions,
};

type Ticket = usize;

/// Tells the test what the thread does; optionally waits for the test's leave after each commit.
struct Told {
    dir: PathBuf,
    committed: SyncSender<(Ticket, Range<u64>)>,
    failed: SyncSender<Fate>,
    leave: Option<Receiver<()>>,
    on_failure: Box<dyn FnMut() -> Verdict + Send>,
}

impl WriterEvents<Ticket> for Told {
    fn on_commit(&mut self, committed: Vec<(Ticket, Range<u64>)>) {
        // What is told as committed can be read by others.
        let newest = Reader::open(&self.dir, &key()).unwrap().newest().unwrap();
        for (ticket, range) in committed {
            assert!(newest + 1 >= range.end);
            self.committed.send((ticket, range)).unwrap();
        }
        if let Some(leave) = &self.leave {
            // An error is the test's end.
            leave.recv().ok();
        }
    }

    fn on_failure(&mut self, _error: &JournalError, fate: Fate) -> Verdict {
        self.failed.send(fate).unwrap();
        (self.on_failure)()
    }
}

struct Heard {
    committed: Receiver<(Ticket, Range<u64>)>,
    failed: Receiver<Fate>,
}

fn told(dir: &Path) -> (Told, Heard) {
    let (committed, committed_heard) = sync_channel(10_000);
    let (failed, failed_heard) = sync_channel(10_000);
    let told = Told {
        dir: dir.to_path_buf(),
        committed,
        failed,
        leave: None,
        on_failure: Box::new(|| Verdict::Stop),
    };
    let heard = Heard {
        committed: committed_heard,
        failed: failed_heard,
    };
    (told, heard)
}

fn one(entry: &Entry, ticket: Ticket) -> Submission<Ticket> {
    Submission::new(vec![entry.clone()], ticket)
}

#[test]
fn tickets_come_back_in_order_with_their_sequences() {
    let dir = tempfile::tempdir().unwrap();
    let (events, heard) = told(dir.path());
    let writer = Writer::start(open(dir.path()), WriterOptions::default(), events).unwrap();
    let entries = messages(5000);
    let submitter = writer.submitter();
    for (ticket, entry) in entries.iter().enumerate() {
        submitter.submit(one(entry, ticket)).unwrap();
    }
    let closed = writer.close();
    assert_eq!(closed.journal.unwrap().newest(), 5000);
    assert!(closed.uncommitted.is_empty());
    let committed: Vec<_> = heard.committed.iter().collect();
    let expected: Vec<_> = (0..5000).map(|n| (n, n as u64 + 1..n as u64 + 2)).collect();
    assert_eq!(committed, expected);
    let read: Vec<_> = read_all(dir.path()).into_iter().map(Result::unwrap).collect();
    assert_eq!(read, numbered(&entries));
}

#[test]
fn submissions_of_any_size_get_their_own_range() {
    let dir = tempfile::tempdir().unwrap();
    let (events, heard) = told(dir.path());
    let writer = Writer::start(open(dir.path()), WriterOptions::default(), events).unwrap();
    let submitter = writer.submitter();
    submitter.submit(Submission::new(messages(3), 1)).unwrap();
    submitter.submit(Submission::new(Vec::new(), 2)).unwrap();
    let state = Checkpoint {
        at_ms: START_MS,
        body: b"state".to_vec(),
    };
    submitter
        .submit(Submission {
            entries: messages(2),
            checkpoint: Some(state.clone()),
            suspects: Vec::new(),
            ticket: 3,
        })
        .unwrap();
    let suspect = Suspect {
        stay: wardlight_journal::StayToken::SITE,
        source: "nobody".to_owned(),
        reason: "no such topic".to_owned(),
        at_ms: START_MS,
        body: vec![0xff],
    };
    submitter
        .submit(Submission {
            entries: messages(1),
            checkpoint: None,
            suspects: vec![suspect.clone()],
            ticket: 4,
        })
        .unwrap();
    drop(writer);
    let committed: Vec<_> = heard.committed.iter().collect();
    assert_eq!(committed, [(1, 1..4), (2, 4..4), (3, 4..6), (4, 6..7)]);
    let mut reader = Reader::open(dir.path(), &key()).unwrap();
    let restored = reader.latest_checkpoint().unwrap();
    assert_eq!((restored.covers, restored.checkpoint), (5, Some(state)));
    assert_eq!(reader.quarantine().unwrap()[0].as_ref().unwrap().suspect, suspect);
}

#[test]
fn a_full_queue_hands_the_submission_back_whole() {
    let dir = tempfile::tempdir().unwrap();
    let (mut events, heard) = told(dir.path());
    let (leave, wait) = sync_channel(10_000);
    events.leave = Some(wait);
    let options = WriterOptions {
        capacity: 2,
        ..WriterOptions::default()
    };
    let writer = Writer::start(open(dir.path()), options, events).unwrap();
    let submitter = writer.submitter();
    let entries = messages(4);
    submitter.try_submit(one(&entries[0], 0)).unwrap();
    // The thread is now inside on_commit and takes nothing from the queue.
    assert_eq!(heard.committed.recv().unwrap().0, 0);
    submitter.try_submit(one(&entries[1], 1)).unwrap();
    submitter.try_submit(one(&entries[2], 2)).unwrap();
    let refused = submitter.try_submit(one(&entries[3], 3)).unwrap_err();
    assert!(matches!(refused.reason, Reason::Full));
    assert_eq!((refused.submission.ticket, &refused.submission.entries[0]), (3, &entries[3]));
    drop(leave);
    // Waits for room instead.
    submitter.submit(*refused.submission).unwrap();
    drop(writer);
    let committed: Vec<_> = heard.committed.iter().map(|(ticket, _)| ticket).collect();
    assert_eq!(committed, [1, 2, 3]);
}

#[test]
fn what_can_never_be_stored_is_refused_at_the_door() {
    let dir = tempfile::tempdir().unwrap();
    let (events, heard) = told(dir.path());
    let writer = Writer::start(open(dir.path()), WriterOptions::default(), events).unwrap();
    let submitter = writer.submitter();
    let large = entry(Kind::Strip, 1, START_MS, &vec![0; MAX_BODY + 1]);
    let refused = submitter.submit(one(&large, 1)).unwrap_err();
    assert!(matches!(refused.reason, Reason::Invalid(JournalError::TooLarge { .. })));
    submitter.submit(one(&messages(1)[0], 2)).unwrap();
    drop(writer);
    assert_eq!(heard.committed.iter().collect::<Vec<_>>(), [(2, 1..2)]);
    let refused = submitter.submit(one(&messages(1)[0], 3)).unwrap_err();
    assert!(matches!(refused.reason, Reason::Closed));
}

#[test]
fn a_failing_commit_is_tried_again_and_nothing_is_acknowledged_before() {
    let dir = tempfile::tempdir().unwrap();
    let (mut events, heard) = told(dir.path());
    let (file, hidden) = (database(dir.path()), dir.path().join("hidden"));
    let (from, to) = (hidden.clone(), file.clone());
    let mut failures = 0;
    events.on_failure = Box::new(move || {
        failures += 1;
        if failures == 2 {
            std::fs::rename(&from, &to).unwrap();
        }
        Verdict::Retry
    });
    let journal = open(dir.path());
    std::fs::rename(&file, &hidden).unwrap();
    let writer = Writer::start(journal, WriterOptions::default(), events).unwrap();
    let submitter = writer.submitter();
    let entries = messages(3);
    for (ticket, entry) in entries.iter().enumerate() {
        submitter.submit(one(entry, ticket)).unwrap();
    }
    assert_eq!(heard.failed.recv().unwrap(), Fate::Fatal);
    assert_eq!(heard.failed.recv().unwrap(), Fate::Fatal);
    let committed: Vec<_> = heard.committed.iter().take(3).collect();
    assert_eq!(committed, [(0, 1..2), (1, 2..3), (2, 3..4)]);
    drop(writer);
    assert!(heard.failed.try_recv().is_err());
    assert_eq!(read_all(dir.path()).len(), 3);
}

#[test]
fn stopping_returns_everything_that_was_not_stored() {
    let dir = tempfile::tempdir().unwrap();
    let (events, heard) = told(dir.path());
    let journal = open(dir.path());
    std::fs::rename(database(dir.path()), dir.path().join("hidden")).unwrap();
    let writer = Writer::start(journal, WriterOptions::default(), events).unwrap();
    let submitter = writer.submitter();
    submitter.submit(one(&messages(1)[0], 7)).unwrap();
    assert_eq!(heard.failed.recv().unwrap(), Fate::Fatal);
    let closed = writer.close();
    let tickets: Vec<_> = closed.uncommitted.iter().map(|submission| submission.ticket).collect();
    assert_eq!(tickets, [7]);
    assert!(heard.committed.try_recv().is_err());
}

#[test]
fn closing_ends_a_pause_between_tries() {
    let dir = tempfile::tempdir().unwrap();
    let (mut events, heard) = told(dir.path());
    events.on_failure = Box::new(|| Verdict::Retry);
    let journal = open(dir.path());
    std::fs::rename(database(dir.path()), dir.path().join("hidden")).unwrap();
    let options = WriterOptions {
        capacity: 1,
        ..WriterOptions::default()
    };
    let writer = Writer::start(journal, options, events).unwrap();
    writer.submitter().submit(one(&messages(1)[0], 1)).unwrap();
    assert_eq!(heard.failed.recv().unwrap(), Fate::Fatal);
    assert_eq!(writer.close().uncommitted.len(), 1);
}

#[test]
fn a_panic_in_the_callback_does_not_hang_the_rest() {
    struct Panics;
    impl WriterEvents<()> for Panics {
        fn on_commit(&mut self, _committed: Vec<((), Range<u64>)>) {
            panic!("the test's own");
        }
        fn on_failure(&mut self, _error: &JournalError, _fate: Fate) -> Verdict {
            Verdict::Stop
        }
    }
    let dir = tempfile::tempdir().unwrap();
    let writer = Writer::start(open(dir.path()), WriterOptions::default(), Panics).unwrap();
    let submitter = writer.submitter();
    submitter.submit(Submission::new(messages(1), ())).unwrap();
    let closed = writer.close();
    assert!(closed.journal.is_none());
    let refused = submitter.submit(Submission::new(messages(1), ())).unwrap_err();
    assert!(matches!(refused.reason, Reason::Closed));
    // The lock went with the thread.
    let mut reader = Reader::open(dir.path(), &key()).unwrap();
    assert_eq!(reader.entries(1, Filter::default()).count(), 1);
    open(dir.path());
}
