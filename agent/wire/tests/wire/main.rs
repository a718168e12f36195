//! The contract as a whole: round trips, bad input, arbitrary bytes, the published files, the document's examples.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests fail by panicking"
)]

mod bad_input;
mod broker;
mod cddl;
mod contract;
mod corpus;
mod document;
mod json_schema;
mod messages;
mod round_trip;
mod senml;

#[path = "../../fuzz/check.rs"]
mod check;
