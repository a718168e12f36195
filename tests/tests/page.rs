//! The nurse's page in a real browser: twelve tiles, an alarm's text after a publish, and a picture of it.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "tests fail by panicking"
)]

use std::fs;

use wardlight_tests::agent::{Broker, Site};
use wardlight_tests::browser::Browser;
use wardlight_tests::device::{Device, HR, NIBP_SYS, SPO2};
use wardlight_tests::mqtt::Client;
use wardlight_tests::target;
use wardlight_tests::wait::until;

#[test]
fn the_page_shows_twelve_tiles_and_an_alarm_as_it_comes() {
    let site = Site::new(Broker::Embedded, "");
    let agent = site.start();
    agent.occupy("B03", "mon-03");
    let mut wire = Client::connect(site.broker, "mon-03").unwrap();
    let mut monitor = Device::new("mon-03");
    let mut browser = Browser::open(&format!("http://127.0.0.1:{}/", site.http));
    browser.until("twelve tiles", 30, "document.querySelectorAll('#grid .tile').length === 12");
    let silent = browser.text();
    assert!(!silent.contains("NIBP systolic low"), "{silent}");

    let message = monitor.numerics(&[(HR, 82.0), (SPO2, 96.0), (NIBP_SYS, 70.0)]);
    wire.deliver(&message.topic, &message.payload());
    let text = until("the alarm's text on the page", 15, || {
        let text = browser.text();
        text.contains("NIBP systolic low").then_some(text)
    });
    assert!(text.contains("B03"), "{text}");
    let png = browser.picture();
    assert!(png.starts_with(b"\x89PNG") && png.len() > 10_000, "{} bytes", png.len());
    let file = target().join("page.png");
    fs::write(&file, png).unwrap();
    println!("picture of the page: {}", file.display());
}
