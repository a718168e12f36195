//! One alarm: an episode of one condition at one bed.

use serde::{Deserialize, Serialize};

use super::call::Call;
use super::{AlarmId, AlarmKind, AlarmState, Receiver, Scope, Signals};
use crate::event::{AlarmChange, Cause, Effect, Transition};
use crate::message::Priority;
use crate::time::Timestamp;
use crate::view::AlarmView;

/// One standing alarm.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Alarm {
    pub(super) id: AlarmId,
    pub(super) kind: AlarmKind,
    pub(super) priority: Priority,
    pub(super) state: AlarmState,
    pub(super) revision: u32,
    pub(super) cause: Option<Cause>,
    pub(super) onset_at: Timestamp,
    pub(super) raised_at: Timestamp,
    /// Who took note, and when.
    pub(super) acknowledged: Option<(String, Timestamp)>,
    /// How often it was said again because its condition went on.
    pub(super) reminders: u16,
    /// Which call it is part of.
    pub(super) call: AlarmId,
}

impl Alarm {
    /// Whether the condition is present, acknowledged or not.
    pub(super) fn is_present(&self) -> bool {
        self.state != AlarmState::Latched
    }

    /// Whether somebody is still to take note.
    pub(super) const fn calls(&self) -> bool {
        matches!(self.state, AlarmState::Active | AlarmState::Latched)
    }

    pub(super) fn is_unheeded_high(&self) -> bool {
        self.calls() && self.priority == Priority::High
    }

    /// Goes into a state and says so.
    pub(super) fn change(&mut self, state: AlarmState, how: Transition, at: &Surroundings<'_>, scope: &mut Scope) {
        self.state = state;
        self.revision += 1;
        let change = self.as_change(how, at, scope);
        scope.out.push(Effect::Alarm(change));
    }

    pub(super) fn as_change(&self, how: Transition, at: &Surroundings<'_>, scope: &Scope) -> AlarmChange {
        let (receiver, accepted_by) = self.call_in(at);
        AlarmChange {
            id: self.id.clone(),
            revision: self.revision,
            bed: scope.bed.clone(),
            stay: scope.stay,
            kind: self.kind.clone(),
            priority: self.priority,
            state: self.state,
            transition: how,
            cause: self.cause,
            onset_at: self.onset_at,
            raised_at: self.raised_at,
            changed_at: scope.now,
            trigger: scope.trigger,
            by: self.acknowledged_by(),
            call: self.call.clone(),
            receiver,
            accepted_by,
            audio: at.signals.audio(&self.kind, self.is_unheeded_high()),
            reminders: self.reminders,
        }
    }

    pub(super) fn view(&self, at: &Surroundings<'_>) -> AlarmView {
        let (receiver, accepted_by) = self.call_in(at);
        AlarmView {
            id: self.id.clone(),
            kind: self.kind.clone(),
            priority: self.priority,
            state: self.state,
            cause: self.cause,
            onset_at: self.onset_at,
            raised_at: self.raised_at,
            acknowledged_by: self.acknowledged_by(),
            call: self.call.clone(),
            receiver,
            accepted_by,
            audio: at.signals.audio(&self.kind, self.is_unheeded_high()),
            reminders: self.reminders,
        }
    }

    fn acknowledged_by(&self) -> Option<String> {
        self.acknowledged.as_ref().map(|(by, _)| by.clone())
    }

    fn call_in(&self, at: &Surroundings<'_>) -> (Receiver, Option<String>) {
        let call = at.calls.iter().find(|call| call.id == self.call);
        let accepted = call.and_then(|call| call.accepted.as_ref()).map(|(by, _)| by.clone());
        (call.map_or_else(Receiver::default, |call| call.receiver), accepted)
    }
}

/// What an alarm is shown with: the calls and the signals of its bed.
pub(super) struct Surroundings<'a> {
    pub(super) calls: &'a [Call],
    pub(super) signals: &'a Signals,
}
