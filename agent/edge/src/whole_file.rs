//! Files that are written whole or not at all, and stay whose they were: an agent that runs as another user than the command line must
//! be able to read them.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt, chown};
use std::path::{Path, PathBuf};

/// Writes the file, closed to group and others, in place of the one that is there.
/// # Errors
/// If it cannot be written; then what was there is as it was.
pub(crate) fn write(path: &Path, content: &[u8]) -> io::Result<()> {
    write_in_mode(path, content, 0o600)
}

/// The same for what another program reads: open to be read by everybody.
/// # Errors
/// As [`write()`].
pub(crate) fn write_readable(path: &Path, content: &[u8]) -> io::Result<()> {
    write_in_mode(path, content, 0o644)
}

fn write_in_mode(path: &Path, content: &[u8], mode: u32) -> io::Result<()> {
    let new = suffixed(path, ".new");
    absent(fs::remove_file(&new))?;
    let mut file = OpenOptions::new().write(true).create_new(true).mode(mode).open(&new)?;
    // Whatever the umask of whoever runs this.
    file.set_permissions(fs::Permissions::from_mode(mode))?;
    let folder = folder(path);
    let owner = fs::metadata(path).or_else(|_absent| fs::metadata(folder))?;
    belong(&new, &owner)?;
    file.write_all(content)?;
    file.sync_all()?;
    fs::rename(&new, path)?;
    File::open(folder)?.sync_all()
}

/// Waits for the right to change the file: two changes at once lose nothing. It lasts as long as the result.
/// # Errors
/// If the lock beside the file cannot be made.
pub(crate) fn lock(path: &Path) -> io::Result<File> {
    let beside = suffixed(path, ".lock");
    let lock = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .mode(0o600)
        .open(&beside)?;
    belong(&beside, &fs::metadata(folder(path))?)?;
    lock.lock()?;
    Ok(lock)
}

/// Gives the file to `owner`, if it is somebody else's.
/// # Errors
/// If it cannot be given away.
pub(crate) fn belong(path: &Path, owner: &fs::Metadata) -> io::Result<()> {
    let ours = fs::metadata(path)?;
    if (owner.uid(), owner.gid()) == (ours.uid(), ours.gid()) {
        return Ok(());
    }
    chown(path, Some(owner.uid()), Some(owner.gid()))
}

/// The folder that a file is in.
pub(crate) fn folder(path: &Path) -> &Path {
    let parent = path.parent().filter(|path| !path.as_os_str().is_empty());
    parent.unwrap_or(Path::new("."))
}

/// What is not there need not be removed.
/// # Errors
/// Any other than that.
pub(crate) fn absent(removed: io::Result<()>) -> io::Result<()> {
    match removed {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

fn suffixed(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}
