//! One array of int16 from a MATLAB file: version 4, and version 5 without compression.
//!
//! Version 4 is 20 bytes of header per matrix (type, rows, columns, imaginary, name length), the name, and the data, column by
//! column. Version 5 is a 128-byte file header and tagged elements; its integer arrays lie as they are in memory.

use std::path::Path;

use crate::SimulatorError;

/// An array of 16-bit samples, one row per signal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Samples {
    /// Variable name, `val` in PhysioNet's files.
    pub name: String,
    /// Rows: signals.
    pub rows: Vec<Vec<i16>>,
}

/// Most elements read: half an hour of eight signals at 1000 Hz, with room.
const MOST: usize = 64 << 20;

/// Reads the first matrix of a MATLAB file.
/// # Errors
/// [`SimulatorError::File`] when it is no little-endian int16 matrix of version 4 or uncompressed version 5.
pub fn read(path: &Path) -> Result<Samples, SimulatorError> {
    let bytes = std::fs::read(path).map_err(SimulatorError::io(path))?;
    let parsed = if bytes.starts_with(b"MATLAB 5.0") {
        parse_v5(&bytes)
    } else {
        parse_v4(&bytes)
    };
    parsed.map_err(|what| SimulatorError::file(path, what))
}

/// Takes little-endian words and byte runs from the front.
struct Cursor<'a>(&'a [u8]);

impl<'a> Cursor<'a> {
    fn bytes(&mut self, count: usize) -> Result<&'a [u8], String> {
        let (head, tail) = self
            .0
            .split_at_checked(count)
            .ok_or_else(|| format!("ends {} bytes early", count - self.0.len()))?;
        self.0 = tail;
        Ok(head)
    }

    fn word(&mut self) -> Result<u32, String> {
        let (head, tail) = self.0.split_first_chunk::<4>().ok_or("ends within a header")?;
        self.0 = tail;
        Ok(u32::from_le_bytes(*head))
    }

    /// A tagged element of version 5: its type and its data. Up to four bytes of data may sit in the tag itself.
    fn element(&mut self) -> Result<(u32, &'a [u8]), String> {
        let tag = self.word()?;
        if tag >> 16 != 0 {
            let length = (tag >> 16) as usize;
            let data = self.bytes(4)?;
            return Ok((tag & 0xFFFF, data.get(..length).ok_or("small element of more than 4 bytes")?));
        }
        let length = self.word()? as usize;
        let data = self.bytes(length)?;
        let padding = (8 - length % 8) % 8;
        self.bytes(padding.min(self.0.len()))?;
        Ok((tag, data))
    }
}

/// Type word of version 4 for a little-endian, full, int16 matrix.
const V4_INT16: u32 = 30;

fn parse_v4(bytes: &[u8]) -> Result<Samples, String> {
    let mut cursor = Cursor(bytes);
    let kind = cursor.word()?;
    if kind != V4_INT16 {
        return Err(format!(
            "MATLAB type {kind}: expected {V4_INT16} (little-endian int16, version 4)"
        ));
    }
    let (rows, columns) = (cursor.word()? as usize, cursor.word()? as usize);
    let imaginary = cursor.word()?;
    let name_length = cursor.word()? as usize;
    if imaginary != 0 || name_length > 64 {
        return Err(format!(
            "imaginary {imaginary}, name of {name_length} bytes: expected 0 and at most 64"
        ));
    }
    let name = text(cursor.bytes(name_length)?);
    matrix(name, rows, columns, cursor.0)
}

const MI_INT16: u32 = 3;
const MI_INT32: u32 = 5;
const MI_UINT32: u32 = 6;
const MI_MATRIX: u32 = 14;
const MI_COMPRESSED: u32 = 15;

