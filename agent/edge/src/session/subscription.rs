//! What a connection subscribes to, and in which kind of session.

use wardlight_core::ids::SiteId;

/// The last levels of the topics that can raise an alarm or end one. Waveforms come at QoS 0, which waits for nothing.
const JUDGED: [&str; 5] = ["num", "alarm", "event", "state", "birth"];

/// See the [module](self).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Subscription {
    /// Everything under the site, at QoS 1, in a session that the broker keeps while we are away.
    Kept(Vec<String>),
    /// What can raise an alarm, at QoS 0, in a session that ends with the connection.
    Live(Vec<String>),
    /// The broker's log, in the same way.
    Log(Vec<String>),
    /// Nothing: messages come through the embedded broker's door.
    None,
}

impl Subscription {
    pub(super) fn kept(prefix: &str) -> Self {
        Self::Kept(vec![format!("{prefix}#")])
    }

    /// Hears these as well, in a session that the broker keeps.
    pub(super) fn add(&mut self, more: Vec<String>) {
        if let Self::Kept(filters) = self {
            filters.extend(more);
        }
    }

    pub(super) fn live(site: &SiteId) -> Self {
        Self::Live(JUDGED.iter().map(|kind| format!("{}+/{kind}", super::prefix(site))).collect())
    }

    /// What Mosquitto says on its log at these levels: errors, warnings, notices.
    pub(super) fn log() -> Self {
        Self::Log(
            ["E", "W", "N"]
                .iter()
                .map(|level| format!("$SYS/broker/log/{level}"))
                .collect(),
        )
    }

    /// Whether the session ends with the connection, and nothing in it is confirmed.
    pub(super) const fn is_live(&self) -> bool {
        matches!(self, Self::Live(_) | Self::Log(_))
    }

    pub(super) fn filters(&self) -> &[String] {
        match self {
            Self::Kept(filters) | Self::Live(filters) | Self::Log(filters) => filters,
            Self::None => &[],
        }
    }
}
