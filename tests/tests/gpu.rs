//! A GPU beside the processor: certified, tried, and never trusted before that. In software, so its speed says nothing.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests fail by panicking"
)]

use wardlight_tests::agent::{Broker, Site};
use wardlight_tests::wait::until;

/// Details of the records in the audit trail with this action.
fn audited(site: &Site, action: &str) -> Vec<String> {
    site.audit_trail()
        .into_iter()
        .filter(|record| record["action"] == action)
        .map(|record| record["detail"].as_str().unwrap().to_owned())
        .collect()
}

/// Runs the agent until both ECG models have had their trial or refusal.
fn tried(site: &Site, action: &str) -> Vec<String> {
    let agent = site.start();
    let both = || (audited(site, action).len() == 2).then_some(());
    until("both ECG models", 120, both);
    let ward = agent.get("/api/v1/ward").json();
    for model in ward["health"]["models"].as_array().unwrap() {
        assert_eq!(model["link"]["state"], "up", "{model}");
    }
    assert!(agent.terminate().success());
    audited(site, action)
}

#[test]
fn a_gpu_computes_only_where_it_is_certified_and_was_faster_and_the_processor_goes_on_anyway() {
    let vulkan = std::env::var_os("WARDLIGHT_EXPECT_VULKAN").is_some();
    if !vulkan && !std::path::Path::new("/usr/share/vulkan/icd.d").exists() {
        println!("NOT RUN: no Vulkan driver; Debian has one in software in mesa-vulkan-drivers");
        return;
    }
    let site = Site::new(Broker::Embedded, "[model]\ngpu = \"software\"\n");
    // `init` certified the processor alone.
    for detail in tried(&site, "gpu_refused") {
        assert!(
            detail.contains("does not cover") && detail.contains("model verify"),
            "{detail}"
        );
    }
    let verified = site.command(&["model", "verify"]);
    assert!(verified.status.success(), "{verified:?}");
    let said = String::from_utf8(verified.stdout).unwrap();
    let on_gpu: Vec<&str> = said.lines().filter(|line| line.starts_with("plan on ")).collect();
    let over_all = on_gpu.iter().filter(|line| line.contains(" all ")).count();
    assert_eq!(over_all, 2, "each ECG model gave its golden vectors bit for bit:\n{said}");
    for detail in tried(&site, "gpu_tried") {
        assert!(
            detail.contains("used for batches") || detail.contains("never faster"),
            "{detail}"
        );
    }
}
