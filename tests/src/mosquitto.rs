//! A real Mosquitto on a free port of loopback.

use std::fs;
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

use crate::certificates::Authority;
use crate::{free_port, wait};

/// A running broker; it ends with this value.
#[derive(Debug)]
pub struct Mosquitto {
    /// Where it listens in clear, for the agent and for the test.
    pub port: u16,
    /// Where devices with a certificate of the authority come in, if there is such a door.
    pub tls_port: Option<u16>,
    child: Child,
    _folder: TempDir,
}

impl Mosquitto {
    /// Starts one with wide windows, as `docs/` advises.
    pub fn start() -> Self {
        Self::with("max_inflight_messages 0")
    }

    /// Starts one with a second door for devices: TLS 1.2 or later, a certificate of this authority, its common name the user.
    pub fn with_tls(authority: &Authority) -> Self {
        authority.issue("localhost");
        let port = free_port();
        let path = |name: &str| authority.path(name).display().to_string();
        let door = format!(
            "listener {port} 127.0.0.1\ncafile {}\ncertfile {}\nkeyfile {}\nrequire_certificate true\nuse_identity_as_username true\n",
            path("ca.pem"),
            path("localhost.crt"),
            path("localhost.key"),
        );
        let mut broker = Self::with(&format!("max_inflight_messages 0\n{door}"));
        wait::until("mosquitto listens with TLS", 10, || {
            TcpStream::connect(("127.0.0.1", port)).ok()
        });
        broker.tls_port = Some(port);
        broker
    }

    /// Starts one with this setting of its window.
    pub fn with(window: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let port = free_port();
        let file = folder.path().join("mosquitto.conf");
        let text = format!(
            "listener {port} 127.0.0.1\nallow_anonymous true\npersistence false\nmax_queued_messages 1000000\nmax_packet_size 1048576\nlog_type error\n{window}\n"
        );
        fs::write(&file, text).unwrap();
        Self::running(&file, port, folder)
    }

    /// Starts one with the configuration that the agent wrote for it; devices' port is `port`.
    pub fn configured(conf: &Path, port: u16) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("mosquitto.conf");
        // As root it would become another user, who may not read a folder of this test.
        let text = fs::read_to_string(conf).unwrap() + "user root\n";
        fs::write(&file, text).unwrap();
        Self::running(&file, port, folder)
    }

    fn running(file: &Path, port: u16, folder: TempDir) -> Self {
        let mut command = Command::new("mosquitto");
        command
            .env("PATH", search_path())
            .arg("-c")
            .arg(file)
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let child = command
            .spawn()
            .expect("mosquitto does not start; install the Debian package mosquitto (tests/run does)");
        let broker = Self {
            port,
            tls_port: None,
            child,
            _folder: folder,
        };
        wait::until("mosquitto listens", 10, || TcpStream::connect(("127.0.0.1", port)).ok());
        broker
    }
}

/// Debian puts the broker into a folder that is not on every user's path.
fn search_path() -> String {
    format!("{}:/usr/sbin:/usr/local/sbin", std::env::var("PATH").unwrap_or_default())
}

impl Drop for Mosquitto {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}
