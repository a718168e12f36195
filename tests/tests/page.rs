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

use serde_json::json;
use wardlight_tests::agent::{Broker, Site};
use wardlight_tests::browser::Browser;
use wardlight_tests::device::{Device, HR, NIBP_SYS, SPO2};
use wardlight_tests::mqtt::Client;
use wardlight_tests::target;
use wardlight_tests::wait::until;

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
