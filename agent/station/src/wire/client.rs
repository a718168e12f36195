//! What a page says.

use std::collections::HashSet;

use serde::Deserialize;

/// A text frame from a page.
#[derive(Debug, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum ClientFrame {
    /// A nurse takes note of an alarm.
    Ack {
        /// Which alarm.
        alarm: String,
        /// Who, at a station without a login; elsewhere it is whoever is logged in.
        by: Option<String>,
    },
    /// Somebody touched the page: the person stays logged in.
    Gesture {},
    /// The page drew an alarm.
    Displayed {
        /// Which alarm.
        alarm: String,
        /// Which revision.
        #[expect(dead_code, reason = "pages say which change they drew; the first one counts")]
        revision: u32,
        /// When, on the page's estimate of the agent's clock.
        at: i64,
    },
    /// A person turned to an alarm.
    Seen {
        /// Which alarm.
        alarm: String,
        /// When, on the page's estimate of the agent's clock.
        at: i64,
    },
    /// Which waves the page wants from now on.
    Subscribe {
        /// All, none, or those of some beds.
        waves: WaveChoice,
    },
}

/// Which beds' waves a page wants.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(crate) enum WaveChoice {
    /// `"all"` or `"none"`.
    Word(WaveWord),
    /// Only these beds.
    Beds(HashSet<String>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum WaveWord {
    All,
    None,
}

impl WaveChoice {
    pub(crate) const ALL: Self = Self::Word(WaveWord::All);

    pub(crate) fn wants(&self, bed: &str) -> bool {
        match self {
            Self::Word(word) => *word == WaveWord::All,
            Self::Beds(beds) => beds.contains(bed),
        }
    }
}
