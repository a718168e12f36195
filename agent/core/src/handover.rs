//! Shift handover after I-PASS: what the nurse who goes writes down, and the read-back of the one who comes.
//!
//! Only what people write; what the agent knows by itself (alarms, limits, scores, gaps) is put beside it by the page.

use serde::{Deserialize, Serialize};

use crate::time::Timestamp;

/// Longest text of one row, in characters.
pub const MAX_TEXT: usize = 1000;

/// Illness severity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Severity {
    /// As expected.
    Stable,
    /// To be watched.
    Watcher,
    /// Getting worse.
    Unstable,
}

impl Severity {
    /// `stable`, `watcher` or `unstable`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Stable => "stable",
            Self::Watcher => "watcher",
            Self::Unstable => "unstable",
        }
    }

    /// From its name.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Stable, Self::Watcher, Self::Unstable]
            .into_iter()
            .find(|severity| severity.name() == name)
    }
}

/// The rows of I-PASS that people write. They are about a patient, so `Debug` keeps them to itself.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HandoverNote {
    /// I: illness severity.
    pub severity: Severity,
    /// P: patient summary.
    pub summary: String,
    /// A: action list, with owner and time.
    pub actions: String,
    /// S: situation awareness and contingency.
    pub contingency: String,
}

impl std::fmt::Debug for HandoverNote {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("HandoverNote")
            .field("severity", &self.severity)
            .finish_non_exhaustive()
    }
}

impl HandoverNote {
    /// The row that is longer than [`MAX_TEXT`], if one is.
    pub fn too_long(&self) -> Option<&'static str> {
        let rows = [
            ("summary", &self.summary),
            ("actions", &self.actions),
            ("contingency", &self.contingency),
        ];
        rows.into_iter()
            .find(|(_, text)| text.chars().count() > MAX_TEXT)
            .map(|(row, _)| row)
    }
}

/// A note with who wrote it, and (S: synthesis by the receiver) who read it back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Handover {
    /// What was written.
    pub note: HandoverNote,
    /// By whom.
    pub by: String,
    /// When.
    pub at: Timestamp,
    /// Who read it back, and when.
    pub read_back: Option<(String, Timestamp)>,
}
