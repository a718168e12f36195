//! A model goes live only with a certificate of this machine.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "tests fail by panicking"
)]

use std::fs;

use wardlight_tests::agent::{Broker, Site};
use wardlight_tests::wait::until;

/// What the agent says of its model once it is up.
fn model(site: &Site) -> String {
    let agent = site.start();
    let said = until("the model's state", 10, || {
        let ward = agent.get("/api/v1/ward").json();
        let state = ward["ward"]["model"].as_str()?.to_owned();
        let settled = state == "live" || site.said().contains("does not go live");
        settled.then_some(state)
    });
    assert!(agent.terminate().success());
    said
}

#[test]
fn without_a_certificate_of_this_machine_the_agent_runs_on_rules_and_says_what_to_do() {
    let site = Site::new(Broker::Embedded, "");
    let certificate = site.dir().join("certificates/deterioration-2.0.0.json");
    assert_eq!(
        model(&site),
        "live",
        "init has certified what the binary carries: {}",
        site.said()
    );

    let text = fs::read_to_string(&certificate).unwrap();
    fs::remove_file(&certificate).unwrap();
    assert_eq!(model(&site), "gone");
    assert!(site.said().contains("wardlight model verify"), "{}", site.said());

    fs::write(&certificate, text.replace("all", "alL")).unwrap();
    let check = site.command(&["check"]);
    assert!(!check.status.success());
    let said = String::from_utf8_lossy(&check.stdout).into_owned();
    assert!(said.contains("signature") && said.contains("issue it again"), "{said}");

    let verify = site.command(&["model", "verify"]);
    assert!(verify.status.success(), "{verify:?}");
    assert!(site.command(&["check"]).stdout.windows(9).any(|said| said == b"certified"));
    fs::remove_file(site.log()).unwrap();
    assert_eq!(model(&site), "live");
}
