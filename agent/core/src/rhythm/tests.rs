//! Synthetic patients: what begins, what ends, and what must not.

mod conditions;
mod signal;
mod synthetic;
