//! How much a ward's alarms ask of its nurses.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::ops::AddAssign;
use std::time::Duration;

use wardlight_core::alarms::{AlarmId, Audio, MERGE_WITHIN};
use wardlight_core::event::{AlarmChange, Transition};
use wardlight_core::ids::BedId;
use wardlight_core::message::Priority;
use wardlight_core::time::Timestamp;

use crate::fast_ward::{FastWard, START};

/// Alarms of one or several simulated wards.
#[derive(Clone, Debug, Default)]
pub struct Burden {
    /// Beds times days.
    pub bed_days: f64,
    /// How often each kind was raised at each priority.
    pub raised: BTreeMap<(Priority, String), u32>,
    /// Calls of medium or high priority that were heard; alarms of one call ring once.
    pub calls: u32,
    /// What began each of them.
    pub call_kinds: BTreeMap<String, u32>,
    /// Time in which a bed could not have alarmed.
    pub blind: Duration,
}

impl Burden {
    /// What a ward has seen up to now.
    pub fn of(ward: &FastWard) -> Self {
        Self::of_beds(ward, |_| true)
    }

    /// What the wanted ones of its beds, by their numbers from 0, have seen.
    pub fn of_beds(ward: &FastWard, wanted: impl Fn(usize) -> bool) -> Self {
        let beds = || {
            ward.ward()
                .beds()
                .into_iter()
                .enumerate()
                .filter(|(number, _)| wanted(*number))
                .map(|(_, bed)| bed)
        };
        let names: BTreeSet<BedId> = beds().map(|bed| bed.bed).collect();
        let days = ward.ward().now().since(START).as_secs_f64() / 86_400.0;
        let mut burden = Self {
            bed_days: names.len() as f64 * days,
            blind: beds().map(|bed| Duration::from_millis(bed.blind_ms)).sum(),
            ..Self::default()
        };
        let mut rings = BTreeMap::new();
        for change in ward.changes.iter().filter(|change| names.contains(&change.bed)) {
            if change.transition == Transition::Raised {
                let kind = (change.priority, change.kind.to_string());
                *burden.raised.entry(kind).or_default() += 1;
            }
            if rings_anew(change, &mut rings) {
                burden.calls += 1;
                *burden.call_kinds.entry(change.kind.to_string()).or_default() += 1;
            }
        }
        burden
    }

    /// Calls heard per bed and day.
    pub fn calls_per_bed_day(&self) -> f64 {
        f64::from(self.calls) / self.bed_days
    }
}

/// Whether a change makes a call of medium or high priority ring that did not ring yet. A reminder rings again.
fn rings_anew(change: &AlarmChange, rings: &mut BTreeMap<AlarmId, Timestamp>) -> bool {
    let calls = matches!(change.transition, Transition::Raised | Transition::Reminded);
    if !calls || change.priority < Priority::Medium || change.audio != Audio::On {
        return false;
    }
    match rings.get(&change.call) {
        Some(since) if change.changed_at.since(*since) <= MERGE_WITHIN => false,
        _ => {
            rings.insert(change.call.clone(), change.changed_at);
            true
        }
    }
}

impl AddAssign for Burden {
    fn add_assign(&mut self, other: Self) {
        self.bed_days += other.bed_days;
        self.calls += other.calls;
        self.blind += other.blind;
        for (kind, count) in other.raised {
            *self.raised.entry(kind).or_default() += count;
        }
        for (kind, count) in other.call_kinds {
            *self.call_kinds.entry(kind).or_default() += count;
        }
    }
}

impl fmt::Display for Burden {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let per_day = |count: u32| f64::from(count) / self.bed_days;
        writeln!(f, "{:10} {:24} {:>8} {:>12}", "priority", "kind", "alarms", "per bed-day")?;
        for ((priority, kind), count) in self.raised.iter().rev() {
            writeln!(f, "{:10} {kind:24} {count:8} {:12.3}", priority.name(), per_day(*count))?;
        }
        let begun: Vec<String> = self
            .call_kinds
            .iter()
            .map(|(kind, count)| format!("{count} {kind}"))
            .collect();
        writeln!(
            f,
            "audible calls, medium and high: {} in {:.2} bed-days, {:.2} per bed-day ({})",
            self.calls,
            self.bed_days,
            self.calls_per_bed_day(),
            begun.join(", ")
        )?;
        let blind_min = self.blind.as_secs_f64() / 60.0;
        write!(
            f,
            "blind: {blind_min:.1} min, {:.2} min per bed-day",
            blind_min / self.bed_days
        )
    }
}
