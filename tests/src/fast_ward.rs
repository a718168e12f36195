//! A ward that runs faster than the clock: what the simulated devices publish is decoded, analysed and stepped as the agent's
//! pipeline does (`agent/edge/src/pipeline.rs`), without a broker, a disk or a clock. The same seed gives the same alarms.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::time::Duration;

use wardlight_core::alarms::AlarmId;
use wardlight_core::bed_rhythms::BedRhythms;
use wardlight_core::event::{AlarmChange, Command, Effect, Event, Order, RhythmReport, Transition};
use wardlight_core::ids::{DeviceId, SiteId, StayToken, UnitId};
use wardlight_core::message::{Body, Message};
use wardlight_core::patient::{Consciousness, PatientProfile};
use wardlight_core::people::{Actor, Role};
use wardlight_core::time::Timestamp;
use wardlight_core::ward::{TICK, Ward, WardConfig};
use wardlight_simulator::device::Publication;
use wardlight_simulator::scenario::Scenario;
use wardlight_simulator::ward::{SimulatedWard, WardSettings};
use wardlight_wire::Cmd;

/// When every simulated ward begins: 1 January 2026, ten in the morning.
pub const START: Timestamp = Timestamp::from_millis(1_767_261_600_000);

/// How long the nurse of a quiet ward takes to take note of an alarm.
pub const ANSWERED_AFTER: Duration = Duration::from_secs(25);

/// A nurse charts consciousness and oxygen this often: NEWS2 takes them for four hours.
const CHARTED_EVERY: Duration = Duration::from_hours(4);

/// A simulated ward and the rules that watch it.
pub struct FastWard {
    simulated: SimulatedWard,
    config: WardConfig,
    ward: Ward,
    rhythms: BedRhythms,
    now: Timestamp,
    next_tick: Timestamp,
    next_chart: Timestamp,
    nurse: Nurse,
    /// Every change of every alarm, in order.
    pub changes: Vec<AlarmChange>,
    /// What else happened.
    pub counts: Counts,
}

/// What happened to the messages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Published and decoded, waves and all.
    pub messages: u64,
    /// Not decodable.
    pub refused: u64,
    /// Recognised as copies.
    pub duplicates: u64,
    /// Missing, by their numbers.
    pub missed: u64,
}

/// Takes note of every alarm a while after it called, if there is one.
#[derive(Clone, Default)]
struct Nurse {
    answers_after: Option<Duration>,
    called: VecDeque<(Timestamp, AlarmId)>,
}

impl FastWard {
    /// A ward with a patient in every bed and the devices attached, about to begin. Nobody answers its alarms.
    pub fn new(scenario: &Scenario, seed: u64, beds: Option<usize>) -> Self {
        Self::with_patients(scenario, seed, beds, None)
    }

    /// As [`FastWard::new`], with recorded patients in turn: a record of MIT-BIH and a charted stay of CinC 2012.
    pub fn recorded(scenario: &Scenario, beds: usize, recordings: &Path) -> Self {
        Self::with_patients(scenario, 1, Some(beds), Some(recordings.to_path_buf()))
    }

    fn with_patients(scenario: &Scenario, seed: u64, beds: Option<usize>, recordings: Option<PathBuf>) -> Self {
        let settings = WardSettings {
            site: SiteId::new("north").unwrap(),
            seed,
            beds,
            recordings,
            start: START,
        };
        let simulated = SimulatedWard::new(&settings, scenario).unwrap();
        let unit = UnitId::new("icu").unwrap();
        let config = WardConfig {
            beds: simulated.beds().into_iter().map(|bed| (unit.clone(), bed)).collect(),
            max_unassigned: 10,
            infer_every: Duration::from_mins(5),
        };
        let mut fast = Self {
            simulated,
            ward: Ward::new(config.clone()),
            config,
            rhythms: BedRhythms::default(),
            now: START,
            next_tick: following_tick(START),
            next_chart: START,
            nurse: Nurse::default(),
            changes: Vec::new(),
            counts: Counts::default(),
        };
        fast.occupy();
        fast
    }

    /// The same ward with a nurse who takes note of every alarm so long after it called.
    #[must_use]
    pub fn with_nurse(mut self, answers_after: Duration) -> Self {
        self.nurse.answers_after = Some(answers_after);
        self
    }

    /// What the script demands and when it ends.
    pub const fn simulated(&self) -> &SimulatedWard {
        &self.simulated
    }

    /// The rules.
    pub const fn ward(&self) -> &Ward {
        &self.ward
    }

    /// Lets everything happen up to and including `until`: ticks on their grid, and the devices' messages without delay.
    pub fn run_until(&mut self, until: Timestamp) {
        let mut published = Vec::new();
        loop {
            let next_message = self.simulated.next_at().filter(|at| *at < self.next_tick);
            let next = next_message.unwrap_or(self.next_tick);
            if next > until {
                self.now = until;
                return;
            }
            self.now = next;
            if next_message.is_none() {
                self.tick();
            }
            self.simulated.advance(next, &mut published);
            for publication in published.drain(..) {
                self.take(&publication);
            }
        }
    }

