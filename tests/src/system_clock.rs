//! A system clock that a test sets, for a process that is started under it: Debian's libfaketime stands before the C library.

use std::fs;
use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

use crate::wait::now_ms;

const LIBRARY: &str = "/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1";

/// A wall clock beside the real one. The monotonic clock stays the real one, as with any clock that somebody sets.
#[derive(Debug)]
pub struct SystemClock {
    folder: TempDir,
    ahead_s: i64,
}

impl SystemClock {
    /// A clock that is so many seconds ahead of the real one.
    pub fn new(ahead_s: i64) -> Self {
        assert!(
            Path::new(LIBRARY).is_file(),
            "no {LIBRARY}; install the Debian package faketime (tests/run does)"
        );
        let folder = tempfile::tempdir().unwrap();
        let mut clock = Self { folder, ahead_s };
        clock.set(ahead_s);
        clock
    }

    /// A clock that shows that time now, in milliseconds since 1970.
    pub fn showing(at_ms: i64) -> Self {
        Self::new((at_ms - now_ms()) / 1000)
    }

    /// Sets it, also for those who run under it.
    pub fn set(&mut self, ahead_s: i64) {
        self.ahead_s = ahead_s;
        // Renamed into place: nobody reads half of it.
        let next = self.folder.path().join("next");
        fs::write(&next, format!("{ahead_s:+}")).unwrap();
        fs::rename(next, self.folder.path().join("clock")).unwrap();
    }

    /// How far it is ahead of the real one, in milliseconds.
    pub const fn ahead_ms(&self) -> i64 {
        self.ahead_s * 1000
    }

    /// The process will live by this clock.
    pub fn rule(&self, command: &mut Command) {
        command
            .env("LD_PRELOAD", LIBRARY)
            .env("FAKETIME_TIMESTAMP_FILE", self.folder.path().join("clock"))
            .env("FAKETIME_NO_CACHE", "1")
            .env("FAKETIME_DONT_FAKE_MONOTONIC", "1");
    }
}
