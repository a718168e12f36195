//! The agent's folder, and the agent as a process.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::http::{self, Answer};
use crate::live::Live;
use crate::system_clock::SystemClock;
use crate::{free_port, wait, wardlight};

/// Which broker the agent uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Broker {
    /// A Mosquitto that listens on this port.
    Mosquitto(u16),
    /// The agent's own.
    Embedded,
}

/// A folder made by `wardlight init`, with free ports and twelve beds B01 to B12 in the unit `ward` of the site `site`.
#[derive(Debug)]
pub struct Site {
    folder: TempDir,
    /// Port of the page and the API.
    pub http: u16,
    /// Port of the broker.
    pub broker: u16,
}

impl Site {
    /// Makes the folder; `more` is put at the end of the configuration.
    pub fn new(broker: Broker, more: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let http = free_port();
        let dir = folder.path().join("agent");
        let init = run(&["init", dir.to_str().unwrap(), "--listen", &format!("127.0.0.1:{http}")]);
        assert!(init.status.success(), "{init:?}");
        let (port, mqtt) = match broker {
            Broker::Mosquitto(port) => (port, format!("[mqtt]\nurl = \"mqtt://127.0.0.1:{port}\"\n")),
            Broker::Embedded => {
                let port = free_port();
                (
                    port,
                    format!("[mqtt.embedded]\nenabled = true\nlisten = \"127.0.0.1:{port}\"\ndir = \"broker\"\n"),
                )
            }
        };
        let site = Self {
            folder,
            http,
            broker: port,
        };
        let beds: Vec<String> = (1..=12).map(|n| format!("\"B{n:02}\"")).collect();
        let text = format!(
            "[site]\nname = \"site\"\n[[unit]]\nname = \"ward\"\nbeds = [{}]\n{mqtt}[http]\nlisten = \"127.0.0.1:{http}\"\n{more}\n",
            beds.join(", ")
        );
        fs::write(site.config(), text).unwrap();
        site
    }

    /// Where everything of this agent is.
    pub fn dir(&self) -> PathBuf {
        self.folder.path().join("agent")
    }

    /// Its configuration.
    pub fn config(&self) -> PathBuf {
        self.dir().join("agent.toml")
    }

    /// Where its standard error goes, over all its starts.
    pub fn log(&self) -> PathBuf {
        self.folder.path().join("stderr.log")
    }

    /// What it said so far.
    pub fn said(&self) -> String {
        fs::read_to_string(self.log()).unwrap_or_default()
    }

    /// Starts the agent and waits until it is ready.
    pub fn start(&self) -> Agent<'_> {
        self.launch(Command::new(wardlight()))
    }

    /// The same, and it logs all there is to say.
    pub fn start_talking(&self) -> Agent<'_> {
        let mut command = Command::new(wardlight());
        command.env("RUST_LOG", "trace");
        self.launch(command)
    }

    /// The same by a clock that the test sets.
    pub fn start_under(&self, clock: &SystemClock) -> Agent<'_> {
        let mut command = Command::new(wardlight());
        clock.rule(&mut command);
        self.launch(command)
    }

    fn launch(&self, mut command: Command) -> Agent<'_> {
        let log = File::options().create(true).append(true).open(self.log()).unwrap();
        command
            .arg("run")
            .arg("--config")
            .arg(self.config())
            .stdout(Stdio::null())
            .stderr(log);
        let mut agent = Agent {
            site: self,
            child: command.spawn().unwrap(),
        };
        let ready = wait::within(60, || {
            if let Ok(Some(status)) = agent.child.try_wait() {
                panic!(
                    "the agent ended ({status}) instead of getting ready; it said:\n{}",
                    self.said()
                );
            }
            http::get(self.http, "/readyz").ok().filter(|answer| answer.status == 200)
        });
        assert!(
            ready.is_some(),
            "the agent was not ready within 60 s; it said:\n{}",
            self.said()
        );
        agent
    }

    /// Runs `wardlight ARGS --config FILE`.
    pub fn command(&self, args: &[&str]) -> Output {
        let config = self.config();
        let mut all = args.to_vec();
        all.extend(["--config", config.to_str().unwrap()]);
        run(&all)
    }

    /// The audit trail, as `wardlight audit list` prints it.
    pub fn audit_trail(&self) -> Vec<Value> {
        let output = self.command(&["audit", "list", "--format", "jsonl"]);
        assert!(output.status.success(), "{output:?}");
        let text = String::from_utf8(output.stdout).unwrap();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// Every stored message, as `wardlight journal export` prints it.
    pub fn export(&self) -> Vec<Value> {
        let output = self.command(&["journal", "export", "--format", "jsonl"]);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let text = String::from_utf8(output.stdout).unwrap();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// What is in quarantine.
    pub fn quarantine(&self) -> Vec<Value> {
        let output = self.command(&["journal", "quarantine"]);
        let text = String::from_utf8(output.stdout).unwrap();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// Fails unless `wardlight journal verify` finds the journal sound.
    pub fn assert_sound(&self) {
        let output = self.command(&["journal", "verify"]);
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success() && said.trim_end().ends_with(": sound"), "{said}");
    }
}

/// A running agent; killed with this value unless it was ended before.
#[derive(Debug)]
pub struct Agent<'a> {
    site: &'a Site,
    child: Child,
}

