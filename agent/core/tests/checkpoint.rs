//! What the checkpoint holds comes back as it was, or is refused.
#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

use std::fmt::Debug;

use serde::Serialize;
use serde::de::DeserializeOwned;
use wardlight_core::blind::{BlindCause, BlindLedger};
use wardlight_core::codes::AgeGroup;
use wardlight_core::drift::{Histogram, HistogramKind, Histograms};
use wardlight_core::limits::AlarmLimits;
use wardlight_core::time::Timestamp;
use wardlight_core::vitals::Milli;

#[track_caller]
fn comes_back<T: Serialize + DeserializeOwned + PartialEq + Debug>(value: &T) {
    let stored = postcard::to_allocvec(value).unwrap();
    assert_eq!(&postcard::from_bytes::<T>(&stored).unwrap(), value);
}

#[test]
fn limits_come_back() {
    for age in [AgeGroup::Neonate, AgeGroup::Paediatric, AgeGroup::Adult] {
        let mut limits = AlarmLimits::for_age(age);
        limits.chart_oxygen(Some(true));
        comes_back(&limits);
    }
}

#[test]
fn blind_time_comes_back_with_what_is_open() {
    let mut ledger = BlindLedger::default();
    ledger.open(BlindCause::LeadOff, Timestamp::from_millis(1_000));
    ledger.open(BlindCause::NoData, Timestamp::from_millis(2_000));
    ledger.close(BlindCause::LeadOff, Timestamp::from_millis(3_000));
    comes_back(&ledger);
}

#[test]
fn histograms_come_back_but_not_with_other_edges() {
    let mut histograms = Histograms::default();
    histograms.add(HistogramKind::Spo2, Milli::from_int(97));
    comes_back(&histograms);
    let older = (HistogramKind::Spo2, vec![1u64, 2, 3], 0u64, 0u64);
    let stored = postcard::to_allocvec(&older).unwrap();
    assert!(postcard::from_bytes::<Histogram>(&stored).is_err());
}
