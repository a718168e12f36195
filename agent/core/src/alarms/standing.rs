//! The alarms that stand at one bed, and how each lives: active, acknowledged, latched, cleared.

use std::collections::VecDeque;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::alarm::{Alarm, Surroundings};
use super::audio::{AudioPause, Inactivated, Inactivation, Signals};
use super::call::Call;
use super::{AlarmId, AlarmKind, AlarmState};
use crate::event::{Cause, Effect, Transition, Trigger};
use crate::ids::{BedId, StayToken};
use crate::message::Priority;
use crate::time::Timestamp;
use crate::view::AlarmView;

/// An acknowledged alarm whose condition goes on is said again after this time (Philips V24CT: 2 or 3 minutes; *ratify*).
pub const REMIND_AFTER: Duration = Duration::from_mins(3);

/// Cleared episodes whose revision is remembered.
const CLEARED_MAX: usize = 32;

/// Where and when something happens to a stay's alarms, and where the effects go.
pub struct Scope<'a> {
    /// At which bed.
    pub bed: &'a BedId,
    /// In whose stay.
    pub stay: StayToken,
    /// Our time.
    pub now: Timestamp,
    /// The message behind it; ticks and commands have none.
    pub trigger: Option<Trigger>,
    /// Effects in order.
    pub out: &'a mut Vec<Effect>,
}

impl<'a> Scope<'a> {
    /// For what time or a person does: no message is behind it.
    pub fn without_message(bed: &'a BedId, stay: StayToken, now: Timestamp, out: &'a mut Vec<Effect>) -> Self {
        Self {
            bed,
            stay,
            now,
            trigger: None,
            out,
        }
    }
}

/// The standing alarms of one stay, at most one of each kind, with their calls and signals.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StandingAlarms {
    pub(super) alarms: Vec<Alarm>,
    pub(super) calls: Vec<Call>,
    pub(super) signals: Signals,
    /// Last revision of the newest cleared episodes: one that comes back under its identity goes on from there, because
    /// receivers drop a revision that they have seen.
    cleared: VecDeque<(AlarmId, u32)>,
}

impl StandingAlarms {
    /// Declares that the condition is present. Silent if the alarm stands already at this priority, or is switched off;
    /// a latched one becomes active again, and a rise in priority drops an acknowledgement.
    pub fn raise(&mut self, kind: &AlarmKind, priority: Priority, onset_at: Timestamp, cause: Option<Cause>, scope: &mut Scope) {
        if self.signals.is_alarm_off(kind) {
            return;
        }
        let alarm = match self.position(|a| a.kind == *kind) {
            Some(at) => {
                let mut alarm = self.alarms.remove(at);
                if priority <= alarm.priority && alarm.is_present() {
                    self.alarms.insert(at, alarm);
                    return;
                }
                alarm.priority = alarm.priority.max(priority);
                alarm.cause = cause;
                alarm
            }
            None => self.begin(kind, priority, onset_at, cause, scope),
        };
        self.call_for(alarm, Transition::Raised, scope);
    }

    /// Declares that the condition is over. A latching alarm that nobody has acknowledged stays, latched.
    pub fn end(&mut self, kind: &AlarmKind, scope: &mut Scope) {
        let Some(at) = self.position(|a| a.kind == *kind && a.is_present()) else {
            return;
        };
        let mut alarm = self.alarms.remove(at);
        if alarm.state == AlarmState::Active && kind.latches() {
            self.say(&mut alarm, AlarmState::Latched, Transition::Ended, scope);
            self.alarms.insert(at, alarm);
        } else {
            self.clear(alarm, Transition::Ended, scope);
        }
    }

    /// A person takes note. Returns whether such an alarm stood; acknowledging twice is no error and no change.
    pub fn acknowledge(&mut self, id: &AlarmId, by: &str, scope: &mut Scope) -> bool {
        let Some(at) = self.position(|a| a.id == *id) else {
            return false;
        };
        let mut alarm = self.alarms.remove(at);
        let before = alarm.state;
        if before != AlarmState::Acknowledged {
            alarm.acknowledged = Some((by.to_owned(), scope.now));
        }
        match before {
            AlarmState::Active => {
                self.say(&mut alarm, AlarmState::Acknowledged, Transition::Acknowledged, scope);
                self.alarms.insert(at, alarm);
                self.end_answered_calls();
            }
            AlarmState::Latched => self.clear(alarm, Transition::Acknowledged, scope),
            AlarmState::Acknowledged | AlarmState::Cleared => self.alarms.insert(at, alarm),
        }
        true
    }

