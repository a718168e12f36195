//! Two pages of one ward, sound on: what is heard, and that what is done at one is seen at the other, over a restart of the agent.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "tests fail by panicking"
)]

use wardlight_tests::agent::{Broker, Site};
use wardlight_tests::bedside::{Bedside, page, tile_says};
use wardlight_tests::browser::Browser;

/// From here on the page counts the looped bursts that it has begun to play now (not the one that waits for a lost link) and not
/// stopped.
const LISTEN: &str = "(() => {
    window.bursts = new Set();
    const { start, stop } = AudioBufferSourceNode.prototype;
    AudioBufferSourceNode.prototype.start = function (at = 0, ...rest) {
        if (this.loop && at <= this.context.currentTime + 0.5) bursts.add(this);
        return start.call(this, at, ...rest);
    };
    AudioBufferSourceNode.prototype.stop = function (...rest) {
        bursts.delete(this);
        return stop.call(this, ...rest);
    };
})()";
const HEARD: &str = "bursts.size === 1";
const SILENT: &str = "bursts.size === 0";
const ADMITTED: &str = "!document.querySelectorAll('.tile')[4].getAttribute('aria-label').includes('no patient')";

fn arm(browser: &mut Browser) {
    browser.evaluate(LISTEN);
    browser.evaluate("document.getElementById('sound').click()");
    browser.until("sound on", 10, "document.getElementById('sound').dataset.state === 'on'");
}

#[test]
fn an_alarm_is_heard_at_both_pages_until_one_acknowledges_it_and_a_restart_forgets_nothing() {
    let site = Site::new(Broker::Embedded, "");
    let agent = site.start();
    let mut first = Bedside::new(&site, &agent);
    let mut second = page(&site);
    arm(&mut first.browser);
    arm(&mut second);

    first.flutter();
    for browser in [&mut first.browser, &mut second] {
        tile_says(browser, "Ventricular fibrillation", 10);
        browser.until("the high burst", 5, HEARD);
    }

    first.browser.evaluate("document.getElementById('pause-bed').click()");
    first.sign_on();
    let paused = "document.getElementById('pause-bed').getAttribute('aria-pressed') === 'true'";
    for browser in [&mut first.browser, &mut second] {
        browser.until("the pause, counting down", 10, paused);
        browser.until("the burst: a pause never quiets an unanswered red alarm", 5, HEARD);
    }

    first.browser.until(
        "an acknowledged alarm",
        15,
        "(() => {
            document.getElementById('do-acknowledge').click();
            return document.getElementById('banner').dataset.priority === 'none';
        })()",
    );
    for browser in [&mut first.browser, &mut second] {
        tile_says(browser, "acknowledged", 10);
        browser.until("silence", 5, SILENT);
    }

    admit(&mut second);
    for browser in [&mut first.browser, &mut second] {
        browser.until("the patient in B05", 10, ADMITTED);
    }

    agent.kill();
    for browser in [&mut first.browser, &mut second] {
        browser.until(
            "LINK LOST",
            6,
            "document.getElementById('lost').innerText.includes('LINK LOST')",
        );
    }
    let agent = site.start();
    for browser in [&mut first.browser, &mut second] {
        browser.until("the link again", 30, "document.getElementById('lost').hidden");
        tile_says(browser, "acknowledged", 10);
        browser.until("the patient in B05", 10, ADMITTED);
    }
    assert_eq!(agent.alarms("device_alarm_vf").first().unwrap()["state"], "acknowledged");

    // Each stands in the trail under the name that was typed at that page or terminal, and as nobody who has logged in.
    agent.bed(&["admit", "B07", "--by", "Jörg O'Neill"]);
    let records = site.audit_trail();
    for (action, name) in [
        ("pause_audio", "Nurse A"),
        ("acknowledge", "Nurse A"),
        ("admit", "Nurse B"),
        ("admit", "Jörg O'Neill"),
    ] {
        let record = records.iter().find(|r| r["action"] == action && r["by"] == name);
        let record = record.unwrap_or_else(|| panic!("{action} by {name}: {records:#?}"));
        assert!(record.get("user").is_none() && record["unproved"] == true, "{record:#}");
    }
}

/// Nurse B opens the empty bed B05 and admits a patient.
fn admit(browser: &mut Browser) {
    browser.evaluate("document.querySelectorAll('.tile')[4].click()");
    browser.click("#panel button", "Admit");
    browser.click("dialog[open] .yes", "Admit");
    browser.until(
        "the question who acts",
        10,
        "document.querySelector('#ask[open] input') !== null",
    );
    browser.evaluate(
        "document.querySelector('#ask input').value = 'Nurse B';
         document.querySelector('#ask form').requestSubmit(document.querySelector('#ask .yes'))",
    );
}
