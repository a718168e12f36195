//! `[journal]`: the encrypted store.

use std::path::PathBuf;
use std::time::Duration;

use super::reader::Section;

/// How much of the waveforms is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Waveforms {
    /// Strips around alarms and scores.
    Strips,
    /// Every sample.
    Full,
}

/// The encrypted store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct JournalConfig {
    /// Its folder.
    pub(crate) dir: PathBuf,
    /// The site key; mode 0600.
    pub(crate) key_file: PathBuf,
    /// Longest wait for company before a commit, 1 to 20 ms.
    pub(crate) linger: Duration,
    /// How long records are kept; alarms and audit outlive them.
    pub(crate) keep: Duration,
    /// Most disk space, in bytes.
    pub(crate) max_bytes: u64,
    /// How much of the waveforms is kept.
    pub(crate) waveforms: Waveforms,
}

pub(super) fn read(mut section: Section<'_>) -> JournalConfig {
    let config = JournalConfig {
        dir: section.path_or("dir", "journal"),
        key_file: section.secret_file_or("key_file", "site.key"),
        linger: Duration::from_millis(section.integer("linger_ms", 5, 1..=20)),
        keep: Duration::from_secs(section.integer("keep_days", 30, 1..=3650) * 24 * 3600),
        max_bytes: section.integer("max_mib", 8192, 1..=16 * 1024 * 1024) * 1024 * 1024,
        waveforms: section.choice(
            "waveforms",
            Waveforms::Strips,
            &[("strips", Waveforms::Strips), ("full", Waveforms::Full)],
        ),
    };
    section.finish();
    config
}
