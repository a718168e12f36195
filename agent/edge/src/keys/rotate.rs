//! Replacing the site key. At any instant the journal opens with the key in `site.key` or the one in `site.key.new`:
//!
//! 1. the new key is on disk beside the old one (or somebody put it there);
//! 2. the journal wraps its data keys under it, in one transaction;
//! 3. its file takes the place of the old one.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use tracing::{info, warn};
use wardlight_journal::{JournalError, KeyFault, SiteKey};

use super::{fits, load, waiting};
use crate::config::JournalConfig;
use crate::whole_file;

/// A new key that is on disk and not yet in use.
#[derive(Debug)]
pub(crate) struct Rotation {
    /// Its file.
    pub(crate) file: PathBuf,
    /// The key.
    pub(crate) key: SiteKey,
}

impl Rotation {
    /// Step 1: makes a new key beside the old one, or takes the one in `given`. What an earlier rotation left is settled first.
    /// # Errors
    /// If it cannot be made there, or is the key in use.
    pub(crate) fn prepare(config: &JournalConfig, given: Option<&Path>) -> anyhow::Result<Self> {
        let old = load(&config.key_file, &config.dir)?;
        if let Some(file) = given {
            let key = SiteKey::load(file)?;
            if key.fingerprint()? == old.fingerprint()? {
                bail!("{}: this is the key in use; a rotation needs another", file.display());
            }
            let file = fs::canonicalize(file).with_context(|| file.display().to_string())?;
            return Ok(Self { file, key });
        }
        settle(config)?;
        let file = waiting(&config.key_file);
        whole_file::absent(fs::remove_file(&file)).with_context(|| cannot(&file))?;
        let key = match SiteKey::create(&file) {
            Err(JournalError::KeyFile {
                fault: KeyFault::Io(error),
                ..
            }) => bail!("{}: {error}", cannot(&file)),
            made => made?,
        };
        let owner = fs::metadata(&config.key_file)?;
        whole_file::belong(&file, &owner).with_context(|| cannot(&file))?;
        fs::File::open(whole_file::folder(&file))?.sync_all()?;
        Ok(Self { file, key })
    }
}

fn cannot(file: &Path) -> String {
    format!(
        "{}: cannot be written; where the key is a mounted secret, add the new key to the secret and name its file with --new-key",
        file.display()
    )
}

/// The key's file still holds the old key; what is to be done about it.
#[derive(Debug)]
pub(crate) struct NotReplaced(pub(crate) String);

/// Step 3: the new key's file takes the place of the old one. A link is left alone: it is a mounted secret, and whoever mounted it must
/// change it.
pub(crate) fn take_over(key_file: &Path, new: &Path) -> Result<(), NotReplaced> {
    let link = fs::symlink_metadata(key_file).is_ok_and(|file| file.is_symlink());
    let outcome = if link {
        Err("it is a link, as in a mounted secret".to_owned())
    } else if is_waiting(key_file, new) {
        let renamed = fs::rename(new, key_file).and_then(|()| fs::File::open(whole_file::folder(key_file))?.sync_all());
        renamed.map_err(|error| error.to_string())
    } else {
        let copied = fs::read(new).and_then(|content| whole_file::write(key_file, &content));
        copied.map_err(|error| error.to_string())
    };
    outcome.map_err(|why| {
        let until = if is_waiting(key_file, new) {
            "until then the agent starts with the new file"
        } else {
            "until then the agent does not start again"
        };
        NotReplaced(format!(
            "The journal opens only with the key in {} now. {} could not be replaced ({why}): put that key there; {until}.",
            new.display(),
            key_file.display()
        ))
    })
}

fn is_waiting(key_file: &Path, new: &Path) -> bool {
    let place = |path: &Path| Some((fs::canonicalize(whole_file::folder(path)).ok()?, path.file_name()?.to_owned()));
    place(new) == place(&waiting(key_file))
}