    /// Declares the conditions of all kinds that `which` picks over.
    pub fn end_all(&mut self, which: impl Fn(&AlarmKind) -> bool, scope: &mut Scope) {
        let present = self.alarms.iter().filter(|a| a.is_present() && which(&a.kind));
        let kinds: Vec<AlarmKind> = present.map(|a| a.kind.clone()).collect();
        for kind in kinds {
            self.end(&kind, scope);
        }
    }

    /// Time passed: pauses end, reminders are due, unanswered calls go on to the next receiver.
    pub fn tick(&mut self, scope: &mut Scope) {
        let now = scope.now;
        self.signals.tick(now);
        while let Some(at) = self.position(|a| needs_reminder(a, now)) {
            let mut alarm = self.alarms.remove(at);
            alarm.reminders = alarm.reminders.saturating_add(1);
            self.call_for(alarm, Transition::Reminded, scope);
        }
        let calls: Vec<AlarmId> = self.calls.iter().map(|call| call.id.clone()).collect();
        for id in calls {
            let Some(priority) = self.priority_of(&id) else { continue };
            let due = |call: &Call| call.id == id && call.is_due(priority, now);
            if self.calls.iter().any(due) {
                self.go_on(&id, Transition::Escalated, scope);
            }
        }
    }

    /// A person sends an alarm's call on: it needs more help (`escalate`), or it is not theirs ("not my bed").
    /// Returns whether there was somebody further to call; `None` if no such alarm calls.
    pub fn send_on(&mut self, id: &AlarmId, how: Transition, scope: &mut Scope) -> Option<bool> {
        let call = self.calling(id)?;
        Some(self.go_on(&call, how, scope))
    }

    /// A person says "I am going": the call waits for a while, then goes on if nobody has acknowledged.
    /// Returns whether such an alarm calls.
    pub fn accept(&mut self, id: &AlarmId, by: &str, scope: &mut Scope) -> bool {
        let Some(id) = self.calling(id) else { return false };
        let Some(priority) = self.priority_of(&id) else { return false };
        if let Some(call) = self.calls.iter_mut().find(|call| call.id == id) {
            call.accept(by, priority, scope.now);
        }
        self.say_foremost(&id, Transition::Accepted, scope);
        true
    }

    /// Pauses the bed's audio; what is of high priority and unheeded sounds on.
    pub fn pause_audio(&mut self, length: Duration, by: &str, now: Timestamp) {
        self.signals.pause_until(now.plus(length), by, now);
    }

    /// Ends the audio pause.
    pub fn resume_audio(&mut self) {
        self.signals.resume();
    }

    /// Switches a kind's audio or the whole alarm off, or on again with `None`. Returns whether that may be done.
    pub fn set(&mut self, kind: &AlarmKind, how: Option<Inactivation>, by: &str, scope: &mut Scope) -> bool {
        if how.is_some() && kind.is_red() {
            return false;
        }
        self.signals.set(kind, how, by, scope.now);
        if how == Some(Inactivation::AlarmOff)
            && let Some(at) = self.position(|a| a.kind == *kind)
        {
            let alarm = self.alarms.remove(at);
            self.clear(alarm, Transition::SwitchedOff, scope);
        }
        true
    }

    /// How many stand.
    pub fn count(&self) -> usize {
        self.alarms.len()
    }

    /// Clears everything: the stay ends.
    pub fn clear_all(&mut self, scope: &mut Scope) {
        while let Some(alarm) = self.alarms.pop() {
            self.clear(alarm, Transition::Ended, scope);
        }
    }

    /// Says every standing alarm again, unchanged: after a restart. Same identity, same revision.
    pub fn announce(&self, scope: &mut Scope) {
        for alarm in &self.alarms {
            let change = alarm.as_change(Transition::Announced, &self.surroundings(), scope);
            scope.out.push(Effect::Alarm(change));
        }
    }

    /// Whether the condition is present, acknowledged or not.
    pub fn is_present(&self, kind: &AlarmKind) -> bool {
        self.alarms.iter().any(|a| a.kind == *kind && a.is_present())
    }

    /// Standing alarms, highest priority first, newest first inside a priority.
    pub fn views(&self) -> Vec<AlarmView> {
        let mut views: Vec<_> = self.alarms.iter().map(|a| a.view(&self.surroundings())).collect();
        views.sort_by_key(|alarm| std::cmp::Reverse((alarm.priority, alarm.raised_at)));
        views
    }

