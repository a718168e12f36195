//! Headless Chromium, driven over its DevTools socket.

use std::fs;
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::http;
use crate::live::Live;
use crate::wait::until;

/// A browser with one page; ends with this value.
#[derive(Debug)]
pub struct Browser {
    child: Child,
    tools: Live,
    calls: u64,
    _profile: TempDir,
}

impl Browser {
    /// Opens a page of 1600 × 900 px.
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

    /// Calls a method of the browser's tools.
    pub fn call(&mut self, method: &str, params: &Value) -> Value {
        self.calls += 1;
        let id = self.calls;
        self.tools.send(&json!({"id": id, "method": method, "params": params}));
        self.tools.find(method, |frame| frame["id"] == id)["result"].take()
    }

    /// The value of an expression in the page; a promise is waited for. Counts as a person's gesture.
    pub fn evaluate(&mut self, script: &str) -> Value {
        let asked = json!({"expression": script, "returnByValue": true, "awaitPromise": true, "userGesture": true});
        let mut answer = self.call("Runtime.evaluate", &asked);
        let problem = &answer["exceptionDetails"];
        assert!(problem.is_null(), "{script}\n{problem:#}");
        answer["result"]["value"].take()
    }

    /// Waits until an expression is true.
    pub fn until(&mut self, what: &str, within_s: u64, script: &str) {
        until(what, within_s, || (self.evaluate(script) == true).then_some(()));
    }

    /// All text that is seen on the page.
    pub fn text(&mut self) -> String {
        self.evaluate("document.body.innerText")
            .as_str()
            .unwrap_or_default()
            .to_owned()
    }

    /// Clicks the first seen element of this selector whose text begins so.
    pub fn click(&mut self, selector: &str, text: &str) {
        let find = format!(
            "[...document.querySelectorAll({})].filter((n) => n.offsetParent !== null).find((n) => n.textContent.trim().startsWith({}))",
            json!(selector),
            json!(text)
        );
        self.until(&format!("{selector} {text:?}"), 10, &format!("({find}) !== undefined"));
        self.evaluate(&format!("({find}).click()"));
    }

    /// Memory that the browser's processes hold, in bytes: their share of what they share included.
    pub fn memory(&self) -> u64 {
        let processes = descendants(self.child.id());
        processes.iter().filter_map(|pid| proportional(*pid)).sum()
    }

    /// Of [`Browser::memory`], what the processes hold that run pages.
    pub fn page_memory(&self) -> u64 {
        let processes = descendants(self.child.id());
        let pages = processes.iter().filter(|pid| runs_pages(**pid));
        pages.filter_map(|pid| proportional(*pid)).sum()
    }

    /// A picture of the page, PNG.
    pub fn picture(&mut self) -> Vec<u8> {
        let picture = self.call("Page.captureScreenshot", &json!({"format": "png"}));
        base64(picture["data"].as_str().unwrap())
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// A process and all that come from it.
fn descendants(root: u32) -> Vec<u32> {
    let all: Vec<(u32, u32)> = fs::read_dir("/proc")
        .unwrap()
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .filter_map(|pid: u32| Some((pid, parent(pid)?)))
        .collect();
    let mut found = vec![root];
    let mut next = 0;
    while let Some(&pid) = found.get(next) {
        found.extend(all.iter().filter(|(_, parent)| *parent == pid).map(|(child, _)| *child));
        next += 1;
    }
    found
}

/// The process that started this one: the second field after the bracket that ends its name.
fn parent(pid: u32) -> Option<u32> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    stat.rsplit(')').next()?.split_whitespace().nth(1)?.parse().ok()
}

fn runs_pages(pid: u32) -> bool {
    let arguments = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    String::from_utf8_lossy(&arguments).contains("--type=renderer")
}

/// Proportional set size in bytes.
fn proportional(pid: u32) -> Option<u64> {
    let map = fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).ok()?;
    let line = map.lines().find_map(|line| line.strip_prefix("Pss:"))?;
    line.split_whitespace().next()?.parse::<u64>().ok().map(|kib| kib * 1024)
}

/// Bytes of a text in base64.
fn base64(text: &str) -> Vec<u8> {
    let digit = |c: u8| match c {
        b'A'..=b'Z' => c - b'A',
        b'a'..=b'z' => c - b'a' + 26,
        b'0'..=b'9' => c - b'0' + 52,
        b'+' => 62,
        _ => 63,
    };
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3);
    let (mut bits, mut held) = (0_u32, 0);
    for c in text.bytes().filter(|c| *c != b'=') {
        bits = bits << 6 | u32::from(digit(c));
        held += 6;
        if held >= 8 {
            held -= 8;
            bytes.push((bits >> held) as u8);
        }
    }
    bytes
}
