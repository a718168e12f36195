//! A bed with a patient and its page in a browser.

use serde_json::json;

use crate::agent::{Agent, Site};
use crate::browser::Browser;
use crate::device::{Device, HR, NIBP_SYS, SPO2};
use crate::mqtt::Client;

/// A bed with a patient, a monitor that speaks, and a page that shows it.
pub struct Bedside {
    wire: Client,
    monitor: Device,
    /// The page.
    pub browser: Browser,
}

impl Bedside {
    /// Occupies bed B03 and opens the page.
    pub fn new(site: &Site, agent: &Agent<'_>) -> Self {
        agent.occupy("B03", "mon-03");
        let browser = page(site);
        let mut bedside = Self {
            wire: Client::connect(site.broker, "mon-03").unwrap(),
            monitor: Device::new("mon-03"),
            browser,
        };
        bedside.measure(120.0);
        bedside
    }

    /// A set of values within the limits, but for the systolic pressure.
    pub fn measure(&mut self, systolic: f64) {
        let message = self.monitor.numerics(&[(HR, 82.0), (SPO2, 96.0), (NIBP_SYS, systolic)]);
        self.wire.deliver(&message.topic, &message.payload());
    }

    /// The monitor says that the heart flutters: high, red, latching.
    pub fn flutter(&mut self) {
        let message = self.monitor.alarm("vf", true);
        self.wire.deliver(&message.topic, &message.payload());
    }

    /// Waits until the tile of the bed reads so.
    pub fn tile_says(&mut self, text: &str, within_s: u64) {
        tile_says(&mut self.browser, text, within_s);
    }

    /// Answers the page's question who is acting, if it asks.
    pub fn sign_on(&mut self) {
        self.browser.evaluate(
            "(() => {
                const ask = document.querySelector('#ask[open]');
                const name = ask?.querySelector('input');
                if (!name) return;
                name.value = 'Nurse A';
                ask.querySelector('form').requestSubmit(ask.querySelector('.yes'));
            })()",
        );
    }
}

/// A page of the ward, with all its tiles.
pub fn page(site: &Site) -> Browser {
    let mut browser = Browser::open(&format!("http://127.0.0.1:{}/", site.http));
    browser.until("twelve tiles", 30, "document.querySelectorAll('#grid .tile').length === 12");
    browser
}

/// Waits until the tile of bed B03 reads so.
pub fn tile_says(browser: &mut Browser, text: &str, within_s: u64) {
    let script = format!(
        "document.querySelectorAll('.tile')[2].getAttribute('aria-label').includes({0}) || \
         document.querySelectorAll('.tile')[2].innerText.includes({0})",
        json!(text)
    );
    browser.until(&format!("{text:?} on the tile"), within_s, &script);
}
