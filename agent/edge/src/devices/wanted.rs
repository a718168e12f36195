//! What the registry wants of each device that may connect.

use std::collections::BTreeMap;

use wardlight_devices::{Firmware, Record, Status};

use super::firmware::Audience;
use crate::remote::{Wanted, WantedOfAll};

/// Gathers it; devices of which nothing is wanted are left out.
pub(crate) fn wanted(records: &[Record], noted: &BTreeMap<Audience, Firmware>) -> WantedOfAll {
    let of = |record: &Record| {
        let own = noted.get(&Audience::Device(record.id.clone()));
        let firmware = own.or_else(|| noted.get(&Audience::Profile(record.profile.clone())));
        Wanted {
            configuration: record.desired.clone(),
            firmware: firmware.map(|firmware| firmware.notice.clone()),
        }
    };
    let enrolled = records.iter().filter(|record| record.status() == Status::Enrolled);
    let all = enrolled.map(|record| (record.id.clone(), of(record)));
    all.filter(|(_, wanted)| *wanted != Wanted::default()).collect()
}
