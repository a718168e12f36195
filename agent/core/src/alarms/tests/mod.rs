//! How alarms live: stories by hand, and every story of a few steps by exhaustion.

mod model;
mod stories;

use std::time::Duration;

use super::{AlarmId, AlarmKind, Inactivation, Scope, Side, StandingAlarms};
use crate::codes::Parameter;
use crate::event::{AlarmChange, Effect, Transition};
use crate::ids::{BedId, StayToken};
use crate::message::Priority;
use crate::time::Timestamp;

const RED: AlarmKind = AlarmKind::Desaturation;
const YELLOW: AlarmKind = AlarmKind::Limit(Parameter::Spo2, Side::Low);

/// What can happen to a bed's alarms.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Step {
    Raise(AlarmKind),
    RaiseAs(AlarmKind, Priority),
    End(AlarmKind),
    Ack(AlarmKind),
    Accept(AlarmKind),
    Reject(AlarmKind),
    Escalate(AlarmKind),
    Set(AlarmKind, Option<Inactivation>),
    Pause(u64),
    Resume,
    /// Seconds pass.
    Wait(u64),
}

/// One bed's alarms and the time there.
#[derive(Clone)]
struct Bed {
    alarms: StandingAlarms,
    now: Timestamp,
}

impl Bed {
    fn new() -> Self {
        Self {
            alarms: StandingAlarms::default(),
            now: Timestamp::from_millis(1_000_000),
        }
    }

    fn id(&self, kind: &AlarmKind) -> Option<AlarmId> {
        self.alarms.alarms.iter().find(|a| a.kind == *kind).map(|a| a.id.clone())
    }

    /// Does it; returns what was said.
    fn step(&mut self, step: &Step) -> Vec<AlarmChange> {
        let bed = BedId::new("B1").unwrap();
        let mut out = Vec::new();
        let scope = &mut Scope::without_message(&bed, StayToken::from_bytes([0; 16]), self.now, &mut out);
        match step {
            Step::Raise(kind) => {
                let priority = if kind.is_red() { Priority::High } else { Priority::Medium };
                self.alarms.raise(kind, priority, self.now, None, scope);
            }
            Step::RaiseAs(kind, priority) => self.alarms.raise(kind, *priority, self.now, None, scope),
            Step::End(kind) => self.alarms.end(kind, scope),
            Step::Ack(kind) => {
                if let Some(id) = self.id(kind) {
                    assert!(self.alarms.acknowledge(&id, "anna", scope));
                }
            }
            Step::Accept(kind) => {
                if let Some(id) = self.id(kind) {
                    self.alarms.accept(&id, "anna", scope);
                }
            }
            Step::Reject(kind) => {
                if let Some(id) = self.id(kind) {
                    self.alarms.send_on(&id, Transition::Rejected, scope);
                }
            }
            Step::Escalate(kind) => {
                if let Some(id) = self.id(kind) {
                    self.alarms.send_on(&id, Transition::Escalated, scope);
                }
            }
            Step::Set(kind, how) => {
                self.alarms.set(kind, *how, "anna", scope);
            }
            Step::Pause(seconds) => self.alarms.pause_audio(Duration::from_secs(*seconds), "anna", self.now),
            Step::Resume => self.alarms.resume_audio(),
            Step::Wait(seconds) => {
                self.now = self.now.plus(Duration::from_secs(*seconds));
                scope.now = self.now;
                // Ticks come four times a second: whatever is due in two steps is done in two.
                self.alarms.tick(scope);
                self.alarms.tick(scope);
            }
        }
        let changes = out.into_iter().map(|effect| match effect {
            Effect::Alarm(change) => change,
            other => panic!("{other:?}"),
        });
        changes.collect()
    }
}
