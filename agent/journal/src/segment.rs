//! A segment: the entries of one stay, of one kind, from one hour (or a part of these), in columns, compressed
//! and sealed as one.
//!
//! Columns, each delta-coded as variable-length integers: sequences, times, body lengths; then the bodies.

use lz4_flex::block::{compress_prepend_size, decompress_size_prepended};

use crate::entry::{Entry, Kind, MAX_BODY, StayToken, Stored};

/// Milliseconds in the hour by which segments are cut.
pub(crate) const HOUR_MS: i64 = 3_600_000;
/// Bytes of bodies at which a segment is closed and another begun: what LZ4 can look back over.
pub(crate) const FULL_BYTES: usize = 64 << 10;
/// Entries at which a segment is closed.
const FULL_ROWS: usize = 4096;
const DOMAIN: &[u8; 8] = b"wlj1 seg";

/// What of a segment stands in clear. All of it is bound to the seal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SegmentHead {
    pub(crate) hour: i64,
    pub(crate) kind: Kind,
    pub(crate) first_seq: u64,
    pub(crate) last_seq: u64,
    /// The newest time in it, in milliseconds since 1970.
    pub(crate) last_ms: i64,
    pub(crate) rows: u64,
}

impl SegmentHead {
    pub(crate) fn associated(&self, stay: StayToken) -> Vec<u8> {
        let mut bytes = DOMAIN.to_vec();
        bytes.extend(stay.0);
        bytes.push(self.kind.number());
        bytes.extend(self.hour.to_le_bytes());
        bytes.extend(self.first_seq.to_le_bytes());
        bytes.extend(self.last_seq.to_le_bytes());
        bytes.extend(self.last_ms.to_le_bytes());
        bytes.extend(self.rows.to_le_bytes());
        bytes
    }
}

/// Gathers entries for one segment.
#[derive(Debug, Default)]
pub(crate) struct Builder {
    rows: Vec<(u64, i64, usize)>,
    bodies: Vec<u8>,
}

impl Builder {
    /// Adds an entry; its sequence must be above those before.
    pub(crate) fn push(&mut self, seq: u64, at_ms: i64, body: &[u8]) {
        self.rows.push((seq, at_ms, body.len()));
        self.bodies.extend_from_slice(body);
    }

    pub(crate) fn bytes(&self) -> usize {
        self.bodies.len()
    }

    pub(crate) fn is_full(&self) -> bool {
        self.bodies.len() >= FULL_BYTES || self.rows.len() >= FULL_ROWS
    }

    /// The head and the compressed columns; `None` if there is nothing in it.
    pub(crate) fn finish(&self, hour: i64, kind: Kind) -> Option<(SegmentHead, Vec<u8>)> {
        let head = SegmentHead {
            hour,
            kind,
            first_seq: self.rows.first()?.0,
            last_seq: self.rows.last()?.0,
            last_ms: self.rows.iter().map(|row| row.1).max()?,
            rows: self.rows.len() as u64,
        };
        let mut columns = Vec::with_capacity(self.bodies.len() + self.rows.len() * 6);
        let mut before = head.first_seq;
        for (seq, _, _) in &self.rows {
            put(&mut columns, seq - before);
            before = *seq;
        }
        let mut before = hour.wrapping_mul(HOUR_MS);
        for (_, at_ms, _) in &self.rows {
            put(&mut columns, zigzag(at_ms.wrapping_sub(before)));
            before = *at_ms;
        }
        for (_, _, length) in &self.rows {
            put(&mut columns, *length as u64);
        }
        columns.extend_from_slice(&self.bodies);
        Some((head, compress_prepend_size(&columns)))
    }
}

