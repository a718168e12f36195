//! The packages that the binary carries are those in the source tree, and they go live.
#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

use wardlight_models::{Package, TrustedKeys};

fn shipped(id: &str) -> Package {
    let keys = TrustedKeys::release().unwrap();
    let folder = format!("{}/packages/{id}", env!("CARGO_MANIFEST_DIR"));
    let shipped = Package::shipped(id, &keys).unwrap();
    let in_tree = Package::open(folder.as_ref(), &keys).unwrap();
    assert_eq!(shipped.manifest().version(), in_tree.manifest().version());
    shipped
}

#[test]
fn the_risk_model_passes_every_check_and_is_the_one_in_the_tree() {
    assert_eq!(shipped("deterioration").load().unwrap().id(), "deterioration");
}

#[test]
fn the_waveform_models_pass_every_check_and_are_those_in_the_tree() {
    for id in ["ecg-beat", "ecg-vf"] {
        assert_eq!(shipped(id).load_waveform().unwrap().manifest().id, id);
    }
}
