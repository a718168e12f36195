//! How many entries a second the journal commits on this disk, and what one costs in CPU time.
//!
//! `cargo run --release -p wardlight-journal --example throughput -- [DIR] [SECONDS]`
//!
//! One core appends batches of 400 entries of 250 bytes, one transaction each, for a ward of 40 stays, with a
//! checkpoint of 1 MiB every 100,000 entries: first with every commit synced (as the agent runs), then without.
//! Then the same through the writer's thread. The journal is made in DIR (default: the folder for temporary files) and removed.
#![allow(
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a benchmark prints and measures time"
)]

use std::ops::Range;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use wardlight_journal::{
    Checkpoint, Entry, Fate, Journal, JournalError, Kind, Options, Part, SiteKey, StayToken, Submission, Verdict, Writer,
    WriterEvents, WriterOptions,
};

const BATCH: usize = 400;
const BODY_BYTES: usize = 250;
const STAYS: usize = 40;
const COMPACTED: u64 = 300_000;
const CHECKPOINT_EVERY: u64 = 100_000;
const CHECKPOINT_BYTES: usize = 1 << 20;

type Outcome = Result<(), Box<dyn std::error::Error>>;

fn main() -> Outcome {
    let mut arguments = std::env::args().skip(1);
    let parent = arguments.next().map_or_else(std::env::temp_dir, PathBuf::from);
    let seconds = arguments.next().map_or(Ok(5), |text| text.parse())?;
    let length = Duration::from_secs(seconds);
    println!(
        "batches of {BATCH} entries of {BODY_BYTES} bytes, {STAYS} stays, {seconds} s each, in {}",
        parent.display()
    );
    for synced in [true, false] {
        let dir = dir_of(&parent);
        let direct = append_for(&dir, synced, length);
        std::fs::remove_dir_all(&dir)?;
        let threaded = write_for(&dir, synced, length);
        std::fs::remove_dir_all(&dir)?;
        let name = if synced { "synchronous=FULL  " } else { "synchronous=NORMAL" };
        println!("{name}  append  {}", direct?);
        println!("{name}  Writer  {}", threaded?);
    }
    println!(
        "compaction of {COMPACTED} entries, a step at a time: {}",
        compact(&dir_of(&parent))?
    );
    std::fs::remove_dir_all(dir_of(&parent))?;
    Ok(())
}

fn dir_of(parent: &Path) -> PathBuf {
    parent.join(format!("wardlight-journal-bench-{}", std::process::id()))
}

/// Fills a journal with readings that compress as real ones do, then moves all of it into segments.
fn compact(dir: &Path) -> Result<Figures, Box<dyn std::error::Error>> {
    let mut journal = open(dir, true)?;
    let mut entries = 0;
    while entries < COMPACTED {
        let mut batch = batch(entries);
        for (n, entry) in batch.iter_mut().enumerate() {
            let seq = entries + n as u64;
            let text = format!(
                "{{\"seq\":{seq},\"hr\":{},\"spo2\":{},\"resp\":{}}}",
                60 + seq % 37,
                90 + seq % 9,
                12 + seq % 7
            );
            entry.body = text.repeat(6).into_bytes();
        }
        entries = journal.append(&batch)?.end - 1;
    }
    let before = std::fs::metadata(dir.join("journal.db"))?.len();
    let (started, cpu_before) = (Instant::now(), cpu_time()?);
    let mut steps = Vec::new();
    loop {
        let began = Instant::now();
        let done = journal.compact(1_790_000_000_000)?;
        steps.push(began.elapsed());
        if !done.pending {
            break;
        }
    }
    let figures = Figures {
        entries,
        took: started.elapsed(),
        cpu: cpu_time()?.saturating_sub(cpu_before),
        commits: steps,
    };
    drop(journal);
    let db = rusqlite::Connection::open(dir.join("journal.db"))?;
    let sealed: i64 = db.query_row("SELECT sum(length(sealed)) FROM segments", [], |row| row.get(0))?;
    println!(
        "rows in {} MiB became segments of {:.1} MiB",
        before >> 20,
        sealed as f64 / f64::from(1 << 20)
    );
    Ok(figures)
}

struct Figures {
    entries: u64,
    took: Duration,
    cpu: Duration,
    commits: Vec<Duration>,
}

