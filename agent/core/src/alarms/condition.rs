//! Conditions on their way to an alarm: present, but not yet for as long as their delay asks.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{AlarmKind, Scope, StandingAlarms};
use crate::event::Cause;
use crate::message::Priority;
use crate::time::Timestamp;

/// A value older than this no longer confirms a pending condition.
const CONFIRMS_FOR: Duration = Duration::from_secs(20);

/// What a new value says about a condition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Finding {
    /// Present; alarm once it has been so for `delay` on the device's clock.
    Present {
        /// How long it must last.
        delay: Duration,
        /// Priority of the alarm.
        priority: Priority,
        /// Value and limit.
        cause: Option<Cause>,
    },
    /// Within hysteresis: neither begins nor ends anything.
    Between,
    /// Absent.
    Absent,
}

/// When a value was measured: on the device's clock as sent, corrected for use, and by arrival.
#[derive(Clone, Copy, Debug)]
pub struct Moment {
    /// Exactly what the device sent: the alarm's identity rests on it, so redelivery makes the same one.
    pub sent_at: Timestamp,
    /// The device's time where its clock is right, else the time of arrival.
    pub measured_at: Timestamp,
    /// Our time of arrival.
    pub received_at: Timestamp,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Pending {
    kind: AlarmKind,
    onset_at: Timestamp,
    since: Timestamp,
    delay: Duration,
    priority: Priority,
    cause: Option<Cause>,
    last_measured_at: Timestamp,
    last_received_at: Timestamp,
}

/// The pending conditions of one stay.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Conditions {
    pending: Vec<Pending>,
}

impl Conditions {
    /// Takes a finding about `kind`; raises or ends its alarm when due.
    pub fn assess(&mut self, kind: &AlarmKind, finding: Finding, at: Moment, alarms: &mut StandingAlarms, scope: &mut Scope) {
        match finding {
            Finding::Present { priority, cause, .. } if alarms.is_present(kind) => {
                alarms.raise(kind, priority, at.sent_at, cause, scope);
            }
            Finding::Present { delay, priority, cause } => {
                self.note(kind, delay, priority, cause, at);
                self.raise_due(alarms, scope, |p| (p.kind == *kind).then_some(p.last_measured_at));
            }
            Finding::Between => self.forget(kind),
            Finding::Absent => {
                self.forget(kind);
                alarms.end(kind, scope);
            }
        }
    }

    /// Time passed: a value that still stands confirms its condition without a new message.
    pub fn tick(&mut self, alarms: &mut StandingAlarms, scope: &mut Scope) {
        if self.pending.is_empty() {
            return;
        }
        let now = scope.now;
        self.raise_due(alarms, scope, |p| {
            let waited = now.since(p.last_received_at);
            (waited <= CONFIRMS_FOR).then(|| p.last_measured_at.plus(waited))
        });
    }

    fn note(&mut self, kind: &AlarmKind, delay: Duration, priority: Priority, cause: Option<Cause>, at: Moment) {
        if let Some(p) = self.pending.iter_mut().find(|p| p.kind == *kind) {
            p.delay = delay;
            p.priority = priority;
            p.cause = cause;
            p.last_measured_at = at.measured_at;
            p.last_received_at = at.received_at;
            return;
        }
        self.pending.push(Pending {
            kind: kind.clone(),
            onset_at: at.sent_at,
            since: at.measured_at,
            delay,
            priority,
            cause,
            last_measured_at: at.measured_at,
            last_received_at: at.received_at,
        });
    }

    fn raise_due(
        &mut self,
        alarms: &mut StandingAlarms,
        scope: &mut Scope,
        confirmed_until: impl Fn(&Pending) -> Option<Timestamp>,
    ) {
        self.pending.retain(|p| {
            let due = confirmed_until(p).is_some_and(|until| until.since(p.since) >= p.delay);
            if due {
                alarms.raise(&p.kind, p.priority, p.onset_at, p.cause, scope);
            }
            !due
        });
    }

    fn forget(&mut self, kind: &AlarmKind) {
        self.pending.retain(|p| p.kind != *kind);
    }
}
