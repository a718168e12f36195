//! Where a data scientist of the site makes packages: copies of the carried ones under other versions, altered and signed.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use hmac_sha256::Hash;
use serde_json::Value;
use tempfile::TempDir;

use crate::agent::{Broker, Site, run};
use crate::system_clock::SystemClock;
use crate::{root, wardlight};

/// A site that trusts a key of its own, and what a data scientist of the site makes.
pub struct Workshop {
    /// The site.
    pub site: Site,
    folder: TempDir,
}

impl Workshop {
    /// With `more` in the section `[model]` of the configuration.
    pub fn new(more: &str) -> Self {
        let site = Site::new(Broker::Embedded, &format!("[model]\nkeys_file = \"models.pub\"\n{more}\n"));
        let workshop = Self {
            site,
            folder: tempfile::tempdir().unwrap(),
        };
        for key in ["key", "stranger"] {
            let made = run(&["model", "sign", "new-key", &workshop.path(key)]);
            assert!(made.status.success(), "{made:?}");
        }
        fs::copy(workshop.path("key.pub"), workshop.site.dir().join("models.pub")).unwrap();
        workshop
    }

    /// A file of the workshop: `key` and `stranger` are private keys, of which the site trusts the first.
    pub fn path(&self, name: &str) -> String {
        self.folder.path().join(name).to_str().unwrap().to_owned()
    }

    /// A carried model under another version, signed with the site's key.
    pub fn package(&self, id: &str, version: &str) -> PathBuf {
        let package = self.folder.path().join(format!("{id}-{version}"));
        fs::create_dir(&package).unwrap();
        for file in fs::read_dir(root().join("models/packages").join(id)).unwrap() {
            let file = file.unwrap();
            fs::copy(file.path(), package.join(file.file_name())).unwrap();
        }
        let manifest = fs::read_to_string(package.join("manifest.toml")).unwrap();
        let carried = manifest.lines().find(|line| line.starts_with("version = ")).unwrap();
        replace(&package, carried, &format!("version = \"{version}\""));
        self.sign(&package, "key");
        package
    }

    /// Signs the manifest as it stands with a key of the workshop.
    pub fn sign(&self, package: &Path, key: &str) {
        let signed = run(&["model", "sign", package.to_str().unwrap(), "--key", &self.path(key)]);
        assert!(signed.status.success(), "{signed:?}");
    }

    /// Another content of a file, with its digest in the manifest and a new signature.
    pub fn publish(&self, package: &Path, file: &str, content: &[u8]) {
        let file = package.join(file);
        let old = sha256(&fs::read(&file).unwrap());
        replace(package, &old, &sha256(content));
        fs::write(file, content).unwrap();
        self.sign(package, "key");
    }

    /// What is written of the life of the packages.
    pub fn life(&self) -> Option<Vec<u8>> {
        fs::read(self.site.dir().join("packages/life.json")).ok()
    }

    /// Runs `wardlight model ARGS`.
    pub fn model(&self, args: &[&str]) -> Output {
        self.site.command(&[&["model"], args].concat())
    }

    /// Fails unless the command succeeds.
    pub fn done(&self, args: &[&str]) -> String {
        let output = self.model(args);
        assert!(output.status.success(), "{args:?}: {output:?}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// The same by a clock that the test sets.
    pub fn done_under(&self, clock: &SystemClock, args: &[&str]) {
        let mut command = Command::new(wardlight());
        clock.rule(&mut command);
        let config = self.site.config();
        let output = command.arg("model").args(args).arg("--config").arg(config).output().unwrap();
        assert!(output.status.success(), "{args:?}: {output:?}");
    }

    /// Fails unless the command is refused with this reason and changes nothing.
    pub fn refused(&self, args: &[&str], reason: &str) {
        let before = (self.life(), self.live());
        let output = self.model(args);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success(), "{args:?} must be refused: {reason}");
        assert!(said.contains(reason), "{args:?}: {reason:?} is not in {said}");
        assert_eq!((self.life(), self.live()), before, "{args:?}: changed something");
    }

    /// Version of the live risk model, as `wardlight model list` says.
    pub fn live(&self) -> String {
        let config = self.site.config();
        let list = run(&["model", "list", "--config", config.to_str().unwrap()]);
        let text = String::from_utf8(list.stdout).unwrap();
        let rows = text.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
        let live: Vec<String> = rows
            .filter(|cells| cells[0] == "deterioration" && cells[2] == "live")
            .map(|cells| cells[1].to_owned())
            .collect();
        assert_eq!(live.len(), 1, "{text}");
        live[0].clone()
    }
}

fn sha256(content: &[u8]) -> String {
    Hash::hash(content)
        .iter()
        .fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}

/// Replaces what must occur in the manifest.
pub fn replace(package: &Path, from: &str, to: &str) {
    let manifest = package.join("manifest.toml");
    let text = fs::read_to_string(&manifest).unwrap();
    assert!(text.contains(from), "no {from:?} in the manifest");
    fs::write(manifest, text.replacen(from, to, 1)).unwrap();
}

/// Records of the audit trail whose action begins so.
pub fn audited(site: &Site, action: &str) -> Vec<Value> {
    site.audit_trail()
        .into_iter()
        .filter(|record| record["action"].as_str().unwrap().starts_with(action))
        .collect()
}
