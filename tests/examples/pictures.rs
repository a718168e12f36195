//! The pictures of `docs/nurses.md`, from a running demo that is a minute or two old:
//! `cargo run -p wardlight-tests --example pictures -- http://127.0.0.1:8080/ docs/images PID`
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::disallowed_methods,
    reason = "a program that ends where it fails"
)]

use std::path::PathBuf;
use std::process::Command;

use serde_json::json;
use wardlight_tests::browser::Browser;

struct Camera {
    browser: Browser,
    folder: PathBuf,
}

impl Camera {
    /// A picture of the page as it is when everything that moves has been drawn.
    fn take(&mut self, name: &str) {
        self.browser.evaluate("new Promise((done) => setTimeout(done, 1500))");
        std::fs::write(self.folder.join(format!("{name}.png")), self.browser.picture()).unwrap();
    }

    fn size(&mut self, width: u32, height: u32, mobile: bool) {
        let size = json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": mobile});
        self.browser.call("Emulation.setDeviceMetricsOverride", &size);
    }

    /// The heart's high limit forty lower, and what that would have changed.
    fn what_if(&mut self) {
        self.browser.evaluate(
            "(() => {
                const high = [...document.querySelectorAll('dialog[open] input')].find((i) => /heart|HR/i.test(i.ariaLabel) && /high/i.test(i.ariaLabel));
                high.value = String(Number(high.value) - 40);
                high.dispatchEvent(new Event('input', { bubbles: true }));
            })()",
        );
        self.browser.click("dialog[open] button", "Show what this would have changed");
        self.browser
            .until("the answer", 60, "document.querySelector('dialog[open] p.result') !== null");
        self.take("what-if");
    }

    fn close_dialogs(&mut self) {
        self.browser
            .evaluate("[...document.querySelectorAll('dialog[open]')].forEach((d) => d.close())");
    }
}

fn main() {
    let mut args = std::env::args().skip(1);
    let url = args.next().expect("the address of a running demo");
    let folder = PathBuf::from(args.next().expect("the folder of the pictures"));
    let pid = args.next().expect("the process of the demo");
    let mut camera = Camera {
        browser: Browser::open(&url),
        folder,
    };
    camera.size(1280, 720, false);
    let browser = &mut camera.browser;
    browser.until("the tiles", 30, "document.querySelectorAll('#grid .tile').length >= 8");
    // Sweeps fill in six seconds.
    browser.evaluate("new Promise((done) => setTimeout(done, 9000))");
    camera.take("ward");
    camera.browser.evaluate("document.getElementById('night').click()");
    camera.take("night");
    camera.browser.evaluate("document.getElementById('night').click()");
    camera.browser.evaluate("document.getElementById('counts').click()");
    camera.take("alarms");
    camera.browser.evaluate("document.querySelectorAll('#grid .tile')[2].click()");
    camera
        .browser
        .until("the history", 10, "document.querySelector('.section.history table') !== null");
    camera.take("bed");
    camera
        .browser
        .evaluate("[...document.querySelectorAll('#panel h3')].find((h) => h.textContent === 'Trends')?.scrollIntoView()");
    camera.take("trends");
    camera
        .browser
        .evaluate("[...document.querySelectorAll('#panel h3')].find((h) => h.textContent.startsWith('Risk'))?.scrollIntoView()");
    camera.take("risk");
    // The demo's second bed fibrillates: what the model saw.
    camera.browser.evaluate("document.querySelector('#panel .close').click()");
    camera.browser.evaluate("document.querySelectorAll('#grid .tile')[1].click()");
    camera.browser.until(
        "what a model saw",
        10,
        "document.querySelector('.section.sighting svg') !== null",
    );
    camera
        .browser
        .evaluate("document.querySelector('.section.sighting').scrollIntoView({ block: 'center' })");
    camera.take("sighting");
    camera.browser.click("#panel button", "Limits");
    camera
        .browser
        .until("limits", 10, "document.querySelector('dialog[open] table') !== null");
    camera.take("limits");
    camera.what_if();
    camera.close_dialogs();
    camera.browser.evaluate("document.querySelector('#panel .close').click()");
    for view in ["handover", "burden", "system"] {
        camera.browser.evaluate(&format!("location.hash = '#{view}'"));
        let shown =
            "!document.getElementById('view').hidden && !document.getElementById('view').innerText.startsWith('One moment')";
        camera.browser.until(view, 15, shown);
        camera.take(view);
    }
    camera.browser.evaluate("location.hash = '#ward'");
    camera.size(390, 844, true);
    camera.take("phone");
    camera.size(1280, 720, false);
    signal("STOP", &pid);
    camera
        .browser
        .until("LINK LOST", 20, "!document.getElementById('lost').hidden");
    // Numbers age and go.
    camera.browser.evaluate("new Promise((done) => setTimeout(done, 12000))");
    camera.take("lost");
    signal("CONT", &pid);
}

/// Halts the demo and lets it go on: what the page does when its agent falls silent.
fn signal(name: &str, pid: &str) {
    let status = Command::new("kill").args([&format!("-{name}"), pid]).status().unwrap();
    assert!(status.success(), "kill -{name} {pid}");
}
