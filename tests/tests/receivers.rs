//! Who is called, by the names of the configuration. That alerts carry them too is in `way.rs`.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests fail by panicking")]

use serde_json::json;
use wardlight_tests::agent::{Agent, Broker, Site};
use wardlight_tests::bedside::Bedside;

const RECEIVERS: &str = "[unit.receivers]\nprimary = [\"4101\"]\nsecond = [\"K. Brandt\", \"4102\"]";

#[test]
fn the_page_says_by_name_who_is_called_at_each_step() {
    let site = Site::new(Broker::Embedded, RECEIVERS);
    let agent = site.start();
    let mut bedside = Bedside::new(&site, &agent);
    bedside.flutter();
    bedside.tile_says("calling: 4101", 10);
    escalate(&agent);
    bedside.tile_says("2nd nurse called, calling: K. Brandt, 4102", 10);
    let banner = "document.getElementById('banner').innerText.includes('calling: K. Brandt, 4102')";
    bedside.browser.until("the names in the banner", 5, banner);
    escalate(&agent);
    // The unit has named no charge nurse, so the step stands alone.
    bedside.tile_says("charge nurse called", 10);
    let named = "document.getElementById('banner').innerText.includes('calling')";
    assert_eq!(bedside.browser.evaluate(named), false);
}

fn escalate(agent: &Agent<'_>) {
    let alarm = &agent.alarms("device_alarm_vf")[0];
    let path = format!("/api/v1/alarms/{}/escalate", alarm["id"].as_str().unwrap());
    assert_eq!(agent.post(&path, &json!({})).status, 200);
}
