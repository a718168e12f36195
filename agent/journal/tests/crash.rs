//! Crashes: whatever was reported as committed is there afterwards, once, in order, whole.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests fail by panicking"
)]

mod common;

use std::io::{BufRead, BufReader, Write};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use common::{HOUR_MS, START_MS, entry, key, numbered, open, read_all};
use proptest::prelude::*;
use wardlight_journal::{
    Checkpoint, Entry, Fate, Filter, Journal, JournalError, Kind, Options, Reader, Stored, Submission, Verdict, Writer,
    WriterEvents, WriterOptions, verify,
};

/// What may happen to a journal.
#[derive(Clone, Debug)]
enum Step {
    Append(Vec<(usize, u8, u16)>),
    Checkpoint(u16),
    /// One step of compaction, this many hours later.
    Compact(i64),
    /// Closed and opened again.
    Reopen,
    /// The files as they are at this moment, opened by another process after a crash.
    Crash,
    /// The same, with this share of the log lost, as if the disk had lied about syncing.
    CrashCut(u8),
}

fn step() -> impl Strategy<Value = Step> {
    let row = (0..Kind::ALL.len(), 0..4_u8, 0..600_u16);
    prop_oneof![
        6 => prop::collection::vec(row, 1..60).prop_map(Step::Append),
        2 => (0..20_000_u16).prop_map(Step::Checkpoint),
        4 => (0..4_i64).prop_map(Step::Compact),
        1 => Just(Step::Reopen),
        2 => Just(Step::Crash),
        1 => any::<u8>().prop_map(Step::CrashCut),
    ]
}

/// The journal beside a plain list of what it should hold.
struct Model {
    dir: tempfile::TempDir,
    journal: Option<Journal>,
    entries: Vec<Entry>,
    /// Length of the list after each commit.
    commits: Vec<usize>,
    checkpoints: Vec<(u64, Vec<u8>)>,
}

