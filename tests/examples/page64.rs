//! How fluently the page draws a ward of 64 beds, and what it costs: frames per second, JavaScript heap, the memory
//! of the page's process and of the whole browser, minute by minute. `tests/bench/run page64 [minutes] [beds]`; needs chromium and the release binary of the agent.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a measurement, not a product"
)]

use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

use serde_json::{Value, json};
use wardlight_tests::browser::Browser;
use wardlight_tests::wait::until;
use wardlight_tests::{free_port, http, wardlight};

/// Counts the frames that the page draws, and the longest pause between two.
const COUNT: &str = "(() => {
    window.measured = { frames: 0, worst: 0, last: performance.now() };
    const frame = () => {
        const at = performance.now();
        measured.frames += 1;
        measured.worst = Math.max(measured.worst, at - measured.last);
        measured.last = at;
        requestAnimationFrame(frame);
    };
    requestAnimationFrame(frame);
})()";
/// What was counted since the last question.
const TAKE: &str = "(() => { const m = { ...measured }; measured.frames = 0; measured.worst = 0; return m; })()";
/// Seconds that one line of the report stands for.
const LINE_S: u64 = 15;

/// The demo; ends with this value.
struct Demo(Child);

impl Drop for Demo {
    fn drop(&mut self) {
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

fn screen() -> Value {
    json!({"width": 1920, "height": 1080, "deviceScaleFactor": 1, "mobile": false})
}

fn main() {
    let mut args = std::env::args().skip(1).map(|a| a.parse::<u64>().expect("a number"));
    let minutes = args.next().unwrap_or(5);
    let beds = args.next().unwrap_or(64);
    let port = free_port();
    let mut command = Command::new(wardlight());
    command.args(["demo", "--beds", &beds.to_string(), "--listen", &format!("127.0.0.1:{port}")]);
    let demo = Demo(command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap());
    until("the demo", 120, || {
        http::get(port, "/api/v1/ward").ok().filter(|a| a.status == 200)
    });

    let empty = {
        let mut browser = Browser::open("about:blank");
        browser.call("Emulation.setDeviceMetricsOverride", &screen());
        sleep(Duration::from_secs(LINE_S));
        browser.memory()
    };

    let mut browser = Browser::open(&format!("http://127.0.0.1:{port}/"));
    browser.call("Emulation.setDeviceMetricsOverride", &screen());
    browser.until(
        "the tiles",
        60,
        &format!("document.querySelectorAll('.tile').length === {beds}"),
    );
    browser.evaluate(COUNT);
    println!(
        "{beds} beds on 1920 x 1080, every {LINE_S} s; the browser with an empty page: {:.0} MB",
        empty as f64 / 1e6
    );
    println!(
        "{:>7} {:>7} {:>10} {:>9} {:>9} {:>11}",
        "s", "fps", "worst, ms", "heap, MB", "page, MB", "browser, MB"
    );
    for line in 1..=minutes * 60 / LINE_S {
        sleep(Duration::from_secs(LINE_S));
        let counted = browser.evaluate(TAKE);
        let heap = browser.call("Runtime.getHeapUsage", &json!({}))["usedSize"].as_f64().unwrap();
        println!(
            "{:>7} {:>7.1} {:>10.0} {:>9.1} {:>9.0} {:>11.0}",
            line * LINE_S,
            counted["frames"].as_f64().unwrap() / LINE_S as f64,
            counted["worst"].as_f64().unwrap(),
            heap / 1e6,
            browser.page_memory() as f64 / 1e6,
            browser.memory() as f64 / 1e6,
        );
    }
    drop(demo);
}
