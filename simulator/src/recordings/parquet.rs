//! Hourly tables stored as parquet: flat, numeric columns, snappy or not compressed.

use std::fs::File;
use std::path::Path;

use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::Field;

use super::hourly::{Hourly, from_columns};
use crate::SimulatorError;

/// Most rows read; a hospital's hourly table of a year has fewer.
const MOST_ROWS: i64 = 50_000_000;

/// Reads a table.
pub(super) fn read(path: &Path) -> Result<Hourly, SimulatorError> {
    let file = File::open(path).map_err(SimulatorError::io(path))?;
    let wrong = |e: parquet::errors::ParquetError| SimulatorError::file(path, e.to_string());
    let reader = SerializedFileReader::new(file).map_err(wrong)?;
    let meta = reader.metadata().file_metadata();
    if meta.num_rows() > MOST_ROWS {
        return Err(SimulatorError::file(
            path,
            format!("{} rows: expected at most {MOST_ROWS}", meta.num_rows()),
        ));
    }
    let names = meta.schema().get_fields().iter().map(|field| field.name().to_owned());
    let mut columns: Vec<(String, Vec<Option<f64>>)> = names.map(|name| (name, Vec::new())).collect();
    for row in reader.get_row_iter(None).map_err(wrong)? {
        let row = row.map_err(wrong)?;
        for ((_, values), (_, field)) in columns.iter_mut().zip(row.get_column_iter()) {
            values.push(number(field));
        }
    }
    from_columns(path, columns)
}

/// A field as a number; text and what else is not one counts as not measured.
fn number(field: &Field) -> Option<f64> {
    let value = match field {
        Field::Bool(v) => f64::from(u8::from(*v)),
        Field::Int(v) => f64::from(*v),
        Field::Long(v) => *v as f64,
        Field::Float(v) => f64::from(*v),
        Field::Double(v) => *v,
        _ => return None,
    };
    Some(value).filter(|v| v.is_finite())
}

#[cfg(test)]
mod tests {
    use super::super::hourly;
    use crate::recordings::test_folder;

    /// Counts and sums as pandas reads them.
    #[test]
    fn the_demo_tables_read_as_pandas_reads_them() {
        for (table, rows, stays, column, measured, sum) in [
            ("sepsis/mimic_demo", 7_707, 115, "hr", 6_842, 595_185.5),
            ("sepsis/mimic_demo", 7_707, 115, "o2sat", 6_584, 635_475.5),
            ("sepsis/eicu_demo", 20_475, 436, "temp", 5_582, 205_535.895_111_111),
            ("los/mimic_demo", 9_656, 132, "lact", 304, 1_210.45),
        ] {
            let path = test_folder().join("eicu-mimic-demo").join(table).join("dyn.parquet");
            let found = hourly::read(&path).unwrap();
            assert_eq!(found.stay_id.len(), rows, "{table}");
            assert_eq!(found.stays(usize::MAX).len(), stays, "{table}");
            let values: Vec<f64> = found.column(column).unwrap().iter().flatten().copied().collect();
            assert_eq!(values.len(), measured, "{table} {column}");
            assert!((values.iter().sum::<f64>() - sum).abs() < 1e-6, "{table} {column}");
        }
    }

    #[test]
    fn times_are_seconds() {
        let path = test_folder().join("eicu-mimic-demo/sepsis/eicu_demo/dyn.parquet");
        let found = hourly::read(&path).unwrap();
        assert_eq!((found.stay_id[0], &found.time_s[..3]), (143_870, &[0, 3600, 7200][..]));
    }

    #[test]
    fn foreign_files_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.parquet");
        std::fs::write(&path, b"not a table").unwrap();
        assert!(hourly::read(&path).unwrap_err().to_string().contains("x.parquet: "));
    }
}