/// The entries of an opened segment, in order; `None` if it is not what [`Builder::finish`] made.
pub(crate) fn decode(head: &SegmentHead, stay: StayToken, compressed: &[u8]) -> Option<Vec<Stored>> {
    let (size, _) = compressed.split_first_chunk::<4>()?;
    let largest = FULL_BYTES + MAX_BODY + FULL_ROWS * 30;
    if u32::from_le_bytes(*size) as usize > largest {
        return None;
    }
    let columns = decompress_size_prepended(compressed).ok()?;
    let mut rest = columns.as_slice();
    let rows = usize::try_from(head.rows).ok().filter(|rows| *rows <= FULL_ROWS)?;
    let mut seq = head.first_seq;
    let seqs = column(&mut rest, rows, |delta| {
        seq = seq.checked_add(delta)?;
        Some(seq)
    })?;
    let mut at_ms = head.hour.wrapping_mul(HOUR_MS);
    let times = column(&mut rest, rows, |delta| {
        at_ms = at_ms.wrapping_add(unzigzag(delta));
        Some(at_ms)
    })?;
    let lengths = column(&mut rest, rows, |length| usize::try_from(length).ok())?;
    let mut entries = Vec::with_capacity(rows);
    for ((seq, at_ms), length) in seqs.into_iter().zip(times).zip(lengths) {
        let (body, left) = rest.split_at_checked(length)?;
        rest = left;
        let entry = Entry {
            kind: head.kind,
            stay,
            at_ms,
            body: body.to_vec(),
        };
        entries.push(Stored { seq, entry });
    }
    (rest.is_empty() && seq == head.last_seq).then_some(entries)
}

fn column<T>(rest: &mut &[u8], rows: usize, mut value: impl FnMut(u64) -> Option<T>) -> Option<Vec<T>> {
    (0..rows).map(|_| value(take(rest)?)).collect()
}

/// LEB128: seven bits a byte, least significant first, the high bit set on all but the last.
fn put(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

fn take(rest: &mut &[u8]) -> Option<u64> {
    let mut value = 0_u64;
    for shift in (0..64).step_by(7) {
        let (byte, left) = rest.split_first()?;
        *rest = left;
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

/// Signed to unsigned so that small magnitudes of either sign stay small.
fn zigzag(value: i64) -> u64 {
    ((value << 1) ^ (value >> 63)).cast_unsigned()
}

fn unzigzag(value: u64) -> i64 {
    (value >> 1).cast_signed() ^ -((value & 1).cast_signed())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn rows() -> impl Strategy<Value = Vec<(u64, i64, Vec<u8>)>> {
        let row = (1..1000_u64, any::<i64>(), prop::collection::vec(any::<u8>(), 0..50));
        prop::collection::vec(row, 1..100)
    }

    proptest! {
        #[test]
        fn what_goes_in_comes_out(steps in rows(), hour in any::<i64>()) {
            let stay = StayToken([1; 16]);
            let mut builder = Builder::default();
            let mut expected = Vec::new();
            let mut seq = 0;
            for (step, at_ms, body) in steps {
                seq += step;
                builder.push(seq, at_ms, &body);
                let entry = Entry { kind: Kind::Score, stay, at_ms, body };
                expected.push(Stored { seq, entry });
            }
            let (head, compressed) = builder.finish(hour, Kind::Score).unwrap();
            prop_assert_eq!(decode(&head, stay, &compressed).unwrap(), expected);
        }

        #[test]
        fn anything_else_is_refused_without_panic(
            bytes in prop::collection::vec(any::<u8>(), 0..200),
            first_seq in any::<u64>(),
            rows in any::<u64>(),
        ) {
            let head = SegmentHead { hour: 1, kind: Kind::Score, first_seq, last_seq: first_seq, last_ms: 0, rows };
            decode(&head, StayToken::SITE, &bytes);
            let mut sized = (bytes.len() as u32).to_le_bytes().to_vec();
            sized.extend(&bytes);
            decode(&head, StayToken::SITE, &sized);
        }
    }

    #[test]
    fn regular_entries_cost_little_beside_their_bodies() {
        let mut builder = Builder::default();
        for n in 0..200 {
            builder.push(1000 + n * 7, 5 * HOUR_MS + n as i64 * 1000, &[]);
        }
        let (_, compressed) = builder.finish(5, Kind::Message).unwrap();
        assert!(compressed.len() < 60, "{} bytes", compressed.len());
    }
}