impl Model {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let journal = Some(open(dir.path()));
        Model {
            dir,
            journal,
            entries: Vec::new(),
            commits: vec![0],
            checkpoints: Vec::new(),
        }
    }

    fn now_ms(&self) -> i64 {
        START_MS + self.entries.len() as i64 * 20_000
    }

    fn journal(&mut self) -> &mut Journal {
        self.journal.as_mut().unwrap()
    }

    fn apply(&mut self, step: &Step) {
        match step {
            Step::Append(rows) => self.append(rows),
            Step::Checkpoint(bytes) => {
                let checkpoint = Checkpoint {
                    at_ms: self.now_ms(),
                    body: vec![*bytes as u8; usize::from(*bytes)],
                };
                self.journal().checkpoint(&checkpoint).unwrap();
                self.checkpoints.push((self.entries.len() as u64, checkpoint.body));
            }
            Step::Compact(hours) => {
                let now_ms = self.now_ms() + hours * HOUR_MS;
                assert!(self.journal().compact(now_ms).unwrap().lost.is_empty());
            }
            Step::Reopen => {
                self.journal = None;
                self.journal = Some(open(self.dir.path()));
            }
            Step::Crash => self.crash(None),
            Step::CrashCut(share) => self.crash(Some(*share)),
        }
    }

    fn append(&mut self, rows: &[(usize, u8, u16)]) {
        let first = self.entries.len() as u64 + 1;
        let batch: Vec<_> = rows
            .iter()
            .enumerate()
            .map(|(n, (kind, stay, bytes))| {
                let at_ms = self.now_ms() + n as i64 * 20_000;
                entry(Kind::ALL[*kind], *stay, at_ms, &vec![*bytes as u8; usize::from(*bytes)])
            })
            .collect();
        let range = self.journal().append(&batch).unwrap();
        assert_eq!(range, first..first + batch.len() as u64);
        self.entries.extend(batch);
        self.commits.push(self.entries.len());
    }

    /// Goes on with a copy of the files; the journal they belong to never gets to tidy up.
    fn crash(&mut self, lost_share: Option<u8>) {
        let copy = tempfile::tempdir().unwrap();
        for name in ["journal.db", "journal.db-wal"] {
            std::fs::copy(self.dir.path().join(name), copy.path().join(name)).unwrap();
        }
        if let Some(share) = lost_share {
            let log = std::fs::OpenOptions::new()
                .write(true)
                .open(copy.path().join("journal.db-wal"))
                .unwrap();
            let length = log.metadata().unwrap().len();
            log.set_len(length - length * u64::from(share) / 256).unwrap();
        }
        self.journal = Some(open(copy.path()));
        self.dir = copy;
        if lost_share.is_some() {
            let left = self.journal().newest() as usize;
            assert!(
                self.commits.contains(&left),
                "{left} entries are not a whole number of commits"
            );
            self.entries.truncate(left);
            self.commits.retain(|commit| *commit <= left);
            // Which of the checkpoints are left is for the journal to say; they must be among those made.
            let restored = Reader::open(self.dir.path(), &key()).unwrap().latest_checkpoint().unwrap();
            self.checkpoints.retain(|(covers, _)| *covers <= restored.covers);
            if let Some(checkpoint) = restored.checkpoint {
                let position = self
                    .checkpoints
                    .iter()
                    .rposition(|made| *made == (restored.covers, checkpoint.body.clone()));
                self.checkpoints.truncate(position.unwrap() + 1);
            } else {
                self.checkpoints.clear();
            }
        }
    }

    fn check(&self) {
        let read: Vec<_> = read_all(self.dir.path()).into_iter().map(Result::unwrap).collect();
        assert_eq!(read, numbered(&self.entries));
        let restored = Reader::open(self.dir.path(), &key()).unwrap().latest_checkpoint().unwrap();
        let made = self.checkpoints.last();
        assert_eq!(restored.covers, made.map_or(0, |(covers, _)| *covers));
        assert_eq!(
            restored.checkpoint.map(|checkpoint| checkpoint.body),
            made.map(|(_, body)| body.clone())
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_journal_is_a_list_whatever_happens(steps in prop::collection::vec(step(), 1..40)) {
        let mut model = Model::new();
        for step in &steps {
            model.apply(step);
            if matches!(step, Step::Reopen | Step::Crash | Step::CrashCut(_) | Step::Compact(_)) {
                model.check();
            }
        }
        model.check();
        let report = verify(model.dir.path(), &key()).unwrap();
        prop_assert!(report.is_sound(), "{:?}", report.faults);
        prop_assert_eq!(report.entries as usize, model.entries.len());
    }
}

const CHILD_DIR: &str = "WARDLIGHT_JOURNAL_CHILD_DIR";

fn nth(seq: u64) -> Entry {
    let body = format!("entry {seq} {}", "y".repeat(seq as usize % 300));
    entry(
        Kind::ALL[seq as usize % 7],
        (seq % 5) as u8,
        START_MS + seq as i64 * 2_000,
        body.as_bytes(),
    )
}

/// Prints every acknowledged sequence; the clock is that of the entries.
struct Printing(i64);

impl WriterEvents<()> for Printing {
    fn on_commit(&mut self, committed: Vec<((), Range<u64>)>) {
        let end = committed.last().unwrap().1.end;
        self.0 = START_MS + end as i64 * 2_000;
        let mut out = std::io::stdout().lock();
        writeln!(out, "acknowledged {}", end - 1).unwrap();
        out.flush().unwrap();
    }

    fn on_failure(&mut self, error: &JournalError, _fate: Fate) -> Verdict {
        panic!("{error}");
    }

    fn now_ms(&mut self) -> Option<i64> {
        Some(self.0)
    }

    fn on_maintenance(&mut self, done: &Result<wardlight_journal::Maintained, JournalError>) {
        assert!(done.is_ok(), "{done:?}");
    }
}

#[test]
#[ignore = "started and killed by every_acknowledged_entry_survives_kill_9"]
fn child_that_appends_until_it_is_killed() {
    let dir = PathBuf::from(std::env::var_os(CHILD_DIR).unwrap());
    let options = Options {
        max_hot_bytes: 200_000,
        ..Options::default()
    };
    let (journal, _) = Journal::open(&dir, &key(), options).unwrap();
    let mut next = journal.newest() + 1;
    let options = WriterOptions {
        max_entries: 97,
        capacity: 200,
        ..WriterOptions::default()
    };
    let writer = Writer::start(journal, options, Printing(START_MS)).unwrap();
    let submitter = writer.submitter();
    loop {
        let mut submission = Submission::new((next..next + 3).map(nth).collect(), ());
        next += 3;
        if next.is_multiple_of(500) {
            submission.checkpoint = Some(Checkpoint {
                at_ms: START_MS,
                body: next.to_le_bytes().to_vec(),
            });
        }
        submitter.submit(submission).unwrap();
    }
}

/// Runs the child until it has acknowledged `acknowledgements` times, kills it, returns the last it acknowledged.
fn run_and_kill(dir: &Path, acknowledgements: usize) -> u64 {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["child_that_appends_until_it_is_killed", "--exact", "--ignored", "--nocapture"])
        .env(CHILD_DIR, dir)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
    let mut acknowledged = lines
        .by_ref()
        .filter_map(|line| line.strip_prefix("acknowledged ")?.parse().ok());
    let mut last = acknowledged.by_ref().take(acknowledgements).last().unwrap();
    child.kill().unwrap();
    // What it said between our decision and its end counts as well.
    last = acknowledged.last().unwrap_or(last);
    child.wait().unwrap();
    last
}

#[test]
fn every_acknowledged_entry_survives_kill_9() {
    let dir = tempfile::tempdir().unwrap();
    let mut before = 0;
    for round in 0..30_u64 {
        // One to forty acknowledgements, spread without order.
        let last = run_and_kill(dir.path(), (round * 17 % 40) as usize + 1);
        assert!(last > before);
        let mut reader = Reader::open(dir.path(), &key()).unwrap();
        let newest = reader.newest().unwrap();
        assert!(
            newest >= last,
            "round {round}: {last} was acknowledged, {newest} is the newest"
        );
        let mut expected = 1;
        for item in reader.entries(1, Filter::default()) {
            let seq = expected;
            assert_eq!(item.unwrap(), Stored { seq, entry: nth(seq) });
            expected += 1;
        }
        assert_eq!(expected, newest + 1);
        let restored = reader.latest_checkpoint().unwrap();
        assert!(restored.skipped.is_empty());
        before = newest;
    }
    let report = verify(dir.path(), &key()).unwrap();
    assert!(report.is_sound(), "{:?}", report.faults);
    assert!(report.segments > 0, "compaction ran between the kills");
}
