//! The journal: what the agent knows, on disk before anyone is told that it was taken in.
//!
//! It stores bytes and knows nothing of MQTT, wards or patients. Every entry is sealed under the data key of the
//! stay it belongs to, committed in groups and synced; at start the agent takes the newest checkpoint and replays
//! the entries behind it. [`Journal`] is the one writer, [`Writer`] runs it on its own thread, [`Reader`] reads
//! beside it.
//!
//! Deliberately absent: a clock. The time of every entry, and "now" for retention, come from the caller.

#![cfg_attr(
    test,
    allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing,
        reason = "tests fail by panicking"
    )
)]

mod append;
mod audit;
mod backup;
mod compact;
mod entry;
mod erase;
mod error;
mod key;
mod keyring;
mod merge;
mod open;
mod probe;
mod quarantine;
mod read;
mod rebuild;
mod retain;
mod rotate;
mod rows;
mod schema;
mod seal;
mod secret;
mod segment;
mod submit;
mod verify;
mod wal;
mod writer;

pub use audit::{AuditReport, Audited, Break, Broken, Head, verify_audit};
pub use backup::{BackedUp, backup, restore};
pub use compact::Compacted;
pub use entry::{Checkpoint, Entry, Kind, MAX_BODY, MAX_CHECKPOINT, Part, StayToken, Stored, Suspect};
pub use erase::{Erased, Tombstone};
pub use error::{Damage, Fate, JournalError, KeyFault, Place};
pub use key::SiteKey;
pub use open::{Journal, OpenReport, Options};
pub use quarantine::Quarantined;
pub use read::{Count, Entries, Filter, Reader, Restored};
pub use rebuild::{Replaced, Salvaged};
pub use retain::{Expired, Maintained};
pub use secret::SiteSecret;
pub use submit::{Reason, Refused, Submission, Submitter, Task};
pub use verify::{Fault, VerifyReport, verify};
pub use writer::{Closed, Verdict, Writer, WriterEvents, WriterOptions};
