//! Files that hold secrets: who may read them, and how they are read.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

/// Largest secret file that is read.
const MAX_BYTES: u64 = 4096;

/// Checks that the file is there and readable.
///
/// # Errors
/// What is wrong, as a clause.
pub(crate) fn check_readable(path: &Path) -> Result<(), String> {
    File::open(path).map(drop).map_err(|error| clause(&error))
}

/// Checks that the file is there, readable, and closed to group and others.
///
/// # Errors
/// What is wrong, as a clause.
pub(crate) fn check(path: &Path) -> Result<(), String> {
    let file = File::open(path).map_err(|error| clause(&error))?;
    refuse_open_mode(&file)
}

/// Reads a secret without the line end that editors add.
///
/// # Errors
/// What is wrong, with the path.
pub(crate) fn read(path: &Path) -> Result<Vec<u8>, String> {
    let noun = |problem: String| format!("secret file {}: {problem}", path.display());
    let file = File::open(path).map_err(|error| noun(clause(&error)))?;
    refuse_open_mode(&file).map_err(noun)?;
    let mut secret = Vec::new();
    file.take(MAX_BYTES + 1)
        .read_to_end(&mut secret)
        .map_err(|error| noun(clause(&error)))?;
    if secret.len() as u64 > MAX_BYTES {
        return Err(noun(format!("must hold at most {MAX_BYTES} bytes")));
    }
    while secret.last().is_some_and(|byte| matches!(byte, b'\n' | b'\r')) {
        secret.pop();
    }
    if secret.is_empty() {
        return Err(noun("is empty".to_owned()));
    }
    Ok(secret)
}

fn clause(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "no such file".to_owned(),
        io::ErrorKind::PermissionDenied => "this user may not read it".to_owned(),
        _ => error.to_string(),
    }
}

#[cfg(unix)]
fn refuse_open_mode(file: &File) -> Result<(), String> {
    use std::os::unix::fs::PermissionsExt;
    let metadata = file.metadata().map_err(|error| clause(&error))?;
    if !metadata.is_file() {
        return Err("is not a file".to_owned());
    }
    let mode = metadata.permissions().mode() & 0o777;
    if mode & 0o077 != 0 {
        return Err(format!("mode {mode:04o} lets others at a secret; run chmod 600 on it"));
    }
    Ok(())
}

#[cfg(not(unix))]
fn refuse_open_mode(_file: &File) -> Result<(), String> {
    Ok(())
}
