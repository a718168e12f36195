//! What the journal stores: the Ward's inputs, so that it can be rebuilt, and its alarms, so that they can be listed.

use serde::{Deserialize, Serialize};
use wardlight_core::alarms::AlarmId;
use wardlight_core::event::{AlarmChange, Command, Event, ModelScore, ModelStatus, Order, RhythmReport};
use wardlight_core::ids::{BedId, StayToken};
use wardlight_core::scores::News2;
use wardlight_core::time::Timestamp;
use wardlight_core::ward::{Ward, WardState};
use wardlight_journal::{Checkpoint, Entry, Kind, StayToken as StayKey};
use wardlight_station::{Receipt, TrendRow};

/// Layout of checkpoints. A state of another layout is not read: the agent starts empty and says so.
const STATE_LAYOUT: u8 = 5;

/// One stored item, as it stands sealed in the journal.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub(crate) enum Stored<'a> {
    /// A message as it came, undecoded: decoding it again gives the same event.
    #[serde(borrow)]
    Message(RawMessage<'a>),
    /// What a person asked for.
    Order(Order),
    /// What the model said.
    Score(ModelScore),
    /// Where the inference stood.
    Model(ModelStatus),
    /// The agent started.
    Restart,
    /// What the Ward said.
    Alarm(AlarmChange),
    /// When a page had drawn an alarm, or a person turned to it.
    Receipt(AlarmId, Receipt, Timestamp),
    /// What was measured in a minute at a bed.
    Trend(BedId, TrendRow),
    /// What was found in waveforms.
    Rhythm(RhythmReport),
    /// What NEWS2 was at the end of a minute at a bed.
    News2(BedId, News2),
}

/// A message as it came from the broker.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct RawMessage<'a> {
    /// Full topic.
    pub(crate) topic: &'a str,
    /// MQTT 5 content type.
    pub(crate) content_type: Option<&'a str>,
    /// Payload.
    #[serde(with = "serde_bytes")]
    pub(crate) payload: &'a [u8],
}

impl Stored<'_> {
    /// The sealed entry for it, under the stay's key or, without a stay, the site's.
    pub(crate) fn entry(&self, kind: Kind, stay: Option<StayToken>, at: Timestamp) -> Entry {
        // Writing to memory cannot fail for these types; an empty body would be reported as unreadable when read.
        let body = postcard::to_allocvec(self).unwrap_or_default();
        Entry {
            kind,
            stay: stay_key(stay),
            at_ms: at.as_millis(),
            body,
        }
    }

    /// Reads an entry's body.
    pub(crate) fn read(body: &[u8]) -> Result<Stored<'_>, postcard::Error> {
        postcard::from_bytes(body)
    }
}

/// The key that a stay's entries are sealed under; the site's for what is of no stay.
pub(crate) fn stay_key(stay: Option<StayToken>) -> StayKey {
    stay.map_or(StayKey::SITE, |token| StayKey(*token.as_bytes()))
}

/// Whose an entry under this key is; `None` for what belongs to the site.
pub(crate) fn stay_of_key(key: StayKey) -> Option<StayToken> {
    (key != StayKey::SITE).then(|| StayToken::from_bytes(key.0))
}

/// The entry for an input that is not a message; `None` for what is not journaled. `ward` is as it was before the input.
pub(crate) fn input_entry(event: &Event, ward: &Ward, at: Timestamp) -> Option<Entry> {
    match event {
        Event::Message(_) | Event::Tick => None,
        Event::Order(order) => {
            let stay = stay_of(&order.command, ward);
            Some(Stored::Order(order.clone()).entry(Kind::Command, stay, at))
        }
        Event::Score(score) => Some(Stored::Score(score.clone()).entry(Kind::Score, Some(score.stay), at)),
        Event::Model(status) => Some(Stored::Model(*status).entry(Kind::Score, None, at)),
        Event::Rhythm(report) => Some(Stored::Rhythm(report.clone()).entry(Kind::Score, Some(report.stay), at)),
        Event::Restart => Some(Stored::Restart.entry(Kind::Restart, None, at)),
    }
}

