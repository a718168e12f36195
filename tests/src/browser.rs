//! A real browser.

use std::fs;
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::http;
use crate::live::Live;
use crate::wait::until;

/// Headless Chromium, driven over its DevTools socket; ends with this value.
#[derive(Debug)]
pub struct Browser {
    child: Child,
    tools: Live,
    calls: u64,
    _profile: TempDir,
}

impl Browser {
    /// Opens the page at `url`.
    pub fn open(url: &str) -> Self {
        let profile = tempfile::tempdir().unwrap();
        let mut command = Command::new("chromium");
        command.args([
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--disable-dev-shm-usage",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--window-size=1600,900",
            "--remote-debugging-port=0",
        ]);
        command.arg(format!("--user-data-dir={}", profile.path().display())).arg(url);
        command.stdout(Stdio::null()).stderr(Stdio::null());
        let child = command
            .spawn()
            .expect("chromium does not start; install the Debian package chromium (tests/run does)");
        let port_file = profile.path().join("DevToolsActivePort");
        let port: u16 = until("the browser's tools", 60, || {
            fs::read_to_string(&port_file).ok()?.lines().next()?.parse().ok()
        });
        let path = until("the browser's page", 30, || {
            let pages = http::get(port, "/json/list").ok()?.json();
            let page = pages.as_array()?.iter().find(|page| page["type"] == "page")?;
            let address = page["webSocketDebuggerUrl"].as_str()?.to_owned();
            address.find("/devtools").map(|at| address[at..].to_owned())
        });
        Self {
            child,
            tools: Live::open(port, &path),
            calls: 0,
            _profile: profile,
        }
    }

    /// Calls a method of the DevTools protocol; its result.
    pub fn call(&mut self, method: &str, params: &Value) -> Value {
        self.calls += 1;
        let id = self.calls;
        self.tools.send(&json!({"id": id, "method": method, "params": params}));
        self.tools.find(method, |frame| frame["id"] == id)["result"].take()
    }

    /// The value of a script in the page; of a promise, when it is settled.
    pub fn evaluate(&mut self, script: &str) -> Value {
        self.call(
            "Runtime.evaluate",
            &json!({"expression": script, "returnByValue": true, "awaitPromise": true}),
        )["result"]["value"]
            .take()
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}
