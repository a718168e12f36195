//! The audit trail: every [`Kind::Audit`](crate::Kind::Audit) entry is chained to the one before it when it is stored.
//!
//! A link holds the record's number and the hash of the record before; the hash of the newest, the *head*, is kept sealed beside
//! the entries and written by the same transaction. Where retention removes old records, the last one removed becomes the *base*
//! from which the chain is followed.
//!
//! What is found without the site key: nothing can be read or forged, and whatever is deleted, swapped or changed breaks a seal,
//! a link or the head. What is not: putting back an older copy of the *whole* database, head included. Whoever has the site key
//! can rewrite everything. Both are found only by comparing with a head that was written down elsewhere before; see [`verify_audit`].

mod chain;
mod list;
pub(crate) mod trail;
mod verify;

pub use chain::Head;
pub(crate) use chain::{BASE, HEAD, resume, store, unlink};
pub use list::Audited;
pub use verify::{AuditReport, Break, Broken, verify_audit};