/// Carries a rotation to its end that a kill cut short behind step 2. Before step 2 nothing has changed: the new file is only left over.
/// # Errors
/// If neither file holds the journal's key.
pub(crate) fn settle(config: &JournalConfig) -> anyhow::Result<SiteKey> {
    let key = load(&config.key_file, &config.dir)?;
    let current = SiteKey::load(&config.key_file);
    if waiting(&config.key_file).exists() && !current.is_ok_and(|key| fits(&config.dir, &key)) {
        match take_over(&config.key_file, &waiting(&config.key_file)) {
            Ok(()) => info!("A rotation of the site key that had been cut short is complete."),
            Err(NotReplaced(what)) => warn!(what, "The site key's file is not the journal's."),
        }
    }
    Ok(key)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use wardlight_journal::{Entry, Filter, Journal, Kind, Options, Reader, StayToken};

    use super::*;
    use crate::config::Config;
    use crate::keys;

    const TEXT: &str = "[site]\nname = \"s\"\n[[unit]]\nname = \"u\"\nbeds = [\"B1\"]\n[mqtt]\nurl = \"mqtt://127.0.0.1:1883\"\n";

    struct Site {
        _folder: tempfile::TempDir,
        config: JournalConfig,
    }

    fn site() -> Site {
        let folder = tempfile::tempdir().unwrap();
        let key = SiteKey::create(&folder.path().join("site.key")).unwrap();
        let config = Config::parse(TEXT, &folder.path().join("agent.toml")).unwrap().journal;
        let (mut journal, _) = Journal::open(&config.dir, &key, Options::default()).unwrap();
        let entry = Entry {
            kind: Kind::Message,
            stay: StayToken([1; 16]),
            at_ms: 1,
            body: b"one".to_vec(),
        };
        journal.append(&[entry]).unwrap();
        Site { _folder: folder, config }
    }

    fn assert_readable(config: &JournalConfig, secret: [u8; 32]) {
        let mut reader = keys::reader(config).unwrap();
        let bodies: Vec<_> = reader.entries(1, Filter::default()).map(|e| e.unwrap().entry.body).collect();
        assert_eq!(bodies, [b"one"]);
        assert_eq!(keys::derive(&config.key_file, &config.dir, "x").unwrap(), secret);
    }

    #[test]
    fn after_each_step_of_a_rotation_the_journal_opens_and_the_rest_is_carried_through() {
        let site = site();
        let config = &site.config;
        let secret = keys::derive(&config.key_file, &config.dir, "x").unwrap();
        let old = fs::read(&config.key_file).unwrap();
        for round in 0..2 {
            let rotation = Rotation::prepare(config, None).unwrap();
            assert_readable(config, secret);
            // Cut short here, the next one begins anew.
            let again = Rotation::prepare(config, None).unwrap();
            assert_ne!(again.key.fingerprint().unwrap(), rotation.key.fingerprint().unwrap());
            let (mut journal, _) = Journal::open(&config.dir, &settle(config).unwrap(), Options::default()).unwrap();
            journal.rotate_site_key(&again.key, &[]).unwrap();
            drop(journal);
            assert_readable(config, secret);
            let before = SiteKey::load(&config.key_file).unwrap();
            assert!(matches!(
                Reader::open(&config.dir, &before),
                Err(JournalError::WrongKey { .. })
            ));
            if round == 0 {
                take_over(&config.key_file, &again.file).unwrap();
            } else {
                settle(config).unwrap();
            }
            assert!(!again.file.exists());
            let mode = fs::metadata(&config.key_file).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
            Reader::open(&config.dir, &SiteKey::load(&config.key_file).unwrap()).unwrap();
            assert_readable(config, secret);
        }
        fs::write(&config.key_file, old).unwrap();
        let error = format!("{:#}", keys::reader(config).unwrap_err());
        assert!(
            error.contains("and this is") && error.contains("nothing in a journal can be read"),
            "{error}"
        );
    }

    #[test]
    fn a_mounted_secret_is_left_alone_and_the_key_beside_it_is_taken() {
        let site = site();
        let config = &site.config;
        let data = config.dir.with_file_name("..data");
        fs::create_dir(&data).unwrap();
        fs::rename(&config.key_file, data.join("site.key")).unwrap();
        std::os::unix::fs::symlink(data.join("site.key"), &config.key_file).unwrap();
        let secret = keys::derive(&config.key_file, &config.dir, "x").unwrap();
        let given = waiting(&config.key_file);
        let same = Rotation::prepare(config, Some(&config.key_file)).unwrap_err();
        assert!(same.to_string().contains("the key in use"), "{same}");
        SiteKey::create(&given).unwrap();
        let rotation = Rotation::prepare(config, Some(&given)).unwrap();
        let (mut journal, _) = Journal::open(&config.dir, &settle(config).unwrap(), Options::default()).unwrap();
        journal.rotate_site_key(&rotation.key, &[]).unwrap();
        drop(journal);
        let NotReplaced(what) = take_over(&config.key_file, &rotation.file).unwrap_err();
        assert!(
            what.contains("a mounted secret") && what.contains("starts with the new file"),
            "{what}"
        );
        assert_readable(config, secret);
    }

    #[test]
    fn a_key_that_is_gone_is_told_with_what_is_lost() {
        let site = site();
        fs::remove_file(&site.config.key_file).unwrap();
        let error = format!("{:#}", keys::reader(&site.config).unwrap_err());
        assert!(error.contains("there is a journal") && error.contains("lost too"), "{error}");
    }
}
