//! The conditions that are present, each with the cell where it began.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::grid::CELL_MS;
use super::{Rhythm, RhythmFinding};
use crate::time::Timestamp;

/// What one witness holds for present. Beginnings and ends are appended as findings, each told once.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Present(BTreeMap<Rhythm, i64>);

impl Present {
    /// Where the condition began, if it is present.
    pub(super) fn since(&self, rhythm: Rhythm) -> Option<i64> {
        self.0.get(&rhythm).copied()
    }

    pub(super) fn begin(&mut self, rhythm: Rhythm, onset: i64, out: &mut Vec<RhythmFinding>) {
        self.0.entry(rhythm).or_insert_with(|| {
            out.push(finding(rhythm, true, onset));
            onset
        });
    }

    pub(super) fn end(&mut self, rhythm: Rhythm, at: i64, out: &mut Vec<RhythmFinding>) {
        if let Some(onset) = self.0.remove(&rhythm) {
            out.push(finding(rhythm, false, at.max(onset)));
        }
    }

    pub(super) fn end_all(&mut self, at: i64, out: &mut Vec<RhythmFinding>) {
        for (rhythm, onset) in std::mem::take(&mut self.0) {
            out.push(finding(rhythm, false, at.max(onset)));
        }
    }
}

fn finding(rhythm: Rhythm, present: bool, cell: i64) -> RhythmFinding {
    RhythmFinding {
        rhythm,
        present,
        onset_at: Timestamp::from_millis(cell.saturating_mul(CELL_MS)),
    }
}