/// The stay that a command is about: what a person wrote or set for a patient is erased with the patient's stay.
fn stay_of(command: &Command, ward: &Ward) -> Option<StayToken> {
    let bed = match command {
        Command::Admit { stay, .. } => return Some(*stay),
        Command::Acknowledge { alarm } | Command::Escalate { alarm } | Command::Respond { alarm, .. } => {
            return stay_of_alarm(alarm, ward);
        }
        Command::Detach { device } => ward.bed_of(device)?,
        Command::PauseAudio { bed, .. } | Command::ResumeAudio { bed } => bed.as_ref()?,
        Command::Discharge { bed }
        | Command::Attach { bed, .. }
        | Command::Chart { bed, .. }
        | Command::Transfer { from: bed, .. }
        | Command::SetAlarm { bed, .. }
        | Command::SetLimits { bed, .. }
        | Command::ResetLimits { bed }
        | Command::Revise { bed, .. }
        | Command::HandOver { bed, .. }
        | Command::ReadBack { bed } => bed,
    };
    ward.stay_in(bed)
}

/// The stay in the bed of an alarm.
pub(crate) fn stay_of_alarm(alarm: &AlarmId, ward: &Ward) -> Option<StayToken> {
    let bed = alarm.as_str().split(':').next()?;
    ward.stay_in(&BedId::new(bed).ok()?)
}

/// A checkpoint of the whole Ward, and of when the last message was judged live that the state holds and no record does.
pub(crate) fn checkpoint(state: &WardState, heard_live_at: Option<Timestamp>, at: Timestamp) -> Option<Checkpoint> {
    let body = postcard::to_extend(state, vec![STATE_LAYOUT]).ok()?;
    let body = postcard::to_extend(&heard_live_at, body).ok()?;
    Some(Checkpoint {
        at_ms: at.as_millis(),
        body,
    })
}

/// Reads a checkpoint; `None` if it is of another layout or damaged.
pub(crate) fn read_checkpoint(checkpoint: &Checkpoint) -> Option<(WardState, Option<Timestamp>)> {
    let (layout, body) = checkpoint.body.split_first()?;
    (*layout == STATE_LAYOUT).then_some(())?;
    let (state, rest) = postcard::take_from_bytes(body).ok()?;
    // Checkpoints of the first versions end with the state: they knew no live feed.
    let heard_live_at = if rest.is_empty() {
        None
    } else {
        postcard::from_bytes(rest).ok()?
    };
    Some((state, heard_live_at))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_stored_byte_for_byte() {
        let raw = RawMessage {
            topic: "vitals/v1/s/d/num",
            content_type: Some("application/senml+json"),
            payload: &[0xA0, 0, 255],
        };
        let entry = Stored::Message(raw).entry(Kind::Message, None, Timestamp::from_millis(5));
        assert_eq!(Stored::read(&entry.body).unwrap(), Stored::Message(raw));
        assert_eq!((entry.stay, entry.at_ms), (StayKey::SITE, 5));
    }

    #[test]
    fn a_checkpoint_of_another_layout_is_not_mistaken_for_ours() {
        let state = WardState::default();
        let heard = Some(Timestamp::from_millis(7));
        let mut saved = checkpoint(&state, heard, Timestamp::from_millis(1)).unwrap();
        assert_eq!(read_checkpoint(&saved), Some((state, heard)));
        saved.body[0] = STATE_LAYOUT + 1;
        assert_eq!(read_checkpoint(&saved), None);
    }

    #[test]
    fn a_checkpoint_from_before_the_live_feed_is_read() {
        let state = WardState::default();
        let saved = Checkpoint {
            at_ms: 1,
            body: postcard::to_extend(&state, vec![STATE_LAYOUT]).unwrap(),
        };
        assert_eq!(read_checkpoint(&saved), Some((state, None)));
    }
}
