//! What alarms there were, and when each was sampled, received, decided, signalled, displayed, seen and acknowledged.

use std::collections::VecDeque;

use wardlight_core::alarms::{AlarmId, AlarmState, Receiver};
use wardlight_core::event::{AlarmChange, Transition};
use wardlight_core::ids::{BedId, StayToken};
use wardlight_core::time::Timestamp;
use wardlight_core::view::AlarmView;

/// Episodes that are remembered; the oldest go. At 20 alarms a bed and day that is two days of 100 beds.
const MAX_EPISODES: usize = 4096;

/// The times of one alarm. `sampled_at` is the device's clock, the rest the agent's, the page's estimate of it included.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Receipts {
    /// When the value that led to it was measured.
    pub sampled_at: Option<Timestamp>,
    /// When its message came.
    pub received_at: Option<Timestamp>,
    /// When the rules declared it.
    pub decided_at: Option<Timestamp>,
    /// When it was handed to the page, the broker and the webhooks.
    pub signalled_at: Option<Timestamp>,
    /// When the first page had drawn it.
    pub displayed_at: Option<Timestamp>,
    /// When a person first turned to it.
    pub seen_at: Option<Timestamp>,
    /// When somebody took note.
    pub acknowledged_at: Option<Timestamp>,
    /// When it cleared.
    pub ended_at: Option<Timestamp>,
}

/// A time that a page reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Receipt {
    /// The page has drawn it.
    Displayed,
    /// A person has turned to it.
    Seen,
}

/// One alarm from its beginning to its end.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Episode {
    pub(crate) bed: BedId,
    pub(crate) stay: StayToken,
    pub(crate) alarm: AlarmView,
    revision: u32,
    /// Whether a page was open when it began: only then does its way to the screen say how fast that is.
    pub(crate) watched: bool,
    pub(crate) receipts: Receipts,
    /// How far its call went.
    pub(crate) reached: Receiver,
}

/// The newest episodes, in the order of their beginning.
#[derive(Debug, Default)]
pub(crate) struct History {
    episodes: VecDeque<Episode>,
    /// From when on it is complete.
    since: Option<Timestamp>,
}

impl History {
    /// Notes a change; one that is only said again changes nothing. `watched`: whether a page is open.
    pub(crate) fn note(&mut self, change: &AlarmChange, signalled_at: Option<Timestamp>, watched: bool) {
        self.since.get_or_insert(change.changed_at);
        if !self.episodes.iter().any(|episode| episode.alarm.id == change.id) {
            self.begin(change, signalled_at, watched);
        }
        let Some(episode) = self.find(&change.id) else { return };
        episode.alarm = change.into();
        episode.revision = change.revision;
        episode.reached = episode.reached.max(change.receiver);
        let at = Some(change.changed_at);
        match change.transition {
            Transition::Acknowledged => episode.receipts.acknowledged_at = at,
            Transition::Raised | Transition::Reminded => episode.receipts.ended_at = None,
            _ => {}
        }
        if change.state == AlarmState::Cleared {
            episode.receipts.ended_at = at;
        }
    }

    /// Notes what a page reports; returns all receipts if it is the first such report, with when the value was sampled only
    /// where a page was open from the beginning.
    pub(crate) fn confirm(&mut self, id: &AlarmId, receipt: Receipt, at: Timestamp) -> Option<Receipts> {
        let episode = self.find(id)?;
        let slot = match receipt {
            Receipt::Displayed => &mut episode.receipts.displayed_at,
            Receipt::Seen => &mut episode.receipts.seen_at,
        };
        let news = slot.is_none();
        slot.get_or_insert(at);
        let sampled_at = episode.receipts.sampled_at.filter(|_| episode.watched);
        news.then_some(Receipts {
            sampled_at,
            ..episode.receipts
        })
    }

    /// Puts what was recorded before a restart, complete from `since` on, under what has happened since.
    pub(crate) fn precede(&mut self, past: Self, since: Timestamp) {
        let live = std::mem::replace(&mut self.episodes, past.episodes);
        self.since = Some(
            past.since
                .map_or(since, |first| if self.episodes.len() == MAX_EPISODES { first } else { since }),
        );
        for episode in live {
            match self.find(&episode.alarm.id) {
                Some(known) if known.revision > episode.revision => {}
                Some(known) => {
                    known.alarm = episode.alarm;
                    known.revision = episode.revision;
                    known.reached = known.reached.max(episode.reached);
                    known.receipts.acknowledged_at = episode.receipts.acknowledged_at.or(known.receipts.acknowledged_at);
                    known.receipts.ended_at = episode.receipts.ended_at.or(known.receipts.ended_at);
                }
                None => self.insert(episode),
            }
        }
    }

    /// Nothing of a stay is remembered any more.
    pub(crate) fn forget(&mut self, stay: StayToken) {
        self.episodes.retain(|episode| episode.stay != stay);
    }

    /// From when on it is complete.
    pub(crate) const fn since(&self) -> Option<Timestamp> {
        self.since
    }

    /// Episodes that began after `from`, newest first.
    pub(crate) fn after(&self, from: Timestamp) -> impl Iterator<Item = &Episode> {
        self.episodes
            .iter()
            .rev()
            .take_while(move |episode| episode.alarm.raised_at >= from)
    }

    fn begin(&mut self, change: &AlarmChange, signalled_at: Option<Timestamp>, watched: bool) {
        let trigger = change.trigger;
        let episode = Episode {
            bed: change.bed.clone(),
            stay: change.stay,
            alarm: change.into(),
            revision: change.revision,
            watched,
            receipts: Receipts {
                sampled_at: trigger.map(|t| t.sampled_at),
                received_at: trigger.map(|t| t.received_at),
                decided_at: Some(change.raised_at),
                signalled_at,
                ..Receipts::default()
            },
            reached: change.receiver,
        };
        self.insert(episode);
    }

    fn insert(&mut self, episode: Episode) {
        if self.episodes.len() == MAX_EPISODES {
            self.episodes.pop_front();
            self.since = self.episodes.front().map(|oldest| oldest.alarm.raised_at);
        }
        let raised_at = episode.alarm.raised_at;
        let at = self.episodes.partition_point(|known| known.alarm.raised_at <= raised_at);
        self.episodes.insert(at, episode);
    }

    fn find(&mut self, id: &AlarmId) -> Option<&mut Episode> {
        self.episodes.iter_mut().rev().find(|episode| episode.alarm.id == *id)
    }
}
