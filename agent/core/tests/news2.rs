//! NEWS2: worked vectors, an exhaustive boundary grid against an independent oracle, and the lower bound.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests fail by panicking"
)]

#[path = "news2/grid.rs"]
mod grid;
#[path = "news2/lower_bound.rs"]
mod lower_bound;
#[path = "news2/oracle.rs"]
mod oracle;
#[path = "news2/vectors.rs"]
mod vectors;