fn parse_v5(bytes: &[u8]) -> Result<Samples, String> {
    if bytes.get(126..128) != Some(b"IM") {
        return Err("byte order mark: expected a little-endian file".into());
    }
    let mut file = Cursor(bytes.get(128..).unwrap_or_default());
    let (kind, data) = file.element()?;
    if kind == MI_COMPRESSED {
        return Err("compressed MATLAB 5 matrix: save it with -v4 or uncompressed".into());
    }
    if kind != MI_MATRIX {
        return Err(format!("MATLAB 5 element {kind}: expected a matrix ({MI_MATRIX})"));
    }
    let mut matrix_cursor = Cursor(data);
    let (flags, _) = matrix_cursor.element()?;
    let (dimensions_kind, dimensions) = matrix_cursor.element()?;
    if flags != MI_UINT32 || dimensions_kind != MI_INT32 {
        return Err("MATLAB 5 matrix without flags and dimensions".into());
    }
    let mut sizes = Cursor(dimensions);
    let (rows, columns) = (sizes.word()? as usize, sizes.word()? as usize);
    let (_, name) = matrix_cursor.element()?;
    let (kind, data) = matrix_cursor.element()?;
    if kind != MI_INT16 {
        return Err(format!("MATLAB 5 data of type {kind}: expected int16 ({MI_INT16})"));
    }
    matrix(text(name), rows, columns, data)
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).trim_end_matches('\0').to_owned()
}

fn matrix(name: String, rows: usize, columns: usize, data: &[u8]) -> Result<Samples, String> {
    let expected = rows.checked_mul(columns).filter(|n| *n <= MOST && rows > 0 && columns > 0);
    let expected = expected.ok_or_else(|| format!("{rows} × {columns} elements: expected 1 to {MOST}"))?;
    let (values, _) = data.as_chunks::<2>();
    if values.len() < expected {
        return Err(format!("{} samples: expected {rows} × {columns}", values.len()));
    }
    let row = |r: usize| {
        values
            .iter()
            .take(expected)
            .skip(r)
            .step_by(rows)
            .map(|b| i16::from_le_bytes(*b))
            .collect()
    };
    Ok(Samples {
        name,
        rows: (0..rows).map(row).collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recordings::test_folder;

    /// Sums, counts of missing samples and ends as scipy.io.loadmat reads them.
    #[test]
    fn fibrillation_records_read_as_scipy_reads_them() {
        for (file, first, last, sum, missing) in [
            ("cu01m.mat", [-109, -123, -119], 134, -11_366_196_i64, 0),
            ("cu03m.mat", [-10, -32, -50], 396, 1_212_024, 4),
            ("cu09m.mat", [622, 630, 648], 286, -35_469_859, 1099),
            ("cu15m.mat", [161, 72, -149], 155, 724_385, 0),
        ] {
            let samples = read(&test_folder().join("cudb").join(file)).unwrap();
            assert_eq!((samples.name.as_str(), samples.rows.len()), ("val", 1));
            let row = &samples.rows[0];
            assert_eq!(
                (row.len(), &row[..3], row[row.len() - 1]),
                (127_232, &first[..], last),
                "{file}"
            );
            assert_eq!(row.iter().map(|s| i64::from(*s)).sum::<i64>(), sum, "{file}");
            assert_eq!(row.iter().filter(|s| **s == i16::MIN).count(), missing, "{file}");
        }
    }

    #[test]
    fn version_4_holds_one_row_per_signal() {
        let samples = read(&test_folder().join("wfdb/a103l.mat")).unwrap();
        assert_eq!(samples.rows.len(), 3);
        assert_eq!(samples.rows[1][..3], [9127, 10_341, 9045]);
        assert_eq!(samples.rows[2].iter().map(|s| i64::from(*s)).sum::<i64>(), 508_279_825);
    }

    #[test]
    fn foreign_and_cut_files_are_refused_with_a_reason() {
        assert!(parse_v4(b"PK\x03\x04 no matlab at all").unwrap_err().contains("MATLAB type"));
        let mut cut = Vec::new();
        for word in [30_u32, 1, 1000, 0, 4] {
            cut.extend(word.to_le_bytes());
        }
        cut.extend(b"val\0\x01\x00");
        assert_eq!(parse_v4(&cut).unwrap_err(), "1 samples: expected 1 × 1000");
        assert!(parse_v4(&[30]).unwrap_err().contains("ends within"));
    }
}