impl std::fmt::Display for Figures {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let rate = self.entries as f64 / self.took.as_secs_f64();
        let cost = self.cpu.as_secs_f64() * 1e6 / self.entries as f64;
        write!(f, "{rate:>9.0} entries/s  {cost:.2} us CPU each")?;
        let mut sorted = self.commits.clone();
        sorted.sort();
        let at = |share: f64| {
            sorted
                .get((sorted.len() as f64 * share) as usize)
                .copied()
                .unwrap_or_default()
        };
        if let Some(longest) = sorted.last() {
            write!(
                f,
                "  a commit or step: p50 {:.1?} p99 {:.1?} max {longest:.1?}",
                at(0.5),
                at(0.99)
            )?;
        }
        match resident_kib() {
            Some(kib) => write!(f, "  resident {:.1} MiB", kib as f64 / 1024.0),
            None => Ok(()),
        }
    }
}

fn append_for(dir: &Path, synced: bool, length: Duration) -> Result<Figures, Box<dyn std::error::Error>> {
    let mut journal = open(dir, synced)?;
    let state = Checkpoint {
        at_ms: 0,
        body: vec![7; CHECKPOINT_BYTES],
    };
    let (started, cpu_before) = (Instant::now(), cpu_time()?);
    let mut commits = Vec::new();
    let mut entries = 0;
    while started.elapsed() < length {
        let batch = batch(entries);
        let due = entries % CHECKPOINT_EVERY == 0;
        let began = Instant::now();
        entries = journal
            .commit(&[Part {
                entries: &batch,
                checkpoint: due.then_some(&state),
                suspects: &[],
            }])?
            .end
            - 1;
        commits.push(began.elapsed());
    }
    Ok(Figures {
        entries,
        took: started.elapsed(),
        cpu: cpu_time()?.saturating_sub(cpu_before),
        commits,
    })
}

struct Counting;

impl WriterEvents<()> for Counting {
    fn on_commit(&mut self, _committed: Vec<((), Range<u64>)>) {}

    fn on_failure(&mut self, error: &JournalError, _fate: Fate) -> Verdict {
        println!("{error}");
        Verdict::Stop
    }
}

/// One entry a submission, as the agent does it.
fn write_for(dir: &Path, synced: bool, length: Duration) -> Result<Figures, Box<dyn std::error::Error>> {
    let writer = Writer::start(open(dir, synced)?, WriterOptions::default(), Counting)?;
    let submitter = writer.submitter();
    let (started, cpu_before) = (Instant::now(), cpu_time()?);
    let mut sent = 0;
    while started.elapsed() < length {
        for entry in batch(sent) {
            submitter
                .submit(Submission::new(vec![entry], ()))
                .map_err(|refused| format!("{:?}", refused.reason))?;
            sent += 1;
        }
    }
    let closed = writer.close();
    let log = std::fs::metadata(dir.join("journal.db-wal")).map_or(0, |file| file.len());
    println!("the write-ahead log came to {:.1} MiB", log as f64 / f64::from(1 << 20));
    let entries = closed.journal.map_or(0, |journal| journal.newest());
    Ok(Figures {
        entries,
        took: started.elapsed(),
        cpu: cpu_time()?.saturating_sub(cpu_before),
        commits: Vec::new(),
    })
}

fn open(dir: &Path, synced: bool) -> Result<Journal, JournalError> {
    let options = Options {
        sync_every_commit: synced,
        ..Options::default()
    };
    Journal::open(dir, &SiteKey::from_bytes([5; 32]), options).map(|(journal, _)| journal)
}

fn batch(from: u64) -> Vec<Entry> {
    (0..BATCH)
        .map(|n| Entry {
            kind: if n % 10 == 9 { Kind::Score } else { Kind::Message },
            stay: StayToken([(n % STAYS) as u8 + 1; 16]),
            at_ms: 1_780_000_000_000 + from as i64 / 20,
            body: (0..BODY_BYTES).map(|byte| (byte * 31 + n) as u8).collect(),
        })
        .collect()
}

/// User and system time of this process so far (Linux; its ticks are 10 ms).
fn cpu_time() -> Result<Duration, Box<dyn std::error::Error>> {
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    let (_, fields) = stat.rsplit_once(')').ok_or("an unknown form of /proc/self/stat")?;
    let ticks: u64 = fields
        .split_whitespace()
        .skip(11)
        .take(2)
        .map(|field| field.parse::<u64>().unwrap_or(0))
        .sum();
    Ok(Duration::from_millis(ticks * 10))
}

fn resident_kib() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmRSS:"))?;
    line.split_whitespace().nth(1)?.parse().ok()
}
