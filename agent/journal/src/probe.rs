//! Getting past a malformed page: a table is a tree over its row numbers, so a search for a later row goes
//! another way down and may meet no malformed page.

use rusqlite::{Connection, Row};

use crate::error::{JournalError, is_malformed};

/// The first number above `bad`, below `end`, from which rows can be read again, or `end`: doubling steps out of
/// the malformed page, then halving back to its edge.
pub(crate) fn first_readable(
    bad: u64,
    end: u64,
    mut is_readable: impl FnMut(u64) -> Result<bool, JournalError>,
) -> Result<u64, JournalError> {
    let mut bad = bad;
    let mut step = 1_u64;
    let mut good = loop {
        let probe = bad.saturating_add(step).min(end);
        if probe >= end || is_readable(probe)? {
            break probe;
        }
        bad = probe;
        step = step.saturating_mul(2);
    };
    while good.saturating_sub(bad) > 1 {
        let middle = bad + (good - bad) / 2;
        if is_readable(middle)? {
            good = middle;
        } else {
            bad = middle;
        }
    }
    Ok(good)
}

/// Calls `visit` with every row that can be reached. `query` gives rows from the number `?1` on, in order, the
/// number in the first column. `visit` says whether the row is proved: a number that is not may be a malformed
/// page's invention, and going on behind it would lose what is between. Returns how often a malformed place had
/// to be passed over.
pub(crate) fn each_reachable(
    db: &Connection,
    query: &str,
    mut visit: impl FnMut(&Row<'_>) -> Result<bool, JournalError>,
) -> Result<u64, JournalError> {
    let end = i64::MAX.cast_unsigned();
    let mut from = 0_u64;
    let mut passed_over = 0;
    let mut statement = db.prepare(query)?;
    loop {
        let mut rows = statement.query([from.cast_signed()])?;
        let malformed = loop {
            match rows.next() {
                Ok(Some(row)) => {
                    let number: i64 = row.get(0)?;
                    let next = number.cast_unsigned().saturating_add(1);
                    if visit(row)? {
                        from = from.max(next);
                    }
                }
                Ok(None) => break false,
                Err(error) if is_malformed(&error) => break true,
                Err(error) => return Err(error.into()),
            }
        };
        drop(rows);
        if !malformed {
            return Ok(passed_over);
        }
        passed_over += 1;
        from = first_readable(from, end, |number| match statement.query([number.cast_signed()])?.next() {
            Ok(_) => Ok(true),
            Err(error) if is_malformed(&error) => Ok(false),
            Err(error) => Err(error.into()),
        })?;
        if from >= end {
            return Ok(passed_over);
        }
    }
}
