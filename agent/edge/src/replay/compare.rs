//! Two runs of one period side by side: how many alarms, which came to be, which did not, and how much earlier or later.

use std::collections::BTreeMap;

use serde::Serialize;
use wardlight_core::alarms::{AlarmId, AlarmState};
use wardlight_core::event::AlarmChange;
use wardlight_core::time::Timestamp;

use super::Replayed;

const DAY_MS: f64 = 86_400_000.0;
/// Alarms that are named; the rest are counted.
const MOST_NAMED: usize = 200;

/// One side.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Summary {
    pub(crate) alarms: usize,
    pub(crate) alarms_per_bed_day: f64,
    pub(crate) by_kind: BTreeMap<String, usize>,
}

/// An alarm of one side that the other does not have.
#[derive(Debug, Serialize)]
pub(crate) struct Named {
    pub(crate) bed: String,
    pub(crate) kind: String,
    pub(crate) at: i64,
}

/// Alarms of both sides that came at another time.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Shift {
    pub(crate) alarms: usize,
    pub(crate) mean_s: f64,
}

/// See the [module](self).
#[derive(Debug, Serialize)]
pub(crate) struct Comparison {
    pub(crate) bed_days: f64,
    pub(crate) before: Summary,
    pub(crate) after: Summary,
    /// Alarms that there would be in addition.
    pub(crate) gained: usize,
    /// Alarms that there would not be.
    pub(crate) lost: usize,
    pub(crate) earlier: Shift,
    pub(crate) later: Shift,
    pub(crate) gained_alarms: Vec<Named>,
    pub(crate) lost_alarms: Vec<Named>,
}

/// An alarm from its raise to its end.
#[derive(Debug)]
struct Episode {
    bed: String,
    kind: String,
    raised_at: Timestamp,
    /// `None`: it stands at the end of the period.
    ended_at: Option<Timestamp>,
}

/// Compares a run as it was with one in which something was different.
pub(crate) fn compare(before: &Replayed, after: &Replayed) -> Comparison {
    let (was, would) = (episodes(&before.changes), episodes(&after.changes));
    let bed_days = before.bed_ms as f64 / DAY_MS;
    let mut taken = vec![false; would.len()];
    let mut lost_alarms = Vec::new();
    let (mut earlier, mut later) = (Vec::new(), Vec::new());
    for old in &was {
        let same = would.iter().zip(&taken).position(|(new, taken)| !taken && new.overlaps(old));
        let Some(new) = same.and_then(|at| {
            *taken.get_mut(at)? = true;
            would.get(at)
        }) else {
            lost_alarms.push(old.named());
            continue;
        };
        match new.raised_at.millis_after(old.raised_at) {
            0 => {}
            ms if ms < 0 => earlier.push(-ms),
            ms => later.push(ms),
        }
    }
    let unmatched = would.iter().zip(&taken).filter(|(_, taken)| !**taken);
    let gained_alarms: Vec<Named> = unmatched.map(|(new, _)| new.named()).collect();
    Comparison {
        bed_days,
        before: summary(&was, bed_days),
        after: summary(&would, bed_days),
        gained: gained_alarms.len(),
        lost: lost_alarms.len(),
        earlier: shift(&earlier),
        later: shift(&later),
        gained_alarms: gained_alarms.into_iter().take(MOST_NAMED).collect(),
        lost_alarms: lost_alarms.into_iter().take(MOST_NAMED).collect(),
    }
}

impl Episode {
    fn overlaps(&self, other: &Self) -> bool {
        let ends_after = |a: &Self, b: &Self| a.ended_at.is_none_or(|end| end >= b.raised_at);
        self.bed == other.bed && self.kind == other.kind && ends_after(self, other) && ends_after(other, self)
    }

    fn named(&self) -> Named {
        Named {
            bed: self.bed.clone(),
            kind: self.kind.clone(),
            at: self.raised_at.as_millis(),
        }
    }
}

fn episodes(changes: &[AlarmChange]) -> Vec<Episode> {
    let mut found: Vec<(&AlarmId, Episode)> = Vec::new();
    for change in changes {
        let ended_at = (change.state == AlarmState::Cleared).then_some(change.changed_at);
        if let Some((_, episode)) = found.iter_mut().rev().find(|(id, _)| **id == change.id) {
            episode.ended_at = ended_at;
        } else {
            let episode = Episode {
                bed: change.bed.to_string(),
                kind: change.kind.to_string(),
                raised_at: change.raised_at,
                ended_at,
            };
            found.push((&change.id, episode));
        }
    }
    found.into_iter().map(|(_, episode)| episode).collect()
}

fn summary(episodes: &[Episode], bed_days: f64) -> Summary {
    let mut by_kind = BTreeMap::new();
    for episode in episodes {
        *by_kind.entry(episode.kind.clone()).or_default() += 1;
    }
    Summary {
        alarms: episodes.len(),
        alarms_per_bed_day: if bed_days > 0.0 {
            episodes.len() as f64 / bed_days
        } else {
            0.0
        },
        by_kind,
    }
}

fn shift(ms: &[i64]) -> Shift {
    let mean = ms.iter().sum::<i64>() as f64 / ms.len().max(1) as f64;
    Shift {
        alarms: ms.len(),
        mean_s: mean / 1000.0,
    }
}