    /// The running audio pause.
    pub fn pause(&self) -> Option<&AudioPause> {
        self.signals.pause()
    }

    /// Kinds that people have switched off, or whose audio they have.
    pub fn inactivated(&self) -> &[Inactivated] {
        self.signals.inactivated()
    }

    fn position(&self, which: impl Fn(&Alarm) -> bool) -> Option<usize> {
        self.alarms.iter().position(which)
    }

    fn surroundings(&self) -> Surroundings<'_> {
        Surroundings {
            calls: &self.calls,
            signals: &self.signals,
        }
    }

    fn begin(&self, kind: &AlarmKind, priority: Priority, onset_at: Timestamp, cause: Option<Cause>, scope: &Scope) -> Alarm {
        let id = AlarmId::new(scope.bed, kind, onset_at);
        let before = self.cleared.iter().rev().find(|(cleared, _)| *cleared == id);
        Alarm {
            revision: before.map_or(0, |(_, revision)| *revision),
            call: id.clone(),
            id,
            kind: kind.clone(),
            priority,
            state: AlarmState::Active,
            cause,
            onset_at,
            raised_at: scope.now,
            acknowledged: None,
            reminders: 0,
        }
    }

    /// Lets an alarm call anew, in a call that began just now or one of its own. A high one breaks an audio pause.
    fn call_for(&mut self, mut alarm: Alarm, how: Transition, scope: &mut Scope) {
        alarm.acknowledged = None;
        alarm.state = AlarmState::Active;
        if alarm.priority == Priority::High {
            self.signals.resume();
        }
        alarm.call = if let Some(call) = self.calls.iter().find(|call| call.takes_in(scope.now)) {
            call.id.clone()
        } else {
            self.calls.retain(|call| call.id != alarm.id);
            self.calls.push(Call::new(alarm.id.clone(), scope.now));
            alarm.id.clone()
        };
        self.say(&mut alarm, AlarmState::Active, how, scope);
        self.alarms.push(alarm);
        self.end_answered_calls();
    }

    fn say(&self, alarm: &mut Alarm, state: AlarmState, how: Transition, scope: &mut Scope) {
        alarm.change(state, how, &self.surroundings(), scope);
    }

    fn clear(&mut self, mut alarm: Alarm, how: Transition, scope: &mut Scope) {
        self.say(&mut alarm, AlarmState::Cleared, how, scope);
        self.cleared.push_back((alarm.id, alarm.revision));
        if self.cleared.len() > CLEARED_MAX {
            self.cleared.pop_front();
        }
        self.end_answered_calls();
    }

    /// A call is over when nobody is to take note of any of its alarms.
    fn end_answered_calls(&mut self) {
        let alarms = &self.alarms;
        self.calls
            .retain(|call| alarms.iter().any(|a| a.calls() && a.call == call.id));
    }

    /// The call of an alarm that calls.
    fn calling(&self, id: &AlarmId) -> Option<AlarmId> {
        let alarm = self.alarms.iter().find(|a| a.id == *id && a.calls())?;
        Some(alarm.call.clone())
    }

    /// Highest priority that calls in a call.
    fn priority_of(&self, call: &AlarmId) -> Option<Priority> {
        let calling = self.alarms.iter().filter(|a| a.calls() && a.call == *call);
        calling.map(|a| a.priority).max()
    }

    fn go_on(&mut self, id: &AlarmId, how: Transition, scope: &mut Scope) -> bool {
        let went = self.calls.iter_mut().find(|call| call.id == *id).is_some_and(Call::go_on);
        self.say_foremost(id, how, scope);
        went
    }

    /// Says of the most urgent alarm of a call what happened to the call.
    fn say_foremost(&mut self, call: &AlarmId, how: Transition, scope: &mut Scope) {
        let calling = self.alarms.iter().enumerate().filter(|(_, a)| a.calls() && a.call == *call);
        let Some((at, _)) = calling.max_by_key(|(_, a)| (a.priority, a.raised_at)) else {
            return;
        };
        let mut alarm = self.alarms.remove(at);
        let state = alarm.state;
        self.say(&mut alarm, state, how, scope);
        self.alarms.insert(at, alarm);
    }
}

fn needs_reminder(alarm: &Alarm, now: Timestamp) -> bool {
    let acknowledged = alarm
        .acknowledged
        .as_ref()
        .filter(|_| alarm.state == AlarmState::Acknowledged);
    acknowledged.is_some_and(|(_, at)| now.since(*at) >= REMIND_AFTER)
}
