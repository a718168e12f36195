//! WFDB records: header, signal files, segments, annotations, as PhysioNet's WFDB Applications Guide (header(5), signal(5),
//! annot(5)) describes them.

pub mod annotation;
pub mod format;
pub mod header;
mod record;
#[cfg(test)]
mod tests;

pub use annotation::{Annotation, read_annotations};
pub use format::Format;
pub use header::Header;
pub use record::{Checks, MISSING, Record, Signal, read_record};
