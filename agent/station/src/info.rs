//! What the page says about the agent itself.

use wardlight_core::alarms::Roster;
use wardlight_core::ids::{BedId, SiteId, UnitId};
use wardlight_core::time::Timestamp;

/// Facts that do not change while the agent runs.
#[derive(Clone, Debug)]
pub struct StationInfo {
    /// The site.
    pub site: SiteId,
    /// Its name for people.
    pub site_name: String,
    /// Units with their beds, in the fixed order of the page.
    pub units: Vec<UnitInfo>,
    /// Version of the agent.
    pub version: String,
    /// When the agent started.
    pub started_at: Timestamp,
    /// Whether the patients are simulated: the page says so in large letters.
    pub simulated: bool,
    /// What this page is for, such as "Secondary display: the bedside monitor stays the primary alarm".
    pub role: String,
    /// Host names, beside `localhost` and IP addresses, under which the page may be opened. Any other name is refused,
    /// so that a foreign page cannot reach the station by rebinding its own name to our address.
    pub hosts: Vec<String>,
}

/// One unit.
#[derive(Clone, Debug)]
pub struct UnitInfo {
    /// Which unit.
    pub unit: UnitId,
    /// Its name for people.
    pub name: String,
    /// Its beds, in order.
    pub beds: Vec<BedId>,
    /// Who is called for them.
    pub roster: Roster,
}

/// State of one of the agent's own connections.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Link {
    /// Nothing is known yet.
    #[default]
    Unknown,
    /// Works.
    Up,
    /// Does not work.
    Down {
        /// Since when.
        since: Timestamp,
        /// A sentence for a nurse, without internals.
        reason: String,
    },
}

/// The disk under the journal; what is not known is `None`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Storage {
    /// What the journal takes, in bytes.
    pub journal_bytes: Option<u64>,
    /// What is free beside it, in bytes.
    pub free_bytes: Option<u64>,
}

/// How the agent itself is, shown apart from the devices: a dead broker is not a dead device.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Health {
    /// Connection to the MQTT broker.
    pub broker: Link,
    /// The encrypted journal.
    pub journal: Link,
    /// The models, in the order of their names.
    pub models: Vec<ModelHealth>,
}

/// How a model is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ModelHealth {
    /// Its name, such as `ecg-vf`.
    pub id: String,
    /// Its version; empty if none could be loaded.
    pub version: String,
    /// What runs it.
    pub runs_on: String,
    /// Whether it answers.
    pub link: Link,
    /// Which version was taken back by itself before this one, and why.
    pub taken_back: Option<String>,
}
