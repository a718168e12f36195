//! How full the disk under the journal is, for the technician's page and the metrics.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use metrics::gauge;
use tokio::sync::watch;
use tokio::time::{MissedTickBehavior, interval};
use wardlight_station::{Station, Storage};

use crate::metrics as m;
use crate::session::Phase;

const EVERY: Duration = Duration::from_secs(10);

/// Looks from time to time until the agent stops.
pub(crate) async fn watch(dir: PathBuf, station: Station, mut phases: watch::Receiver<Phase>) -> anyhow::Result<()> {
    let mut due = interval(EVERY);
    due.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = due.tick() => {}
            _ = phases.wait_for(|phase| *phase != Phase::Run) => return Ok(()),
        }
        let dir = dir.clone();
        // A disk that hangs must not hold up what else the runtime does.
        let Ok(storage) = tokio::task::spawn_blocking(move || look(&dir)).await else {
            continue;
        };
        for (metric, bytes) in [
            (m::JOURNAL_BYTES, storage.journal_bytes),
            (m::DISK_FREE_BYTES, storage.free_bytes),
        ] {
            if let Some(bytes) = bytes {
                gauge!(metric).set(bytes as f64);
            }
        }
        station.publish_storage(storage);
    }
}

fn look(dir: &Path) -> Storage {
    let free = rustix::fs::statvfs(dir).ok();
    Storage {
        journal_bytes: taken(dir),
        free_bytes: free.map(|disk| disk.f_bavail.saturating_mul(disk.f_frsize)),
    }
}

/// Bytes of all files of a folder.
fn taken(dir: &Path) -> Option<u64> {
    let files = fs::read_dir(dir).ok()?.filter_map(Result::ok);
    let sizes = files.filter_map(|file| file.metadata().ok()).map(|file| file.len());
    Some(sizes.sum())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_journals_size_and_the_free_room_are_told() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("a"), [0; 1000]).unwrap();
        let storage = look(dir.path());
        assert_eq!(storage.journal_bytes, Some(1000));
        assert!(storage.free_bytes.is_some_and(|bytes| bytes > 0));
        assert_eq!(look(&dir.path().join("gone")), Storage::default());
    }
}
