//! The reference client in C: built by its Makefile, run as a device with its bundle.

use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::certificates::Authority;
use crate::{root, target, wait};

/// Builds a target of the client's Makefile with the sanitizers and returns the file.
pub fn build(name: &str) -> PathBuf {
    let folder = target().join("firmware-client");
    fs::create_dir_all(&folder).unwrap();
    // Tests are processes beside each other, and all of them build.
    let lock = File::create(folder.join("lock")).unwrap();
    lock.lock().unwrap();
    let file = folder.join(name);
    let output = Command::new("make")
        .arg("-C")
        .arg(root().join("firmware-config/client"))
        .arg(format!("BUILD={}", folder.display()))
        .arg(&file)
        .output()
        .expect("make does not start; install the Debian packages make, gcc and libmbedtls-dev (tests/run does)");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success(),
        "the client in C does not build; are gcc and libmbedtls-dev installed (tests/run does)?\n{said}"
    );
    file
}

/// The folder of one device: what enrolment would have made.
#[derive(Debug)]
pub struct Bundle {
    folder: TempDir,
}

impl Bundle {
    /// A device of the site `site` with three numerics and the ECG, that reaches its broker under the name `host`.
    pub fn new(authority: &Authority, device: &str, host: &str, port: u16) -> Self {
        let folder = tempfile::tempdir().unwrap();
        authority.issue(device);
        for (from, to) in [
            ("ca.pem".to_owned(), "ca.pem"),
            (format!("{device}.crt"), "device.pem"),
            (format!("{device}.key"), "device.key"),
        ] {
            fs::copy(authority.path(&from), folder.path().join(to)).unwrap();
        }
        let config = json!({
            "v": 1, "site": "site", "device": device, "profile": "reference", "model": "Reference client",
            "broker": {"host": host, "port": port, "tls": true, "keep_alive_s": 4},
            "files": {"ca": "ca.pem", "cert": "device.pem", "key": "device.key"},
            "interval_ms": 1000, "buffer_minutes": 60, "battery_low_percent": 15,
            "channels": [
                {"c": 149_530, "unit": "/min"}, {"c": 150_456, "unit": "%"}, {"c": 150_368, "unit": "Cel"},
                {"c": 131_330, "unit": "mV", "fs": 250, "block_ms": 500, "scale": [-3, 1], "offset": 0},
            ],
        });
        let bundle = Self { folder };
        bundle.write(&config);
        bundle
    }

    /// Changes the configuration.
    pub fn change(&self, change: impl FnOnce(&mut Value)) {
        let text = fs::read(self.path("config.json")).unwrap();
        let mut config = serde_json::from_slice(&text).unwrap();
        change(&mut config);
        self.write(&config);
    }

    fn write(&self, config: &Value) {
        fs::write(self.path("config.json"), config.to_string()).unwrap();
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Switches the device on.
    pub fn start(&self, more: &[&str]) -> Device {
        let mut command = Command::new(build("wardlight-client-checked"));
        let log = File::options()
            .create(true)
            .append(true)
            .open(self.path("stderr.log"))
            .unwrap();
        command
            .arg(self.folder.path())
            .args(more)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(log);
        Device {
            child: command.spawn().unwrap(),
        }
    }

    /// What the client said on its standard error, over all starts.
    pub fn said(&self) -> String {
        fs::read_to_string(self.path("stderr.log")).unwrap_or_default()
    }

    /// Waits until it has said this.
    pub fn until_said(&self, words: &str) {
        let found = wait::within(20, || self.said().contains(words).then_some(()));
        assert!(found.is_some(), "never said {words:?}:\n{}", self.said());
    }

    /// Bytes in the store, 0 before there is one: what the broker has not confirmed, with 16 bytes beside each message.
    pub fn stored_bytes(&self) -> u64 {
        let store = fs::read(self.path("store.bin")).unwrap_or_default();
        // `struct ring_header` in firmware-config/client/src/ring.c.
        let number = |at: usize| {
            store
                .get(at..at + 4)
                .map_or(0, |bytes| u32::from_ne_bytes(bytes.try_into().unwrap()))
        };
        let (twice, head, tail) = (2 * u64::from(number(4)), u64::from(number(16)), u64::from(number(20)));
        (tail + twice - head).checked_rem(twice).unwrap_or(0)
    }
}

/// A device that runs; killed with this value.
#[derive(Debug)]
pub struct Device {
    child: Child,
}

impl Device {
    /// Its standard input, a line for each value.
    pub fn input(&mut self) -> &mut impl std::io::Write {
        self.child.stdin.as_mut().unwrap()
    }

    /// `kill -9`.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Switches it off; returns what it counted. Fails if a sanitizer found something.
    pub fn stop(mut self) -> Value {
        let sent = Command::new("kill")
            .args(["-TERM", &self.child.id().to_string()])
            .status()
            .unwrap();
        assert!(sent.success());
        let ended = wait::until("the client ends", 10, || self.child.try_wait().unwrap());
        assert!(ended.success(), "the client ended with {ended}");
        let mut said = String::new();
        self.child.stdout.take().unwrap().read_to_string(&mut said).unwrap();
        serde_json::from_str(&said).unwrap_or_else(|error| panic!("{error}: {said:?}"))
    }
}

impl Drop for Device {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// The simulator as a process: one bed, whose monitor is called `mon-01`.
pub fn simulator(authority: &Authority, port: u16) -> Child {
    // With TLS each of its devices has a certificate.
    authority.issue("mon-01");
    let binary = crate::wardlight().with_file_name("wardlight-sim");
    let url = format!("mqtts://localhost:{port}");
    let mut command = Command::new(&binary);
    command
        .args([
            "ward",
            "--scenario",
            "apnoea",
            "--beds",
            "1",
            "--for",
            "10m",
            "--site",
            "site",
            "--broker",
            &url,
        ])
        .args([Path::new("--ca"), &authority.path("ca.pem")])
        .args([Path::new("--identities"), authority.folder()])
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command.spawn().unwrap_or_else(|error| {
        let path = binary.display();
        panic!("{path}: {error}; build it with `cargo build -p wardlight-simulator`")
    })
}
