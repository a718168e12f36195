//! A ward of two beds to play timelines on.

use std::time::Duration;

use wardlight_core::alarms::{AlarmId, AlarmState};
use wardlight_core::event::{AlarmChange, Command, Effect, Event, Order};
use wardlight_core::ids::{BedId, DeviceId, StayToken, UnitId};
use wardlight_core::message::{Body, Message};
use wardlight_core::patient::PatientProfile;
use wardlight_core::people::{Actor, Role};
use wardlight_core::time::Timestamp;
use wardlight_core::vitals::{Milli, Quality, Reading};
use wardlight_core::ward::{TICK, Ward, WardConfig};

pub(crate) const START: i64 = 1_767_225_600_000;
pub(crate) const HR: u32 = 147_842;
pub(crate) const SPO2: u32 = 150_456;
pub(crate) const RR: u32 = 151_578;
pub(crate) const SYS: u32 = 150_021;
pub(crate) const TEMP: u32 = 150_368;

pub(crate) fn bed() -> BedId {
    BedId::new("B01").unwrap()
}

pub(crate) fn device(name: &str) -> DeviceId {
    DeviceId::new(name).unwrap()
}

pub(crate) fn at(ms: i64) -> Timestamp {
    Timestamp::from_millis(START + ms)
}

/// A ward of two beds with a patient and a monitor in the first, and a record of every alarm change.
pub(crate) struct Play {
    pub(crate) ward: Ward,
    pub(crate) now: i64,
    pub(crate) seq: u32,
    pub(crate) changes: Vec<AlarmChange>,
    pub(crate) last: Vec<Effect>,
}

pub(crate) fn config() -> WardConfig {
    let unit = UnitId::new("icu").unwrap();
    let beds = vec![(unit.clone(), bed()), (unit, BedId::new("B02").unwrap())];
    WardConfig {
        beds,
        max_unassigned: 100,
        infer_every: Duration::from_mins(1),
    }
}

impl Play {
    pub(crate) fn empty() -> Self {
        Self {
            ward: Ward::new(config()),
            now: 0,
            seq: 0,
            changes: Vec::new(),
            last: Vec::new(),
        }
    }

    pub(crate) fn new() -> Self {
        let mut play = Self::empty();
        let profile = PatientProfile {
            age_years: Some(70),
            ..PatientProfile::default()
        };
        play.command(Command::Admit {
            bed: bed(),
            stay: StayToken::from_bytes([1; 16]),
            profile,
        });
        play.command(Command::Attach {
            device: device("mon"),
            bed: bed(),
        });
        play
    }

    /// Ticks due until then come first, as in service.
    pub(crate) fn step_at(&mut self, event: Event, ms: i64) {
        let tick = TICK.as_millis() as i64;
        let mut due = (self.now.div_euclid(tick) + 1) * tick;
        self.last.clear();
        while due <= ms {
            self.ward.step(Event::Tick, at(due), &mut self.last);
            due += tick;
        }
        self.ward.step(event, at(ms), &mut self.last);
        self.now = self.now.max(ms);
        for effect in &self.last {
            if let Effect::Alarm(change) = effect {
                self.changes.push(change.clone());
            }
        }
    }

    pub(crate) fn command(&mut self, command: Command) {
        self.order(Role::ChargeNurse, command);
    }

    pub(crate) fn order(&mut self, role: Role, command: Command) {
        let by = Actor::new("anna", role);
        self.step_at(Event::Order(Order { by, command }), self.now);
    }

    /// Why the last command was refused, empty if it was not.
    pub(crate) fn refusal(&self) -> String {
        let refused = self.last.iter().find_map(|effect| match effect {
            Effect::Refused(refusal) => Some(refusal.to_string()),
            _ => None,
        });
        refused.unwrap_or_default()
    }

    pub(crate) fn body(&mut self, body: Body) {
        self.seq += 1;
        let message = Message {
            device: device("mon"),
            boot: Some(1),
            seq: Some(self.seq),
            sent_at: at(self.now),
            body,
        };
        self.step_at(Event::Message(message), self.now);
    }

    pub(crate) fn send(&mut self, values: &[(u32, i32)]) {
        self.send_with(values, Quality::VALID);
    }

    pub(crate) fn send_with(&mut self, values: &[(u32, i32)], quality: Quality) {
        self.body(Body::Numerics(readings(values, quality)));
    }

    /// The same values once a second for so many seconds.
    pub(crate) fn hold(&mut self, seconds: i64, values: &[(u32, i32)]) {
        for _ in 0..seconds {
            self.send(values);
            self.wait(1);
        }
    }

    pub(crate) fn wait(&mut self, seconds: i64) {
        self.step_at(Event::Tick, self.now + seconds * 1000);
    }

    /// `kind state priority` of every change so far, and forgets them.
    pub(crate) fn said(&mut self) -> Vec<String> {
        let line = |c: AlarmChange| format!("{} {} {}", c.kind, c.state.name(), c.priority.name());
        self.changes.drain(..).map(line).collect()
    }

    pub(crate) fn standing(&self) -> Vec<(AlarmId, AlarmState)> {
        self.ward
            .bed(&bed())
            .unwrap()
            .alarms
            .into_iter()
            .map(|a| (a.id, a.state))
            .collect()
    }
}

pub(crate) fn readings(values: &[(u32, i32)], quality: Quality) -> Vec<Reading> {
    values
        .iter()
        .map(|&(code, value)| Reading::new(code, Some(Milli::from_int(value)), quality).unwrap())
        .collect()
}

pub(crate) const NORMAL: [(u32, i32); 3] = [(HR, 75), (SPO2, 97), (RR, 15)];
