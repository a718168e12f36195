//! A package comes onto this machine.

use std::fs::{self, File};
use std::io::Write;
use std::path::Path;

use anyhow::{Context, bail};
use wardlight_models::Package;
use wardlight_models::life::Stamp;

use super::Packages;
use crate::certified::PARTS;
use crate::whole_file;

/// Folder of a copy that is not complete yet.
const UNFINISHED: &str = "unfinished";

/// Verifies the package in `folder`, tries it out, copies it, verifies the copy, and takes it up as staged. Returns it.
/// # Errors
/// What is wrong with the package; then nothing was changed.
pub(crate) fn stage(packages: &Packages, folder: &Path, stamp: Stamp<'_>) -> anyhow::Result<Package> {
    let package = packages.open(folder)?;
    let (id, version) = (package.manifest().id(), package.manifest().version());
    if !PARTS.contains(&id) {
        bail!("{id}: this software has a place for {}", PARTS.join(", "));
    }
    let carried = packages.carried(id)?;
    package.check_place(&carried)?;
    if carried.manifest().version() == version {
        if carried.digest() == package.digest() {
            bail!("{id} {version}: is the one that is carried already; it needs no staging");
        }
        bail!("{id} {version}: the carried package has this version: raise version in manifest.toml and sign again");
    }
    package.try_out()?;
    packages.change(|life| {
        life.stage(id, version, package.digest(), stamp)?;
        let unfinished = packages.folder.join(UNFINISHED);
        whole_file::absent(fs::remove_dir_all(&unfinished))?;
        packages.make_folder(&unfinished)?;
        copy(folder, &unfinished)?;
        let copied = packages.open(&unfinished)?;
        if copied.digest() != package.digest() {
            bail!("{}: changed while it was copied; stage it again", folder.display());
        }
        let place = packages.place(id, version);
        packages.make_folder(whole_file::folder(&place))?;
        // The same package that retired, or what a command left that was cut off before it wrote that it is here.
        whole_file::absent(fs::remove_dir_all(&place))?;
        fs::rename(&unfinished, &place).with_context(|| format!("{}: cannot be put there", place.display()))?;
        File::open(whole_file::folder(&place))?.sync_all()?;
        Ok(())
    })?;
    Ok(package)
}

/// Copies the files that a package has, whole and synced.
fn copy(from: &Path, to: &Path) -> anyhow::Result<()> {
    let owner = fs::metadata(to)?;
    for name in Package::file_names() {
        let (from, to) = (from.join(name), to.join(name));
        let content = fs::read(&from).with_context(|| from.display().to_string())?;
        let failed = || format!("{}: cannot be written", to.display());
        let mut file = File::create_new(&to).with_context(failed)?;
        whole_file::belong(&to, &owner).with_context(failed)?;
        file.write_all(&content).and_then(|()| file.sync_all()).with_context(failed)?;
    }
    File::open(to)?.sync_all()?;
    Ok(())
}
