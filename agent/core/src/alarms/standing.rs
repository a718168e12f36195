//! The alarms that stand at one bed, and how each lives: active, acknowledged, latched, cleared.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use super::{AlarmId, AlarmKind, AlarmState};
use crate::event::{AlarmChange, Cause, Effect, Trigger};
use crate::ids::{BedId, StayToken};
use crate::message::Priority;
use crate::time::Timestamp;
use crate::view::AlarmView;

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

/// One standing alarm.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Alarm {
    id: AlarmId,
    kind: AlarmKind,
    priority: Priority,
    state: AlarmState,
    revision: u32,
    cause: Option<Cause>,
    onset_at: Timestamp,
    raised_at: Timestamp,
    by: Option<String>,
}

/// The standing alarms of one stay, at most one of each kind.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StandingAlarms {
    alarms: Vec<Alarm>,
    /// Last revision of the newest cleared episodes: one that comes back under its identity goes on from there, because
    /// receivers drop a revision that they have seen.
    cleared: VecDeque<(AlarmId, u32)>,
}

/// Cleared episodes whose revision is remembered.
const CLEARED_MAX: usize = 32;

impl StandingAlarms {
    /// Declares that the condition is present. Silent if the alarm stands already at this priority;
    /// a latched one becomes active again, and a rise in priority drops an acknowledgement.
    pub fn raise(&mut self, kind: &AlarmKind, priority: Priority, onset_at: Timestamp, cause: Option<Cause>, scope: &mut Scope) {
        if let Some(alarm) = self.alarms.iter_mut().find(|a| a.kind == *kind) {
            if priority > alarm.priority || alarm.state == AlarmState::Latched {
                alarm.priority = alarm.priority.max(priority);
                alarm.cause = cause;
                alarm.by = None;
                alarm.change(AlarmState::Active, scope);
            }
            return;
        }
        let id = AlarmId::new(scope.bed, kind, onset_at);
        let before = self.cleared.iter().rev().find(|(cleared, _)| *cleared == id);
        let revision = before.map_or(0, |(_, revision)| *revision);
        let mut alarm = Alarm {
            id,
            kind: kind.clone(),
            priority,
            state: AlarmState::Active,
            revision,
            cause,
            onset_at,
            raised_at: scope.now,
            by: None,
        };
        alarm.change(AlarmState::Active, scope);
        self.alarms.push(alarm);
    }

    /// Declares that the condition is over. A latching alarm that nobody has acknowledged stays, latched.
    pub fn end(&mut self, kind: &AlarmKind, scope: &mut Scope) {
        let cleared = &mut self.cleared;
        self.alarms.retain_mut(|alarm| {
            if alarm.kind != *kind || alarm.state == AlarmState::Latched {
                return true;
            }
            let stays = alarm.state == AlarmState::Active && kind.latches();
            alarm.change(if stays { AlarmState::Latched } else { AlarmState::Cleared }, scope);
            if !stays {
                remember(cleared, alarm);
            }
            stays
        });
    }

    /// A person takes note. Returns whether such an alarm stood; acknowledging twice is no error and no change.
    pub fn acknowledge(&mut self, id: &AlarmId, by: &str, scope: &mut Scope) -> bool {
        let Some(at) = self.alarms.iter().position(|a| a.id == *id) else {
            return false;
        };
        let Some(alarm) = self.alarms.get_mut(at) else { return false };
        match alarm.state {
            AlarmState::Active => {
                alarm.by = Some(by.to_owned());
                alarm.change(AlarmState::Acknowledged, scope);
            }
            AlarmState::Latched => {
                alarm.by = Some(by.to_owned());
                alarm.change(AlarmState::Cleared, scope);
                let alarm = self.alarms.remove(at);
                remember(&mut self.cleared, &alarm);
            }
            AlarmState::Acknowledged | AlarmState::Cleared => {}
        }
        true
    }

    /// Declares the conditions of all kinds that `which` picks over.
    pub fn end_all(&mut self, which: impl Fn(&AlarmKind) -> bool, scope: &mut Scope) {
        let kinds: Vec<AlarmKind> = self.present_kinds().filter(|kind| which(kind)).cloned().collect();
        for kind in kinds {
            self.end(&kind, scope);
        }
    }

    /// How many stand.
    pub fn count(&self) -> usize {
        self.alarms.len()
    }

    /// Clears everything: the stay ends.
    pub fn clear_all(&mut self, scope: &mut Scope) {
        for mut alarm in self.alarms.drain(..) {
            alarm.change(AlarmState::Cleared, scope);
        }
    }

    /// Says every standing alarm again, unchanged: after a restart. Same identity, same revision.
    pub fn announce(&self, scope: &mut Scope) {
        for alarm in &self.alarms {
            let change = alarm.as_change(scope);
            scope.out.push(Effect::Alarm(change));
        }
    }

