//! Early-warning scores.

mod news2;

pub use news2::{Band, News2, News2Input, News2Parts};
