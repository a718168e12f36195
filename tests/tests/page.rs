//! The nurse's page in a real browser: twelve tiles, an alarm's text after a publish, and a picture of it.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "tests fail by panicking"
)]

use std::fs;
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};
use tempfile::TempDir;
use wardlight_tests::agent::{Broker, Site};
use wardlight_tests::device::{Device, HR, NIBP_SYS, SPO2};
use wardlight_tests::live::Live;
use wardlight_tests::mqtt::Client;
use wardlight_tests::wait::until;
use wardlight_tests::{http, target};

/// Headless Chromium, driven over its DevTools socket; ends with this value.
struct Browser {
    child: Child,
    tools: Live,
    calls: u64,
    _profile: TempDir,
}

impl Browser {
    fn open(url: &str) -> Self {
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

    fn call(&mut self, method: &str, params: &Value) -> Value {
        self.calls += 1;
        let id = self.calls;
        self.tools.send(&json!({"id": id, "method": method, "params": params}));
        self.tools.find(method, |frame| frame["id"] == id)["result"].take()
    }

    fn evaluate(&mut self, script: &str) -> Value {
        self.call("Runtime.evaluate", &json!({"expression": script, "returnByValue": true}))["result"]["value"].take()
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
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

#[test]
fn the_page_shows_twelve_tiles_and_an_alarm_as_it_comes() {
    let site = Site::new(Broker::Embedded, "");
    let agent = site.start();
    agent.occupy("B03", "mon-03");
    let mut wire = Client::connect(site.broker, "mon-03").unwrap();
    let mut monitor = Device::new("mon-03");
    let mut browser = Browser::open(&format!("http://127.0.0.1:{}/", site.http));
    until("twelve tiles", 30, || {
        (browser.evaluate("document.querySelectorAll('#grid .tile').length") == 12).then_some(())
    });
    let silent = browser.evaluate("document.body.innerText");
    assert!(!silent.as_str().unwrap().contains("NIBP systolic low"), "{silent}");

    let message = monitor.numerics(&[(HR, 82.0), (SPO2, 96.0), (NIBP_SYS, 70.0)]);
    wire.deliver(&message.topic, &message.payload());
    let text = until("the alarm's text on the page", 15, || {
        let text = browser.evaluate("document.body.innerText").as_str()?.to_owned();
        text.contains("NIBP systolic low").then_some(text)
    });
    assert!(text.contains("B03"), "{text}");
    let picture = browser.call("Page.captureScreenshot", &json!({"format": "png"}));
    let png = base64(picture["data"].as_str().unwrap());
    assert!(png.starts_with(b"\x89PNG") && png.len() > 10_000, "{} bytes", png.len());
    let file = target().join("page.png");
    fs::write(&file, png).unwrap();
    println!("picture of the page: {}", file.display());
}
