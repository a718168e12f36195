//! The package that the binary carries is the one in the source tree, and it goes live.
#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

use wardlight_models::{Package, TrustedKeys};

#[test]
fn the_shipped_package_passes_every_check_and_is_the_one_in_the_tree() {
    let keys = TrustedKeys::release().unwrap();
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/packages/deterioration");
    let shipped = Package::shipped("deterioration", &keys).unwrap();
    assert_eq!(
        shipped.manifest().version(),
        Package::open(folder.as_ref(), &keys).unwrap().manifest().version()
    );
    assert_eq!(shipped.load().unwrap().id(), "deterioration");
}
