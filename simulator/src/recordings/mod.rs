//! Readers of recorded data, from a folder the user names. The product ships none of it.
//!
//! - [`wfdb`]: WFDB records (PhysioNet), also multi-segment, and their beat annotations
//! - [`matlab`]: one MATLAB array of int16 without a header file (CUDB extracts)
//! - [`cinc2012`]: ICU stays of the PhysioNet/CinC Challenge 2012
//! - [`hourly`]: tables with one row an hour, CSV or parquet (eICU and MIMIC demo)
//! - [`empatica`]: folders of an Empatica E4 wrist wearable

pub mod cinc2012;
pub mod empatica;
pub mod hourly;
pub mod matlab;
#[cfg(feature = "parquet")]
mod parquet;
mod tar;
pub mod wfdb;

use std::path::Path;

use crate::SimulatorError;

/// Reads a text file; bytes that are not UTF-8 are replaced (old headers hold Latin-1 comments).
fn read_text(path: &Path) -> Result<String, SimulatorError> {
    let bytes = std::fs::read(path).map_err(SimulatorError::io(path))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// Where tests find the recordings: `WARDLIGHT_RECORDINGS`, or `../shared/data` beside the workspace.
/// # Panics
/// When the folder is absent, so that a test that needs it never passes silently.
#[cfg(test)]
pub(crate) fn test_folder() -> std::path::PathBuf {
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data");
    let folder = std::env::var_os("WARDLIGHT_RECORDINGS").map_or_else(beside, Into::into);
    assert!(
        folder.is_dir(),
        "no recordings at {}: set WARDLIGHT_RECORDINGS to the folder that holds mitdb, cinc2012, …",
        folder.display()
    );
    folder
}
