//! The station in a real browser: what a nurse sees and does from an alarm's first flash to its acknowledgement, what the
//! page says when the agent falls silent, and whether everybody can use it.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stderr,
    reason = "tests fail by panicking"
)]

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use serde_json::{Value, json};
use wardlight_tests::agent::{Agent, Broker, Site};
use wardlight_tests::bedside::Bedside;
use wardlight_tests::browser::Browser;
use wardlight_tests::target;

const AXE: &str = "axe-core@4.14.1";

/// Flashes per second of the first strip that calls with high priority, over four seconds.
const FLASHES_PER_SECOND: &str = "new Promise((done) => {
    const node = document.querySelector('.strip[data-fill=high]');
    const from = performance.now();
    let last = node.dataset.phase;
    let changes = 0;
    const look = () => {
        if (node.dataset.phase !== last) changes += 1;
        last = node.dataset.phase;
        const s = (performance.now() - from) / 1000;
        if (s < 4) requestAnimationFrame(look);
        else done(changes / 2 / s);
    };
    look();
})";

#[test]
fn an_alarm_flashes_goes_up_is_answered_and_acknowledged_and_survives_a_reload() {
    let site = Site::new(Broker::Embedded, "");
    let agent = site.start();
    let mut bedside = Bedside::new(&site, &agent);
    bedside.flutter();
    bedside.tile_says("Ventricular fibrillation", 10);
    bedside.browser.until(
        "the banner",
        5,
        "document.getElementById('banner').dataset.priority === 'high'",
    );
    let hz = bedside.browser.evaluate(FLASHES_PER_SECOND).as_f64().unwrap();
    assert!((1.4..=2.8).contains(&hz), "flashes at {hz:.2} Hz");
    let phases = "new Set([...document.querySelectorAll('[data-fill=high][data-phase]')].map((n) => n.dataset.phase)).size";
    assert_eq!(bedside.browser.evaluate(phases), 1, "everything flashes together");

    bedside.browser.click("#banner button", "Escalate now");
    bedside.sign_on();
    bedside.tile_says("2nd nurse called", 10);
    bedside.browser.click("#banner button", "I am going");
    bedside.tile_says("is going", 10);

    bedside.browser.call("Page.reload", &json!({}));
    bedside
        .browser
        .until("the page again", 30, "document.querySelectorAll('#grid .tile').length === 12");
    bedside.tile_says("is going", 10);

    // A press counts once the banner has stood still for half a second.
    bedside.browser.until(
        "an acknowledged alarm",
        15,
        "(() => {
            const open = document.querySelector('#ask[open] input');
            if (open) {
                open.value = 'Nurse A';
                document.querySelector('#ask form').requestSubmit(document.querySelector('#ask .yes'));
            } else {
                document.getElementById('do-acknowledge').click();
            }
            return document.getElementById('banner').dataset.priority === 'none';
        })()",
    );
    bedside.tile_says("acknowledged", 5);
    let standing = agent.alarms("device_alarm_vf");
    assert_eq!(standing[0]["state"], "acknowledged", "{standing:?}");
    let history = agent.get("/api/v1/history?hours=1&bed=B03").json();
    let receipts = &history["episodes"][0]["receipts"];
    let shown = receipts["displayed_at"].as_i64().zip(receipts["decided_at"].as_i64());
    assert!(shown.is_some_and(|(shown, decided)| shown >= decided - 1000), "{history:#}");
}

#[test]
fn a_silent_agent_is_said_within_seconds_and_orders_are_not_sent() {
    let site = Site::new(Broker::Embedded, "");
    let agent = site.start();
    let mut bedside = Bedside::new(&site, &agent);
    bedside.flutter();
    bedside.measure(120.0);
    bedside.tile_says("Ventricular fibrillation", 10);
    bedside
        .browser
        .until("a live link", 10, "document.getElementById('lost').hidden");

    signal("STOP", &agent);
    bedside.browser.until(
        "LINK LOST",
        6,
        "document.getElementById('lost').innerText.includes('LINK LOST')",
    );
    bedside.browser.evaluate("document.getElementById('do-acknowledge').click()");
    bedside.browser.until(
        "the refusal",
        5,
        "document.getElementById('toast').innerText.includes('NOT SENT')",
    );
    let blanked =
        "[...document.querySelectorAll('.tile')[2].querySelectorAll('.val')].every((n) => n.textContent.startsWith('--'))";
    bedside.browser.until("blanked numbers", 10, blanked);

    signal("CONT", &agent);
    bedside
        .browser
        .until("the link again", 20, "document.getElementById('lost').hidden");
    bedside.tile_says("Ventricular fibrillation", 10);
    let standing = agent.alarms("device_alarm_vf");
    assert_eq!(standing[0]["state"], "active", "nothing was acknowledged: {standing:?}");
}

