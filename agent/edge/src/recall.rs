//! What pages show of the time before a restart: alarms with their receipts, and trends, read back from the journal beside
//! the running Ward.

use std::time::Duration;

use tracing::warn;
use wardlight_core::ids::StayToken;
use wardlight_core::time::Timestamp;
use wardlight_journal::{Filter, JournalError, Kind, Reader};
use wardlight_station::{Past, Station};

use crate::record::Stored;

/// How far back pages look.
const LOOK_BACK: Duration = Duration::from_hours(24);

/// Reads the last day back and shows it. Pages lack it until then; alarms do not wait for it.
pub(crate) fn run(reader: &mut Reader, station: &Station, now: Timestamp) {
    let since = now.minus(LOOK_BACK).max(first(reader).unwrap_or(now));
    match read(reader, since) {
        Ok(past) => station.recall(past, since),
        Err(error) => warn!(%error, "The last day could not be read back: pages show what happens from now on."),
    }
}

/// When the record begins.
fn first(reader: &mut Reader) -> Option<Timestamp> {
    let mut entries = reader.entries(0, Filter::default());
    entries
        .find_map(Result::ok)
        .map(|stored| Timestamp::from_millis(stored.entry.at_ms))
}

fn read(reader: &mut Reader, since: Timestamp) -> Result<Past, JournalError> {
    let mut past = Past::default();
    let filter = Filter {
        from_ms: since.as_millis(),
        ..Filter::of_kinds(&[Kind::Alarm, Kind::Trend])
    };
    for item in reader.entries(0, filter) {
        let stored = match item {
            Ok(stored) => stored,
            // Counted and told by the restore already.
            Err(JournalError::Damaged(_)) => continue,
            Err(error) => return Err(error),
        };
        let stay = StayToken::from_bytes(stored.entry.stay.0);
        match Stored::read(&stored.entry.body) {
            Ok(Stored::Alarm(change)) => past.alarm(&change),
            Ok(Stored::Receipt(alarm, receipt, at)) => past.receipt(&alarm, receipt, at),
            Ok(Stored::Trend(bed, row)) => past.trend(&bed, stay, Timestamp::from_millis(stored.entry.at_ms), &row),
            Ok(_) | Err(_) => {}
        }
    }
    Ok(past)
}
