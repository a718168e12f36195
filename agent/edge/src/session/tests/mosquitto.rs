//! A real Mosquitto on a free loopback port, ended with the value that holds it.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// A running broker.
pub(crate) struct Mosquitto {
    child: Child,
    pub(crate) port: u16,
    folder: tempfile::TempDir,
    settings: String,
}

impl Mosquitto {
    /// Starts a broker that keeps nothing on disk and has a wide window; `settings` are added to its configuration.
    pub(crate) fn start(settings: &str) -> Self {
        let port = free_port();
        let folder = tempfile::tempdir().unwrap();
        let child = spawn(folder.path(), port, settings);
        Self {
            child,
            port,
            folder,
            settings: settings.to_owned(),
        }
    }

    /// Ends the broker and starts another on the same port.
    pub(crate) fn restart(&mut self) {
        self.stop();
        self.child = spawn(self.folder.path(), self.port, &self.settings);
    }

    pub(crate) fn stop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Publishes each line at QoS 1 and returns when the broker has confirmed all.
    pub(crate) fn publish(&self, topic: &str, qos: u8, lines: impl IntoIterator<Item = String>) {
        let mut publisher = tool("mosquitto_pub")
            .args(["-h", "127.0.0.1", "-p", &self.port.to_string()])
            .args(["-q", &qos.to_string(), "-t", topic, "-l"])
            .stdin(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stdin = publisher.stdin.take().unwrap();
        for line in lines {
            writeln!(stdin, "{line}").unwrap();
        }
        drop(stdin);
        assert!(publisher.wait().unwrap().success());
    }

    /// Publishes one message over MQTT 5 with a content type.
    pub(crate) fn publish_v5(&self, topic: &str, content_type: &str, payload: &str) {
        let status = tool("mosquitto_pub")
            .args(["-h", "127.0.0.1", "-p", &self.port.to_string(), "-V", "5", "-q", "1"])
            .args(["-t", topic, "-m", payload, "-D", "publish", "content-type", content_type])
            .status();
        assert!(status.unwrap().success());
    }

    /// The retained message on a topic.
    pub(crate) fn retained(&self, topic: &str) -> String {
        let output = tool("mosquitto_sub")
            .args(["-h", "127.0.0.1", "-p", &self.port.to_string()])
            .args(["-q", "1", "-t", topic, "-C", "1", "-W", "10"])
            .output()
            .unwrap();
        String::from_utf8(output.stdout).unwrap().trim_end().to_owned()
    }
}

impl Drop for Mosquitto {
    fn drop(&mut self) {
        self.stop();
    }
}

pub(super) fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

fn tool(name: &str) -> Command {
    let folders = [
        "/usr/sbin",
        "/usr/bin",
        "/usr/local/sbin",
        "/usr/local/bin",
        "/opt/homebrew/sbin",
    ];
    let found = folders
        .iter()
        .map(|folder| Path::new(folder).join(name))
        .find(|path| path.is_file());
    Command::new(
        found.unwrap_or_else(|| panic!("{name} is not installed; on Debian: apt-get install mosquitto mosquitto-clients")),
    )
}

fn spawn(folder: &Path, port: u16, settings: &str) -> Child {
    let file = folder.join("mosquitto.conf");
    let text = format!(
        "listener {port} 127.0.0.1\nallow_anonymous true\npersistence false\nmax_inflight_messages 0\nmax_queued_messages 200000\nset_tcp_nodelay true\n{settings}\n"
    );
    fs::write(&file, text).unwrap();
    let mut command = tool("mosquitto");
    let mut child = command.arg("-c").arg(&file).stderr(Stdio::piped()).spawn().unwrap();
    let mut log = BufReader::new(child.stderr.take().unwrap());
    let mut said = String::new();
    while !said.contains(" running") {
        let before = said.len();
        log.read_line(&mut said).unwrap();
        assert!(said.len() > before, "Mosquitto did not start: {said}");
    }
    // The pipe must be read, or the broker would stop once it is full.
    std::thread::spawn(move || log.lines().for_each(drop));
    child
}