    /// Whether the condition is present, acknowledged or not.
    pub fn is_present(&self, kind: &AlarmKind) -> bool {
        self.alarms.iter().any(|a| a.kind == *kind && a.state != AlarmState::Latched)
    }

    fn present_kinds(&self) -> impl Iterator<Item = &AlarmKind> {
        self.alarms.iter().filter(|a| a.state != AlarmState::Latched).map(|a| &a.kind)
    }

    /// Standing alarms, highest priority first, newest first inside a priority.
    pub fn views(&self) -> Vec<AlarmView> {
        let mut views: Vec<_> = self.alarms.iter().map(Alarm::view).collect();
        views.sort_by_key(|alarm| std::cmp::Reverse((alarm.priority, alarm.raised_at)));
        views
    }
}

fn remember(cleared: &mut VecDeque<(AlarmId, u32)>, alarm: &Alarm) {
    cleared.push_back((alarm.id.clone(), alarm.revision));
    if cleared.len() > CLEARED_MAX {
        cleared.pop_front();
    }
}

impl Alarm {
    fn change(&mut self, state: AlarmState, scope: &mut Scope) {
        self.state = state;
        self.revision += 1;
        let change = self.as_change(scope);
        scope.out.push(Effect::Alarm(change));
    }

    fn as_change(&self, scope: &Scope) -> AlarmChange {
        AlarmChange {
            id: self.id.clone(),
            revision: self.revision,
            bed: scope.bed.clone(),
            stay: scope.stay,
            kind: self.kind.clone(),
            priority: self.priority,
            state: self.state,
            cause: self.cause,
            onset_at: self.onset_at,
            raised_at: self.raised_at,
            changed_at: scope.now,
            trigger: scope.trigger,
            by: self.by.clone(),
        }
    }

    fn view(&self) -> AlarmView {
        AlarmView {
            id: self.id.clone(),
            kind: self.kind.clone(),
            priority: self.priority,
            state: self.state,
            cause: self.cause,
            onset_at: self.onset_at,
            raised_at: self.raised_at,
            acknowledged_by: self.by.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::alarms::Side;
    use crate::codes::Parameter;

    fn play(steps: &[&str], kind: &AlarmKind) -> Vec<String> {
        let bed = BedId::new("B1").unwrap();
        let mut out = Vec::new();
        let mut set = StandingAlarms::default();
        for (i, step) in steps.iter().enumerate() {
            let now = Timestamp::from_millis(i as i64 * 1000);
            let mut scope = Scope {
                bed: &bed,
                stay: StayToken::from_bytes([0; 16]),
                now,
                trigger: None,
                out: &mut out,
            };
            match *step {
                "raise" => set.raise(kind, Priority::Medium, now, None, &mut scope),
                "raise high" => set.raise(kind, Priority::High, now, None, &mut scope),
                "end" => set.end(kind, &mut scope),
                "ack" => {
                    let id = set.views().first().map(|v| v.id.clone());
                    if let Some(id) = id {
                        assert!(set.acknowledge(&id, "anna", &mut scope));
                    }
                }
                other => panic!("{other}"),
            }
        }
        out.iter()
            .map(|e| match e {
                Effect::Alarm(c) => format!("{} {} {}", c.state.name(), c.revision, c.priority.name()),
                other => panic!("{other:?}"),
            })
            .collect()
    }

    const LIMIT: AlarmKind = AlarmKind::Limit(Parameter::Spo2, Side::Low);

    #[test]
    fn a_limit_alarm_ends_with_its_condition() {
        assert_eq!(
            play(&["raise", "raise", "end", "end"], &LIMIT),
            ["active 1 medium", "cleared 2 medium"]
        );
    }

    #[test]
    fn a_red_alarm_latches_until_somebody_takes_note() {
        let got = play(&["raise", "end", "raise", "end", "ack"], &AlarmKind::Desaturation);
        assert_eq!(
            got,
            [
                "active 1 medium",
                "latched 2 medium",
                "active 3 medium",
                "latched 4 medium",
                "cleared 5 medium"
            ]
        );
    }

    #[test]
    fn an_acknowledged_alarm_is_quiet_until_it_ends() {
        let got = play(&["raise", "ack", "ack", "raise", "end"], &AlarmKind::Desaturation);
        assert_eq!(got, ["active 1 medium", "acknowledged 2 medium", "cleared 3 medium"]);
    }

    #[test]
    fn a_rise_in_priority_drops_the_acknowledgement() {
        let got = play(&["raise", "ack", "raise high"], &LIMIT);
        assert_eq!(got, ["active 1 medium", "acknowledged 2 medium", "active 3 high"]);
    }
}