    /// The same ward where the agent died now and came back after `away`: from a checkpoint of the Ward, with no memory of any
    /// waveform. The broker has kept what was published at QoS 1.
    #[must_use]
    pub fn crashed(&self, away: Duration) -> Self {
        let checkpoint = postcard::to_allocvec(self.ward.state()).unwrap();
        let now = self.now.plus(away);
        let mut after = Self {
            simulated: self.simulated.clone(),
            config: self.config.clone(),
            ward: Ward::restore(self.config.clone(), postcard::from_bytes(&checkpoint).unwrap()),
            rhythms: BedRhythms::default(),
            now,
            next_tick: following_tick(now),
            next_chart: self.next_chart,
            nurse: self.nurse.clone(),
            changes: Vec::new(),
            counts: Counts::default(),
        };
        let mut published = Vec::new();
        after.simulated.advance(now, &mut published);
        after.step(Event::Restart);
        for publication in published.iter().filter(|p| p.qos > 0) {
            after.take(publication);
        }
        after
    }

    fn occupy(&mut self) {
        for (i, bed) in self.simulated.beds().into_iter().enumerate() {
            let mut stay = [0; 16];
            stay[..8].copy_from_slice(&(i as u64).to_be_bytes());
            self.order(Command::Admit {
                bed,
                stay: StayToken::from_bytes(stay),
                profile: PatientProfile {
                    age_years: Some(64),
                    ..PatientProfile::default()
                },
            });
        }
        for attachment in self.simulated.attachments() {
            self.order(Command::Attach {
                device: attachment.device,
                bed: attachment.bed,
            });
        }
    }

    fn tick(&mut self) {
        self.next_tick = following_tick(self.now);
        self.step(Event::Tick);
        for report in self.rhythms.tick(self.now) {
            self.step(Event::Rhythm(report));
        }
        if self.now >= self.next_chart {
            self.next_chart = self.now.plus(CHARTED_EVERY);
            for bed in self.simulated.beds() {
                self.order(Command::Chart {
                    bed,
                    consciousness: Some(Consciousness::Alert),
                    oxygen: Some(false),
                });
            }
        }
        while let Some((_, alarm)) = self.nurse.called.pop_front_if(|(due, _)| *due <= self.now) {
            self.order(Command::Acknowledge { alarm });
        }
    }

    fn take(&mut self, publication: &Publication) {
        let content_type = Some(publication.content_type);
        let Ok(decoded) = wardlight_wire::decode(&publication.topic, &publication.payload, content_type, self.now) else {
            self.counts.refused += 1;
            return;
        };
        self.counts.messages += 1;
        let reports = self.analyse(&decoded.message);
        self.step(Event::Message(decoded.message));
        for report in reports {
            self.step(Event::Rhythm(report));
        }
    }

    fn analyse(&mut self, message: &Message) -> Vec<RhythmReport> {
        let Body::Wave(block) = &message.body else { return Vec::new() };
        let Some(bed) = self.ward.bed_of(&message.device) else {
            return Vec::new();
        };
        let Some(stay) = self.ward.stay_in(bed) else {
            return Vec::new();
        };
        let standing = || self.ward.rhythms_in(bed);
        self.rhythms
            .take(bed, stay, (block, message.sent_at), self.now, standing, &mut |_| {})
    }

    fn order(&mut self, command: Command) {
        let by = Actor::new("the simulated nurse", Role::ChargeNurse);
        self.step(Event::Order(Order { by, command }));
    }

    fn step(&mut self, event: Event) {
        let mut effects = Vec::new();
        self.ward.step(event, self.now, &mut effects);
        for effect in effects {
            match effect {
                Effect::Alarm(change) => self.note(change),
                Effect::Duplicate => self.counts.duplicates += 1,
                Effect::Gap { missed, .. } => self.counts.missed += u64::from(missed),
                Effect::RequestBirth(device) => self.rebirth(&device),
                // An alarm that ended before its nurse came is answered too; there is no model here.
                Effect::Record(_) | Effect::Infer(_) | Effect::Done | Effect::Refused(_) => {}
            }
        }
    }

    fn note(&mut self, change: AlarmChange) {
        let calls = matches!(change.transition, Transition::Raised | Transition::Reminded);
        if let Some(after) = self.nurse.answers_after.filter(|_| calls) {
            self.nurse.called.push_back((self.now.plus(after), change.id.clone()));
        }
        self.changes.push(change);
    }

    fn rebirth(&mut self, device: &DeviceId) {
        let mut published = Vec::new();
        self.simulated.obey(device, &Cmd::Rebirth, self.now, &mut published);
        for publication in published {
            self.take(&publication);
        }
    }
}

/// Ticks stand on a grid, as in `agent/edge/src/ticks.rs`.
fn following_tick(now: Timestamp) -> Timestamp {
    let grid = TICK.as_millis() as i64;
    Timestamp::from_millis((now.as_millis().div_euclid(grid) + 1) * grid)
}