#[test]
fn no_view_has_a_serious_violation_of_accessibility() {
    let Some(axe) = axe() else { return };
    let site = Site::new(Broker::Embedded, "");
    let agent = site.start();
    let mut bedside = Bedside::new(&site, &agent);
    bedside.flutter();
    bedside.measure(70.0);
    bedside.tile_says("Ventricular fibrillation", 10);
    let source = fs::read_to_string(axe).unwrap();
    bedside.browser.evaluate(&source);
    let browser = &mut bedside.browser;
    check(browser, "ward");
    browser.evaluate("document.getElementById('night').click()");
    check(browser, "ward at night");
    browser.evaluate("document.getElementById('night').click()");
    browser.evaluate("document.getElementById('counts').click()");
    check(browser, "list of alarms");
    browser.evaluate("document.querySelectorAll('.tile')[2].click()");
    browser.until("the history", 10, "document.querySelector('.section.history table') !== null");
    check(browser, "bed");
    for dialog in ["Limits", "Alarms on or off", "Chart", "Transfer", "Discharge"] {
        browser.click("#panel button", dialog);
        browser.until(dialog, 10, "document.querySelector('dialog[open]') !== null");
        check(browser, dialog);
        browser.evaluate("[...document.querySelectorAll('dialog[open]')].forEach((d) => d.close())");
    }
    browser.evaluate("document.querySelector('#panel .close').click()");
    browser.evaluate("document.getElementById('help').click()");
    check(browser, "help");
    browser.evaluate("[...document.querySelectorAll('dialog[open]')].forEach((d) => d.close())");
    for view in ["handover", "burden", "system"] {
        browser.evaluate(&format!("location.hash = '#{view}'"));
        browser.until(
            view,
            15,
            "!document.getElementById('view').hidden && !document.getElementById('view').innerText.startsWith('One moment')",
        );
        check(browser, view);
    }
    let phone = json!({"width": 390, "height": 844, "deviceScaleFactor": 1, "mobile": true});
    browser.call("Emulation.setDeviceMetricsOverride", &phone);
    browser.evaluate("location.hash = '#ward'");
    browser.until("the ward", 5, "!document.getElementById('grid').hidden");
    check(browser, "phone");
}

/// Fails if axe-core finds a serious or critical violation.
fn check(browser: &mut Browser, view: &str) {
    let found = browser.evaluate(
        "axe.run(document, { resultTypes: ['violations'] }).then(({ violations }) => violations
            .filter((v) => v.impact === 'serious' || v.impact === 'critical')
            .map((v) => `${v.id}: ${v.nodes.map((n) => `${n.target} ${n.failureSummary}`).join('; ')}`))",
    );
    assert_eq!(found, Value::Array(Vec::new()), "{view}: {found:#}");
}

/// axe-core, fetched once into the build folder; `None`, loudly, where no registry can be reached.
fn axe() -> Option<PathBuf> {
    let folder = target().join("axe");
    let file = folder.join("node_modules/axe-core/axe.min.js");
    if !file.is_file() {
        fs::create_dir_all(&folder).unwrap();
        let install = Command::new("npm")
            .args(["install", "--no-audit", "--no-fund", "--prefix"])
            .arg(&folder)
            .arg(AXE)
            .output();
        if !install.as_ref().is_ok_and(|output| output.status.success()) || !file.is_file() {
            eprintln!("\n!!! NOT RUN: accessibility. {AXE} could not be installed with npm: {install:?}\n");
            return None;
        }
    }
    Some(file)
}

fn signal(name: &str, agent: &Agent<'_>) {
    let sent = Command::new("kill")
        .arg(format!("-{name}"))
        .arg(agent.pid().to_string())
        .status();
    assert!(sent.unwrap().success());
}
