//! The heart of Wardlight: vitals, scores, alarms and the [`Ward`](ward::Ward) that ties them together.
//!
//! Nothing here reads a clock, a file or a socket, and nothing is random: events and the time go in, effects come out,
//! so a recorded day replays to the same alarms bit for bit.
//!
//! State types derive serde so that the agent can checkpoint the whole Ward; nothing here is a wire format.
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

pub mod alarms;
pub mod bed_rhythms;
pub mod blind;
pub mod codes;
pub mod drift;
pub mod event;
pub mod handover;
pub mod hex;
pub mod ids;
pub mod limits;
pub mod message;
pub mod patient;
pub mod people;
pub mod rhythm;
pub mod scores;
pub mod time;
pub mod trend;
pub mod view;
pub mod vitals;
pub mod ward;
