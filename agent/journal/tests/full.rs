//! A full disk, for real: a small tmpfs, which takes root to mount. Without it the tests say that they did not
//! run; `append::tests::a_full_database_stores_nothing_and_goes_on_when_there_is_room` needs no root and always runs.
#![cfg(target_os = "linux")]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stderr,
    reason = "tests fail by panicking"
)]

mod common;

use std::ops::Range;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::mpsc::{SyncSender, sync_channel};

use common::{START_MS, entry, key, messages, numbered, open, read_all};
use wardlight_journal::{
    Checkpoint, Entry, Fate, Journal, JournalError, Kind, Options, Submission, Verdict, Writer, WriterEvents, WriterOptions,
    verify,
};

/// A file system of its own, unmounted when dropped.
struct SmallDisk(tempfile::TempDir);

impl SmallDisk {
    fn mount(mib: u32) -> Option<Self> {
        let dir = tempfile::tempdir().unwrap();
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &format!("size={mib}m"), "tmpfs"])
            .arg(dir.path())
            .status()
            .is_ok_and(|status| status.success());
        if !mounted {
            eprintln!("NOT RUN: mounting a small file system takes root");
            return None;
        }
        Some(SmallDisk(dir))
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn grow(&self, mib: u32) {
        let grown = Command::new("mount")
            .args(["-o", &format!("remount,size={mib}m")])
            .arg(self.path())
            .status();
        assert!(grown.unwrap().success());
    }

    /// Takes up all space but this many bytes.
    fn fill(&self, free: usize) -> PathBuf {
        use std::io::Write;
        let path = self.path().join("filler");
        let mut file = std::fs::File::create(&path).unwrap();
        while file.write_all(&[1; 4096]).is_ok() {}
        let length = file.metadata().unwrap().len();
        file.set_len(length.saturating_sub(free as u64)).unwrap();
        path
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        Command::new("umount").arg("-l").arg(self.path()).status().unwrap();
    }
}

#[test]
fn a_full_disk_stores_nothing_half_and_goes_on_when_there_is_room() {
    let Some(disk) = SmallDisk::mount(8) else { return };
    let mut journal = open(disk.path());
    let mut entries: Vec<Entry> = Vec::new();
    let batch: Vec<_> = (0..50).map(|n| entry(Kind::Strip, n % 3, START_MS, &[n; 3000])).collect();
    let error = loop {
        match journal.append(&batch) {
            Ok(_) => entries.extend(batch.clone()),
            Err(error) => break error,
        }
    };
    assert!(matches!(error, JournalError::Full), "{error}");
    assert_eq!(error.fate(), Fate::Retry);
    let state = Checkpoint {
        at_ms: START_MS,
        body: vec![0; 4 << 20],
    };
    assert!(matches!(journal.checkpoint(&state), Err(JournalError::Full)));
    assert!(matches!(journal.append(&batch), Err(JournalError::Full)));
    assert_eq!(journal.newest(), entries.len() as u64);
    let read = |disk: &SmallDisk| -> Vec<_> { read_all(disk.path()).into_iter().map(Result::unwrap).collect() };
    assert_eq!(read(&disk), numbered(&entries));
    disk.grow(64);
    journal.append(&batch).unwrap();
    entries.extend(batch);
    journal.checkpoint(&state).unwrap();
    drop(journal);
    assert_eq!(read(&disk), numbered(&entries));
    assert!(verify(disk.path(), &key()).unwrap().is_sound());
}

#[test]
fn opening_on_a_full_disk_never_takes_the_journal_for_damaged() {
    for free in [0, 4096, 8192, 16_384, 32_768, 65_536] {
        let Some(disk) = SmallDisk::mount(4) else { return };
        open(disk.path()).append(&messages(500)).unwrap();
        disk.fill(free);
        match Journal::open(disk.path(), &key(), Options::default()) {
            Ok((mut journal, report)) => {
                assert_eq!((journal.newest(), report.replaced), (500, None));
                // It may fit or not; it must say which.
                match journal.append(&messages(100)) {
                    Ok(range) => assert_eq!(range, 501..601),
                    Err(error) => assert_eq!(error.fate(), Fate::Retry, "{error}"),
                }
            }
            Err(error) => assert_eq!(error.fate(), Fate::Retry, "{free} bytes free: {error}"),
        }
        std::fs::remove_file(disk.path().join("filler")).unwrap();
        let report = verify(disk.path(), &key()).unwrap();
        assert!(report.is_sound() && report.entries >= 500, "{free} bytes free: {report:?}");
        open(disk.path()).append(&messages(100)).unwrap();
    }
}

/// Makes room at the third failure.
struct MakesRoom {
    filler: PathBuf,
    failures: usize,
    committed: SyncSender<(usize, Range<u64>)>,
}

impl WriterEvents<usize> for MakesRoom {
    fn on_commit(&mut self, committed: Vec<(usize, Range<u64>)>) {
        for item in committed {
            self.committed.send(item).unwrap();
        }
    }

    fn on_failure(&mut self, error: &JournalError, _fate: Fate) -> Verdict {
        assert!(matches!(error, JournalError::Full), "{error}");
        self.failures += 1;
        if self.failures == 3 {
            std::fs::remove_file(&self.filler).unwrap();
        }
        Verdict::Retry
    }
}

#[test]
fn the_writer_drops_nothing_while_the_disk_is_full() {
    let Some(disk) = SmallDisk::mount(8) else { return };
    let journal = open(disk.path());
    let filler = disk.fill(0);
    let (committed, heard) = sync_channel(10_000);
    let events = MakesRoom {
        filler,
        failures: 0,
        committed,
    };
    let writer = Writer::start(journal, WriterOptions::default(), events).unwrap();
    let submitter = writer.submitter();
    let entries = messages(300);
    for (ticket, entry) in entries.iter().enumerate() {
        submitter.submit(Submission::new(vec![entry.clone()], ticket)).unwrap();
    }
    let told: Vec<_> = heard.iter().take(300).collect();
    drop(writer);
    let expected: Vec<_> = (0..300).map(|n| (n, n as u64 + 1..n as u64 + 2)).collect();
    assert_eq!(told, expected);
    let read: Vec<_> = read_all(disk.path()).into_iter().map(Result::unwrap).collect();
    assert_eq!(read, numbered(&entries));
}