impl Agent<'_> {
    /// `wardlight bed ARGS` against this agent.
    pub fn bed(&self, args: &[&str]) -> String {
        let url = format!("http://127.0.0.1:{}", self.site.http);
        let mut all = vec!["bed"];
        all.extend(args);
        all.extend(["--url", &url]);
        let output = run(&all);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    /// A patient takes the bed, and the device is put to it; over the API.
    pub fn occupy(&self, bed: &str, device: &str) {
        let admitted = self.post(&format!("/api/v1/beds/{bed}/admit"), &json!({"age_years": 70}));
        assert_eq!(admitted.status, 200, "{}", admitted.body);
        let attached = self.post(&format!("/api/v1/beds/{bed}/attach"), &json!({ "device": device }));
        assert_eq!(attached.status, 200, "{}", attached.body);
    }

    /// A `GET` from the page's port.
    pub fn get(&self, path: &str) -> Answer {
        http::get(self.site.http, path).unwrap()
    }

    /// A `POST` to the API.
    pub fn post(&self, path: &str, body: &Value) -> Answer {
        http::post(self.site.http, path, body).unwrap()
    }

    /// Standing alarms of this kind.
    pub fn alarms(&self, kind: &str) -> Vec<Value> {
        let mut answer = self.get("/api/v1/alarms").json();
        let all = answer["alarms"].take();
        all.as_array()
            .unwrap()
            .iter()
            .filter(|alarm| alarm["kind"] == kind)
            .cloned()
            .collect()
    }

    /// A metric, summed over its labels.
    pub fn metric(&self, name: &str) -> f64 {
        let text = self.get("/metrics").body;
        let ours = text
            .lines()
            .filter(|line| line.strip_prefix(name).is_some_and(|rest| rest.starts_with([' ', '{'])));
        ours.filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok()).sum()
    }

    /// The live frames of the page.
    pub fn live(&self) -> Live {
        Live::open(self.site.http, "/ws")
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// `kill -9`.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// SIGTERM; fails if it takes longer than 5 s.
    pub fn terminate(mut self) -> ExitStatus {
        let sent = Command::new("kill")
            .arg("-TERM")
            .arg(self.child.id().to_string())
            .status()
            .unwrap();
        assert!(sent.success());
        let said = || self.site.said();
        let ended = wait::within(5, || self.child.try_wait().unwrap());
        ended.unwrap_or_else(|| panic!("SIGTERM: still there after 5 s; it said:\n{}", said()))
    }
}

impl Drop for Agent<'_> {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
        if std::thread::panicking() {
            let said = self.site.said();
            let from = said.len().saturating_sub(4000);
            let tail = said.get(from..).unwrap_or(&said);
            writeln!(std::io::stderr(), "--- the agent said, at the end ---\n{tail}").ok();
        }
    }
}

/// Runs the binary with these arguments to its end.
pub fn run(args: &[&str]) -> Output {
    Command::new(wardlight()).args(args).stdin(Stdio::null()).output().unwrap()
}

/// Every regular file under a folder: not the socket that the command line talks to.
pub fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(files(&path));
        } else if path.is_file() {
            found.push(path);
        }
    }
    found
}
